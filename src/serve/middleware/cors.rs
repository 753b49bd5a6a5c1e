//! Lets pages of the configured origins read answers, and no other; without origins nothing is added.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::serve::request_id;
use crate::serve::state::AppState;

/// How long a browser may remember a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);

/// With these a page asks for a document's file anew, or for a part of it.
const ASKED_OF_FILES: [HeaderName; 3] = [header::IF_NONE_MATCH, header::IF_RANGE, header::RANGE];
/// What it must read for that, beside what browsers let every page read.
const TOLD_OF_FILES: [HeaderName; 4] =
    [header::ETAG, header::CONTENT_RANGE, header::ACCEPT_RANGES, header::CONTENT_DISPOSITION];

/// The origins are asked for anew at each request: a reload may have changed them.
pub async fn allow(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let live = state.live();
    let origins = live.origins.allowed();
    if origins.is_empty() {
        return next.run(request).await;
    }
    let answered = layer(origins).layer(next).call(request).await;
    answered.unwrap_or_else(|never| match never {})
}

fn layer(origins: &[HeaderValue]) -> CorsLayer {
    let request_id = HeaderName::from_static(request_id::HEADER);
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers([vec![header::CONTENT_TYPE, request_id.clone()], ASKED_OF_FILES.to_vec()].concat())
        .expose_headers([vec![request_id], TOLD_OF_FILES.to_vec()].concat())
        .max_age(PREFLIGHT_AGE)
}
