//! Metrics, for Prometheus and whoever reads its formats.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::index::VectorStore;
use crate::serve::error::{ApiError, log_cause};
use crate::serve::metrics::{Exposition, Process, Scrape};
use crate::serve::ops::OpsState;

/// How long the index may take to tell its size; the other metrics do not wait longer.
const INDEX_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /metrics`
pub async fn show(State(ops): State<OpsState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let documents = tokio::time::timeout(INDEX_TIMEOUT, ops.documents.count(ops.app.index.as_ref())).await;
    let control = ops.control.clone();
    let looked = tokio::task::spawn_blocking(move || (Process::look(), control.lost_log_lines())).await;
    let (process, lost_log_lines) = looked.map_err(|_| ApiError::internal())?;
    let exposition = wanted(&headers);
    let life = ops.app.live().models.chosen.as_ref().and_then(|chosen| chosen.life(ops.app.clock.now()));
    let model_days_left = life.map(|life| life.days_left);
    let scrape = Scrape { process, documents: documents.ok().flatten(), lost_log_lines, model_days_left };
    let page = ops.app.metrics.render(exposition, scrape).map_err(|_| ApiError::internal())?;
    let content_type = HeaderValue::from_static(exposition.media_type());
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, content_type)], page).into_response())
}

/// OpenMetrics for whoever names it, as Prometheus does; its own older text for all others.
fn wanted(headers: &HeaderMap) -> Exposition {
    let names_it = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("application/openmetrics-text"));
    if headers.get_all(header::ACCEPT).iter().any(names_it) { Exposition::OpenMetrics } else { Exposition::Prometheus }
}

/// How many documents the index has, counted anew only when it has changed.
#[derive(Default)]
pub struct CountedDocuments(Mutex<Option<(u64, u64)>>);

impl CountedDocuments {
    async fn count(&self, index: &dyn VectorStore) -> Option<u64> {
        let generation = index.generation().await.inspect_err(|error| log_cause("the index does not answer", error));
        let generation = generation.ok()?;
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, count)) = known
            && of == generation
        {
            return Some(count);
        }
        let count = index.records().await.ok()?.len() as u64;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((generation, count));
        Some(count)
    }
}
