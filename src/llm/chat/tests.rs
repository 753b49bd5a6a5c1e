//! The backend against a server that answers by a script, with little patience.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use super::*;
use crate::config::settings::{ChatSettings, HostedSettings, ModelBackend};
use crate::llm::tests::hit;
use crate::model::Hit;

/// What the server does with one request.
enum Act {
    /// These bytes as an event stream, then its end.
    Stream(String),
    /// These bytes as an event stream, then silence.
    Stall(String),
    /// Nothing at all.
    Silence,
    /// A status with a body of this type.
    Status(u16, &'static str, String),
    /// Asks for rest, in seconds.
    Busy(&'static str),
}

#[derive(Clone)]
struct Script {
    acts: Arc<Mutex<VecDeque<Act>>>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

struct Bench {
    script: Script,
    chat: Chat,
}

/// One event with these words.
fn word(text: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] }))
}

fn end(reason: &str) -> String {
    let last = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] });
    format!("data: {last}\n\ndata: [DONE]\n\n")
}

fn whole(text: &str) -> Act {
    Act::Stream(word(text) + &end("stop"))
}

fn refusing(error: &Value) -> Act {
    Act::Status(400, "application/json", json!({ "error": error }).to_string())
}

async fn act(State(script): State<Script>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers[header::AUTHORIZATION], "Bearer sk-test");
    script.bodies.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let act = script.acts.lock().unwrap().pop_front().unwrap_or_else(|| panic!("the script has ended"));
    let events = [(header::CONTENT_TYPE, "text/event-stream")];
    match act {
        Act::Stream(bytes) => (events, bytes).into_response(),
        Act::Stall(bytes) => {
            let begun = stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
            (events, Body::from_stream(begun.chain(stream::pending()))).into_response()
        }
        Act::Silence => std::future::pending().await,
        Act::Status(status, kind, body) => {
            (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Act::Busy(seconds) => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)]).into_response(),
    }
}

/// Little where the server is silent, and otherwise as much as a busy machine needs.
fn patience(acts: &[Act]) -> Patience {
    let (short, long) = (Duration::from_millis(300), Duration::from_secs(30));
    let wait = |is_silent: fn(&Act) -> bool| if acts.iter().any(is_silent) { short } else { long };
    Patience {
        first: wait(|act| matches!(act, Act::Silence) || matches!(act, Act::Stall(begun) if begun.starts_with(':'))),
        next: wait(|act| matches!(act, Act::Stall(_))),
        all: 2 * long,
    }
}

impl Bench {
    async fn new(acts: Vec<Act>) -> Self {
        Self::with_model("some-model", acts).await
    }

    async fn with_model(model: &str, acts: Vec<Act>) -> Self {
        let patience = patience(&acts);
        let script = Script { acts: Arc::new(Mutex::new(acts.into())), bodies: Arc::default() };
        let routes = Router::new().route("/v1/chat/completions", post(act)).with_state(script.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let chat = ChatSettings {
            model: model.to_owned(),
            base_url,
            api_key: Some(crate::secret::Secret::new("sk-test")),
            temperature: 0.5,
            context_tokens: 4000,
            max_tokens: 100,
            ..ChatSettings::default()
        };
        let settings = AssistantSettings {
            name: "Ada".to_owned(),
            backend: ModelBackend::Chat,
            max_search_results: 5,
            stub_delta_ms: 0,
            chat,
            hosted: HostedSettings::default(),
        };
        Self { script, chat: Chat::with_patience(&settings, patience).unwrap() }
    }

    async fn ask(&self) -> Outcome {
        let hits = vec![hit("Refunds take five working days."), hit("Gift cards take one day.")];
        self.ask_about("How long do refunds take?", hits).await
    }

    async fn ask_about(&self, question: &str, hits: Vec<Hit>) -> Outcome {
        let request = ChatRequest { question: question.to_owned(), hits, ..ChatRequest::default() };
        let mut events = self.chat.stream(request);
        let mut outcome = Outcome::default();
        while let Some(event) = events.next().await {
            match event {
                Ok(ModelEvent::Text(text)) => outcome.text.push_str(&text),
                Ok(ModelEvent::Cite { hit, .. }) => outcome.cited.push(hit),
                Ok(ModelEvent::Beside(Beside::Retrying)) => outcome.retries += 1,
                Ok(ModelEvent::Refused) => outcome.refused = true,
                Ok(ModelEvent::Used(used)) => outcome.used = used,
                Ok(ModelEvent::InventedMarker) => {}
                Ok(other) => panic!("{other:?}"),
                Err(error) => outcome.error = Some(error),
            }
        }
        outcome
    }

    fn bodies(&self) -> Vec<Value> {
        self.script.bodies.lock().unwrap().clone()
    }
}

#[derive(Debug, Default)]
struct Outcome {
    text: String,
    cited: Vec<usize>,
    retries: usize,
    refused: bool,
    used: Usage,
    error: Option<LlmError>,
}

impl Outcome {
    fn code(&self) -> &'static str {
        self.error.as_ref().map_or("", LlmError::code)
    }
}

fn counted(tokens: u64) -> String {
    let usage = json!({ "prompt_tokens": tokens, "completion_tokens": 1 });
    format!("data: {}\n\n", json!({ "choices": [], "usage": usage }))
}

/// All attempts are billed: what they took is told together, and a failed one at least as a request.
#[tokio::test]
async fn what_all_attempts_took_is_told_together() {
    let cut = Act::Stream(word("Five days"));
    let unsupported = word("No.") + &counted(7) + &counted(10) + &end("stop");
    let bench = Bench::new(vec![cut, Act::Stream(unsupported)]).await;
    let outcome = bench.ask().await;
    assert!(outcome.refused, "{outcome:?}");
    let Usage { model, requests, input_tokens, output_tokens, .. } = outcome.used;
    assert_eq!((model.as_str(), requests, input_tokens, output_tokens), ("some-model", 2, 10, 1));
    // One JSON document counts in itself.
    let message = json!({ "choices": [{ "message": { "content": "Five days [1]." }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 5, "completion_tokens": 2 } });
    let bench = Bench::new(vec![Act::Status(200, "application/json", message.to_string())]).await;
    let outcome = bench.ask().await;
    assert_eq!((outcome.cited.as_slice(), outcome.used.input_tokens), (&[0][..], 5));
    // Nothing was asked of a model, so nothing was taken.
    let outcome = bench.ask_about("hello", Vec::new()).await;
    assert_eq!(outcome.used, Usage::default());
}

#[tokio::test]
async fn an_answer_is_streamed_with_its_citations() {
    let words = word("Five days ") + ": a comment\n\n" + &word("[1") + &word("].") + &end("stop");
    let bench = Bench::new(vec![Act::Stream(words)]).await;
    let outcome = bench.ask().await;
    assert_eq!((outcome.text.as_str(), outcome.cited.as_slice(), outcome.code()), ("Five days.", &[0][..], ""));
    let body = &bench.bodies()[0];
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["model", "messages", "stream", "stream_options", "temperature", "max_tokens"]);
    assert!(body["messages"][0]["content"].as_str().unwrap().starts_with("You are Ada, "), "{body}");
}

/// M8: what may pass is tried again, each time counted, as long as nothing was told.
#[tokio::test]
async fn passing_failures_are_tried_again() {
    let bench =
        Bench::new(vec![Act::Status(500, "text/plain", "oops".into()), Act::Busy("0"), whole("Five [1].")]).await;
    let outcome = bench.ask().await;
    assert_eq!((outcome.text.as_str(), outcome.retries, outcome.code()), ("Five.", 2, ""));
    // Nothing was told before the first citation, so a cut stream can be asked again, too.
    let bench = Bench::new(vec![Act::Stream(word("Five da")), whole("Six [1].")]).await;
    let outcome = bench.ask().await;
    assert_eq!((outcome.text.as_str(), outcome.retries), ("Six.", 1));
}

/// M8: every way to fail ends in an error of its kind.
#[tokio::test]
async fn failures_end_as_errors() {
    let page = || Act::Status(200, "text/html", "<html>".into());
    let cut = || Act::Stream(word("Five"));
    let error =
        |code: &str| Act::Stream(format!("data: {}\n\n", json!({ "error": { "message": "no", "code": code } })));
    let cases: Vec<(&str, usize, Vec<Act>)> = vec![
        ("model_failed", 2, vec![page(), page(), page()]),
        ("model_failed", 2, vec![cut(), cut(), cut()]),
        ("model_failed", 2, vec![error("server_error"), error("server_error"), error("server_error")]),
        (
            "model_busy",
            2,
            vec![error("rate_limit_exceeded"), Act::Busy("0"), Act::Status(503, "text/plain", String::new())],
        ),
        ("model_busy", 0, vec![Act::Busy("3600")]),
        ("model_failed", 2, vec![whole(""), whole(" \n"), Act::Stream(String::new())]),
        (
            "model_failed",
            2,
            vec![
                Act::Stream("data: nonsense\n\n".into()),
                Act::Stream("data: {}\n\n".into()),
                Act::Status(200, "application/json", "[]".into()),
            ],
        ),
        ("model_refused", 0, vec![Act::Stream(word("F") + &end("content_filter"))]),
        ("model_refused", 0, vec![Act::Stream(word("<think>hm") + &end("length"))]),
        ("model_refused", 0, vec![Act::Status(401, "application/json", "{}".into())]),
        ("model_refused", 0, vec![Act::Status(307, "text/plain", String::new())]),
        ("model_slow", 0, vec![Act::Silence]),
        ("model_slow", 0, vec![Act::Stall(word("Five"))]),
        ("model_slow", 0, vec![Act::Stall(": still here\n\n".into())]),
    ];
    let asked = cases.into_iter().map(async |(code, retries, acts)| {
        let bench = Bench::new(acts).await;
        (code, retries, bench.ask().await, bench)
    });
    for (code, retries, outcome, bench) in futures_util::future::join_all(asked).await {
        assert_eq!((outcome.code(), outcome.retries, outcome.text.as_str()), (code, retries, ""), "{outcome:?}");
        assert!(bench.script.acts.lock().unwrap().is_empty(), "{code}: not all was asked for");
    }
}

/// M8: once something was told, nothing is tried again.
#[tokio::test]
async fn a_told_answer_is_not_begun_again() {
    for act in [Act::Stream(word("Five [1]. And")), Act::Stall(word("Five [1]. And"))] {
        let bench = Bench::new(vec![act]).await;
        let outcome = bench.ask().await;
        assert_eq!((outcome.text.as_str(), outcome.retries), ("Five. And", 0), "{outcome:?}");
        assert!(outcome.error.is_some());
    }
}

#[tokio::test]
async fn refused_parameters_are_left_out_and_remembered() {
    let renamed =
        json!({ "code": "unsupported_parameter", "param": "max_tokens", "message": "Use 'max_completion_tokens'." });
    let fixed = json!({ "code": "unsupported_value", "param": "temperature", "message": "Only 1." });
    let bench = Bench::new(vec![refusing(&renamed), refusing(&fixed), whole("Five [1]."), whole("Six [1].")]).await;
    assert_eq!(bench.ask().await.text, "Five.");
    let outcome = bench.ask().await;
    assert_eq!((outcome.text.as_str(), outcome.retries), ("Six.", 0));
    let last = &bench.bodies()[3];
    assert_eq!(
        (last["max_completion_tokens"].as_u64(), last.get("max_tokens"), last.get("temperature")),
        (Some(100), None, None)
    );
    let bench = Bench::with_model("o3-mini", vec![whole("Five [1].")]).await;
    bench.ask().await;
    assert_eq!(bench.bodies()[0].get("temperature"), None);
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let answer = json!({ "choices": [{ "message": { "content": "Five [1]." }, "finish_reason": "stop" }] });
    let cut = json!({ "choices": [{ "message": { "content": "Five [1]. And so" }, "finish_reason": "length" }] });
    let document = |answer: &Value| Act::Status(200, "application/json", answer.to_string());
    let bench = Bench::new(vec![document(&answer), document(&cut)]).await;
    assert_eq!(bench.ask().await.text, "Five.");
    assert_eq!(bench.ask().await.text, "Five. And so …");
}

/// M10: without hits the model is not asked, and without a citation it is not believed.
#[tokio::test]
async fn nothing_is_answered_without_support() {
    let bench = Bench::new(vec![whole("Paris. [7]")]).await;
    let none = bench.ask_about("What is the capital of France?", Vec::new()).await;
    let unsupported = bench.ask().await;
    for outcome in [none, unsupported] {
        assert!(outcome.refused && outcome.cited.is_empty() && outcome.text.contains("could not find"), "{outcome:?}");
        assert!(!outcome.text.contains("Paris"));
    }
    assert_eq!(bench.bodies().len(), 1);
    let thanks = bench.ask_about("Thanks!", vec![hit("Thanks for your order.")]).await;
    assert!(!thanks.refused && thanks.cited.is_empty() && thanks.text.contains("welcome"), "{thanks:?}");
}

#[tokio::test]
async fn an_answer_nobody_reads_ends_with_its_request() {
    let bench = Bench::new(vec![Act::Stall(word("Five [1]. And "))]).await;
    let request = ChatRequest { question: "How long?".into(), hits: vec![hit("Five days.")], ..ChatRequest::default() };
    let mut events = bench.chat.stream(request);
    assert!(matches!(events.next().await, Some(Ok(ModelEvent::Used(_)))));
    assert!(matches!(events.next().await, Some(Ok(ModelEvent::Text(_)))));
    drop(events);
    assert_eq!(Arc::strong_count(&bench.chat.0), 1, "the work ended with its stream");
}
