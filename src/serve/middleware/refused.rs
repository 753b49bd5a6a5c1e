//! Answers what the connection's gate refused.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::serve::connections::Refusal;
use crate::serve::error::ApiError;

/// The refusal, when the request carries one; the connection closes after it.
pub async fn answer(request: Request, next: Next) -> Response {
    let Some(refusal) = request.extensions().get::<Refusal>().copied() else {
        return next.run(request).await;
    };
    let mut response = error(refusal).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn error(refusal: Refusal) -> ApiError {
    let (status, code) = match refusal {
        Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
        Refusal::TargetTooLong => (StatusCode::URI_TOO_LONG, "too_large"),
        Refusal::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large"),
        Refusal::Expectation => (StatusCode::EXPECTATION_FAILED, "expectation_failed"),
        Refusal::Version => (StatusCode::HTTP_VERSION_NOT_SUPPORTED, "version_not_supported"),
        Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, "timeout"),
    };
    ApiError::new(status, code, refusal.to_string())
}
