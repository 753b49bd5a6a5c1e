//! A request names one host, as HTTP/1.1 demands (proxies disagree about any other), and it is ours.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::serve::state::AppState;

/// See [`crate::serve::origin::Names::check`].
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.names.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
