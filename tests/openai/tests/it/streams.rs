//! Streamed answers, whole and broken.

use std::time::Duration;

use openai_stand_in::{Act, Cited, Ending, Fault, IndexMeaning, ScriptedAnswer, StandIn};
use serde_json::{Value, json};

use crate::client::{Answer, post, send, started, store, try_send};

fn ask(to: &StandIn, extra: &Value) -> Answer {
    send(to, "POST", "/responses", Some(&asked(extra)))
}

fn asked(extra: &Value) -> Value {
    let mut body = json!({"model": "gpt-6-luna", "input": "How many days for returns?", "stream": true});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

fn searching(store: &str) -> Value {
    json!({"tools": [{"type": "file_search", "vector_store_ids": [store]}]})
}

fn kinds(events: &[Value]) -> Vec<String> {
    let mut kinds: Vec<String> =
        events.iter().map(|event| event["type"].as_str().unwrap().replace("response.", "")).collect();
    kinds.dedup();
    kinds
}

fn text(events: &[Value]) -> String {
    events.iter().filter(|e| e["type"] == "response.output_text.delta").filter_map(|e| e["delta"].as_str()).collect()
}

#[test]
fn events_come_in_the_documented_order_with_numbers_and_citations() {
    let to = started();
    let (store, ids) = store(&to, &[("returns.md", "Returns take thirty days. Ask us.")]);
    let answer = ask(&to, &searching(&store));
    assert!(answer.header("content-type").unwrap().starts_with("text/event-stream"));
    let events = answer.events();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at, "{event}");
    }
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "file_search_call.in_progress",
            "file_search_call.searching",
            "file_search_call.completed",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.annotation.added",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!(text(&events), "Returns take thirty days.");
    let last = &events.last().unwrap()["response"];
    let cited = &last["output"][1]["content"][0]["annotations"][0];
    let wanted = json!({"type": "file_citation", "file_id": ids[0], "filename": "returns.md", "index": 25});
    assert_eq!((cited, &last["output"][0]["results"]), (&wanted, &Value::Null));
    assert_eq!(last["usage"]["total_tokens"].as_u64().unwrap(), {
        let part = |name: &str| last["usage"][name].as_u64().unwrap();
        part("input_tokens") + part("output_tokens")
    });
    assert!(answer.text().contains("\"obfuscation\""));
    let bare = ask(&to, &json!({"stream_options": {"include_obfuscation": false}}));
    assert!(!bare.text().contains("\"obfuscation\""));
    let mut whole = asked(&searching(&store));
    whole["stream"] = false.into();
    whole["include"] = json!(["file_search_call.results"]);
    let whole = post(&to, "/responses", &whole);
    assert_eq!(whole["output"][0]["results"][0]["file_id"], json!(ids[0]));
}

#[test]
fn a_script_says_what_is_said_and_how_it_ends() {
    let to = started();
    let (store, ids) = store(&to, &[("a.md", "returns"), ("b.md", "returns days")]);
    let other = Cited::File { id: "file-gone".to_owned(), filename: "gone.md".to_owned() };
    let script = ScriptedAnswer::text("Grüße 🙂 an alle.")
        .citing(Cited::Hit(1), 7)
        .and_text("Zweiter Teil.")
        .citing(other, 3)
        .with_reasoning()
        .index(IndexMeaning::ListIndex);
    to.script_answer(script);
    let events = ask(&to, &searching(&store)).events();
    assert_eq!(text(&events), "Grüße 🙂 an alle.Zweiter Teil.");
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["type"], "reasoning");
    let cited = |part: usize| output[2]["content"][part]["annotations"][0].clone();
    assert_eq!((&cited(0)["file_id"], &cited(0)["index"]), (&json!(ids[0]), &json!(1)));
    assert_eq!((&cited(1)["file_id"], &cited(1)["index"]), (&json!("file-gone"), &json!(2)));

    to.script_answer(ScriptedAnswer::refuse("I may not."));
    assert!(kinds(&ask(&to, &json!({})).events()).contains(&"refusal.done".to_owned()));
    to.script_answer(ScriptedAnswer::empty());
    assert_eq!(kinds(&ask(&to, &json!({})).events()), ["created", "in_progress", "completed"]);
}

#[test]
fn a_model_searches_no_more_often_than_it_may() {
    let to = started();
    let (store, _) = store(&to, &[("a.md", "returns")]);
    let searches = |extra: &Value| {
        to.script_answer(ScriptedAnswer::default().searching(3));
        let mut asked = searching(&store);
        asked.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let end = ask(&to, &asked).events().pop().unwrap();
        let output = end["response"]["output"].as_array().unwrap();
        output.iter().filter(|item| item["type"] == "file_search_call").count()
    };
    assert_eq!((searches(&json!({})), searches(&json!({"max_tool_calls": 2}))), (3, 2));
}

#[test]
fn every_ending_has_its_final_event() {
    let to = started();
    let end = |ending: Ending| {
        to.script_answer(ScriptedAnswer::text("One two three four five six seven.").ending(ending));
        ask(&to, &json!({})).events().pop().unwrap()
    };
    assert_eq!(end(Ending::Completed)["type"], "response.completed");
    let incomplete = end(Ending::Incomplete("max_output_tokens".to_owned()));
    assert_eq!(incomplete["response"]["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(incomplete["response"]["output"][0]["status"], "incomplete");
    let failed = end(Ending::Failed("vector_store_timeout".to_owned()));
    assert_eq!(failed["response"]["error"]["code"], "vector_store_timeout");
    let error = end(Ending::ErrorEvent("rate_limit_exceeded".to_owned()));
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("rate_limit_exceeded")));
    to.script_answer(ScriptedAnswer::text(&"word ".repeat(50)));
    let cut = ask(&to, &json!({"max_output_tokens": 16})).events().pop().unwrap();
    assert_eq!(cut["type"], "response.incomplete", "more was said than was asked for");
}

#[test]
fn streams_break_as_told() {
    let to = started();
    to.script_answer(ScriptedAnswer::text("Grüße 🙂 an alle Menschen da draußen.").calls(6));
    let whole = ask(&to, &json!({})).events();
    let broken = |act: Act| {
        to.fail(Fault::on("POST", "/responses", act).times(1));
        ask(&to, &json!({}))
    };
    let short = broken(Act::TruncatedStream { after: 5 }).events();
    assert_eq!(kinds(&short), kinds(&whole[..5]));
    let twice = broken(Act::DuplicatedEvents).events();
    assert_eq!(twice.len(), whole.len() * 2);
    assert_eq!(twice[0]["sequence_number"], twice[1]["sequence_number"]);
    let unknown = broken(Act::UnknownEvents);
    assert!(unknown.text().contains(": keep-alive") && unknown.events().len() == whole.len() * 2);
    assert_eq!(text(&broken(Act::SplitAnywhere).events()), text(&whole), "split within characters, and whole again");
    let garbled = broken(Act::GarbledJson).text();
    let data = garbled.lines().filter_map(|line| line.strip_prefix("data: "));
    assert_eq!(data.filter(|data| serde_json::from_str::<Value>(data).is_err()).count(), 1);
    to.fail(Fault::on("POST", "/responses", Act::ResetStream { after: 5 }).times(1));
    let cut = try_send(&to, "POST", "/responses", Some(&asked(&json!({})))).expect_err("a reset");
    assert!(cut.to_string().contains("response.in_progress"), "{cut}");
}

#[test]
fn a_stalled_stream_keeps_its_connection() {
    use std::io::{Read, Write};

    let to = started();
    to.fail(Fault::on("POST", "/responses", Act::StalledStream { after: 2 }));
    let body = asked(&json!({})).to_string();
    let host = to.base_url().replace("http://", "").replace("/v1", "");
    let mut stream = std::net::TcpStream::connect(&host).unwrap();
    let (key, length) = (to.key(), body.len());
    let head = format!("POST /v1/responses HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n");
    let head = format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).unwrap();
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    // First both events, however slow the machine, then silence.
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    while !String::from_utf8_lossy(&seen).contains("data: {\"type\":\"response.in_progress\"") {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "the stream has ended");
        seen.extend_from_slice(&buffer[..read]);
    }
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let end = loop {
        match stream.read(&mut buffer) {
            Ok(0) => panic!("the stream has ended"),
            Ok(read) => seen.extend_from_slice(&buffer[..read]),
            Err(error) => break error.kind(),
        }
    };
    assert!(matches!(end, std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{end:?}");
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("response.in_progress") && !seen.contains("output_item"), "{seen}");
}
