//! Answers of a model (`POST /responses`), as they are written.
//!
//! One call is one attempt: who calls decides about another. Events are told by the type in their data, since not every
//! server names them elsewhere; unknown ones pass. An answer is whole only with its terminal event. Nothing here reads
//! a clock but for deadlines, and no word of an answer is in an error.

mod event;
mod object;
mod request;
mod stream;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::timeout;

use crate::openai::client::Client;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

pub use event::{Event, Part};
pub use object::{FileCitation, Item, Message, MessagePart, Response, SearchResult, Status, Tokens};
pub use request::{FileSearch, GoesOn, Input, RankingOptions, Reasoning, Request, Role, StreamOptions};
pub use stream::Answering;

/// The call, for errors.
const CALL: &str = "POST /responses";

/// How long to wait for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For its head, from the request on.
    pub first: Duration,
    /// For each further event.
    pub next: Duration,
}

impl Client {
    /// Asks; the answer begins.
    pub async fn respond(&self, request: &Request, patience: Patience) -> Result<Answering, OpenAiError> {
        let response = timeout(patience.first, self.open("/responses", request)).await.map_err(|_| silent())??;
        Answering::new(response, patience)
    }
}

/// Nothing came in time.
fn silent() -> OpenAiError {
    FailedCall::new(CALL, ErrorKind::TimedOut, "it was silent for too long").into()
}

/// An answer that is none.
fn broken(why: &str) -> OpenAiError {
    FailedCall::new(CALL, ErrorKind::Broken, why).into()
}

/// The kind of failure that a code within an answer stands for.
pub fn kind_of(code: &str) -> ErrorKind {
    match code {
        "rate_limit_exceeded" => ErrorKind::RateLimited,
        "insufficient_quota" => ErrorKind::NoQuota,
        "vector_store_timeout" => ErrorKind::TimedOut,
        "invalid_api_key" => ErrorKind::WrongKey,
        "invalid_prompt" | "context_length_exceeded" | "invalid_request_error" => ErrorKind::Refused,
        _ => ErrorKind::Server,
    }
}
