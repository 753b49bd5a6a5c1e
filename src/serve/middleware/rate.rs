//! Holds callers to their rates. Health and the page's own files are outside: they cost next to nothing, and whoever
//! watches the server must not be locked out by others.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::serve::auth;
use crate::serve::connections::Peer;
use crate::serve::error::ApiError;
use crate::serve::state::AppState;

/// 429 for what is too much; see [`crate::serve::limits::Limits`].
pub async fn check(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let presented = auth::recognise(&state, request.headers());
    // Every connection has its other end noted; without one nobody could be told apart.
    let peer = request.extensions().get::<Peer>().copied();
    if let Some(Peer(peer)) = peer {
        let limits = Arc::clone(&state.live().limits);
        let address = limits.address_of(peer, request.headers());
        if let Err(too_much) = limits.check(address, &presented) {
            state.metrics.refused(too_much.limit);
            return ApiError::too_many_requests(too_much.wait).into_response();
        }
    }
    request.extensions_mut().insert(presented);
    next.run(request).await
}
