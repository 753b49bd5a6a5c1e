//! The event stream, whole and cut in pieces.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::stream::MAX_EVENT_BYTES;
use super::*;

const PATIENCE: Patience = Patience { first: Duration::from_secs(20), next: Duration::from_secs(20) };

/// The events of these bytes, up to the end or the error.
async fn read(pieces: Vec<Vec<u8>>) -> (Vec<Event>, Option<OpenAiError>) {
    let mut answering = Answering::of(pieces, PATIENCE);
    let mut events = Vec::new();
    loop {
        match answering.next().await {
            Ok(event) => events.push(event),
            Err(error) => return (events, Some(error)),
        }
        if matches!(events.last(), Some(Event::End(_))) {
            return (events, None);
        }
    }
}

fn frame(value: &Value) -> String {
    format!("event: nonsense\ndata: {value}\n\n")
}

fn delta(number: Option<u64>, text: &str) -> Value {
    let mut value = json!({ "type": "response.output_text.delta", "delta": text, "obfuscation": "x" });
    if let Some(number) = number {
        value["sequence_number"] = number.into();
    }
    value
}

fn completed() -> Value {
    json!({ "type": "response.completed", "response": { "id": "resp_1" } })
}

fn texts(events: &[Event]) -> String {
    let text = |event: &Event| match event {
        Event::Text(_, text) => text.clone(),
        _ => String::new(),
    };
    events.iter().map(text).collect()
}

/// A usual answer, with comments, both line ends, unknown events and a repeated one.
fn usual() -> String {
    let search = json!({ "type": "file_search_call", "id": "fs_1", "results": [
        { "file_id": "file-1", "filename": "a.md", "score": 0.5, "text": "Größe 🦀", "attributes": { "path": "a.md", "n": 1, "odd": [1] } },
    ] });
    let citation = json!({ "type": "file_citation", "file_id": "file-1", "filename": "a.md", "index": 7 });
    let mut text = String::from(": hello\n\ndata: [DONE]\r\n\r\n");
    text += &frame(&json!({ "type": "response.created", "sequence_number": 0, "response": {} }));
    text +=
        &frame(&json!({ "type": "response.file_search_call.searching", "sequence_number": 1 })).replace('\n', "\r\n");
    text += &frame(&json!({ "type": "response.output_item.done", "sequence_number": 2, "item": search }));
    text += &frame(&json!({ "type": "response.invented_tomorrow", "sequence_number": 3, "delta": "no" }));
    text += &frame(&delta(Some(4), "Größe "));
    text += &frame(&delta(Some(4), "Größe "));
    text += &frame(&delta(None, "🦀"));
    text += &frame(&delta(None, "🦀"));
    text += &frame(&json!({ "type": "response.output_text.annotation.added", "annotation": citation }));
    text += &frame(&json!({ "type": "response.output_text.annotation.added", "annotation": null }));
    text += &frame(&completed());
    text
}

#[tokio::test]
async fn events_are_told_by_the_type_in_their_data() {
    let (events, error) = read(vec![usual().into_bytes()]).await;
    assert_eq!(error, None);
    // A repeated number is dropped; what has none is taken as it comes.
    assert_eq!(texts(&events), "Größe 🦀🦀");
    let Event::Item(Item::Search { id, results: Some(results) }) = &events[1] else { panic!("{events:?}") };
    assert_eq!((id.as_str(), results[0].text.as_str(), results[0].attributes.len()), ("fs_1", "Größe 🦀", 2));
    assert_eq!(events.iter().flat_map(Event::citations).filter_map(|citation| citation.index).collect::<Vec<_>>(), [7]);
    let Some(Event::End(response)) = events.last() else { panic!("{events:?}") };
    assert_eq!((response.status, response.id.as_str(), response.usage), (Status::Completed, "resp_1", None));
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_changes_nothing(cuts in proptest::collection::vec(1_usize..40, 1..200)) {
        let bytes = usual().into_bytes();
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = after;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (whole, cut) = runtime.block_on(async { (read(vec![bytes.clone()]).await, read(pieces).await) });
        prop_assert_eq!(whole, cut);
    }
}

/// M8: an answer without its terminal event is none, however much text came.
#[tokio::test]
async fn a_stream_without_its_end_is_a_failure() {
    for text in [String::new(), frame(&delta(None, "Five")), usual().replace("response.completed", "response.later")] {
        let (_, error) = read(vec![text.into_bytes()]).await;
        assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Connection));
    }
}

#[tokio::test]
async fn errors_within_a_stream_have_their_kind() {
    let nested = json!({ "error": { "code": "rate_limit_exceeded", "message": "slow down" } });
    let cases = [
        (json!({ "type": "error", "code": "server_error", "message": "oops" }), ErrorKind::Server),
        (json!({ "type": "error", "code": null, "message": "oops" }), ErrorKind::Server),
        (json!({ "type": "error", "error": { "code": "insufficient_quota" } }), ErrorKind::NoQuota),
        (nested, ErrorKind::RateLimited),
    ];
    for (value, kind) in cases {
        let (events, error) = read(vec![(frame(&delta(None, "Five")) + &frame(&value)).into_bytes()]).await;
        assert_eq!((events.len(), error.as_ref().map(|error| error.kind)), (1, Some(kind)), "{value}");
        assert!(!error.unwrap().to_string().contains("oops"), "the service's words are not told");
    }
    let (_, error) = read(vec![b"data: nonsense\n\n".to_vec()]).await;
    assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Broken));
}

#[tokio::test]
async fn events_without_end_are_given_up() {
    let endless = vec![vec![b'x'; MAX_EVENT_BYTES / 4]; 5];
    let (_, error) = read([vec![b"data: ".to_vec()], endless].concat()).await;
    assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Broken));
    // Many events of that size together are fine.
    let large = frame(&delta(None, &"x".repeat(MAX_EVENT_BYTES / 2)));
    let (events, error) = read(vec![large.clone().into(), large.into(), frame(&completed()).into()]).await;
    assert_eq!((events.len(), error), (3, None));
}

#[test]
fn documents_are_read_leniently() {
    let message = json!({ "type": "message", "content": [{ "type": "output_text", "text": "Five" }, { "type": "x" }] });
    let Ok(Event::End(response)) = Event::document(&json!({ "output": [message], "error": null })) else {
        panic!("an answer");
    };
    assert_eq!(response.status, Status::Completed);
    assert_eq!(response.parts().count(), 2);
    let kind = |value: Value| Event::document(&value).expect_err("no answer").kind;
    assert_eq!(kind(json!([])), ErrorKind::Broken);
    assert_eq!(kind(json!({ "error": { "code": "server_error" } })), ErrorKind::Server);
}

#[test]
fn requests_say_what_was_decided_and_nothing_else() {
    let tool = FileSearch {
        vector_store_ids: vec!["vs_1".to_owned()],
        max_num_results: 5,
        filters: None,
        ranking_options: None,
    };
    let input = vec![Input { role: Role::User, content: "How long?".to_owned() }];
    let goes_on = Some(GoesOn::Response("resp_1".to_owned()));
    let request = Request { model: "m".to_owned(), input, tools: vec![tool], goes_on, ..Request::default() };
    let expected = json!({
        "model": "m",
        "input": [{ "role": "user", "content": "How long?" }],
        "tools": [{ "type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 5 }],
        "store": false,
        "previous_response_id": "resp_1",
    });
    assert_eq!(serde_json::to_value(&request).unwrap(), expected);
}
