//! A request names one host, as HTTP/1.1 demands; proxies disagree about any other.

use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::serve::error::ApiError;

/// Refuses a request without, or with more than one, `Host`.
pub async fn check(request: Request, next: Next) -> Response {
    match request.headers().get_all(header::HOST).iter().count() {
        1 => next.run(request).await,
        0 => ApiError::bad_request("the `Host` header is missing").into_response(),
        _ => ApiError::bad_request("there is more than one `Host` header").into_response(),
    }
}
