//! `threads.create` and `threads.add_user_message`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, json, need, refused, refused_with, taken};
use crate::smoke::lab::{Lab, QUESTION, add, create, input};
use crate::smoke::told::{Told, id, rows, text};

pub(super) const CASES: &[Case] = &[
    case!("create/thread", "a new thread is announced with an id", "the event stream: thread.created", thread),
    case!(
        "create/user-message",
        "the visitor's message comes back as it was sent",
        "what each request does: create",
        user_message
    ),
    case!("create/answer", "an answer or a well-formed error follows", "the event stream of an answer", answer),
    case!("create/tag", "a tag comes back with its data, group and flag", "requests: input_tag", tag),
    case!("create/quoted-text", "quoted text comes back", "requests: quoted_text", quoted_text),
    case!(
        "create/no-quoted-text",
        "a message without a quote has no `quoted_text`",
        "JSON rules: a null field is left out",
        no_quoted_text
    ),
    case!(
        "create/unknown-attachment",
        "a message with an unknown attachment is refused before the stream",
        "errors: bad attachment id",
        unknown_attachment
    ),
    case!(
        "create/nothing-left-behind",
        "a refused message leaves no thread behind",
        "what each request does: a failing attachment id leaves the new empty thread behind",
        nothing_left_behind
    )
    .alone(),
    case!(
        "create/distinct-ids",
        "threads and items made at once have different ids",
        "identifiers: ids must be unique",
        distinct_ids
    ),
    case!(
        "create/long-ids",
        "ids have room for 96 random bits",
        "identifiers: 32 random bits collide near 65,536 objects",
        long_ids
    )
    .advisory(),
    case!("create/is-stored", "what the stream told is what the thread holds", "storage rule: done inserts", is_stored),
    case!(
        "create/stored-before-told",
        "a message is stored before it is acknowledged",
        "storage rule: writes happen before the event is sent",
        stored_before_told
    ),
    case!(
        "add/no-new-thread",
        "a message in a thread announces no new thread",
        "what each request does: as create without thread.created",
        no_new_thread
    ),
    case!(
        "add/order",
        "messages and answers are listed in the order in which they came",
        "pagination: ordering is by creation",
        order
    ),
    case!(
        "add/unknown-thread",
        "a message for an unknown thread is refused with 404 before the stream",
        "errors: unknown thread in a streaming request",
        add_unknown
    ),
    case!(
        "add/item-id-for-a-thread",
        "an item's id is no thread's",
        "errors: unknown thread in a streaming request",
        item_for_thread
    ),
];

async fn created(lab: &Lab) -> Result<Told, Stop> {
    let reply = lab.one.call("threads.create", create(QUESTION)).await?;
    taken(&reply)?;
    Ok(reply.told())
}

async fn thread(lab: &Lab) -> CaseResult {
    let told = created(lab).await?;
    ensure(told.thread_id().is_some_and(|id| !id.is_empty()), || "no `thread.created` with an id".to_owned())
}

async fn user_message(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let message = talk.told.done("user_message").next();
    let Some(message) = message else {
        return Err(Stop::Fail("no `thread.item.done` of a user message".to_owned()));
    };
    ensure(text(message) == QUESTION, || "its text is another".to_owned())
}

async fn answer(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let has_error = talk.told.of("error").next().is_some();
    ensure(talk.told.answer().is_some_and(|item| !text(item).is_empty()) || has_error, || {
        "the stream ended without an answer and without an error".to_owned()
    })
}

/// Sends a message with changes and returns it as it came back.
async fn sent(lab: &Lab, change: impl Fn(&mut Value)) -> Result<Value, Stop> {
    let mut message = input(QUESTION);
    change(&mut message);
    let reply = lab.one.call("threads.create", json!({ "input": message })).await?;
    taken(&reply)?;
    let told = reply.told();
    need(told.done("user_message").next().cloned(), "the visitor's message")
}

async fn tag(lab: &Lab) -> CaseResult {
    let tag = json!({
        "type": "input_tag", "id": "order-7", "text": "Order 7", "data": { "a": { "b": [null, 1] } }, "group": "Orders",
        "interactive": true
    });
    let item =
        sent(lab, |message| message["content"] = json!([{ "type": "input_text", "text": QUESTION }, tag])).await?;
    ensure(item["content"][1] == tag, || "the tag came back changed".to_owned())
}

async fn quoted_text(lab: &Lab) -> CaseResult {
    let item = sent(lab, |message| message["quoted_text"] = json!("five working days")).await?;
    ensure(item["quoted_text"] == "five working days", || "the quote came back changed".to_owned())
}

async fn no_quoted_text(lab: &Lab) -> CaseResult {
    let item = sent(lab, |_| {}).await?;
    ensure(item.get("quoted_text").is_none(), || "`quoted_text` is there".to_owned())
}

fn with_unknown_attachment() -> Value {
    let mut message = input(QUESTION);
    message["attachments"] = json!(["atc_00000000000000000000000000000000"]);
    json!({ "input": message })
}

async fn unknown_attachment(lab: &Lab) -> CaseResult {
    let reply = lab.one.call("threads.create", with_unknown_attachment()).await?;
    ensure([400, 404, 409, 422, 501].contains(&reply.status) && reply.cut.is_none(), || {
        format!("{}; expected a 4xx before anything is streamed", reply.describe())
    })
}

async fn newest(lab: &Lab) -> Result<Vec<String>, Stop> {
    let page = json(&lab.one.call("threads.list", json!({ "limit": 10 })).await?)?;
    Ok(rows(&page).iter().map(|row| id(row).to_owned()).collect())
}

async fn nothing_left_behind(lab: &Lab) -> CaseResult {
    let before = newest(lab).await?;
    lab.one.call("threads.create", with_unknown_attachment()).await?;
    ensure(newest(lab).await? == before, || "there is a new thread in the list".to_owned())
}

async fn distinct_ids(lab: &Lab) -> CaseResult {
    let asked = futures_util::future::join_all((0..8).map(|_| lab.ask(QUESTION))).await;
    let mut ids: Vec<String> = Vec::new();
    for talk in asked {
        let talk = talk?;
        ids.extend(
            [Some(talk.thread.as_str()), talk.told.user_id(), talk.told.answer_id()]
                .into_iter()
                .flatten()
                .map(str::to_owned),
        );
    }
    let different: BTreeSet<&String> = ids.iter().collect();
    ensure(different.len() == ids.len(), || format!("{} ids, {} different ones", ids.len(), different.len()))
}

async fn long_ids(lab: &Lab) -> CaseResult {
    // 96 bits are 16 characters in the densest usual alphabet.
    const CHARS: usize = 16;
    let talk = lab.sample().await?;
    for id in [talk.thread.as_str(), talk.user_id()?] {
        let random = id.rsplit('_').next().unwrap_or(id).len();
        ensure(random >= CHARS, || format!("`{id}` has {random} characters beside its prefix"))?;
    }
    Ok(())
}

async fn is_stored(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let stored = lab.items(&talk.thread).await?;
    let told: BTreeMap<&str, &Value> =
        talk.told.of("thread.item.done").map(|event| (id(&event["item"]), &event["item"])).collect();
    for item in told.values() {
        let kept = stored.iter().find(|kept| kept["id"] == item["id"]);
        ensure(kept == Some(*item), || {
            let state = if kept.is_some() { "holds it otherwise" } else { "does not hold it" };
            format!("`{}` was told, and the thread {state}", id(item))
        })?;
    }
    ensure(told.len() == stored.len(), || format!("{} items were told, {} are stored", told.len(), stored.len()))
}

async fn stored_before_told(lab: &Lab) -> CaseResult {
    let mut live = lab.one.open("threads.create", create(&format!("[[slow]] {QUESTION}"))).await?;
    let told = live.until(|told| told.user_id().is_some()).await?;
    let thread = need(told.thread_id(), "a thread")?;
    let stored = lab.items(thread).await?;
    let is_there = stored.iter().any(|item| Some(id(item)) == told.user_id());
    drop(live);
    ensure(is_there, || "the message was acknowledged and is not in the list".to_owned())
}

async fn no_new_thread(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let told = lab.say(&talk.thread, "And then?").await?;
    ensure(told.of("thread.created").next().is_none(), || "there is a `thread.created`".to_owned())?;
    ensure(told.user_id().is_some(), || "the message is not acknowledged by `thread.item.done`".to_owned())
}

async fn order(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    lab.say(&talk.thread, "And then?").await?;
    let items = lab.items(&talk.thread).await?;
    let kinds = items.iter().filter_map(|item| item["type"].as_str());
    let messages: Vec<&str> = kinds.filter(|kind| kind.ends_with("_message")).collect();
    ensure(messages == ["user_message", "assistant_message", "user_message", "assistant_message"], || {
        format!("the list has {}", messages.join(", "))
    })
}

async fn add_unknown(lab: &Lab) -> CaseResult {
    let reply = lab.one.call("threads.add_user_message", add("thr_00000000000000000000000000000000", QUESTION)).await?;
    refused_with(&reply, &[404])
}

async fn item_for_thread(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    refused(&lab.one.call("threads.add_user_message", add(talk.user_id()?, QUESTION)).await?)
}
