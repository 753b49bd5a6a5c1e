//! Embeddings through the real program, against a strict stand-in of an OpenAI-compatible endpoint.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const KEY: &str = "sk-embedding-sentinel";

/// What the stand-in saw, and what it does.
#[derive(Default)]
struct Endpoint {
    texts: Mutex<Vec<String>>,
    /// Answers to give before good ones: a status and a `Retry-After` in seconds.
    failures: Mutex<Vec<(u16, Option<u64>)>>,
}

/// A running stand-in; it ends with its runtime.
struct Server {
    endpoint: Arc<Endpoint>,
    url: String,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Arc::new(Endpoint::default());
        let routes = Router::new().route("/v1/embeddings", post(embeddings)).with_state(Arc::clone(&endpoint));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self { endpoint, url, _runtime: runtime }
    }

    fn fail(&self, status: u16, retry_after: Option<u64>) {
        self.endpoint.failures.lock().unwrap().push((status, retry_after));
    }

    fn sandbox(&self) -> Sandbox {
        Sandbox::new()
            .env("EMBEDDING_MODEL", "meanings")
            .env("EMBEDDING_BASE_URL", &self.url)
            .env("EMBEDDING_API_KEY", KEY)
            .file("data/returns.md", "# Returns\n\nRefunds reach your card in five days, whatever you bought.\n")
            .file("data/delivery.md", "# Delivery\n\nParcels arrive within three days at any address you give.\n")
    }
}

/// Refuses what the API reference does not allow; knows two meanings.
async fn embeddings(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Some((status, retry_after)) = endpoint.failures.lock().unwrap().pop() {
        let status = StatusCode::from_u16(status).unwrap();
        let error = Json(json!({ "error": { "message": "not now", "code": Value::Null } }));
        return match retry_after {
            Some(seconds) => (status, [(header::RETRY_AFTER, seconds.to_string())], error).into_response(),
            None => (status, error).into_response(),
        };
    }
    let refuse = |status, message: &str| {
        (status, Json(json!({ "error": { "message": message, "code": "invalid" } }))).into_response()
    };
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != &format!("Bearer {KEY}")) {
        return refuse(StatusCode::UNAUTHORIZED, "Incorrect API key provided");
    }
    let known = ["model", "input", "encoding_format"];
    let has_only_known = body.as_object().is_some_and(|body| body.keys().all(|key| known.contains(&key.as_str())));
    let input: Option<Vec<&str>> = body["input"].as_array().and_then(|all| all.iter().map(Value::as_str).collect());
    let Some(input) = input.filter(|input| has_only_known && (1..=2048).contains(&input.len())) else {
        return refuse(StatusCode::BAD_REQUEST, "bad request");
    };
    if body["model"] != "meanings" || body["encoding_format"] != "float" || input.contains(&"") {
        return refuse(StatusCode::BAD_REQUEST, "bad model, format or text");
    }
    endpoint.texts.lock().unwrap().extend(input.iter().map(|text| (*text).to_owned()));
    let vector = |text: &str| {
        let money = text.contains("Refund") || text.contains("cash");
        if money { [0.9, 0.1] } else { [0.1, 0.9] }
    };
    let data: Vec<Value> = input
        .iter()
        .enumerate()
        .rev()
        .map(|(index, text)| json!({ "object": "embedding", "index": index, "embedding": vector(text) }))
        .collect();
    Json(json!({ "object": "list", "data": data, "model": "meanings", "usage": {} })).into_response()
}

fn paths(sandbox: &Sandbox, query: &str) -> Vec<String> {
    let found = sandbox.run(["docs", "search", query, "--format", "json"]).code(0).json();
    found["hits"].as_array().unwrap().iter().map(|hit| hit["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_sync_embeds_and_a_search_finds_by_meaning() {
    let server = Server::start();
    let sandbox = server.sandbox();
    sandbox.run(["docs", "sync"]).code(0);
    assert_eq!(server.endpoint.texts.lock().unwrap().len(), 2);
    assert_eq!(paths(&sandbox, "cash")[0], "returns.md");
    let asked = server.endpoint.texts.lock().unwrap().len();
    sandbox.run(["docs", "sync"]).code(0);
    assert_eq!(server.endpoint.texts.lock().unwrap().len(), asked, "nothing changed, and nothing is sent");
    // A copy of the state without the endpoint: the words still find, and the rest is told.
    let down = sandbox.env("EMBEDDING_BASE_URL", "http://127.0.0.1:1/v1");
    assert_eq!(paths(&down, "refunds"), ["returns.md"]);
    assert_eq!(paths(&down, "cash"), Vec::<String>::new());
}

#[test]
fn a_busy_endpoint_is_asked_again_and_a_wrong_key_is_not() {
    let server = Server::start();
    let sandbox = server.sandbox();
    server.fail(503, None);
    server.fail(429, Some(1));
    sandbox.run(["docs", "sync"]).code(0);
    assert_eq!(server.endpoint.texts.lock().unwrap().len(), 2);
    let sandbox = server.sandbox().env("EMBEDDING_API_KEY", "sk-another-sentinel");
    let report = sandbox.run(["docs", "sync", "--format", "json"]).code(1);
    let problem = &report.json()["problems"][0];
    assert_eq!((problem["code"].as_str(), report.json()["added"].as_u64()), (Some("embedding/failed"), Some(2)));
    assert!(problem["message"].as_str().unwrap().contains("401"), "{problem}");
    assert!(!report.text().contains("sk-another-sentinel"));
    assert_eq!(paths(&sandbox, "refunds"), ["returns.md"]);
}

#[test]
fn what_measures_worse_is_searched_by_words() {
    let server = Server::start();
    let questions = [
        json!({ "question": "refunds", "documents": ["returns.md"] }),
        json!({ "question": "parcels of cash", "documents": ["delivery.md"] }),
        json!({ "question": "nothing", "unanswerable": true }),
    ];
    // Too few prove nothing.
    let lines = questions.map(|question| question.to_string()).join("\n");
    let many = [lines.as_str(); 6].join("\n");
    let sandbox = server.sandbox().env("EMBEDDING_WEIGHT", "0.9").file("few.jsonl", &lines).file("q.jsonl", &many);
    sandbox.run(["docs", "sync"]).code(0);
    assert_eq!(paths(&sandbox, "parcels of cash")[0], "returns.md");
    sandbox.run(["docs", "measure", "few.jsonl"]).code(0).says("with embeddings");
    sandbox.run(["docs", "measure", "q.jsonl", "--dry-run"]).code(0).says("words alone");
    assert_eq!(paths(&sandbox, "parcels of cash")[0], "returns.md");
    let measured = sandbox.run(["docs", "measure", "q.jsonl", "--format", "json"]).code(0).json();
    assert_eq!(measured["languages"]["eng"]["questions"], 12);
    assert_eq!(paths(&sandbox, "parcels of cash")[0], "delivery.md");
    // An endpoint that fails is no measurement, and spoils none.
    server.fail(500, None);
    sandbox.run(["docs", "measure", "q.jsonl"]).code(5);
    assert_eq!(paths(&sandbox, "parcels of cash")[0], "delivery.md");
    sandbox.file("bad.jsonl", "{}\n").run(["docs", "measure", "bad.jsonl"]).code(2).warns("line 1 of");
}

#[test]
fn a_measurement_needs_a_model_and_questions() {
    let sandbox = Sandbox::new().file("q.jsonl", "").file("data/a.md", "# A\n\nText.\n");
    sandbox.run(["docs", "measure", "q.jsonl"]).code(3).warns("EMBEDDING_MODEL");
    let sandbox = sandbox.env("EMBEDDING_MODEL", "m");
    sandbox.run(["docs", "sync"]).code(3).warns("EMBEDDING_BASE_URL");
    let sandbox = sandbox.env("EMBEDDING_BASE_URL", "http://127.0.0.1:1/v1");
    sandbox.run(["docs", "measure", "q.jsonl"]).code(6);
}
