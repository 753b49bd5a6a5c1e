//! Whether the bot can answer: its store and its index do.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::serve::error::log_cause;
use crate::serve::route;
use crate::serve::state::AppState;

/// Where it is; exempt from limits.
pub const PATH: &str = "/knowledge/health";
const TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /knowledge/health`
pub async fn show(State(state): State<AppState>) -> Response {
    let answer = tokio::time::timeout(TIMEOUT, is_healthy(&state)).await;
    if answer.unwrap_or(false) {
        route::json(&json!({"status": "healthy"}))
    } else {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        route::json_with(status, &json!({"status": "unhealthy"}))
    }
}

async fn is_healthy(state: &AppState) -> bool {
    if let Err(error) = state.store.ping().await {
        log_cause("the store does not answer", &error);
        return false;
    }
    // No document has the empty id; that the index says so is what is asked.
    if let Err(error) = state.index.record("").await {
        log_cause("the index does not answer", &error);
        return false;
    }
    true
}
