//! What went wrong with the service, as the kind of error that decides what follows.
//!
//! Its own words may repeat the question, so only the call, status, code and request id are told.

use std::time::Duration;

use crate::llm::LlmError;
use crate::llm::chat::wire::is_code;
use crate::openai::{ErrorKind, OpenAiError, responses};

/// A code for a prompt that is longer than the model takes.
const TOO_LONG: &str = "context_length_exceeded";
/// A request id is not longer, in characters; what is longer is none.
const MAX_ID_CHARS: usize = 80;

/// A failed attempt, and how long the service asks to be left alone.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: LlmError,
    pub(super) retry_after: Option<Duration>,
}

impl From<LlmError> for Failed {
    fn from(error: LlmError) -> Self {
        Self { error, retry_after: None }
    }
}

impl From<OpenAiError> for Failed {
    fn from(error: OpenAiError) -> Self {
        Self { retry_after: error.retry_after, error: of(&error) }
    }
}

/// The error that a failed call is.
fn of(error: &OpenAiError) -> LlmError {
    let said = said(error);
    let code = error.code.as_deref().unwrap_or_default();
    match error.kind {
        ErrorKind::WrongKey => LlmError::Denied(format!("{said}; check OPENAI_API_KEY")),
        ErrorKind::Forbidden => LlmError::Denied(format!("{said}; the key of OPENAI_API_KEY may not do this")),
        ErrorKind::NoQuota => LlmError::Refused(format!("{said}; the account has nothing left")),
        ErrorKind::NotFound if code == "model_not_found" => LlmError::Refused(format!("{said}; check ASSISTANT_MODEL")),
        ErrorKind::NotFound => LlmError::Refused(format!(
            "{said}; check VECTOR_STORE_ID, ASSISTANT_MODEL, and OPENAI_BASE_URL with its /v1"
        )),
        ErrorKind::Refused if code == TOO_LONG => {
            LlmError::Refused(format!("{said}; the model takes less than MODEL_CONTEXT_TOKENS allows"))
        }
        ErrorKind::Refused if error.param.as_deref() == Some("max_output_tokens") => {
            LlmError::Refused(format!("{said}; the model does not take MODEL_MAX_TOKENS"))
        }
        ErrorKind::Refused if is_about_store(error) => LlmError::Refused(format!(
            "{said}; the store of VECTOR_STORE_ID cannot be searched, perhaps it is expired: `chatbotctl vector-store show`"
        )),
        ErrorKind::Refused => LlmError::Refused(said),
        ErrorKind::RateLimited => LlmError::Busy(match error.retry_after {
            Some(wait) => format!("{said}; it asks for {} s of rest", wait.as_secs()),
            None => said,
        }),
        ErrorKind::Server if error.status == Some(503) => LlmError::Busy(said),
        ErrorKind::TimedOut => LlmError::Slow(said),
        ErrorKind::Conflict | ErrorKind::Server | ErrorKind::Connection | ErrorKind::Broken => {
            LlmError::Temporary(said)
        }
    }
}

/// An answer that the service itself ended with this code.
pub(super) fn of_answer(code: Option<&str>, request_id: Option<&str>) -> LlmError {
    let said = "the answer failed";
    let said = match code.filter(|code| is_code(code)) {
        Some(code) => format!("{said} ({code}){}", id(request_id)),
        None => format!("{said}{}", id(request_id)),
    };
    match responses::kind_of(code.unwrap_or_default()) {
        ErrorKind::RateLimited => LlmError::Busy(said),
        ErrorKind::TimedOut => LlmError::Slow(said),
        ErrorKind::NoQuota => LlmError::Refused(format!("{said}; the account has nothing left")),
        ErrorKind::WrongKey => LlmError::Denied(format!("{said}; check OPENAI_API_KEY")),
        ErrorKind::Refused => LlmError::Refused(said),
        _ => LlmError::Temporary(said),
    }
}

/// The same error with the request that it belongs to.
pub(super) fn within(what: &str, request_id: Option<&str>) -> String {
    format!("{what}{}", id(request_id))
}

/// Whether the refusal is about the vector store, by the name of the field or of the thing.
fn is_about_store(error: &OpenAiError) -> bool {
    let is_named = |text: &str| text.contains("vector_store") || text.contains("vector store");
    error.param.as_deref().is_some_and(is_named) || is_named(&error.message)
}

/// What happened, in words of ours.
fn said(error: &OpenAiError) -> String {
    let what = match error.kind {
        // No word of the service: none came.
        ErrorKind::Connection => error.message.as_str(),
        ErrorKind::TimedOut => "nothing came in time",
        ErrorKind::Broken => "the answer is none of the API",
        _ => "it reports an error",
    };
    let status = error.status.map(|status| format!("HTTP {status}"));
    let code = error.code.clone().filter(|code| is_code(code));
    let details: Vec<String> = [status, code].into_iter().flatten().collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    format!("{}: {what}{details}{}", error.call, id(error.request_id.as_deref()))
}

/// An id as a header of the service has it: nothing else is told.
fn id(request_id: Option<&str>) -> String {
    let is_plain = |id: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        (1..=MAX_ID_CHARS).contains(&id.len()) && id.bytes().all(plain)
    };
    request_id.filter(is_plain).map(|id| format!(", request {id}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::FailedCall;

    fn failed(kind: ErrorKind, code: &str, status: u16) -> LlmError {
        let call = FailedCall::new("POST /responses", kind, "how long do refunds take? Bearer sk-1");
        let call = FailedCall {
            code: Some(code.to_owned()),
            status: Some(status),
            request_id: Some("req_7".to_owned()),
            ..call
        };
        Failed::from(OpenAiError::from(call)).error
    }

    /// M8: each failure is of the kind that decides what follows, and tells its request but none of the service's words.
    #[test]
    fn failures_have_their_kind() {
        for (kind, code, status, expected) in [
            (ErrorKind::WrongKey, "invalid_api_key", 401, "model_refused"),
            (ErrorKind::NoQuota, "insufficient_quota", 429, "model_refused"),
            (ErrorKind::NotFound, "model_not_found", 404, "model_refused"),
            (ErrorKind::Refused, "context_length_exceeded", 400, "model_refused"),
            (ErrorKind::RateLimited, "rate_limit_exceeded", 429, "model_busy"),
            (ErrorKind::Server, "", 503, "model_busy"),
            (ErrorKind::Server, "", 500, "model_failed"),
            (ErrorKind::TimedOut, "", 0, "model_slow"),
        ] {
            let error = failed(kind, code, status);
            let told = error.to_string();
            assert_eq!(error.code(), expected, "{told}");
            assert!(told.contains("req_7") && !told.contains("refunds") && !told.contains("sk-1"), "{told}");
        }
        assert!(matches!(failed(ErrorKind::WrongKey, "", 401), LlmError::Denied(_)));
        let odd = failed(ErrorKind::Server, "how long do refunds take?", 500).to_string();
        assert!(!odd.contains("refunds"), "{odd}");
    }

    /// M8: an operator reads why there is no connection, and which setting an expired store belongs to.
    #[test]
    fn what_to_look_at_is_told() {
        let call = FailedCall::new("POST /responses", ErrorKind::Connection, "no connection: Connection refused");
        let LlmError::Temporary(told) = Failed::from(OpenAiError::from(call)).error else { panic!("it may pass") };
        assert_eq!(told, "POST /responses: no connection: Connection refused");
        let call = FailedCall::new("POST /responses", ErrorKind::Refused, "the vector store 'how long?' is expired");
        for param in [None, Some("tools[0].vector_store_ids".to_owned())] {
            let error = Failed::from(OpenAiError::from(FailedCall { param, ..call.clone() })).error.to_string();
            assert!(error.contains("VECTOR_STORE_ID") && !error.contains("how long"), "{error}");
        }
        let call = FailedCall::new("POST /responses", ErrorKind::Refused, "input is too long");
        assert!(!Failed::from(OpenAiError::from(call)).error.to_string().contains("VECTOR_STORE_ID"));
    }

    #[test]
    fn answers_fail_by_their_code() {
        assert_eq!(of_answer(Some("vector_store_timeout"), None).code(), "model_slow");
        assert_eq!(of_answer(Some("rate_limit_exceeded"), None).code(), "model_busy");
        assert_eq!(of_answer(Some("server_error"), Some("req_1")).code(), "model_failed");
        assert_eq!(of_answer(Some("invalid_prompt"), None).code(), "model_refused");
        assert_eq!(of_answer(None, None).code(), "model_failed");
        assert!(!of_answer(None, Some("a b")).to_string().contains("a b"));
    }
}
