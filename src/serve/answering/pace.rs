//! How long an answer takes, told to the counters as it goes.

use std::time::{Duration, Instant};

use crate::serve::metrics::Metrics;

/// The times of one answer.
pub struct Pace {
    started: Instant,
    model_since: Option<Instant>,
    has_spoken: bool,
}

impl Pace {
    /// The answer begins now.
    pub fn start() -> Self {
        Self { started: Instant::now(), model_since: None, has_spoken: false }
    }

    /// How long the answer has been going on.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The search is done; the model begins.
    pub fn searched(&mut self, metrics: &Metrics, took: Duration) {
        metrics.search(took);
        self.model_since = Some(Instant::now());
    }

    /// There is text; only the first counts.
    pub fn speaks(&mut self, metrics: &Metrics) {
        if !std::mem::replace(&mut self.has_spoken, true) {
            metrics.first_token(self.elapsed());
        }
    }

    /// The model ended, well or not.
    pub fn ends(&mut self, metrics: &Metrics) {
        if let Some(since) = self.model_since.take() {
            metrics.model(since.elapsed());
        }
    }
}
