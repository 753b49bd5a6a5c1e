//! The server under fire: what hostile, broken and too many callers may not achieve. Each test names its threat.

mod bodies;
mod changes;
mod framing;
mod headers;
mod rates;
mod raw;
mod streams;

use std::fs;

use serde_json::{Value, json};

use crate::bot::{TestBot, message};
use raw::{Answer, request};

pub const CHATKIT: &str = "/knowledge/chatkit";

/// Every route that is read, with an id that exists where there is one.
pub const READ: [&str; 9] = [
    "/",
    "/assets/app.js",
    "/knowledge/health",
    "/knowledge/info",
    "/knowledge/documents",
    "/knowledge/documents/returns/file",
    "/knowledge/documents/returns/preview",
    "/knowledge/threads/thr_unknown/citations",
    "/nowhere",
];

/// A folder with one document, `returns`.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let text = "# Returns\n\nRefunds reach your card within five working days. Gift cards take one day.\n";
    fs::write(folder.path().join("data/returns.md"), text).unwrap();
    folder
}

/// The stub, and visitors who are told apart.
pub const STUB: [(&str, &str); 3] = [("MODEL_BACKEND", "stub"), ("STUB_DELTA_MS", "0"), ("AUTH_MODE", "visitor")];

/// A server with [`STUB`] and these settings.
pub fn start(folder: &tempfile::TempDir, settings: &[(&str, &str)]) -> TestBot {
    let settings: Vec<_> = STUB.iter().chain(settings).copied().collect();
    TestBot::start_with(folder.path(), &[], &settings)
}

/// A question in a new thread.
pub fn create(text: &str) -> String {
    json!({ "type": "threads.create", "params": { "input": message(text) } }).to_string()
}

/// The list of threads.
pub fn list() -> String {
    json!({ "type": "threads.list", "params": {} }).to_string()
}

/// A chat request in JSON, with these further headers.
pub fn post(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let length = body.len().to_string();
    let own = [("Content-Type", "application/json"), ("Content-Length", length.as_str())];
    let headers: Vec<_> = own.iter().chain(headers).copied().collect();
    [request("POST", CHATKIT, &headers), body.as_bytes().to_vec()].concat()
}

/// The code of an error in the common form; H20: it has a code, a message and a request id, and nothing else.
pub fn error_code(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    let error = body["error"].as_object().unwrap_or_else(|| panic!("{answer:?}"));
    let fields: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(fields, ["code", "message", "request_id"], "{answer:?}");
    assert_eq!(error["request_id"], answer.header("x-request-id"), "{answer:?}");
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    for word in ["/src/", ".rs", "sqlite", "hyper", "axum", "serde", "tantivy", "panic", "/tmp", "localhost"] {
        assert!(!text.contains(word), "H20: {word} in {text}");
    }
    error["code"].as_str().unwrap().to_owned()
}
