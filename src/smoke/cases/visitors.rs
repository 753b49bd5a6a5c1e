//! Two visitors: nothing of the one is seen, changed or confirmed to exist by the other.

use serde_json::{Value, json};

use crate::smoke::call::Reply;
use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, json, refused};
use crate::smoke::lab::{Lab, QUESTION, Talk, add, create};
use crate::smoke::told::ids;

/// Where the rule stands.
const RULE: &str = "every operation checks the owner; another's id and an unknown id give the same answer";

pub(super) const CASES: &[Case] = &[
    case!("visitors/list", "another visitor's threads are not listed", RULE, list),
    case!("visitors/get", "another visitor's thread is not found", RULE, get),
    case!("visitors/items", "another visitor's items are not found", RULE, items),
    case!("visitors/add", "another visitor's thread takes no message", RULE, add_message),
    case!("visitors/rename", "another visitor's thread is not renamed", RULE, rename),
    case!("visitors/delete", "another visitor's thread is not deleted", RULE, delete),
    case!("visitors/retry", "another visitor's message is not answered again", RULE, retry),
    case!("visitors/feedback", "another visitor's answers take no feedback", RULE, feedback),
    case!("visitors/tool-output", "another visitor's thread takes no tool output", RULE, tool_output),
    case!("visitors/structured-input", "another visitor's thread takes no form", RULE, structured_input),
    case!("visitors/actions", "another visitor's thread takes no action", RULE, actions),
    case!(
        "visitors/cursor",
        "another visitor's thread is no cursor",
        "cursors of another user reveal nothing and move nothing",
        cursor
    ),
    case!("visitors/busy-is-private", "whether another visitor's thread is busy is not told", RULE, busy_is_private),
    case!("visitors/same-words", "another's thread and an unknown one are refused in the same words", RULE, same_words),
];

/// The id of a thread that there never was.
const NO_THREAD: &str = "thr_00000000000000000000000000000000";

/// A thread of the first visitor, when the server tells visitors apart.
async fn theirs(lab: &Lab) -> Result<Talk, Stop> {
    lab.need_two_visitors()?;
    lab.ask(QUESTION).await
}

/// The other visitor's request is refused like one about a thread that there never was, and changes nothing.
async fn refuses(lab: &Lab, kind: &str, params: impl Fn(&str, &Talk) -> Value) -> CaseResult {
    let talk = theirs(lab).await?;
    let before = lab.items(&talk.thread).await?;
    let reply = lab.other.call(kind, params(&talk.thread, &talk)).await?;
    let unknown = lab.other.call(kind, params(NO_THREAD, &talk)).await?;
    if reply.status == 501 && unknown.status == 501 {
        return Err(Stop::Skip(format!("this server has no `{kind}`")));
    }
    refused(&reply)?;
    same(&reply, &unknown)?;
    ensure(lab.items(&talk.thread).await? == before, || "the thread is another now".to_owned())
}

fn same(foreign: &Reply, unknown: &Reply) -> CaseResult {
    ensure(foreign.status == unknown.status, || {
        format!("another's gave {}, an unknown one {}", foreign.status, unknown.status)
    })
}

async fn list(lab: &Lab) -> CaseResult {
    let talk = theirs(lab).await?;
    let page = json(&lab.other.call("threads.list", json!({ "limit": 100 })).await?)?;
    ensure(!ids(&page).contains(&talk.thread), || "it is listed".to_owned())
}

async fn get(lab: &Lab) -> CaseResult {
    refuses(lab, "threads.get_by_id", |thread, _| json!({ "thread_id": thread })).await
}

async fn items(lab: &Lab) -> CaseResult {
    refuses(lab, "items.list", |thread, _| json!({ "thread_id": thread })).await
}

async fn add_message(lab: &Lab) -> CaseResult {
    refuses(lab, "threads.add_user_message", |thread, _| add(thread, "And then?")).await
}

async fn rename(lab: &Lab) -> CaseResult {
    refuses(lab, "threads.update", |thread, _| json!({ "thread_id": thread, "title": "Mine" })).await
}

async fn delete(lab: &Lab) -> CaseResult {
    let talk = theirs(lab).await?;
    let foreign = lab.other.call("threads.delete", json!({ "thread_id": talk.thread })).await?;
    let unknown = lab.other.call("threads.delete", json!({ "thread_id": NO_THREAD })).await?;
    same(&foreign, &unknown)?;
    ensure(lab.get(&talk.thread).await?.status == 200, || "the thread is gone".to_owned())
}

async fn retry(lab: &Lab) -> CaseResult {
    refuses(
        lab,
        "threads.retry_after_item",
        |thread, talk| json!({ "thread_id": thread, "item_id": talk.told.user_id() }),
    )
    .await
}

async fn feedback(lab: &Lab) -> CaseResult {
    refuses(
        lab,
        "items.feedback",
        |thread, talk| json!({ "thread_id": thread, "item_ids": [talk.told.answer_id()], "kind": "negative" }),
    )
    .await
}

async fn tool_output(lab: &Lab) -> CaseResult {
    refuses(lab, "threads.add_client_tool_output", |thread, _| json!({ "thread_id": thread, "result": {} })).await
}

async fn structured_input(lab: &Lab) -> CaseResult {
    refuses(
        lab,
        "threads.add_structured_input",
        |thread, talk| json!({ "thread_id": thread, "item_id": talk.told.answer_id(), "input": { "answers": {} } }),
    )
    .await
}

async fn actions(lab: &Lab) -> CaseResult {
    for kind in ["threads.custom_action", "threads.sync_custom_action"] {
        refuses(lab, kind, |thread, _| json!({ "thread_id": thread, "action": { "type": "x", "payload": null } }))
            .await?;
    }
    Ok(())
}

async fn cursor(lab: &Lab) -> CaseResult {
    let talk = theirs(lab).await?;
    let foreign = lab.other.call("threads.list", json!({ "after": talk.thread })).await?;
    let unknown = lab.other.call("threads.list", json!({ "after": NO_THREAD })).await?;
    same(&foreign, &unknown)?;
    ensure(foreign.status != 200 || foreign.json() == unknown.json(), || "it moves the list".to_owned())
}

async fn busy_is_private(lab: &Lab) -> CaseResult {
    lab.need_two_visitors()?;
    let mut live = lab.one.open("threads.create", create(&format!("[[slow]] {QUESTION}"))).await?;
    let told = live.until(|told| !told.deltas().is_empty()).await?;
    let thread = told.thread_id().unwrap_or_default();
    let foreign = lab.other.call("threads.add_user_message", add(thread, "And then?")).await?;
    drop(live);
    ensure(foreign.status == 404, || format!("{}; expected 404", foreign.describe()))
}

async fn same_words(lab: &Lab) -> CaseResult {
    let talk = theirs(lab).await?;
    let words = |reply: &Reply| {
        let mut body = reply.json().unwrap_or_default();
        // The number of a request may stand in an error; it is another each time.
        if let Some(error) = body["error"].as_object_mut() {
            error.remove("request_id");
        }
        body
    };
    let foreign = lab.other.call("threads.get_by_id", json!({ "thread_id": talk.thread })).await?;
    let unknown = lab.other.call("threads.get_by_id", json!({ "thread_id": NO_THREAD })).await?;
    same(&foreign, &unknown)?;
    ensure(words(&foreign) == words(&unknown), || "the two refusals differ".to_owned())
}
