//! How large things may be.

use super::super::{
    MAX_ANSWERS, MAX_ATTACHMENTS, MAX_CHOICE_CHARS, MAX_DEPTH, MAX_FEEDBACK_ITEMS, MAX_LABEL_CHARS, MAX_MESSAGE_BYTES,
    MAX_NAME_CHARS, MAX_PARTS, MAX_TEXT_CHARS, MAX_TITLE_CHARS,
};
use super::*;

#[test]
fn messages_have_bounds() {
    let tag = |key: &str, value: Value| {
        let mut tag = json!({"type": "input_tag", "id": "i", "text": "t", "data": {}});
        tag[key] = value;
        tag
    };
    let text = |text: &str| json!({"type": "input_text", "text": text});
    assert!(message(&vec![text("q"); MAX_PARTS], &json!({})).is_ok());
    assert!(is_too_large(&message(&vec![text("q"); MAX_PARTS + 1], &json!({}))));
    assert!(message(&[tag("data", json!({"k": x(65_000)}))], &json!({})).is_ok());
    assert!(is_too_large(&message(&[tag("data", json!({"k": x(MAX_MESSAGE_BYTES)}))], &json!({}))));
    assert!(message(&[text(&"x".repeat(MAX_TEXT_CHARS))], &json!({})).is_ok());
    assert!(message(&[text(&"x".repeat(MAX_TEXT_CHARS + 1))], &json!({})).is_err());
    for key in ["id", "text", "group"] {
        assert!(message(&[tag(key, x(MAX_LABEL_CHARS))], &json!({})).is_ok(), "{key}");
        assert!(message(&[tag(key, x(MAX_LABEL_CHARS + 1))], &json!({})).is_err(), "{key}");
    }
    for options in [|name: Value| json!({"model": name}), |name: Value| json!({"tool_choice": {"id": name}})] {
        assert!(message(&[text("q")], &options(x(MAX_CHOICE_CHARS))).is_ok());
        assert!(message(&[text("q")], &options(x(MAX_CHOICE_CHARS + 1))).is_err());
    }
}

#[test]
fn attachments_are_counted() {
    let message = |count: usize| {
        let ids: Vec<String> = (0..count).map(|number| format!("atc_{number}")).collect();
        ask("threads.create", &json!({"input": {"content": [], "attachments": ids, "inference_options": {}}}))
    };
    assert!(message(MAX_ATTACHMENTS).is_ok());
    assert!(is_too_large(&message(MAX_ATTACHMENTS + 1)));
}

#[test]
fn replies_have_bounds() {
    let output = |result: Value| ask("threads.add_client_tool_output", &json!({"thread_id": "t", "result": result}));
    assert!(output(x(MAX_MESSAGE_BYTES - 2)).is_ok());
    assert!(output(x(MAX_MESSAGE_BYTES)).is_err());
    let action = |kind: Value, payload: Value| {
        ask("threads.custom_action", &json!({"thread_id": "t", "action": {"type": kind, "payload": payload}}))
    };
    assert!(action(x(MAX_CHOICE_CHARS), Value::Null).is_ok());
    assert!(action(x(MAX_CHOICE_CHARS + 1), Value::Null).is_err());
    assert!(action(x(1), x(MAX_MESSAGE_BYTES)).is_err());
    let form = |answers: serde_json::Map<String, Value>| {
        let params = json!({"thread_id": "t", "item_id": "i", "input": {"answers": answers}});
        ask("threads.add_structured_input", &params)
    };
    let answers = |count: usize| (0..count).map(|number| (number.to_string(), json!({"values": ["x"]}))).collect();
    assert!(form(answers(MAX_ANSWERS)).is_ok());
    assert!(form(answers(MAX_ANSWERS + 1)).is_err());
    let one = |values: Vec<Value>| [("a".to_owned(), json!({"values": values}))].into_iter().collect();
    assert!(form(one(vec![x(MAX_TEXT_CHARS); 4])).is_ok());
    assert!(form(one(vec![x(MAX_TEXT_CHARS); 5])).is_err(), "together they are too large");
    assert!(form(one(vec![x(MAX_TEXT_CHARS + 1)])).is_err());
    assert!(form(one(vec![x(1); MAX_ANSWERS + 1])).is_err());
}

#[test]
fn names_titles_and_lists_have_bounds() {
    let title = |chars: usize| ask("threads.update", &json!({"thread_id": "t", "title": x(chars)}));
    assert!(title(MAX_TITLE_CHARS).is_ok() && title(MAX_TITLE_CHARS + 1).is_err());
    let name =
        |chars: usize| ask("attachments.create", &json!({"name": x(chars), "size": 1, "mime_type": "text/plain"}));
    assert!(name(MAX_NAME_CHARS).is_ok() && name(MAX_NAME_CHARS + 1).is_err());
    let rated = |count: usize| {
        ask("items.feedback", &json!({"thread_id": "t", "item_ids": vec!["i"; count], "kind": "positive"}))
    };
    assert!(rated(MAX_FEEDBACK_ITEMS).is_ok() && rated(MAX_FEEDBACK_ITEMS + 1).is_err());
}

/// H4: what is kept as it is can be read again, by us and by clients with bounds of their own.
#[test]
fn free_values_are_nested_within_a_bound() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    for levels in [MAX_DEPTH, MAX_DEPTH + 1] {
        let is_fine = levels <= MAX_DEPTH;
        let output = json!({"thread_id": "t", "result": nested(levels)});
        assert_eq!(ask("threads.add_client_tool_output", &output).is_ok(), is_fine, "{levels}");
        let action = json!({"thread_id": "t", "action": {"type": "a", "payload": nested(levels)}});
        assert_eq!(ask("threads.custom_action", &action).is_ok(), is_fine, "{levels}");
        let tag = json!({"type": "input_tag", "id": "i", "text": "t", "data": {"k": nested(levels - 1)}});
        assert_eq!(message(&[tag], &json!({})).is_ok(), is_fine, "{levels}");
    }
}

fn message(parts: &[Value], options: &Value) -> Result<Request, RequestError> {
    let input = json!({"content": parts, "attachments": [], "inference_options": options});
    ask("threads.create", &json!({"input": input}))
}

fn is_too_large(result: &Result<Request, RequestError>) -> bool {
    matches!(result, Err(RequestError::MessageTooLarge(_)))
}

fn x(times: usize) -> Value {
    json!("x".repeat(times))
}
