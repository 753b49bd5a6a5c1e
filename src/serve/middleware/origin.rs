//! Refuses what a page from elsewhere makes a browser send.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::serve::state::AppState;

/// See [`crate::serve::origin::Origins::check`].
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.live().origins.check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
