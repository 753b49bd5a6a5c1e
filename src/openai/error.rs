//! What goes wrong with a call.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// What kind of failure it is: what a caller decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No key, or a wrong one (401).
    WrongKey,
    /// The key may not do this (403).
    Forbidden,
    /// The account has no quota left: trying again changes nothing (429 `insufficient_quota`).
    NoQuota,
    /// Too many requests or tokens a minute (429).
    RateLimited,
    /// No such thing (404).
    NotFound,
    /// Another request is at work on the same thing (409).
    Conflict,
    /// The request is refused, and will be again (400, 413, 422).
    Refused,
    /// The service failed (5xx).
    Server,
    /// No connection, or it broke.
    Connection,
    /// Nothing came in time.
    TimedOut,
    /// The answer is not what the API promises: no JSON, missing fields.
    Broken,
}

/// A failed call. It holds no key and no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAiError(Box<FailedCall>);

/// What is known of a failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCall {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The call, for people: `POST /vector_stores/vs_1/files`.
    pub call: String,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The service's error code.
    pub code: Option<String>,
    /// The request field at fault.
    pub param: Option<String>,
    /// What the service or the connection said.
    pub message: String,
    /// `x-request-id`, for the service's support.
    pub request_id: Option<String>,
    /// `X-Client-Request-Id`, the id that we gave the last attempt: what is left to ask by when no answer came.
    pub client_request_id: Option<String>,
    /// How long the service asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the work may have been done all the same: a write whose answer is lost.
    pub may_be_done: bool,
}

impl Deref for OpenAiError {
    type Target = FailedCall;

    fn deref(&self) -> &FailedCall {
        &self.0
    }
}

impl From<FailedCall> for OpenAiError {
    fn from(failed: FailedCall) -> Self {
        Self(Box::new(failed))
    }
}

impl FailedCall {
    /// A failure of this kind of which nothing else is known.
    pub fn new(call: &str, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            call: call.to_owned(),
            status: None,
            code: None,
            param: None,
            message: message.into(),
            request_id: None,
            client_request_id: None,
            retry_after: None,
            may_be_done: false,
        }
    }
}

impl FailedCall {
    /// Whether trying again later is reasonable.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::RateLimited
                | ErrorKind::Conflict
                | ErrorKind::Server
                | ErrorKind::Connection
                | ErrorKind::TimedOut
                | ErrorKind::Broken
        )
    }

    /// The id to ask the service's support by: its own, else the one that we sent.
    fn told_id(&self) -> Option<String> {
        let theirs = self.request_id.as_ref().map(|id| format!("request {id}"));
        theirs.or_else(|| self.client_request_id.as_ref().map(|id| format!("client request {id}")))
    }
}

impl fmt::Display for OpenAiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.message)?;
        let parts = [
            self.status.map(|status| format!("HTTP {status}")),
            self.code.clone(),
            self.told_id(),
            self.retry_after.map(|wait| format!("wants to be left alone for {} s", wait.as_secs_f64().ceil())),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { Ok(()) } else { write!(f, " ({})", parts.join(", ")) }
    }
}

impl std::error::Error for OpenAiError {}
