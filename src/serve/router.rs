//! The routes, and what surrounds them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post, put};

use crate::serve::error::ApiError;
use crate::serve::route::{attachments, chatkit, citations, documents, health, info, page, preview};
use crate::serve::state::AppState;
use crate::serve::{auth, middleware};

/// One path and what answers there. A new route needs a place in `templates/openapi.yaml`; a test compares both.
pub struct Route {
    /// The path's template.
    pub path: &'static str,
    /// For whom it is.
    pub caller: Caller,
    /// Whether rates count for it.
    pub rate: Rate,
    /// What answers, by method.
    pub handlers: fn() -> MethodRouter<AppState>,
}

/// For whom a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A principal: one is made for a caller never seen before.
    Principal,
    /// Everyone, whoever it is.
    Everyone,
}

/// Whether a caller's rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// It does.
    Limited,
    /// It does not: the answer costs next to nothing, and whoever watches the server must get it.
    Free,
}

impl Route {
    const fn of_a_principal(path: &'static str, handlers: fn() -> MethodRouter<AppState>) -> Self {
        Self { path, caller: Caller::Principal, rate: Rate::Limited, handlers }
    }

    const fn of_everyone(path: &'static str, handlers: fn() -> MethodRouter<AppState>) -> Self {
        Self { path, caller: Caller::Everyone, rate: Rate::Limited, handlers }
    }

    const fn free(path: &'static str, handlers: fn() -> MethodRouter<AppState>) -> Self {
        Self { path, caller: Caller::Everyone, rate: Rate::Free, handlers }
    }
}

/// Every path that is served to the public.
pub const ROUTES: &[Route] = &[
    Route::of_a_principal("/", || get(page::index)),
    Route::of_a_principal("/knowledge/chatkit", || post(chatkit::handle)),
    Route::of_a_principal("/knowledge/threads/{thread_id}/citations", || get(citations::show)),
    Route::of_a_principal("/knowledge/attachments", || post(attachments::post).layer(DefaultBodyLimit::disable())),
    Route::of_a_principal("/knowledge/attachments/{attachment_id}/content", || put(attachments::put)),
    Route::of_a_principal("/knowledge/attachments/{attachment_id}/file", || get(attachments::file)),
    Route::of_a_principal("/knowledge/attachments/{attachment_id}/preview", || get(preview::of_attachment)),
    Route::free("/assets/{name}", || get(page::asset)),
    Route::of_everyone("/knowledge/documents", || get(documents::list)),
    Route::of_everyone("/knowledge/documents/{document_id}/file", || get(documents::file)),
    Route::of_everyone("/knowledge/documents/{document_id}/preview", || get(preview::show)),
    Route::free(health::PATH, || get(health::show)),
    Route::free("/knowledge/info", || get(info::show)),
];

/// Everything that is served.
pub fn build(state: &AppState) -> Router {
    let of_a_principal =
        routes(Caller::Principal, Rate::Limited).route_layer(from_fn_with_state(state.clone(), auth::identify));
    let routes = of_a_principal
        .merge(routes(Caller::Everyone, Rate::Limited))
        .route_layer(from_fn_with_state(state.clone(), middleware::rate::check))
        .merge(routes(Caller::Everyone, Rate::Free))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(state.clone(), middleware::origin::check))
        .layer(from_fn_with_state(state.clone(), middleware::shed::check));
    // The last layer is the outermost: it sees every answer, also those of the layers within.
    routes
        .layer(from_fn_with_state(state.clone(), middleware::cors::allow))
        .layer(from_fn_with_state(state.clone(), middleware::host::check))
        .layer(from_fn(middleware::refused::answer))
        .layer(from_fn(middleware::panic::contain))
        .layer(from_fn_with_state(state.clone(), middleware::headers::add))
        .layer(from_fn_with_state(state.clone(), middleware::log::request))
        .with_state(state.clone())
}

fn routes(caller: Caller, rate: Rate) -> Router<AppState> {
    let routes = ROUTES.iter().filter(|route| route.caller == caller && route.rate == rate);
    routes.fold(Router::new(), |router, route| router.route(route.path, (route.handlers)()))
}

/// The answer where nothing is.
pub async fn no_such_route() -> ApiError {
    ApiError::not_found("no such route")
}

/// The answer to a method that a route does not have.
pub async fn no_such_method() -> ApiError {
    ApiError::no_such_method()
}
