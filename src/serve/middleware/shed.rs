//! Sheds load before it becomes a collapse. Health is never shed: a server that is busy is not ill.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::serve::connections::Extra;
use crate::serve::error::ApiError;
use crate::serve::route::health;
use crate::serve::state::AppState;

/// 503 for what is too much; see [`crate::serve::limits::Load`].
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let is_extra = request.extensions().get::<Extra>().is_some();
    let is_health = request.extensions().get::<MatchedPath>().is_some_and(|path| path.as_str() == health::PATH);
    let place = if is_extra { None } else { state.load.take() };
    let mut response = if is_health || place.is_some() {
        next.run(request).await
    } else {
        if !is_extra {
            state.metrics.refused("requests");
        }
        ApiError::busy("the server has too much to do; try again in a moment").into_response()
    };
    if is_extra {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
