//! The `?` target of handlers, and the response it becomes. Causes are logged with the request id and never sent.

use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::chatkit::RequestError;
use crate::index::IndexError;
use crate::serve::request_id;
use crate::store::StoreError;

/// What a handler failed with.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    shape: Shape,
    retry_after_s: Option<u64>,
}

/// The code of an error, in the extensions of its answer: what is counted and logged of it.
#[derive(Debug, Clone, Copy)]
pub struct ErrorCode(pub &'static str);

/// The body's form.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// `{"error":{…}}`, the form of all but a few routes.
    Error,
    /// `{"detail":…}`, the form the reference gives on its document and citation routes.
    Detail,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: &'static str,
    message: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct DetailBody<'a> {
    detail: &'a str,
}

/// Seconds after which what was too much is likely done.
const BUSY_FOR_S: u64 = 2;

impl ApiError {
    /// An error of the common form. What is only unavailable says when to come again.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let retry_after_s = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(BUSY_FOR_S);
        Self { status, code, message: message.into(), shape: Shape::Error, retry_after_s }
    }

    /// The request is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// There is no such thing, or it is another's.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The thing is in no state for this.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// The caller may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// The protocol has it; this server, or what answers for it, does not.
    pub fn not_supported(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_supported", format!("{what} is not supported by this server"))
    }

    /// There is too much to do now. `Retry-After` says when to come again.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    }

    /// The disk or the database is at fault. Log the cause before. `Retry-After` says when to come again.
    fn storage() -> Self {
        let message = "the server cannot keep this now; try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage", message)
    }

    /// The caller asks more often than it may. `Retry-After` has whole seconds, so `wait` is rounded up.
    pub fn too_many_requests(wait: Duration) -> Self {
        let message = "too many requests; wait a moment";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message);
        Self { retry_after_s: Some(whole_seconds(wait)), ..error }
    }

    /// All answers of this day took what they may. `Retry-After` says when the next day begins.
    pub fn spent(wait: Duration) -> Self {
        let message = "the assistant has given all answers that it may give today; ask again tomorrow";
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "spent", message);
        Self { retry_after_s: Some(whole_seconds(wait)), ..error }
    }

    /// The route does not have this method.
    pub fn no_such_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route has no such method")
    }

    /// Something on this side failed. Log the cause before.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong on this side")
    }

    /// The same, in the reference's form for documents and citations.
    #[must_use]
    pub fn detail(mut self) -> Self {
        self.shape = Shape::Detail;
        self
    }

    /// Replaces the message.
    #[must_use]
    pub fn say(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = request_id::current();
        let sentence = sentence(&self.message);
        let body = match self.shape {
            Shape::Error => serde_json::to_string(&ErrorBody {
                error: ErrorObject { code: self.code, message: &sentence, request_id: &request_id },
            }),
            Shape::Detail => serde_json::to_string(&DetailBody { detail: &self.message }),
        }
        .expect("text fields always serialize");
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        response.extensions_mut().insert(ErrorCode(self.code));
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::MessageTooLarge(_) => {
                Self::new(StatusCode::BAD_REQUEST, "message_too_large", error.to_string())
            }
            RequestError::NotJson(_) | RequestError::Invalid(_) => Self::bad_request(error.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchThread | StoreError::NoSuchItem | StoreError::NoSuchAttachment => {
                Self::not_found(error.to_string())
            }
            StoreError::NoSuchCursor | StoreError::NotUserMessage => Self::bad_request(error.to_string()),
            StoreError::NotActive | StoreError::NothingPending | StoreError::AttachmentState(..) => {
                Self::conflict(error.to_string())
            }
            StoreError::AttachmentsFull(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", error.to_string()),
            StoreError::Busy => Self::busy("the server has too much to write now; try again later"),
            StoreError::Storage { .. } | StoreError::Closed => {
                log_cause("the store cannot be used", &error);
                Self::storage()
            }
            StoreError::Damaged { .. } | StoreError::Panicked | StoreError::Backend(_) => {
                log_cause("the store failed", &error);
                Self::internal()
            }
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        Self::bad_request("the path is not valid")
    }
}

impl From<QueryRejection> for ApiError {
    fn from(_: QueryRejection) -> Self {
        Self::bad_request("the query is not valid")
    }
}

impl From<IndexError> for ApiError {
    fn from(error: IndexError) -> Self {
        log_cause("the index failed", &error);
        Self::internal()
    }
}

/// At least this long, in whole seconds.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// Errors are fragments; a page shows them to people as they come.
fn sentence(fragment: &str) -> String {
    let mut rest = fragment.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

/// Logs an error with all its causes.
pub fn log_cause(what: &'static str, error: &dyn std::error::Error) {
    let mut causes = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        causes = format!("{causes}: {cause}");
        next = cause.source();
    }
    tracing::error!(request.id = %request_id::current(), error = %causes, "{what}");
}
