//! What went wrong with a model's server, as the kind of error that decides what follows.
//!
//! No message holds a prompt, an answer, a key or an address: a server's own words may repeat any of them, so only its
//! codes are told.

use std::time::Duration;

use eventsource_stream::EventStreamError;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::llm::LlmError;
use crate::llm::chat::wire::Complaint;

/// Words by which servers say that an account is empty, and stays so however often it is asked.
const SPENT: [&str; 3] = ["insufficient_quota", "billing", "credit balance"];
/// Words by which servers say that a prompt is too long.
const TOO_LONG: [&str; 5] =
    ["context_length", "context length", "maximum context", "exceed_context_size", "exceeds the available context"];

/// An answer that is none.
pub(super) fn broken(why: &str) -> LlmError {
    LlmError::Temporary(why.to_owned())
}

/// Nothing came in time.
pub(super) fn silent() -> LlmError {
    LlmError::Slow("it was silent for too long".to_owned())
}

/// The address is not told, it may hold a password; the innermost cause is (refused, no such host, a bad certificate).
pub(super) fn of_connection(error: &reqwest::Error) -> LlmError {
    if error.is_timeout() {
        return LlmError::Temporary("it cannot be reached in time".to_owned());
    }
    if error.is_redirect() {
        return LlmError::Refused("it sends elsewhere; check OPENAI_BASE_URL".to_owned());
    }
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    let what = if error.is_connect() { "it cannot be reached" } else { "the connection broke" };
    LlmError::Temporary(cause.map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}")))
}

/// A stream that is none.
pub(super) fn of_events(error: EventStreamError<LlmError>) -> LlmError {
    match error {
        EventStreamError::Transport(error) => error,
        EventStreamError::Utf8(_) | EventStreamError::Parser(_) => broken("it sent something that is no event stream"),
    }
}

/// What the server says of a failure, with its status (none within a stream), and what it asks for.
pub(super) fn complained(status: Option<StatusCode>, complaint: &Complaint, retry_after: Option<Duration>) -> LlmError {
    let mut said = status.map_or_else(|| "it reports an error".to_owned(), |status| format!("it answered {status}"));
    if !complaint.code.is_empty() {
        said = format!("{said} ({})", complaint.code);
    }
    if complaint.speaks_of(&SPENT) {
        return LlmError::Refused(format!("{said}; the account has nothing left"));
    }
    if is_too_long(complaint) {
        return LlmError::Refused(format!("{said}; the model takes less than MODEL_CONTEXT_TOKENS allows"));
    }
    match status.map_or_else(|| within_a_stream(complaint), |status| status.as_u16()) {
        429 => LlmError::Busy(match retry_after {
            Some(wait) => format!("{said}; it asks for {} s of rest", wait.as_secs()),
            None => said,
        }),
        503 | 529 => LlmError::Busy(said),
        408 | 409 | 425 | 500.. => LlmError::Temporary(said),
        401 | 403 => LlmError::Denied(format!("{said}; check OPENAI_API_KEY")),
        404 => LlmError::Refused(format!("{said}; check ASSISTANT_MODEL, and OPENAI_BASE_URL with its /v1")),
        300..=399 => LlmError::Refused(format!("{said}; it sends elsewhere, check OPENAI_BASE_URL")),
        _ => LlmError::Refused(said),
    }
}

/// Whether the prompt is longer than the model takes.
pub(super) fn is_too_long(complaint: &Complaint) -> bool {
    complaint.speaks_of(&TOO_LONG)
}

/// The status that an error within a stream would have had.
fn within_a_stream(complaint: &Complaint) -> u16 {
    if complaint.speaks_of(&["rate_limit", "429"]) {
        429
    } else if complaint.speaks_of(&["overloaded", "503"]) {
        503
    } else {
        500
    }
}

/// How long the server asks to be left alone: seconds, as servers of this API send them.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds: f64 = value.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// M8: each failure is of the kind that decides what follows.
    #[test]
    fn failures_have_their_kind() {
        let kind = |status: u16, code: &str| {
            let complaint = Complaint::of(&json!({ "code": code, "message": "how long do refunds take?" }));
            let error = complained(StatusCode::from_u16(status).ok(), &complaint, None);
            assert!(!error.to_string().contains("refunds"), "{error}");
            error.code()
        };
        assert_eq!(kind(429, "rate_limit_exceeded"), "model_busy");
        assert_eq!(kind(429, "insufficient_quota"), "model_refused");
        assert_eq!(kind(503, ""), "model_busy");
        assert_eq!(kind(500, ""), "model_failed");
        assert_eq!(kind(502, ""), "model_failed");
        assert_eq!(kind(401, "invalid_api_key"), "model_refused");
        assert_eq!(kind(404, "model_not_found"), "model_refused");
        assert_eq!(kind(400, "context_length_exceeded"), "model_refused");
        assert_eq!(kind(302, ""), "model_refused");
        assert_eq!(kind(0, "server_error"), "model_failed");
        assert_eq!(kind(0, "rate_limit_exceeded"), "model_busy");
    }
}
