//! How much is logged, changed while the server runs. A reload puts the settings' level back into force.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tracing::Level;

use crate::serve::body;
use crate::serve::error::ApiError;
use crate::serve::ops::{OpsState, Parts};
use crate::serve::route;

/// The words for levels, from the fewest lines to the most.
const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    level: String,
}

/// `GET /log-level`
pub async fn show(State(ops): State<OpsState>) -> Response {
    answer(&ops)
}

/// `PUT /log-level`
pub async fn set(State(ops): State<OpsState>, request: Request) -> Result<Response, ApiError> {
    let bytes = body::read_json(request).await?;
    let wanted: Wanted = serde_json::from_slice(&bytes)
        .map_err(|_| ApiError::bad_request("the body must be `{\"level\":…}` and nothing else"))?;
    let level = LEVELS.iter().find(|(word, _)| wanted.level.eq_ignore_ascii_case(word)).map(|(_, level)| *level);
    let level = level.ok_or_else(|| ApiError::bad_request("`level` must be error, warn, info, debug or trace"))?;
    // While the old level is in force: the new one may let nothing of it through.
    tracing::warn!(level = name(level), "an operator changes the level of the log");
    ops.control.set_log_level(level);
    Ok(answer(&ops))
}

fn answer(ops: &Parts) -> Response {
    route::json(&json!({"level": name(ops.control.log_level())}))
}

fn name(level: Level) -> &'static str {
    LEVELS.iter().find(|(_, each)| *each == level).map_or("info", |(word, _)| word)
}
