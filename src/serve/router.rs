//! The routes, and what surrounds them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, Method, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::serve::error::ApiError;
use crate::serve::origin::Origins;
use crate::serve::route::{attachments, chatkit, citations, documents, health, info, page, preview};
use crate::serve::state::AppState;
use crate::serve::{auth, middleware, request_id};

/// How long a browser may remember a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);

/// With these a page asks for a document's file anew, or for a part of it.
const ASKED_OF_FILES: [HeaderName; 3] = [header::IF_NONE_MATCH, header::IF_RANGE, header::RANGE];
/// What it must read for that, beside what browsers let every page read.
const TOLD_OF_FILES: [HeaderName; 4] =
    [header::ETAG, header::CONTENT_RANGE, header::ACCEPT_RANGES, header::CONTENT_DISPOSITION];

/// Everything that is served.
pub fn build(state: &AppState) -> Router {
    let of_a_principal = Router::new()
        .route("/", get(page::index))
        .route("/knowledge/chatkit", post(chatkit::handle))
        .route("/knowledge/threads/{thread_id}/citations", get(citations::show))
        .route("/knowledge/attachments", post(attachments::post).layer(DefaultBodyLimit::disable()))
        .route("/knowledge/attachments/{attachment_id}/content", put(attachments::put))
        .route("/knowledge/attachments/{attachment_id}/file", get(attachments::file))
        .route("/knowledge/attachments/{attachment_id}/preview", get(preview::of_attachment))
        .route_layer(from_fn_with_state(state.clone(), auth::identify));
    let of_everyone = Router::new()
        .route("/knowledge/documents", get(documents::list))
        .route("/knowledge/documents/{document_id}/file", get(documents::file))
        .route("/knowledge/documents/{document_id}/preview", get(preview::show));
    let without_limits = Router::new()
        .route("/assets/{name}", get(page::asset))
        .route(health::PATH, get(health::show))
        .route("/knowledge/info", get(info::show));
    let routes = of_a_principal
        .merge(of_everyone)
        .route_layer(from_fn_with_state(state.clone(), middleware::rate::check))
        .merge(without_limits)
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(state.clone(), middleware::origin::check))
        .layer(from_fn_with_state(state.clone(), middleware::shed::check));
    // The last layer is the outermost: it sees every answer, also those of the layers within.
    with_cors(routes, &state.origins)
        .layer(from_fn(middleware::method::check))
        .layer(from_fn_with_state(state.clone(), middleware::host::check))
        .layer(from_fn(middleware::refused::answer))
        .layer(from_fn(middleware::panic::contain))
        .layer(from_fn_with_state(state.clone(), middleware::headers::add))
        .layer(from_fn_with_state(state.clone(), middleware::log::request))
        .with_state(state.clone())
}

/// Lets pages of the configured origins read answers, and no other; without origins nothing is added.
fn with_cors(routes: Router<AppState>, origins: &Origins) -> Router<AppState> {
    if origins.allowed().is_empty() {
        return routes;
    }
    let request_id = HeaderName::from_static(request_id::HEADER);
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.allowed().iter().cloned()))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers([vec![header::CONTENT_TYPE, request_id.clone()], ASKED_OF_FILES.to_vec()].concat())
        .expose_headers([vec![request_id], TOLD_OF_FILES.to_vec()].concat())
        .max_age(PREFLIGHT_AGE);
    routes.layer(cors)
}

async fn no_such_route() -> ApiError {
    ApiError::not_found("no such route")
}

async fn no_such_method() -> ApiError {
    ApiError::no_such_method()
}
