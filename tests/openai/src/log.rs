//! The log of requests: every call in order, without credentials.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// One request as it came.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The path template below `/v1`, or the path itself where no route matches.
    pub template: String,
    /// The path below `/v1`.
    pub path: String,
    /// The query string as it came, without its question mark.
    pub query: String,
    /// The headers in lower case, without those that carry a key.
    pub headers: BTreeMap<String, String>,
    /// The JSON body; for a form `fields` (text by name) and `file` (`field`, `filename`, `bytes`, `sha256`).
    pub body: Value,
    /// The status answered; none while there is no answer, and for ever after a reset.
    pub status: Option<u16>,
    /// The names of the faults that struck it.
    pub faults: Vec<String>,
    /// Milliseconds since the start.
    pub at_ms: u64,
}

impl Call {
    /// Whether it may change something: no GET and no search.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && self.method != "HEAD" && !self.template.ends_with("/search")
    }
}
