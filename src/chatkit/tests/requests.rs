//! What is taken, what is refused, and in which words.

use super::*;
use crate::model::item::{InputAnswer, InputStatus, InputSubmission};
use crate::model::thread::{Order, UserContent};

#[test]
fn every_operation_is_read() {
    let good = good_requests();
    let names: Vec<&str> = good.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(names, operations().collect::<Vec<_>>(), "each operation has an example");
    for (kind, params) in good {
        ask(kind, &params).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let with_metadata = json!({"type": kind, "params": params, "metadata": {"a": 1}});
        assert_eq!(parse_value(&with_metadata), ask(kind, &params), "{kind}");
    }
}

/// H6: every field that an operation needs is missed by name, every wrong type is said in our own words.
#[test]
fn missing_fields_and_wrong_types_are_named_by_their_place() {
    let optional = ["metadata", "limit", "order", "after", "payload", "status", "answers", "skipped", "values"];
    for (kind, params) in good_requests() {
        for name in params.as_object().unwrap().keys().filter(|name| !optional.contains(&name.as_str())) {
            let mut less = params.clone();
            less.as_object_mut().unwrap().remove(name);
            if name != "item_id" || kind.starts_with("threads.add") || kind.starts_with("threads.retry") {
                assert_eq!(why(kind, &less), format!("missing field `params.{name}`"), "{kind}");
            }
            let mut wrong = params.clone();
            wrong[name] = json!(true);
            if name != "result" {
                assert!(why(kind, &wrong).starts_with(&format!("`params.{name}` must be ")), "{kind}");
            }
        }
    }
}

#[test]
fn bad_requests_say_why() {
    let part = |part: Value| json!({"input": {"content": [part], "attachments": [], "inference_options": {}}});
    let form = |input: Value| json!({"thread_id": "t", "item_id": "i", "input": input});
    let action = |action: Value| json!({"thread_id": "t", "action": action});
    let text = "threads.create";
    let cases = [
        (text, json!({"input": "q"}), "`params.input` must be an object"),
        (text, json!({"input": {"content": {}}}), "`params.input.content` must be a list"),
        (text, part(json!(["input_text", "q"])), "`params.input.content[0]` must be an object"),
        (text, part(json!({"text": "q"})), "missing field `params.input.content[0].type`"),
        (text, part(json!({"type": "input_text"})), "missing field `params.input.content[0].text`"),
        (text, part(json!({"type": "input_text", "text": 5})), "`params.input.content[0].text` must be a string"),
        (
            text,
            part(json!({"type": "input_audio", "text": "q"})),
            "`params.input.content[0].type` must be `input_text` or `input_tag`",
        ),
        (
            text,
            part(json!({"type": "input_tag", "id": "d", "text": "@d"})),
            "missing field `params.input.content[0].data`",
        ),
        (
            text,
            part(json!({"type": "input_tag", "id": "d", "text": "@d", "data": null})),
            "`params.input.content[0].data` must be an object",
        ),
        (
            text,
            part(json!({"type": "input_tag", "id": "d", "text": "@d", "data": {}, "interactive": null})),
            "`params.input.content[0].interactive` must be true or false",
        ),
        (text, part(json!({"type": "input_text", "text": " \n\u{200b}"})), "the message has no text"),
        (
            text,
            json!({"input": {"content": [], "attachments": [], "inference_options": {}}}),
            "the message has no text",
        ),
        (
            text,
            json!({"input": {"content": [], "attachments": [5], "inference_options": {}}}),
            "`params.input.attachments[0]` must be a string",
        ),
        (
            text,
            json!({"input": {"content": [], "attachments": ["a", "a"], "inference_options": {}}}),
            "`params.input.attachments` names an attachment twice",
        ),
        (
            text,
            json!({"input": {"content": [], "attachments": [], "inference_options": {"tool_choice": {}}}}),
            "missing field `params.input.inference_options.tool_choice.id`",
        ),
        ("threads.list", json!({"order": "up"}), "`params.order` must be `asc` or `desc`"),
        ("threads.list", json!({"after": ""}), "`params.after` is empty"),
        ("threads.list", json!({"limit": -1}), "`params.limit` must be a whole number that is not negative"),
        ("threads.update", json!({"thread_id": "t", "title": " "}), "`params.title` is empty"),
        (
            "items.feedback",
            json!({"thread_id": "t", "item_ids": [], "kind": "great"}),
            "`params.kind` must be `positive` or `negative`",
        ),
        (
            "threads.add_structured_input",
            form(json!({"status": "pending"})),
            "`params.input.status` must be `answered` or `skipped`",
        ),
        (
            "threads.add_structured_input",
            form(json!({"answers": {"a": {"values": "x"}}})),
            "`params.input.answers.a.values` must be a list",
        ),
        (
            "threads.add_structured_input",
            form(json!({"answers": {"a": ["x"]}})),
            "`params.input.answers.a` must be an object",
        ),
        ("threads.custom_action", action(json!({"payload": 1})), "missing field `params.action.type`"),
        ("threads.sync_custom_action", action(json!({"type": " "})), "`params.action.type` is empty"),
        (
            "attachments.create",
            json!({"name": "a", "size": -1, "mime_type": ""}),
            "`params.size` must be a whole number that is not negative",
        ),
        ("attachments.create", json!({"name": " ", "size": 1, "mime_type": ""}), "`params.name` is empty"),
    ];
    for (kind, params, expected) in cases {
        assert_eq!(why(kind, &params), expected, "{kind}");
    }
}

#[test]
fn the_envelope_is_checked() {
    let cases = [
        (json!([]), "the body must be an object"),
        (json!(null), "the body must be an object"),
        (json!({}), "missing field `type`"),
        (json!({"type": 5, "params": {}}), "`type` must be a string"),
        (json!({"type": "threads.steal", "params": {}}), "unknown request type `threads.steal`"),
        (json!({"type": "threads.list"}), "missing field `params`"),
        (json!({"type": "threads.list", "params": null}), "`params` must be an object"),
        (json!({"type": "threads.list", "params": []}), "`params` must be an object"),
        (json!({"type": "threads.list", "params": {}, "metadata": null}), "`metadata` must be an object"),
    ];
    for (request, expected) in cases {
        assert_eq!(parse_value(&request).unwrap_err().to_string(), expected);
    }
}

#[test]
fn pages_have_bounds() {
    let limit_of = |limit: &Value| match ask("threads.list", &json!({"limit": limit})) {
        Ok(Request::ListThreads { page }) => Some(page.limit()),
        _ => None,
    };
    for (limit, expected) in [(json!(null), 20), (json!(0), 20), (json!(1), 1), (json!(100), 100), (json!(9999), 100)] {
        assert_eq!(limit_of(&limit), Some(expected));
    }
    for limit in [json!(-1), json!(5.0), json!(1.5), json!("5"), json!(true), json!([]), json!(1e30)] {
        assert_eq!(limit_of(&limit), None, "{limit}");
    }
    let request = json!({"thread_id": "t", "order": "asc", "after": "m"});
    let Ok(Request::ListItems { page, .. }) = ask("items.list", &request) else { panic!("it is good") };
    assert_eq!((page.order, page.after.as_deref()), (Order::Asc, Some("m")));
}

#[test]
fn forms_are_read_with_their_defaults() {
    let form = |input: Value| {
        let params = json!({"thread_id": "t", "item_id": "i", "input": input});
        match ask("threads.add_structured_input", &params) {
            Ok(Request::AddStructuredInput { submission, .. }) => submission,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(form(json!({})), InputSubmission { status: InputStatus::Answered, answers: Vec::new() });
    let told = form(json!({"status": "skipped", "answers": {"b": {"values": ["x", "y"]}, "a": {"skipped": true}}}));
    assert_eq!(told.status, InputStatus::Skipped);
    let given = InputAnswer { values: vec!["x".into(), "y".into()], skipped: false };
    let skipped = InputAnswer { values: Vec::new(), skipped: true };
    assert_eq!(told.answers, [("b".to_owned(), given), ("a".to_owned(), skipped)]);
}

/// H6: fields that nobody asked for change nothing, whatever they are called.
#[test]
fn unknown_fields_never_gain_meaning() {
    for (kind, params) in good_requests() {
        let mut more = params.clone();
        for name in ["owner", "role", "principal", "id", "created_at", "user", "metadata", "status_reason", "hidden"] {
            more[name] = json!("admin");
            for place in ["input", "action"] {
                if let Some(object) = more.get_mut(place) {
                    object[name] = json!("admin");
                }
            }
        }
        let envelope = json!({"type": kind, "params": more, "owner": "admin", "role": "admin", "id": "x"});
        assert_eq!(parse_value(&envelope), ask(kind, &params), "{kind}");
    }
}

/// H4: what is not JSON, or no JSON that can be kept, is refused as a whole.
#[test]
fn what_is_not_json_is_said_to_be_not_json() {
    let (lists, objects) = ("[".repeat(100_000), r#"{"a":"#.repeat(100_000));
    let nested = |open: &str, close: &str| {
        format!(r#"{{"type":"threads.list","params":{{"x":{}{}}}}}"#, open.repeat(200), close.repeat(200))
    };
    let (balanced, number) = (nested("[", "]"), br#"{"type":"threads.list","params":{"limit":1e999}}"#);
    let bodies: [&[u8]; 14] = [
        b"",
        b"{",
        b"{} {}",
        b"\xff",
        b"{\"type\":\"\xc3\x28\"}",
        b"\xef\xbb\xbf{}",
        br#"{"type":"\ud83d"}"#,
        br#"{"type":"\ude00\ud83d"}"#,
        b"{\"type\":\"a\nb\"}",
        b"{\"type\":NaN}",
        number,
        lists.as_bytes(),
        objects.as_bytes(),
        balanced.as_bytes(),
    ];
    for body in bodies {
        let refused = parse(body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert!(matches!(refused, Err(RequestError::NotJson(_))), "{shown}: {refused:?}");
    }
}

/// H4: of a key that is repeated the last value counts, everywhere.
#[test]
fn of_repeated_keys_the_last_wins() {
    let body = br#"{"type":"threads.delete","type":"threads.get_by_id","params":{"thread_id":"a","thread_id":"b"}}"#;
    assert_eq!(parse(body), Ok(Request::Get { thread_id: "b".into() }));
}

#[test]
fn messages_do_not_return_the_callers_words_at_length() {
    let long = "x".repeat(10_000);
    let refused = parse_value(&json!({"type": long, "params": {}})).unwrap_err().to_string();
    assert!(refused.len() < 300, "{refused}");
    let form = json!({"thread_id": "t", "item_id": "i", "input": {"answers": {long: 5}}});
    assert!(why("threads.add_structured_input", &form).len() < 300);
    let secret = json!({"input": {"content": [{"type": "input_text", "text": {"password": "hunter2"}}], "attachments": [],
        "inference_options": {}}});
    assert!(!why("threads.create", &secret).contains("hunter2"));
}

#[test]
fn a_message_may_be_nothing_but_attachments() {
    let message = json!({"input": {"content": [], "attachments": ["a", "b"], "inference_options": {}}});
    let Ok(Request::Create { input }) = ask("threads.create", &message) else { panic!("it is good") };
    assert_eq!(input.attachment_ids, ["a", "b"]);
    assert!(input.message.attachments.is_empty(), "they are loaded later");
}

#[test]
fn text_is_kept_as_it_is() {
    let text = "a\u{0}\u{7}\u{2028}👩‍👩‍👧 שלום";
    let Ok(Request::Create { input }) = ask("threads.create", &json!({"input": input(text)})) else { panic!() };
    assert_eq!(input.message.content, [UserContent::InputText { text: text.into() }]);
}
