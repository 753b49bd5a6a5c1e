//! Reading, renaming and deleting threads; feedback.

use serde_json::{Value, json};

use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{answered, ensure, json, refused, refused_with, taken};
use crate::smoke::lab::{Lab, QUESTION, add, create};
use crate::smoke::told::{id, ids, rows};

pub(super) const CASES: &[Case] = &[
    case!("get/items", "a thread comes with its items, oldest first", "requests: threads.get_by_id", get_items),
    case!(
        "get/first-twenty",
        "of a long thread the first 20 items come, and `items.list` goes on from there",
        "requests: get_by_id: items asc, page of 20",
        get_first_twenty
    ),
    case!(
        "get/unknown",
        "an unknown thread is refused with 404",
        "errors: unknown thread in a JSON request",
        get_unknown
    ),
    case!("get/item-id", "an item's id is no thread's", "errors: unknown thread in a JSON request", get_item_id),
    case!(
        "rename/title",
        "the answer, the thread and the list have the new title",
        "requests: threads.update",
        rename_title
    ),
    case!("rename/unicode", "a title of any script comes back whole", "requests: threads.update", rename_unicode),
    case!(
        "rename/without-items",
        "the answer has an empty page of items",
        "requests: threads.update: Thread with an empty items page",
        rename_without_items
    ),
    case!(
        "rename/stays",
        "a visitor's title stays when an answer follows",
        "rules: titles set by the user must not be overwritten",
        rename_stays
    ),
    case!("rename/missing-title", "without a title it is refused", "requests: title is required", rename_missing),
    case!(
        "rename/long-title",
        "a title of 100,000 characters is refused or kept whole",
        "the library sets no limit; a server must",
        rename_long
    ),
    case!(
        "rename/unknown",
        "an unknown thread is refused with 404",
        "errors: unknown thread in a JSON request",
        rename_unknown
    ),
    case!("delete/empty-answer", "the answer is {}", "requests: threads.delete", delete_answer),
    case!(
        "delete/gone",
        "a deleted thread is not found, nor are its items",
        "what each request does: delete",
        delete_gone
    ),
    case!("delete/not-listed", "a deleted thread is not listed", "what each request does: delete", delete_not_listed),
    case!(
        "delete/twice",
        "deleting twice and deleting the unknown are answered alike",
        "what each request does: delete",
        delete_twice
    ),
    case!(
        "delete/no-return",
        "a message does not bring a deleted thread back",
        "rules: an answer must not bring a deleted thread back",
        delete_no_return
    ),
    case!(
        "delete/while-streaming",
        "a thread deleted while it is answered stays deleted",
        "rules: an answer must not bring a deleted thread back",
        delete_while_streaming
    ),
    case!("delete/only-that", "other threads stay", "what each request does: delete", delete_only_that),
    case!("feedback/positive", "positive feedback is answered with {}", "requests: items.feedback", feedback_positive),
    case!(
        "feedback/changed",
        "feedback may be given again and otherwise",
        "requests: items.feedback",
        feedback_changed
    ),
    case!(
        "feedback/unknown-thread",
        "feedback on an unknown thread is refused with 404",
        "errors: unknown thread in a JSON request",
        feedback_unknown_thread
    ),
    case!(
        "feedback/unknown-item",
        "feedback on an unknown item is answered properly",
        "what each request does: feedback: ids are not checked",
        feedback_unknown_item
    ),
    case!(
        "feedback/no-items",
        "feedback on nothing is answered properly",
        "requests: items.feedback",
        feedback_no_items
    ),
];

/// The id of a thread that there never was.
const NO_THREAD: &str = "thr_00000000000000000000000000000000";

async fn get_items(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let thread = json(&lab.get(&talk.thread).await?)?;
    let listed: Vec<String> = lab.items(&talk.thread).await?.iter().map(|item| id(item).to_owned()).collect();
    ensure(ids(&thread["items"]) == listed, || "its items are not those of the list".to_owned())
}

async fn get_first_twenty(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    for _ in 0..10 {
        lab.say(&talk.thread, "And then?").await?;
    }
    let all: Vec<String> = lab.items(&talk.thread).await?.iter().map(|item| id(item).to_owned()).collect();
    let page = json(&lab.get(&talk.thread).await?)?["items"].clone();
    ensure(ids(&page) == all[..20.min(all.len())], || format!("it has {} items, or others", rows(&page).len()))?;
    let after = page["after"].as_str();
    let after = after.ok_or_else(|| Stop::Fail("there is more, and no `after`".to_owned()))?;
    let rest = json!({ "thread_id": talk.thread, "order": "asc", "after": after, "limit": 100 });
    let rest = json(&lab.one.call("items.list", rest).await?)?;
    ensure(ids(&rest) == all[20..], || "the list does not go on where the thread ended".to_owned())
}

async fn get_unknown(lab: &Lab) -> CaseResult {
    refused_with(&lab.get(NO_THREAD).await?, &[404])
}

async fn get_item_id(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    refused(&lab.get(talk.user_id()?).await?)
}

async fn rename(lab: &Lab, title: &str) -> Result<(String, Value), Stop> {
    let talk = lab.ask(QUESTION).await?;
    let reply = lab.one.call("threads.update", json!({ "thread_id": talk.thread, "title": title })).await?;
    Ok((talk.thread, json(&reply)?))
}

async fn title(lab: &Lab, thread: &str) -> Result<String, Stop> {
    let thread = json(&lab.get(thread).await?)?;
    Ok(thread["title"].as_str().unwrap_or_default().to_owned())
}

async fn rename_title(lab: &Lab) -> CaseResult {
    let (thread, answer) = rename(lab, "Refunds and cards").await?;
    ensure(answer["title"] == "Refunds and cards", || "the answer has another title".to_owned())?;
    ensure(title(lab, &thread).await? == "Refunds and cards", || "the thread has another title".to_owned())?;
    let page = json(&lab.one.call("threads.list", json!({ "limit": 100 })).await?)?;
    let listed = rows(&page).iter().find(|row| id(row) == thread);
    ensure(listed.is_none_or(|row| row["title"] == "Refunds and cards"), || "the list has another title".to_owned())
}

async fn rename_unicode(lab: &Lab) -> CaseResult {
    let wanted = "返金 🎒 كم \"a\\b\" <i>";
    let (thread, _) = rename(lab, wanted).await?;
    ensure(title(lab, &thread).await? == wanted, || "the thread has another title".to_owned())
}

async fn rename_without_items(lab: &Lab) -> CaseResult {
    let (_, answer) = rename(lab, "Refunds").await?;
    ensure(answer["items"]["data"] == json!([]), || "the answer has items, or no page of them".to_owned())
}

async fn rename_stays(lab: &Lab) -> CaseResult {
    let (thread, _) = rename(lab, "My own title").await?;
    lab.say(&thread, "And then?").await?;
    lab.say(&thread, &format!("[[title]] {QUESTION}")).await?;
    let found = title(lab, &thread).await?;
    ensure(found == "My own title", || "an answer has overwritten it".to_owned())
}

async fn rename_missing(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    refused(&lab.one.call("threads.update", json!({ "thread_id": talk.thread })).await?)?;
    refused(&lab.one.call("threads.update", json!({ "thread_id": talk.thread, "title": null })).await?)
}

async fn rename_long(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let wanted = "long ".repeat(20_000);
    let reply = lab.one.call("threads.update", json!({ "thread_id": talk.thread, "title": wanted.trim() })).await?;
    answered(&reply)?;
    let is_whole = reply.status != 200 || title(lab, &talk.thread).await? == wanted.trim();
    ensure(is_whole, || "it was taken and cut".to_owned())
}

async fn rename_unknown(lab: &Lab) -> CaseResult {
    refused_with(&lab.one.call("threads.update", json!({ "thread_id": NO_THREAD, "title": "x" })).await?, &[404])
}

async fn delete(lab: &Lab, thread: &str) -> Result<crate::smoke::call::Reply, Stop> {
    lab.one.call("threads.delete", json!({ "thread_id": thread })).await
}

/// The id of a thread that is deleted.
async fn deleted(lab: &Lab) -> Result<String, Stop> {
    let talk = lab.ask(QUESTION).await?;
    let reply = delete(lab, &talk.thread).await?;
    taken(&reply).map_err(|_| Stop::Unknown(format!("it needs a deleted thread, and {}", reply.describe())))?;
    Ok(talk.thread)
}

async fn delete_answer(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let answer = json(&delete(lab, &talk.thread).await?)?;
    ensure(answer == json!({}), || "the answer is another".to_owned())
}

async fn delete_gone(lab: &Lab) -> CaseResult {
    let thread = deleted(lab).await?;
    refused_with(&lab.get(&thread).await?, &[404])?;
    refused_with(&lab.one.call("items.list", json!({ "thread_id": thread })).await?, &[404])
}

async fn delete_not_listed(lab: &Lab) -> CaseResult {
    let thread = deleted(lab).await?;
    let page = json(&lab.one.call("threads.list", json!({ "limit": 100 })).await?)?;
    ensure(!ids(&page).contains(&thread), || "it is still in the list".to_owned())
}

async fn delete_twice(lab: &Lab) -> CaseResult {
    let thread = deleted(lab).await?;
    let (again, unknown) = (delete(lab, &thread).await?, delete(lab, NO_THREAD).await?);
    refused_with(&again, &[200, 404])?;
    ensure(again.status == unknown.status, || {
        format!("deleted again gave {}, the unknown {}", again.status, unknown.status)
    })
}

async fn delete_no_return(lab: &Lab) -> CaseResult {
    let thread = deleted(lab).await?;
    refused_with(&lab.one.call("threads.add_user_message", add(&thread, QUESTION)).await?, &[404])?;
    refused_with(&lab.get(&thread).await?, &[404])
}

async fn delete_while_streaming(lab: &Lab) -> CaseResult {
    let mut live = lab.one.open("threads.create", create(&format!("[[slow]] {QUESTION}"))).await?;
    let told = live.until(|told| !told.deltas().is_empty()).await?;
    let thread = told.thread_id().unwrap_or_default().to_owned();
    taken(&delete(lab, &thread).await?)?;
    // Its end may be an error, or the rest of the answer: what counts is what is left.
    while live.next().await?.is_some() {}
    refused_with(&lab.get(&thread).await?, &[404])
}

async fn delete_only_that(lab: &Lab) -> CaseResult {
    let kept = lab.ask(QUESTION).await?;
    deleted(lab).await?;
    ensure(lab.get(&kept.thread).await?.status == 200, || "another thread is gone, too".to_owned())
}

async fn feedback(lab: &Lab, thread: &str, items: &[&str], kind: &str) -> Result<crate::smoke::call::Reply, Stop> {
    lab.one.call("items.feedback", json!({ "thread_id": thread, "item_ids": items, "kind": kind })).await
}

async fn feedback_positive(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let answer = json(&feedback(lab, &talk.thread, &[talk.answer_id()?], "positive").await?)?;
    ensure(answer == json!({}), || "the answer is another".to_owned())
}

async fn feedback_changed(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    for kind in ["positive", "negative", "negative"] {
        taken(&feedback(lab, &talk.thread, &[talk.answer_id()?], kind).await?)?;
    }
    Ok(())
}

async fn feedback_unknown_thread(lab: &Lab) -> CaseResult {
    refused_with(&feedback(lab, NO_THREAD, &["msg_0"], "positive").await?, &[404])
}

async fn feedback_unknown_item(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    answered(&feedback(lab, &talk.thread, &["msg_00000000000000000000000000000000"], "positive").await?)
}

async fn feedback_no_items(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    answered(&feedback(lab, &talk.thread, &[], "positive").await?)
}
