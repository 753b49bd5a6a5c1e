//! The input of an answer: text, or items.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::api::Refusal;
use crate::api::fields::{Checked, Fields};

/// Items besides messages that may come back as input.
const OTHER_ITEMS: &[&str] =
    &["reasoning", "file_search_call", "function_call", "function_call_output", "item_reference", "compaction"];

/// The input as items.
pub(crate) fn items(fields: &Fields<'_>) -> Checked<Vec<Value>> {
    let input = fields.need("input")?;
    if let Some(text) = input.as_str() {
        let content = json!([{"type": "input_text", "text": text}]);
        return Ok(vec![json!({"type": "message", "role": "user", "status": "completed", "content": content})]);
    }
    if !input.is_array() {
        return Err(Refusal::wrong_type("input", "a string or an array"));
    }
    list(fields, "input", 1..=usize::MAX)
}

/// An array of items, in the form they are kept.
pub(crate) fn list(fields: &Fields<'_>, field: &str, len: RangeInclusive<usize>) -> Checked<Vec<Value>> {
    let items = fields.array(field, len)?.into_iter().flatten();
    items.enumerate().map(|(at, item)| checked_item(item, &format!("{field}[{at}]"))).collect()
}

/// The text of the last message of the user.
pub(crate) fn question(items: &[Value]) -> String {
    let last = items.iter().rev().find(|item| item["role"] == "user");
    let parts = last.and_then(|item| item["content"].as_array()).into_iter().flatten();
    parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
}

fn checked_item(item: &Value, place: &str) -> Checked<Value> {
    let fields = Fields::at(item, place)?;
    match fields.string("type")? {
        None | Some("message") => message(&fields),
        Some(kind) if OTHER_ITEMS.contains(&kind) => Ok(item.clone()),
        Some(_) => Err(Refusal::value(&fields.name("type"), "no such item is supported")),
    }
}

fn message(fields: &Fields<'_>) -> Checked<Value> {
    fields.only(&["type", "role", "content", "id", "status"], &["phase"])?;
    fields.need_string("role")?;
    let role = fields.one_of("role", &["user", "assistant", "system", "developer"])?.unwrap_or("user");
    fields.one_of("status", &["in_progress", "completed", "incomplete"])?;
    let content = fields.need("content")?;
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    let content = match content.as_str() {
        Some(text) if role == "assistant" => json!([{"type": kind, "text": text, "annotations": [], "logprobs": []}]),
        Some(text) => json!([{"type": kind, "text": text}]),
        None => parts(fields, role)?,
    };
    Ok(json!({"type": "message", "role": role, "status": "completed", "content": content}))
}

fn parts(fields: &Fields<'_>, role: &str) -> Checked<Value> {
    let parts = fields.array("content", 1..=usize::MAX)?.into_iter().flatten();
    let checked = parts.enumerate().map(|(at, part)| {
        let part = Fields::at(part, &format!("{}[{at}]", fields.name("content")))?;
        checked_part(&part, role)
    });
    checked.collect::<Checked<Vec<Value>>>().map(Value::Array)
}

fn checked_part(part: &Fields<'_>, role: &str) -> Checked<Value> {
    part.need_string("type")?;
    let kinds: &[&str] =
        if role == "assistant" { &["output_text", "refusal"] } else { &["input_text", "input_image", "input_file"] };
    let kind = part.one_of("type", kinds)?.unwrap_or_default();
    match kind {
        "input_text" => {
            part.only(&["type", "text"], &["prompt_cache_breakpoint"])?;
            part.need_string("text")?;
        }
        "output_text" => {
            part.only(&["type", "text", "annotations", "logprobs"], &[])?;
            part.need_string("text")?;
            part.array("annotations", 0..=usize::MAX)?;
        }
        "refusal" => {
            part.only(&["type", "refusal"], &[])?;
            part.need_string("refusal")?;
        }
        _ => {}
    }
    let mut kept = part.map().clone();
    if kind == "output_text" {
        kept.entry("annotations").or_insert(json!([]));
        kept.entry("logprobs").or_insert(json!([]));
    }
    Ok(Value::Object(kept))
}
