//! Flows in which the bot changes something: titles, locks, stored items, errors, hidden context; and long answers.

use serde_json::{Value, json};

use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, json, need, refused, skip, taken};
use crate::smoke::lab::{Lab, QUESTION, Talk, add};
use crate::smoke::told::{id, text};

pub(super) const CASES: &[Case] = &[
    case!(
        "title/updated",
        "a title that the bot gives is told by thread.updated and kept",
        "the event stream: thread.updated",
        title_updated
    ),
    case!(
        "status/locked",
        "a locked thread takes no message",
        "what each request does: a server should refuse them",
        locked
    ),
    case!(
        "status/closed",
        "a closed thread takes no message",
        "what each request does: a server should refuse them",
        closed
    ),
    case!(
        "status/locked-is-readable",
        "a locked thread can be read and says that it is locked",
        "objects: status",
        locked_is_readable
    ),
    case!(
        "replace/stored",
        "an item that was replaced is stored as the new one",
        "storage rule: replaced upserts",
        replaced
    ),
    case!("remove/gone", "an item that was removed is not listed", "storage rule: removed deletes", removed),
    case!(
        "error/message-kept",
        "the visitor's message survives a failed answer",
        "errors: a responder error does not delete anything",
        error_message_kept
    ),
    case!(
        "error/retry",
        "a failed answer can be tried again where the error says so",
        "errors: allow_retry",
        error_retry
    ),
    case!(
        "error/no-details",
        "an error tells nothing from inside",
        "errors: no message, nothing leaks",
        error_no_details
    ),
    case!(
        "hidden/not-streamed",
        "hidden context is not streamed",
        "hidden items: stored and not sent",
        hidden_not_streamed
    ),
    case!(
        "hidden/not-listed",
        "hidden context is neither listed nor read nor a cursor",
        "hidden items are filtered in the query",
        hidden_not_listed
    ),
    case!("notice/not-stored", "a notice is told and not stored", "event types: notice", notice_not_stored),
    case!(
        "effect/not-stored",
        "an effect in the page is told and not stored",
        "event types: client_effect",
        effect_not_stored
    ),
    case!("long/many-deltas", "an answer of many deltas comes whole", "the event stream of an answer", many_deltas),
];

/// Asks for a scene whose sign is an event of this type.
async fn event(lab: &Lab, word: &str, kind: &str) -> Result<(Talk, Value), Stop> {
    let talk = lab.ask(&format!("[[{word}]] {QUESTION}")).await?;
    match talk.told.of(kind).last().cloned() {
        Some(event) => Ok((talk, event)),
        None => skip(format!("this server's bot answered `[[{word}]]` without an event `{kind}`")),
    }
}

async fn title_updated(lab: &Lab) -> CaseResult {
    let (talk, event) = event(lab, "title", "thread.updated").await?;
    let thread = json(&lab.get(&talk.thread).await?)?;
    ensure(thread["title"].is_string() && thread["title"] == event["thread"]["title"], || {
        "the thread has another title than was told last".to_owned()
    })
}

/// A thread that the bot locked or closed.
async fn shut(lab: &Lab, word: &str, status: &str) -> Result<Talk, Stop> {
    let talk = lab.ask(&format!("[[{word}]] {QUESTION}")).await?;
    let thread = need(lab.get(&talk.thread).await?.json(), "the thread")?;
    if thread["status"]["type"] == status {
        Ok(talk)
    } else {
        skip(format!("this server's bot answered `[[{word}]]` and the thread is not {status}"))
    }
}

async fn refuses_messages(lab: &Lab, word: &str, status: &str) -> CaseResult {
    let talk = shut(lab, word, status).await?;
    refused(&lab.one.call("threads.add_user_message", add(&talk.thread, "And then?")).await?)
}

async fn locked(lab: &Lab) -> CaseResult {
    refuses_messages(lab, "lock", "locked").await
}

async fn closed(lab: &Lab) -> CaseResult {
    refuses_messages(lab, "close", "closed").await
}

async fn locked_is_readable(lab: &Lab) -> CaseResult {
    let talk = shut(lab, "lock", "locked").await?;
    ensure(!lab.items(&talk.thread).await?.is_empty(), || "its items are not listed".to_owned())
}

async fn replaced(lab: &Lab) -> CaseResult {
    let (talk, event) = event(lab, "replace", "thread.item.replaced").await?;
    let kept = lab.item(&talk.thread, id(&event["item"])).await?;
    ensure(kept.as_ref() == Some(&event["item"]), || "the stored item is another".to_owned())
}

async fn removed(lab: &Lab) -> CaseResult {
    let (talk, event) = event(lab, "remove", "thread.item.removed").await?;
    let gone = event["item_id"].as_str().unwrap_or_default();
    ensure(lab.item(&talk.thread, gone).await?.is_none(), || "it is still listed".to_owned())
}

async fn error_message_kept(lab: &Lab) -> CaseResult {
    let (talk, _) = event(lab, "error", "error").await?;
    ensure(lab.item(&talk.thread, talk.user_id()?).await?.is_some(), || "the message is gone".to_owned())
}

async fn error_retry(lab: &Lab) -> CaseResult {
    let (talk, error) = event(lab, "error", "error").await?;
    if error["allow_retry"] != true {
        return skip("the error does not allow a retry");
    }
    let params = json!({ "thread_id": talk.thread, "item_id": talk.user_id()? });
    taken(&lab.one.call("threads.retry_after_item", params).await?)
}

async fn error_no_details(lab: &Lab) -> CaseResult {
    let (_, error) = event(lab, "error", "error").await?;
    let message = error["message"].as_str().unwrap_or_default();
    let leak = crate::smoke::cases::last::leak(message);
    ensure(leak.is_none(), || format!("its message has `{}`", leak.unwrap_or_default()))
}

/// A conversation with hidden context in it. That it is there cannot be seen from outside.
async fn hidden(lab: &Lab) -> Result<Talk, Stop> {
    lab.ask(&format!("[[hidden]] {QUESTION}")).await
}

fn is_hidden(item: &Value) -> bool {
    item["type"].as_str().is_some_and(|kind| kind.contains("hidden"))
}

async fn hidden_not_streamed(lab: &Lab) -> CaseResult {
    let talk = hidden(lab).await?;
    ensure(!talk.told.events.iter().any(|event| is_hidden(&event["item"])), || "it was streamed".to_owned())
}

async fn hidden_not_listed(lab: &Lab) -> CaseResult {
    let talk = hidden(lab).await?;
    let items = lab.items(&talk.thread).await?;
    let thread = json(&lab.get(&talk.thread).await?)?;
    let read = thread["items"]["data"].as_array().into_iter().flatten();
    ensure(!items.iter().chain(read).any(is_hidden), || "it is listed".to_owned())?;
    for order in ["asc", "desc"] {
        for limit in 1..=3 {
            let params = json!({ "thread_id": talk.thread, "order": order, "limit": limit });
            let page = json(&lab.one.call("items.list", params).await?)?;
            let after = page["after"].as_str();
            let is_visible = after.is_none_or(|after| items.iter().any(|item| id(item) == after));
            ensure(is_visible, || format!("a page of {limit} has a cursor that is no visible item"))?;
        }
    }
    Ok(())
}

/// The thread holds items that were told as done, and nothing else.
async fn nothing_else_stored(lab: &Lab, talk: &Talk) -> CaseResult {
    let told = talk.told.of("thread.item.done").count();
    let stored = lab.items(&talk.thread).await?.len();
    ensure(told == stored, || format!("{told} items were told and {stored} are stored"))
}

async fn notice_not_stored(lab: &Lab) -> CaseResult {
    let (talk, _) = event(lab, "notice", "notice").await?;
    nothing_else_stored(lab, &talk).await
}

async fn effect_not_stored(lab: &Lab) -> CaseResult {
    let (talk, _) = event(lab, "effect", "client_effect").await?;
    nothing_else_stored(lab, &talk).await
}

async fn many_deltas(lab: &Lab) -> CaseResult {
    let talk = lab.ask(&format!("[[long]] {QUESTION}")).await?;
    let answer = need(talk.told.answer(), "an answer")?;
    let kept = need(lab.item(&talk.thread, id(answer)).await?, "the stored answer")?;
    ensure(text(&kept) == talk.told.deltas(), || "the stored text is not that of the deltas".to_owned())
}
