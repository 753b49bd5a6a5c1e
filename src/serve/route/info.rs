//! What the page shows about the bot.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::serve::route;
use crate::serve::state::AppState;

/// `GET /knowledge/info`
pub async fn show(State(state): State<AppState>) -> Response {
    route::json(&json!({"assistant_name": state.live().assistant_name}))
}
