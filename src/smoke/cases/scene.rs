//! Flows that begin with an item which the bot shows: tool calls, forms, widgets, workflows, pictures, links.
//!
//! A bot shows them when a message begins with a word in double brackets, such as `[[tool]]`. One that does not has
//! nothing to look at.

use serde_json::{Value, json};

use crate::smoke::call::Reply;
use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, json, need, refused, skip, taken};
use crate::smoke::lab::{Lab, QUESTION, Talk};
use crate::smoke::told::{Told, id, text};

pub(super) const CASES: &[Case] = &[
    case!("tool/pending", "a tool call is stored as pending", "objects: client_tool_call", tool_pending),
    case!(
        "tool/output",
        "its output completes the call, is kept whole, and the bot goes on",
        "what each request does: add_client_tool_output",
        tool_output
    ),
    case!("tool/null-output", "an output of null is taken", "requests: result: null allowed", tool_null),
    case!(
        "tool/output-once",
        "a second output for one call is refused",
        "what each request does: the newest item must be a pending call",
        tool_once
    ),
    case!("form/pending", "a form is stored as pending, without answers", "objects: structured_input", form_pending),
    case!(
        "form/submitted",
        "a submitted form goes out as replaced, after stream_options, and is stored",
        "what each request does: add_structured_input",
        form_submitted
    ),
    case!(
        "form/one-choice",
        "a question of one choice keeps the first value",
        "what each request does: add_structured_input",
        form_one_choice
    ),
    case!(
        "form/left-out",
        "a question without an answer is recorded as skipped",
        "what each request does: add_structured_input",
        form_left_out
    ),
    case!("form/skipped", "a form may be skipped", "requests: StructuredInputSubmission", form_skipped),
    case!(
        "form/once",
        "a form that was submitted is refused the second time",
        "what each request does: the item must be pending",
        form_once
    ),
    case!("widget/stored", "a widget is stored as it was shown", "objects: widget", widget_stored),
    case!(
        "action/of-a-widget",
        "an action of a widget is streamed an answer",
        "what each request does: custom_action",
        widget_action
    ),
    case!(
        "sync-action/of-a-widget",
        "a synchronous action of a widget is answered with JSON",
        "what each request does: sync_custom_action",
        widget_sync
    ),
    case!(
        "workflow/steps",
        "the steps of a finished workflow are those that were told",
        "updates: workflow.task.added and updated",
        workflow_steps
    ),
    case!("workflow/stored", "a workflow is stored as it was finished", "storage rule: done inserts", workflow_stored),
    case!("task/stored", "a task is stored as it was shown", "objects: task", task_stored),
    case!("image/stored", "a picture is stored with its address", "objects: generated_image", image_stored),
    case!(
        "links/kinds",
        "links to pages and things are annotations with their own sources",
        "objects: sources",
        links_kinds
    ),
    case!("links/order", "marks of every kind are counted together", "the event stream: annotation_index", links_order),
    case!(
        "emoji/position",
        "a mark's position lies within a text with emoji",
        "objects: Annotation.index",
        emoji_position
    ),
    case!("end-of-turn/stored", "an end of turn is listed without content", "objects: end_of_turn", end_of_turn),
];

/// The item is stored just as it was told.
async fn stored(lab: &Lab, word: &str, kind: &str) -> Result<(Talk, Value), Stop> {
    let (talk, item) = lab.scene(word, kind).await?;
    let kept = lab.item(&talk.thread, id(&item)).await?;
    ensure(kept.as_ref() == Some(&item), || "the item is not stored, or otherwise".to_owned())?;
    Ok((talk, item))
}

async fn tool_pending(lab: &Lab) -> CaseResult {
    let (_, item) = stored(lab, "tool", "client_tool_call").await?;
    ensure(item["status"] == "pending" && item.get("output").is_none(), || "it is not pending".to_owned())
}

async fn send_output(lab: &Lab, thread: &str, result: Value) -> Result<Reply, Stop> {
    lab.one.call("threads.add_client_tool_output", json!({ "thread_id": thread, "result": result })).await
}

async fn tool_output(lab: &Lab) -> CaseResult {
    let (talk, item) = lab.scene("tool", "client_tool_call").await?;
    let result = json!({ "opened": true, "page": null, "more": [1, { "a": null }] });
    let reply = send_output(lab, &talk.thread, result.clone()).await?;
    taken(&reply)?;
    let kept = need(lab.item(&talk.thread, id(&item)).await?, "the call")?;
    ensure(kept["status"] == "completed", || "the call is not completed".to_owned())?;
    ensure(kept["output"] == result, || "its output is another".to_owned())?;
    ensure(reply.told().answer().is_some(), || "the bot did not go on".to_owned())
}

async fn tool_null(lab: &Lab) -> CaseResult {
    let (talk, item) = lab.scene("tool", "client_tool_call").await?;
    taken(&send_output(lab, &talk.thread, Value::Null).await?)?;
    let kept = need(lab.item(&talk.thread, id(&item)).await?, "the call")?;
    ensure(kept["status"] == "completed", || "the call is not completed".to_owned())
}

async fn tool_once(lab: &Lab) -> CaseResult {
    let (talk, _) = lab.scene("tool", "client_tool_call").await?;
    taken(&send_output(lab, &talk.thread, json!(1)).await?)?;
    refused(&send_output(lab, &talk.thread, json!(2)).await?)
}

async fn form_pending(lab: &Lab) -> CaseResult {
    let (_, item) = stored(lab, "form", "structured_input").await?;
    let questions = item["inputs"].as_array().map_or(0, Vec::len);
    let has_answer = item["inputs"].as_array().into_iter().flatten().any(|input| input.get("answer").is_some());
    ensure(item["status"] == "pending" && questions > 0 && !has_answer, || "it is not an open form".to_owned())
}

/// The form after this was sent for it, and the stream.
async fn submit(lab: &Lab, answers: impl Fn(&[Value]) -> Value) -> Result<(Talk, Value, Told), Stop> {
    let (talk, item) = lab.scene("form", "structured_input").await?;
    let input = answers(item["inputs"].as_array().map_or(&[], Vec::as_slice));
    let reply = send_form(lab, &talk.thread, id(&item), input).await?;
    taken(&reply)?;
    let kept = need(lab.item(&talk.thread, id(&item)).await?, "the form")?;
    Ok((talk, kept, reply.told()))
}

async fn send_form(lab: &Lab, thread: &str, item: &str, input: Value) -> Result<Reply, Stop> {
    lab.one.call("threads.add_structured_input", json!({ "thread_id": thread, "item_id": item, "input": input })).await
}

/// An answer of one word to every question, and to one that the form does not have.
fn all_answered(inputs: &[Value]) -> Value {
    let mut answers = json!({ "no-such-question": { "values": ["x"], "skipped": false } });
    for input in inputs {
        let value = input["options"][0]["value"].as_str().unwrap_or("something");
        answers[id(input)] = json!({ "values": [value], "skipped": false });
    }
    json!({ "status": "answered", "answers": answers })
}

async fn form_submitted(lab: &Lab) -> CaseResult {
    let (_, kept, told) = submit(lab, all_answered).await?;
    ensure(kept["status"] == "answered", || "the stored form is not answered".to_owned())?;
    let options = told.position(|event| event["type"] == "stream_options");
    let replaced = told.position(|event| event["type"] == "thread.item.replaced" && event["item"]["id"] == kept["id"]);
    ensure(replaced.is_some(), || "there is no `thread.item.replaced` of the form".to_owned())?;
    ensure(options < replaced && options.is_some(), || "it comes before `stream_options`".to_owned())
}

async fn form_one_choice(lab: &Lab) -> CaseResult {
    let (_, kept, _) = submit(lab, |inputs| {
        let mut answers = json!({});
        for input in inputs {
            answers[id(input)] = json!({ "values": ["first", "second"], "skipped": false });
        }
        json!({ "status": "answered", "answers": answers })
    })
    .await?;
    let inputs = kept["inputs"].as_array().into_iter().flatten();
    let single: Vec<&Value> =
        inputs.filter(|input| input["type"] == "multiple_choice" && input["multiple"] == false).collect();
    if single.is_empty() {
        return skip("the bot's form has no question of one choice");
    }
    let keeps_one = |input: &&Value| input["answer"]["values"].as_array().is_some_and(|values| values.len() <= 1);
    ensure(single.iter().all(keeps_one), || "it keeps more than one value".to_owned())
}

async fn form_left_out(lab: &Lab) -> CaseResult {
    let (_, kept, _) = submit(lab, |_| json!({ "status": "answered", "answers": {} })).await?;
    let left_out = json!({ "values": [], "skipped": true });
    let is_left_out = |input: &Value| input["answer"] == left_out;
    ensure(kept["inputs"].as_array().is_some_and(|inputs| inputs.iter().all(is_left_out)), || {
        "a question without an answer is recorded otherwise".to_owned()
    })
}

async fn form_skipped(lab: &Lab) -> CaseResult {
    let (_, kept, _) = submit(lab, |_| json!({ "status": "skipped", "answers": {} })).await?;
    ensure(kept["status"] == "skipped", || "the stored form is not skipped".to_owned())
}

async fn form_once(lab: &Lab) -> CaseResult {
    let (talk, kept, _) = submit(lab, all_answered).await?;
    let input = all_answered(&[]);
    refused(&send_form(lab, &talk.thread, id(&kept), input).await?)
}

async fn widget_stored(lab: &Lab) -> CaseResult {
    stored(lab, "widget", "widget").await.map(drop)
}

/// The first action that stands in a widget.
fn action(widget: &Value) -> Option<Value> {
    match widget {
        Value::Object(fields) => {
            let named = fields.iter().find(|(key, value)| key.ends_with("ction") && value["type"].is_string());
            named.map(|(_, value)| value.clone()).or_else(|| fields.values().find_map(action))
        }
        Value::Array(list) => list.iter().find_map(action),
        _ => None,
    }
}

async fn act(lab: &Lab, kind: &str) -> Result<Reply, Stop> {
    let (talk, item) = lab.scene("widget", "widget").await?;
    let found = action(&item["widget"]);
    let kind_of = found.as_ref().and_then(|action| action["type"].as_str()).unwrap_or("refresh");
    let payload = found.as_ref().map_or(json!({}), |action| action["payload"].clone());
    let params =
        json!({ "thread_id": talk.thread, "item_id": id(&item), "action": { "type": kind_of, "payload": payload } });
    let reply = lab.one.call(kind, params).await?;
    if reply.status == 501 {
        return skip(format!("this server says that it has no `{kind}` (501)"));
    }
    Ok(reply)
}

async fn widget_action(lab: &Lab) -> CaseResult {
    let reply = act(lab, "threads.custom_action").await?;
    taken(&reply)?;
    ensure(reply.is_stream(), || "the answer is no stream".to_owned())
}

async fn widget_sync(lab: &Lab) -> CaseResult {
    let answer = json(&act(lab, "threads.sync_custom_action").await?)?;
    let updated = answer.get("updated_item");
    ensure(answer.is_object() && updated.is_none_or(|item| item["id"].is_string()), || {
        "the answer is neither {} nor an item".to_owned()
    })
}

async fn workflow_steps(lab: &Lab) -> CaseResult {
    let (talk, item) = lab.scene("workflow", "workflow").await?;
    let mut steps: Vec<Value> = Vec::new();
    let added = talk.told.of("thread.item.added").find(|event| event["item"]["id"] == item["id"]);
    steps.extend(
        added
            .into_iter()
            .flat_map(|event| event["item"]["workflow"]["tasks"].as_array().into_iter().flatten())
            .cloned(),
    );
    for event in talk.told.of("thread.item.updated").filter(|event| event["item_id"] == item["id"]) {
        let update = &event["update"];
        let at = usize::try_from(update["task_index"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        match update["type"].as_str() {
            Some("workflow.task.added") => {
                ensure(at == steps.len(), || format!("step {at} is added where {} belongs", steps.len()))?;
                steps.push(update["task"].clone());
            }
            Some("workflow.task.updated") => {
                let step = steps.get_mut(at);
                let step = step.ok_or_else(|| Stop::Fail(format!("step {at} is updated and was never added")))?;
                *step = update["task"].clone();
            }
            _ => {}
        }
    }
    ensure(item["workflow"]["tasks"] == json!(steps), || "the finished workflow has other steps".to_owned())
}

async fn workflow_stored(lab: &Lab) -> CaseResult {
    stored(lab, "workflow", "workflow").await.map(drop)
}

async fn task_stored(lab: &Lab) -> CaseResult {
    stored(lab, "task", "task").await.map(drop)
}

async fn image_stored(lab: &Lab) -> CaseResult {
    let (_, item) = stored(lab, "image", "generated_image").await?;
    ensure(item["image"]["url"].is_string(), || "the finished picture has no address".to_owned())
}

/// An answer with links, and its annotations.
async fn links(lab: &Lab) -> Result<(Talk, Vec<Value>), Stop> {
    let talk = lab.ask(&format!("[[links]] {QUESTION}")).await?;
    let answer = need(talk.told.answer(), "an answer")?;
    let parts = answer["content"].as_array().into_iter().flatten();
    let marks: Vec<Value> =
        parts.flat_map(|part| part["annotations"].as_array().into_iter().flatten()).cloned().collect();
    let has_links = marks.iter().any(|mark| matches!(mark["source"]["type"].as_str(), Some("url" | "entity")));
    if has_links { Ok((talk, marks)) } else { skip("this server's bot answered `[[links]]` without a link") }
}

async fn links_kinds(lab: &Lab) -> CaseResult {
    let (_, marks) = links(lab).await?;
    for mark in &marks {
        let source = &mark["source"];
        let is_whole = match source["type"].as_str() {
            Some("url") => source["url"].as_str().is_some_and(|url| url.contains("://")),
            Some("entity") => source["id"].is_string() && source["interactive"].is_boolean(),
            Some("file") => source["filename"].is_string(),
            _ => false,
        };
        ensure(is_whole, || "a link lacks what its kind has".to_owned())?;
    }
    Ok(())
}

async fn links_order(lab: &Lab) -> CaseResult {
    let (talk, marks) = links(lab).await?;
    let told: Vec<u64> = talk
        .told
        .updates("assistant_message.content_part.annotation_added")
        .filter_map(|(_, update)| update["annotation_index"].as_u64())
        .collect();
    let expected: Vec<u64> = (0..).take(marks.len()).collect();
    ensure(told == expected, || format!("{} marks were told with the indices {told:?}", marks.len()))
}

async fn emoji_position(lab: &Lab) -> CaseResult {
    let talk = lab.ask(&format!("[[emoji]] {QUESTION}")).await?;
    let answer = need(talk.told.answer(), "an answer")?;
    let text = text(answer);
    let marks = answer["content"][0]["annotations"].as_array().into_iter().flatten();
    let positions: Vec<u64> = marks.filter_map(|mark| mark["index"].as_u64()).collect();
    if positions.is_empty() || text.is_ascii() {
        return skip("this server's bot answered `[[emoji]]` without emoji or without a mark");
    }
    let units = text.encode_utf16().count() as u64;
    ensure(positions.iter().all(|at| *at <= units), || format!("a mark stands at {positions:?} of {units}"))
}

async fn end_of_turn(lab: &Lab) -> CaseResult {
    stored(lab, "end", "end_of_turn").await.map(drop)
}
