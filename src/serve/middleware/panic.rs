//! A bug in one request is that request's 500, and nothing else's.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use crate::serve::error::ApiError;
use crate::serve::request_id;

/// Turns a panic into an answer. The panic's own words go to the panic hook only.
pub async fn contain(request: Request, next: Next) -> Response {
    let outcome = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    outcome.unwrap_or_else(|_| {
        tracing::error!(request.id = %request_id::current(), "a handler panicked");
        ApiError::internal().into_response()
    })
}
