//! How the fake reads requests and cuts pages.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::fake::Broken;

type Refusal = (StatusCode, &'static str);

const INVALID: Refusal = (StatusCode::BAD_REQUEST, "invalid_request");

/// Type and parameters of a valid request.
pub(super) fn parse(body: &[u8], broken: Broken) -> Result<(String, Map<String, Value>), Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| INVALID)?;
    let kind = body["type"].as_str().ok_or(INVALID)?;
    let known = [
        "threads.create",
        "threads.add_user_message",
        "threads.retry_after_item",
        "threads.get_by_id",
        "threads.list",
        "threads.update",
        "threads.delete",
        "items.list",
        "items.feedback",
        "threads.add_client_tool_output",
    ];
    let absent = [
        "threads.add_structured_input",
        "threads.custom_action",
        "threads.sync_custom_action",
        "attachments.create",
        "attachments.delete",
        "input.transcribe",
    ];
    if absent.contains(&kind) {
        return Err((StatusCode::NOT_IMPLEMENTED, "not_supported"));
    }
    if !known.contains(&kind) {
        let is_broken = broken == Broken::UnknownType500;
        return Err(if is_broken { (StatusCode::INTERNAL_SERVER_ERROR, "internal") } else { INVALID });
    }
    let params = body.get("params").and_then(Value::as_object).ok_or(INVALID)?;
    let is_fine = body.get("metadata").is_none_or(Value::is_object)
        && (kind == "threads.create"
            || kind == "threads.list"
            || params.get("thread_id").is_some_and(Value::is_string))
        && (kind != "threads.update"
            || params.get("title").and_then(Value::as_str).is_some_and(|title| title.len() < 1_000))
        && (kind != "threads.add_client_tool_output" || params.contains_key("result"))
        && (kind != "items.feedback"
            || matches!(params.get("kind").and_then(Value::as_str), Some("positive" | "negative")))
        && params.get("order").is_none_or(|order| order == "asc" || order == "desc")
        && params.get("limit").is_none_or(|limit| limit.is_null() || limit.is_u64())
        && (!matches!(kind, "threads.create" | "threads.add_user_message")
            || params.get("input").is_some_and(is_message));
    if is_fine { Ok((kind.to_owned(), params.clone())) } else { Err(INVALID) }
}

fn is_message(input: &Value) -> bool {
    let is_part = |part: &Value| {
        part["text"].is_string()
            && match part["type"].as_str() {
                Some("input_text") => true,
                Some("input_tag") => part["id"].is_string() && part["data"].is_object(),
                _ => false,
            }
    };
    input["content"].as_array().is_some_and(|parts| !parts.is_empty() && parts.iter().all(is_part))
        && input["attachments"].is_array()
        && input["inference_options"].is_object()
        && input.get("quoted_text").is_none_or(Value::is_string)
}

/// A page of rows that come oldest first.
pub(super) fn page(
    mut rows: Vec<Value>,
    params: &Map<String, Value>,
    order: &str,
    broken: Broken,
) -> Result<Value, Refusal> {
    if params.get("order").and_then(Value::as_str).unwrap_or(order) == "desc" {
        rows.reverse();
    }
    let limit = match params.get("limit").and_then(Value::as_u64) {
        None | Some(0) => 20,
        Some(limit) => usize::try_from(limit).unwrap_or(100).min(100),
    };
    let start = match params.get("after").and_then(Value::as_str) {
        None => 0,
        Some(after) => match rows.iter().position(|row| row["id"] == after) {
            Some(at) => at + 1,
            None if broken == Broken::CursorRestarts => 0,
            None => return Err(INVALID),
        },
    };
    let rest = &rows[start..];
    let data = &rest[..limit.min(rest.len())];
    let has_more = rest.len() > limit;
    let mut page = json!({ "data": data, "has_more": has_more });
    if has_more || broken == Broken::AfterAtEnd {
        page["after"] = data.last().map_or(json!("x"), |row| row["id"].clone());
    }
    Ok(page)
}
