//! Answers to what nobody asked: tool output, forms and actions with nothing pending; transcription.

use serde_json::{Value, json};

use crate::smoke::call::Reply;
use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, refused, skip};
use crate::smoke::lab::{Lab, Talk};

/// Where the protocol says it.
const RULE: &str = "errors: tool output with nothing pending, unknown items: a 4xx before the stream starts";

pub(super) const CASES: &[Case] = &[
    case!(
        "tool/nothing-pending",
        "tool output that nothing waits for is refused before the stream",
        RULE,
        tool_nothing
    ),
    case!("tool/unknown-thread", "tool output for an unknown thread is refused", RULE, tool_unknown),
    case!(
        "tool/missing-result",
        "tool output without `result` is refused",
        "requests: result is required, null allowed",
        tool_missing
    ),
    case!("form/unknown-item", "a form that there never was is refused", RULE, form_unknown),
    case!("form/not-a-form", "an answer is no form", RULE, form_not_a_form),
    case!("form/unknown-thread", "a form of an unknown thread is refused", RULE, form_unknown_thread),
    case!(
        "form/invalid-status",
        "a status that is neither answered nor skipped is refused",
        "requests: StructuredInputSubmission",
        form_status
    ),
    case!("action/unknown-item", "an action of an unknown widget is refused", RULE, action_unknown),
    case!(
        "action/not-a-widget",
        "an action of an item that is no widget is refused",
        "what each request does: item_id must name a widget item",
        action_not_a_widget
    ),
    case!("action/unknown-thread", "an action in an unknown thread is refused", RULE, action_unknown_thread),
    case!(
        "action/missing-type",
        "an action without `type` is refused",
        "leniency: accepted with a meaningless default (a bug)",
        action_missing_type
    ),
    case!(
        "action/missing-action",
        "an action request without `action` is refused",
        "requests: action is required",
        action_missing
    ),
    case!("sync-action/unknown-item", "a synchronous action of an unknown widget is refused", RULE, sync_unknown),
    case!(
        "sync-action/not-a-widget",
        "a synchronous action of an item that is no widget is refused",
        RULE,
        sync_not_a_widget
    ),
    case!(
        "transcribe/answer",
        "audio becomes text, or is refused properly",
        "requests: input.transcribe; not implemented by default",
        transcribe
    ),
    case!(
        "transcribe/not-base64",
        "audio that is no base64 is refused",
        "requests: input.transcribe",
        transcribe_not_base64
    ),
    case!(
        "transcribe/missing-fields",
        "a transcription without audio is refused",
        "requests: input.transcribe",
        transcribe_missing
    ),
];

/// The id of an item that there never was.
const NO_ITEM: &str = "msg_00000000000000000000000000000000";
/// The id of a thread that there never was.
const NO_THREAD: &str = "thr_00000000000000000000000000000000";

/// A 4xx; a server that says that it has no such operation has nothing to look at.
fn refused_or_absent(reply: &Reply) -> CaseResult {
    if reply.status == 501 {
        return skip(format!("this server says that it has no `{}` (501)", reply.kind));
    }
    refused(reply)
}

async fn call(lab: &Lab, kind: &str, params: impl FnOnce(&Talk) -> Result<Value, Stop>) -> CaseResult {
    let talk = lab.sample().await?;
    let params = params(talk)?;
    refused_or_absent(&lab.one.call(kind, params).await?)
}

async fn tool_nothing(lab: &Lab) -> CaseResult {
    call(lab, "threads.add_client_tool_output", |talk| Ok(json!({ "thread_id": talk.thread, "result": { "a": 1 } })))
        .await
}

async fn tool_unknown(lab: &Lab) -> CaseResult {
    call(lab, "threads.add_client_tool_output", |_| Ok(json!({ "thread_id": NO_THREAD, "result": null }))).await
}

async fn tool_missing(lab: &Lab) -> CaseResult {
    call(lab, "threads.add_client_tool_output", |talk| Ok(json!({ "thread_id": talk.thread }))).await
}

const FORM: &str = "threads.add_structured_input";

async fn form_unknown(lab: &Lab) -> CaseResult {
    let input = json!({ "status": "answered", "answers": {} });
    call(lab, FORM, |talk| Ok(json!({ "thread_id": talk.thread, "item_id": NO_ITEM, "input": input }))).await
}

async fn form_not_a_form(lab: &Lab) -> CaseResult {
    call(lab, FORM, |talk| Ok(json!({ "thread_id": talk.thread, "item_id": talk.answer_id()?, "input": {} }))).await
}

async fn form_unknown_thread(lab: &Lab) -> CaseResult {
    call(lab, FORM, |_| Ok(json!({ "thread_id": NO_THREAD, "item_id": NO_ITEM, "input": {} }))).await
}

async fn form_status(lab: &Lab) -> CaseResult {
    let input = json!({ "status": "maybe", "answers": {} });
    call(lab, FORM, |talk| Ok(json!({ "thread_id": talk.thread, "item_id": NO_ITEM, "input": input }))).await
}

const ACTION: &str = "threads.custom_action";
const SYNC_ACTION: &str = "threads.sync_custom_action";

async fn action_unknown(lab: &Lab) -> CaseResult {
    let action = json!({ "type": "refresh", "payload": { "a": 1 } });
    call(lab, ACTION, |talk| Ok(json!({ "thread_id": talk.thread, "item_id": NO_ITEM, "action": action }))).await
}

async fn action_not_a_widget(lab: &Lab) -> CaseResult {
    let action = json!({ "type": "refresh", "payload": null });
    call(lab, ACTION, |talk| Ok(json!({ "thread_id": talk.thread, "item_id": talk.user_id()?, "action": action })))
        .await
}

async fn action_unknown_thread(lab: &Lab) -> CaseResult {
    call(lab, ACTION, |_| Ok(json!({ "thread_id": NO_THREAD, "action": { "type": "refresh" } }))).await
}

async fn action_missing_type(lab: &Lab) -> CaseResult {
    call(lab, ACTION, |talk| Ok(json!({ "thread_id": talk.thread, "action": { "payload": {} } }))).await
}

async fn action_missing(lab: &Lab) -> CaseResult {
    call(lab, ACTION, |talk| Ok(json!({ "thread_id": talk.thread }))).await
}

async fn sync_unknown(lab: &Lab) -> CaseResult {
    let action = json!({ "type": "refresh" });
    call(lab, SYNC_ACTION, |talk| Ok(json!({ "thread_id": talk.thread, "item_id": NO_ITEM, "action": action }))).await
}

async fn sync_not_a_widget(lab: &Lab) -> CaseResult {
    let action = json!({ "type": "refresh" });
    call(lab, SYNC_ACTION, |talk| Ok(json!({ "thread_id": talk.thread, "item_id": talk.user_id()?, "action": action })))
        .await
}

const TRANSCRIBE: &str = "input.transcribe";

async fn transcribe(lab: &Lab) -> CaseResult {
    let params = json!({ "audio_base64": "GkXfow==", "mime_type": "audio/webm;codecs=opus" });
    let reply = lab.one.call(TRANSCRIBE, params).await?;
    match reply.status {
        200 => ensure(reply.json().is_some_and(|answer| answer["text"].is_string()), || {
            "the answer has no `text`".to_owned()
        }),
        _ => refused_or_absent(&reply),
    }
}

async fn transcribe_not_base64(lab: &Lab) -> CaseResult {
    let params = json!({ "audio_base64": "%%%", "mime_type": "audio/webm" });
    refused_or_absent(&lab.one.call(TRANSCRIBE, params).await?)
}

async fn transcribe_missing(lab: &Lab) -> CaseResult {
    refused_or_absent(&lab.one.call(TRANSCRIBE, json!({ "mime_type": "audio/webm" })).await?)
}
