//! Reading the settings anew without dropping a stream.
//!
//! All or nothing: settings with a problem leave everything as it is. What cannot change while the server runs is
//! named, and named again at each reload until the restart.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::config::keys::Key;
use crate::serve::live::Live;
use crate::serve::ops::control::Loaded;
use crate::serve::ops::{OpsState, Parts};
use crate::serve::{request_id, route};

/// What a reload did.
pub struct Reloaded {
    applied: Vec<&'static str>,
    needs_restart: Vec<&'static str>,
    warnings: Vec<String>,
}

/// Why a reload did nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The settings have problems.
    #[error("the settings have problems")]
    Settings(Vec<String>),
    /// A bug while reading them.
    #[error("reading the settings ended with a bug")]
    Bug,
}

/// `POST /reload`
pub async fn handle(State(ops): State<OpsState>) -> Response {
    match reload(&ops).await {
        Ok(Reloaded { applied, needs_restart, warnings }) => {
            route::json(&json!({"applied": applied, "needs_restart": needs_restart, "warnings": warnings}))
        }
        Err(ReloadError::Settings(problems)) => {
            let message = "The settings have problems; nothing was changed.";
            refusal(StatusCode::UNPROCESSABLE_ENTITY, "invalid_settings", message, &json!(problems))
        }
        Err(ReloadError::Bug) => {
            let message = "Something went wrong on this side; nothing was changed.";
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", message, &json!([]))
        }
    }
}

/// Reads the settings anew and puts into force what can be.
pub async fn reload(ops: &OpsState) -> Result<Reloaded, ReloadError> {
    let mut in_force = ops.in_force.lock().await;
    let control = ops.control.clone();
    let loading = tokio::task::spawn_blocking(move || {
        control.reopen_logs();
        control.load()
    });
    let outcome = match loading.await {
        Ok(Ok(loaded)) => {
            let differing = in_force.differing(&loaded.effective);
            let taken = in_force.taking_over(&loaded.effective);
            take_over(ops, loaded, &differing).inspect(|_| *in_force = taken)
        }
        Ok(Err(problems)) => Err(ReloadError::Settings(problems)),
        Err(_) => Err(ReloadError::Bug),
    };
    tell(ops, &outcome);
    outcome
}

fn take_over(ops: &Parts, loaded: Loaded, differing: &[&'static Key]) -> Result<Reloaded, ReloadError> {
    let Loaded { engine, assistant_name, models, server, log_level, warnings, .. } = loaded;
    let live = Live::new(engine, assistant_name, models, &server, (ops.app.fixed(), Some(&ops.app.live())))
        .map_err(|error| ReloadError::Settings(vec![error.to_string()]))?;
    ops.app.set_live(live);
    ops.control.set_log_level(log_level);
    let names = |is_live: bool| differing.iter().filter(|key| key.is_live == is_live).map(|key| key.name).collect();
    Ok(Reloaded { applied: names(true), needs_restart: names(false), warnings })
}

/// The log says at any level that matters what came of it, however it was asked for.
fn tell(ops: &Parts, outcome: &Result<Reloaded, ReloadError>) {
    match outcome {
        Ok(Reloaded { applied, needs_restart, warnings }) => {
            ops.app.metrics.reloaded("done");
            tracing::info!(applied = applied.join(","), "settings reloaded");
            if !needs_restart.is_empty() {
                tracing::warn!(settings = needs_restart.join(","), "changed settings need a restart");
            }
            for warning in warnings {
                tracing::warn!("{warning}");
            }
        }
        Err(ReloadError::Settings(problems)) => {
            ops.app.metrics.reloaded("refused");
            tracing::error!(problems = problems.join("; "), "the settings have problems; they stay as they were");
        }
        Err(error @ ReloadError::Bug) => {
            ops.app.metrics.reloaded("failed");
            tracing::error!(%error, "the settings stay as they were");
        }
    }
}

fn refusal(status: StatusCode, code: &str, message: &str, problems: &Value) -> Response {
    let error = json!({"code": code, "message": message, "request_id": request_id::current()});
    route::json_with(status, &json!({"error": error, "problems": problems}))
}
