//! Requests as clients send them, and objects byte for byte.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Event, Item, MAX_TEXT_CHARS, Request, RequestError, ThreadObject, frame, items_page, parse};
use crate::model::thread::{
    AssistantMessage, InferenceOptions, ItemContent, Order, Page, Thread, ThreadItem, ThreadStatus, UserContent,
    UserMessage,
};
use crate::model::{Citation, Locator};

#[test]
fn every_operation_is_read() {
    let requests = [
        (json!({"type": "threads.create", "params": {"input": input("q")}, "metadata": {"a": 1}}), "Create"),
        (json!({"type": "threads.add_user_message", "params": {"thread_id": "t", "input": input("q")}}), "AddUser"),
        (json!({"type": "threads.retry_after_item", "params": {"thread_id": "t", "item_id": "i"}}), "Retry"),
        (json!({"type": "threads.get_by_id", "params": {"thread_id": "t", "unknown": 1}}), "Get"),
        (json!({"type": "threads.list", "params": {}}), "ListThreads"),
        (json!({"type": "threads.update", "params": {"thread_id": "t", "title": " x "}}), "Rename"),
        (json!({"type": "threads.delete", "params": {"thread_id": "t"}}), "Delete"),
        (json!({"type": "items.list", "params": {"thread_id": "t", "limit": null, "after": null}}), "ListItems"),
        (
            json!({"type": "items.feedback", "params": {"thread_id": "t", "item_ids": ["i"], "kind": "negative"}}),
            "Feedback",
        ),
    ];
    for (request, name) in requests {
        let parsed = format!("{:?}", parse_value(&request).unwrap());
        assert!(parsed.starts_with(name), "{parsed}");
    }
}

#[test]
fn pages_have_bounds() {
    let limit_of = |limit: Value| match parse_value(&json!({"type": "threads.list", "params": {"limit": limit}})) {
        Ok(Request::ListThreads { page }) => Some(page.limit()),
        _ => None,
    };
    for (limit, expected) in [(json!(null), 20), (json!(0), 20), (json!(1), 1), (json!(100), 100), (json!(9999), 100)] {
        assert_eq!(limit_of(limit).unwrap(), expected);
    }
    for limit in [json!(-1), json!(5.0), json!(1.5), json!("5"), json!(true), json!([])] {
        assert!(limit_of(limit.clone()).is_none(), "{limit}");
    }
    let request = json!({"type": "items.list", "params": {"thread_id": "t", "order": "asc", "after": "m"}});
    let Ok(Request::ListItems { page, .. }) = parse_value(&request) else { panic!("it is good") };
    assert_eq!((page.order, page.after.as_deref()), (Order::Asc, Some("m")));
}

#[test]
fn bad_requests_say_why() {
    let with_input = |input: Value| json!({"type": "threads.create", "params": {"input": input}});
    let part = |part: Value| with_input(json!({"content": [part], "attachments": [], "inference_options": {}}));
    let long = "x".repeat(MAX_TEXT_CHARS + 1);
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
        (json!({"type": "threads.list", "params": {"order": "up"}}), "unknown variant `up`"),
        (json!({"type": "threads.list", "params": {"after": ""}}), "`after` is empty"),
        (json!({"type": "threads.get_by_id", "params": {}}), "missing field `thread_id`"),
        (json!({"type": "threads.get_by_id", "params": {"thread_id": 5}}), "invalid type: integer `5`"),
        (json!({"type": "threads.update", "params": {"thread_id": "t", "title": " "}}), "`title` is empty"),
        (json!({"type": "threads.update", "params": {"thread_id": "t", "title": long}}), "`title` has more than"),
        (
            json!({"type": "items.feedback", "params": {"thread_id": "t", "item_ids": "i", "kind": "positive"}}),
            "invalid type: string",
        ),
        (
            json!({"type": "items.feedback", "params": {"thread_id": "t", "item_ids": [], "kind": "great"}}),
            "unknown variant `great`",
        ),
        (with_input(json!("q")), "invalid type: string"),
        (with_input(json!({"content": [], "inference_options": {}})), "missing field `attachments`"),
        (with_input(json!({"content": [], "attachments": []})), "missing field `inference_options`"),
        (with_input(json!({"content": [], "attachments": [], "inference_options": []})), "invalid type: sequence"),
        (
            with_input(json!({"content": [["input_text", "q"]], "attachments": [], "inference_options": {}})),
            "invalid type: sequence",
        ),
        (with_input(json!({"content": [], "attachments": [], "inference_options": {}})), "the message has no text"),
        (part(json!({"type": "input_text", "text": " \n\u{200b}"})), "the message has no text"),
        (part(json!({"type": "input_text", "text": long})), "more than 16000 characters"),
        (part(json!({"type": "input_text"})), "missing field `text`"),
        (part(json!({"type": "input_audio", "text": "q"})), "unknown variant `input_audio`"),
        (part(json!({"type": "input_tag", "id": "d", "text": "@d"})), "missing field `data`"),
        (part(json!({"type": "input_tag", "id": "d", "text": "@d", "data": null})), "invalid type: null"),
    ];
    for (request, expected) in cases {
        match parse_value(&request) {
            Err(RequestError::Invalid(message)) => assert!(message.contains(expected), "{message} / {expected}"),
            other => panic!("{request}: {other:?}"),
        }
    }
}

#[test]
fn what_is_not_json_is_said_to_be_not_json() {
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"{} {}",
        b"\xff",
        br#"{"type":"\ud83d"}"#,
        b"{\"type\":\"a\nb\"}",
        b"{\"type\":NaN}",
        deep.as_bytes(),
    ];
    for body in bodies {
        assert!(matches!(parse(body), Err(RequestError::NotJson(_))), "{body:?}");
    }
}

#[test]
fn what_this_server_does_not_have_is_said_plainly() {
    for kind in super::request::NOT_SUPPORTED {
        let refused = parse_value(&json!({"type": kind})).unwrap_err();
        assert_eq!(refused.to_string(), format!("`{kind}` is not supported by this server"));
    }
}

#[test]
fn messages_do_not_return_the_callers_words_at_length() {
    let long = "x".repeat(10_000);
    let refused = parse_value(&json!({"type": long, "params": {}})).unwrap_err().to_string();
    assert!(refused.len() < 300, "{refused}");
}

#[test]
fn items_are_written_byte_for_byte() {
    let rich = UserMessage {
        attachments: Vec::new(),
        content: vec![
            UserContent::InputText { text: "Explain ".into() },
            UserContent::InputTag {
                id: "doc_1".into(),
                text: "@Refunds".into(),
                data: [("note".to_owned(), Value::Null)].into_iter().collect(),
                group: None,
                interactive: false,
            },
        ],
        quoted_text: Some("within\u{2028}30 days\u{7}".into()),
        inference_options: InferenceOptions { tool_choice: None, model: Some("m".into()) },
    };
    let page = Page {
        data: vec![item(ItemContent::UserMessage(rich)), item(ItemContent::AssistantMessage(cited()))],
        has_more: true,
        after: Some("msg_1".into()),
    };
    let expected = concat!(
        r#"{"data":[{"id":"msg_1","thread_id":"thr_1","created_at":"2026-01-02T03:04:05.000123Z","type":"user_message","#,
        r#""content":[{"type":"input_text","text":"Explain "},{"type":"input_tag","id":"doc_1","text":"@Refunds","#,
        r#""data":{"note":null},"interactive":false}],"attachments":[],"quoted_text":"within"#,
        "\u{2028}",
        r#"30 days\u0007","inference_options":{"model":"m"}},{"id":"msg_1","thread_id":"thr_1","#,
        r#""created_at":"2026-01-02T03:04:05.000123Z","type":"assistant_message","content":[{"annotations":["#,
        r#"{"type":"annotation","source":{"title":"Refunds","type":"file","filename":"refunds.md"},"index":12}],"#,
        r#""text":"Größe 🦀","type":"output_text"}]}],"has_more":true,"after":"msg_1"}"#,
    );
    assert_eq!(serde_json::to_string(&items_page(&page)).unwrap(), expected);
    let begun = item(ItemContent::AssistantMessage(cited()));
    let begun = serde_json::to_string(&Item::from(&begun).without_content()).unwrap();
    assert!(begun.ends_with(r#""type":"assistant_message","content":[]}"#), "{begun}");
}

#[test]
fn a_frame_is_one_line() {
    let thread = Thread {
        id: "thr_1".into(),
        created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        title: Some("a\nb".into()),
        title_is_users: false,
        status: ThreadStatus::Locked { reason: None },
    };
    assert_eq!(
        frame(&Event::ThreadUpdated { thread: ThreadObject::from(&thread) }),
        concat!(
            r#"data: {"type":"thread.updated","thread":{"title":"a\nb","id":"thr_1","created_at":"2026-01-02T03:04:05Z","#,
            r#""status":{"type":"locked"},"metadata":{},"items":{"data":[],"has_more":false}}}"#,
            "\n\n"
        )
    );
    assert_eq!(
        frame(&Event::stream_error(true)),
        "data: {\"type\":\"error\",\"code\":\"stream.error\",\"allow_retry\":true}\n\n"
    );
}

fn cited() -> AssistantMessage {
    let citation = Citation {
        chunk_id: "c".into(),
        document_id: "d".into(),
        path: "policies/refunds.md".into(),
        title: "Refunds".into(),
        description: None,
        quote: "q".into(),
        locator: Locator::default(),
        index: 12,
    };
    AssistantMessage { text: "Größe 🦀".into(), citations: vec![citation], links: Vec::new() }
}

fn item(content: ItemContent) -> ThreadItem {
    let created_at: Timestamp = "2026-01-02T03:04:05.000123Z".parse().unwrap();
    ThreadItem { id: "msg_1".into(), thread_id: "thr_1".into(), created_at, content }
}

fn input(text: &str) -> Value {
    json!({"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}})
}

fn parse_value(request: &Value) -> Result<Request, RequestError> {
    parse(request.to_string().as_bytes())
}

#[test]
fn messages_have_bounds() {
    let tag = |key: &str, value: Value| {
        let mut tag = json!({"type": "input_tag", "id": "i", "text": "t", "data": {}});
        tag[key] = value;
        tag
    };
    let message = |parts: Vec<Value>, options: Value| {
        parse_value(&json!({"type": "threads.create", "params": {"input": {
            "content": parts, "attachments": [], "inference_options": options}}}))
    };
    let text = |text: &str| json!({"type": "input_text", "text": text});
    let x = |times: usize| json!("x".repeat(times));
    let is_too_large = |result| matches!(result, Err(RequestError::MessageTooLarge(_)));
    assert!(message(vec![text("q"); 32], json!({})).is_ok());
    assert!(is_too_large(message(vec![text("q"); 33], json!({}))));
    assert!(message(vec![tag("data", json!({"k": x(65_000)}))], json!({})).is_ok());
    assert!(is_too_large(message(vec![tag("data", json!({"k": x(65_536)}))], json!({}))));
    for key in ["id", "text", "group"] {
        assert!(message(vec![tag(key, x(256))], json!({})).is_ok(), "{key}");
        assert!(matches!(message(vec![tag(key, x(257))], json!({})), Err(RequestError::Invalid(_))), "{key}");
    }
    for (good, bad) in [
        (json!({"model": x(128)}), json!({"model": x(129)})),
        (json!({"tool_choice": {"id": x(128)}}), json!({"tool_choice": {"id": x(129)}})),
    ] {
        assert!(message(vec![text("q")], good).is_ok());
        assert!(message(vec![text("q")], bad.clone()).is_err(), "{bad}");
    }
}
