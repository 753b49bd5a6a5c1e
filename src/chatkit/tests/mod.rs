//! Requests as clients send them, objects and events byte for byte.

mod events;
mod limits;
mod objects;
mod requests;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Request, RequestError, operations, parse};
use crate::model::thread::{ItemContent, ThreadItem};

/// The item `msg_1` of `thr_1`.
fn item(content: ItemContent) -> ThreadItem {
    let created_at: Timestamp = "2026-01-02T03:04:05.000123Z".parse().unwrap();
    ThreadItem { id: "msg_1".into(), thread_id: "thr_1".into(), created_at, content }
}

/// A message of one text.
fn input(text: &str) -> Value {
    json!({"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}})
}

/// Parameters that each operation takes.
fn good_requests() -> Vec<(&'static str, Value)> {
    vec![
        ("threads.create", json!({"input": input("q")})),
        ("threads.add_user_message", json!({"thread_id": "t", "input": input("q")})),
        ("threads.add_client_tool_output", json!({"thread_id": "t", "result": null})),
        (
            "threads.add_structured_input",
            json!({"thread_id": "t", "item_id": "i", "input": {"answers": {"a": {"values": ["x"]}, "b": {"skipped": true}}}}),
        ),
        ("threads.retry_after_item", json!({"thread_id": "t", "item_id": "i"})),
        ("threads.custom_action", json!({"thread_id": "t", "item_id": null, "action": {"type": "a", "payload": [1]}})),
        ("threads.sync_custom_action", json!({"thread_id": "t", "item_id": "i", "action": {"type": "a"}})),
        ("threads.get_by_id", json!({"thread_id": "t"})),
        ("threads.list", json!({})),
        ("threads.update", json!({"thread_id": "t", "title": " x "})),
        ("threads.delete", json!({"thread_id": "t"})),
        ("items.list", json!({"thread_id": "t", "limit": null, "after": null, "order": null})),
        ("items.feedback", json!({"thread_id": "t", "item_ids": ["i"], "kind": "negative"})),
        ("attachments.create", json!({"name": "a.pdf", "size": 0, "mime_type": "application/pdf"})),
        ("attachments.delete", json!({"attachment_id": "a"})),
        ("input.transcribe", json!({"audio_base64": "", "mime_type": "audio/webm;codecs=opus"})),
    ]
}

fn ask(kind: &str, params: &Value) -> Result<Request, RequestError> {
    parse_value(&json!({"type": kind, "params": params}))
}

fn parse_value(request: &Value) -> Result<Request, RequestError> {
    parse(request.to_string().as_bytes())
}

/// Why a request is refused.
fn why(kind: &str, params: &Value) -> String {
    match ask(kind, params) {
        Err(error) => error.to_string(),
        Ok(request) => panic!("{kind} {params} is taken: {request:?}"),
    }
}
