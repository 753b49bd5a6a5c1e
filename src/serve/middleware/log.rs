//! One log line a request: the route's template, never its path; no header, no body.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;

use crate::serve::error::ErrorCode;
use crate::serve::request_id;
use crate::serve::state::AppState;

/// Gives the request its id, and logs how it went once the answer's head is ready.
pub async fn request(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id::choose(request.headers(), state.ids.as_ref());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let mut response = request_id::scope(id.clone(), next.run(request)).await;
    let value = HeaderValue::try_from(&id).expect("request ids are letters, digits, `_` and `-`");
    response.headers_mut().insert(request_id::HEADER, value);
    let status = response.status().as_u16();
    let code = response.extensions().get::<ErrorCode>().map(|code| code.0);
    state.metrics.request(method.as_str(), &route, status, started.elapsed());
    if let Some(code) = code {
        state.metrics.error(code);
    }
    tracing::info!(
        request.id = %id,
        http.method = %method,
        http.route = %route,
        http.status = status,
        error.code = code,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request answered"
    );
    response
}
