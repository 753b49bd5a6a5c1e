//! What the page shows about the bot.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::serve::route;
use crate::serve::state::AppState;

/// `GET /knowledge/info`
pub async fn show(State(state): State<AppState>) -> Response {
    let live = state.live();
    route::json(&json!({"assistant_name": live.assistant_name, "attachments": state.attachments.offer()}))
}
