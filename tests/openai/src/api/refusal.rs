//! Errors as the service answers them.

use std::time::Duration;

use serde_json::{Value, json};

/// A refused call: a status and the documented body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    kind: &'static str,
    pub(crate) code: Option<String>,
    param: Option<String>,
    message: String,
    /// Seconds for `Retry-After`.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, code: Option<&str>, param: Option<&str>, message: String) -> Self {
        let (code, param) = (code.map(str::to_owned), param.map(str::to_owned));
        Self { status, kind, code, param, message, retry_after: None }
    }

    /// 400 about a parameter.
    pub(crate) fn bad(code: &str, param: &str, message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", Some(code), Some(param), message.into())
    }

    pub(crate) fn unknown(param: &str) -> Self {
        Self::bad("unknown_parameter", param, format!("Unknown parameter: '{param}'."))
    }

    pub(crate) fn missing(param: &str) -> Self {
        Self::bad("missing_required_parameter", param, format!("Missing required parameter: '{param}'."))
    }

    pub(crate) fn wrong_type(param: &str, wanted: &str) -> Self {
        Self::bad("invalid_type", param, format!("Invalid type for '{param}': expected {wanted}."))
    }

    pub(crate) fn value(param: &str, why: &str) -> Self {
        Self::bad("invalid_value", param, format!("Invalid value for '{param}': {why}."))
    }

    pub(crate) fn exclusive(one: &str, other: &str) -> Self {
        let message = format!("'{one}' and '{other}' are mutually exclusive: give exactly one of them.");
        Self::bad("mutually_exclusive_parameters", one, message)
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(404, "invalid_request_error", None, Some("id"), format!("No {what} found with id '{id}'."))
    }

    pub(crate) fn no_model(model: &str) -> Self {
        let message = format!("The model '{model}' does not exist or you do not have access to it.");
        Self::new(404, "invalid_request_error", Some("model_not_found"), Some("model"), message)
    }

    pub(crate) fn too_large(message: &str) -> Self {
        Self::new(413, "invalid_request_error", None, None, message.to_owned())
    }

    pub(crate) fn no_key() -> Self {
        let message = "You didn't provide an API key.".to_owned();
        Self::new(401, "invalid_request_error", None, None, message)
    }

    pub(crate) fn wrong_key() -> Self {
        let message = "Incorrect API key provided. You can find your API key in your account settings.".to_owned();
        Self::new(401, "invalid_request_error", Some("invalid_api_key"), None, message)
    }

    pub(crate) fn needs_admin() -> Self {
        let message =
            "You have insufficient permissions for this operation. Missing scopes: api.usage.read.".to_owned();
        Self::new(403, "invalid_request_error", None, None, message)
    }

    pub(crate) fn rate_limited(wait: Option<Duration>) -> Self {
        let message = "Rate limit reached for requests. Please try again later.".to_owned();
        let retry_after = wait.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).map(|s| s.max(1));
        Self { retry_after, ..Self::new(429, "requests", Some("rate_limit_exceeded"), None, message) }
    }

    pub(crate) fn no_quota() -> Self {
        let message = "You exceeded your current quota, please check your plan and billing details.".to_owned();
        Self::new(429, "insufficient_quota", Some("insufficient_quota"), None, message)
    }

    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        Self::new(404, "invalid_request_error", None, None, format!("Invalid URL ({method} {path})"))
    }

    pub(crate) fn wrong_method(method: &str) -> Self {
        Self::new(405, "invalid_request_error", None, None, format!("Not allowed to {method} here."))
    }

    pub(crate) fn malformed(message: &str) -> Self {
        Self::new(400, "invalid_request_error", None, None, message.to_owned())
    }

    pub(crate) fn server(status: u16) -> Self {
        let message = "The server had an error while processing your request.".to_owned();
        Self::new(status, "server_error", None, None, message)
    }

    /// The documented body.
    pub(crate) fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }
}
