//! What runs: by these facts two servers, or one before and after, can be told apart.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::serve::error::ApiError;
use crate::serve::ops::OpsState;
use crate::serve::route;

/// The commit that the program was built from, where that was known.
const COMMIT: Option<&str> = option_env!("CHATBOTCTL_COMMIT");
/// What the key of the fingerprint is for.
const PURPOSE: &str = "chatbotctl: fingerprint of the settings, 1";

/// `GET /version`
pub async fn show(State(ops): State<OpsState>) -> Result<Response, ApiError> {
    let key = ops.app.visitor_key.derive(PURPOSE);
    let settings_fingerprint = ops.in_force.lock().await.fingerprint(&key);
    let generation = ops.app.index.generation().await?;
    Ok(route::json(&json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "commit": COMMIT.unwrap_or("unknown"),
        "store": ops.store_kind,
        "backend": ops.app.live().engine.model.name(),
        "settings_fingerprint": settings_fingerprint,
        // Text: not every reader of JSON keeps numbers of this size.
        "index_revision": generation.to_string(),
        "started_at": ops.started_at.to_string(),
    })))
}
