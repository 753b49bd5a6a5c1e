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

/// Which parts answer.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    /// Whether the store does.
    pub store: bool,
    /// Whether the index does.
    pub index: bool,
}

/// `GET /knowledge/health`: whether it works, and nothing else (H22).
pub async fn show(State(state): State<AppState>) -> Response {
    let Health { store, index } = look(&state).await;
    if store && index {
        route::json(&json!({"status": "healthy"}))
    } else {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        route::json_with(status, &json!({"status": "unhealthy"}))
    }
}

/// Asks both parts at the same time. One that does not answer in time does not work.
pub async fn look(state: &AppState) -> Health {
    let store = in_time("the store does not answer in time", has_store(state));
    let index = in_time("the index does not answer in time", has_index(state));
    let (store, index) = tokio::join!(store, index);
    Health { store, index }
}

/// Whoever watches is told only that it does not work; why stands in the log.
async fn in_time(otherwise: &'static str, answers: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(TIMEOUT, answers).await.unwrap_or_else(|_| {
        tracing::warn!("{otherwise}");
        false
    })
}

async fn has_store(state: &AppState) -> bool {
    let outcome = state.store.ping().await;
    outcome.inspect_err(|error| log_cause("the store does not answer", error)).is_ok()
}

async fn has_index(state: &AppState) -> bool {
    // No document has the empty id; that the index says so is what is asked.
    let outcome = state.index.record("").await;
    outcome.inspect_err(|error| log_cause("the index does not answer", error)).is_ok()
}
