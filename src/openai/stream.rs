//! An answer that is read as it comes.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::time::timeout;

use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::{ErrorKind, FailedCall, OpenAiError, answer, transport};

/// The pieces of an answer. Dropping it hangs up.
#[derive(Debug)]
pub struct Pieces {
    call: String,
    response: Response,
    idle: Duration,
    request_id: Option<String>,
}

impl Client {
    /// Asks for an answer (`POST /responses`), whose pieces are read as they come. A refusal is told by its code and
    /// parameter alone: its words may repeat the question.
    pub async fn respond(&self, body: &impl Serialize) -> Result<Pieces, OpenAiError> {
        self.open(&Call::post("/responses").json(body)?.private()).await
    }
}

impl Pieces {
    pub(super) fn new(call: String, response: Response, idle: Duration) -> Self {
        let request_id = answer::request_id(response.headers());
        Self { call, response, idle, request_id }
    }

    /// `x-request-id`.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Whether events come, and not one JSON document.
    pub fn is_event_stream(&self) -> bool {
        let value = self.response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
    }

    /// The next piece, cut anywhere; nothing after the last one.
    pub async fn next(&mut self) -> Result<Option<Bytes>, OpenAiError> {
        match timeout(self.idle, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => {
                let why = format!("the connection broke: {}", transport::innermost(&error));
                Err(self.failed(ErrorKind::Connection, why))
            }
            Err(_) => Err(self.failed(ErrorKind::TimedOut, "the answer stopped half-way".to_owned())),
        }
    }

    fn failed(&self, kind: ErrorKind, message: String) -> OpenAiError {
        let failed = FailedCall::new(&self.call, kind, message);
        let status = Some(self.response.status().as_u16());
        FailedCall { status, request_id: self.request_id.clone(), may_be_done: true, ..failed }.into()
    }
}
