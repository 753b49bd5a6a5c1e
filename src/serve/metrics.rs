//! What the server counts about itself, for operators: never a message, an id or an address.
//!
//! Names follow the Prometheus conventions; labels are bounded: route templates, statuses, codes of our own.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Seconds: from what a JSON answer takes to what a language model takes.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What a request was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

/// All counters of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabel, Histogram>,
    first_token: Histogram,
    search: Histogram,
    model: Histogram,
    streams: Gauge,
    active_threads: Gauge,
    answers: Family<CodeLabel, Counter>,
    errors: Family<CodeLabel, Counter>,
    refused: Family<CodeLabel, Counter>,
    model_events: Family<CodeLabel, Counter>,
    dropped_markers: Counter,
    connections: Gauge<i64, std::sync::atomic::AtomicI64>,
    uploaded_bytes: Counter<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("chatbotctl");
        let latency = Family::<RouteLabel, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let metrics = Self {
            requests: Family::default(),
            latency: latency.clone(),
            first_token: Histogram::new(SECONDS),
            search: Histogram::new(SECONDS),
            model: Histogram::new(SECONDS),
            streams: Gauge::default(),
            active_threads: Gauge::default(),
            answers: Family::default(),
            errors: Family::default(),
            refused: Family::default(),
            model_events: Family::default(),
            dropped_markers: Counter::default(),
            connections: Gauge::default(),
            uploaded_bytes: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests answered, by route template and status", metrics.requests.clone());
        registry.register_with_unit("http_request_duration", "Time to the head of an answer", Unit::Seconds, latency);
        registry.register_with_unit(
            "first_token",
            "Time from a message to the first text of its answer",
            Unit::Seconds,
            metrics.first_token.clone(),
        );
        registry.register_with_unit("search", "Time of a search", Unit::Seconds, metrics.search.clone());
        registry.register_with_unit("model", "Time the model took for an answer", Unit::Seconds, metrics.model.clone());
        registry.register("streams", "Answers that are being streamed", metrics.streams.clone());
        registry.register("active_threads", "Threads that are being answered", metrics.active_threads.clone());
        registry.register("answers", "Answers, by how they ended", metrics.answers.clone());
        registry.register("errors", "Errors, by code", metrics.errors.clone());
        registry.register("refused_requests", "Requests and connections refused, by limit", metrics.refused.clone());
        registry.register("model_events", "Retries and fall-backs of the model", metrics.model_events.clone());
        registry.register("dropped_markers", "Invented citations left out", metrics.dropped_markers.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register_with_unit(
            "uploaded",
            "Bytes of attachments taken",
            Unit::Bytes,
            metrics.uploaded_bytes.clone(),
        );
        Self { registry, ..metrics }
    }
}

/// Counts one running thing until it is dropped.
pub struct Counted(Vec<Gauge>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.iter().for_each(|gauge| {
            gauge.dec();
        });
    }
}

impl Metrics {
    /// A request was answered; `route` is the template.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = RequestLabels { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&RouteLabel { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// An answer begins in a thread; it is counted as running until the value is dropped.
    pub fn answer_begins(&self) -> Counted {
        self.streams.inc();
        self.active_threads.inc();
        Counted(vec![self.streams.clone(), self.active_threads.clone()])
    }

    /// An answer ended; `outcome` is one of a few words.
    pub fn answer_ended(&self, outcome: &'static str) {
        self.answers.get_or_create(&CodeLabel { code: outcome }).inc();
    }

    /// The first text of an answer went out.
    pub fn first_token(&self, took: Duration) {
        self.first_token.observe(took.as_secs_f64());
    }

    /// A search was made.
    pub fn search(&self, took: Duration) {
        self.search.observe(took.as_secs_f64());
    }

    /// The model ended an answer.
    pub fn model(&self, took: Duration) {
        self.model.observe(took.as_secs_f64());
    }

    /// Something failed; `code` is one of ours.
    pub fn error(&self, code: &'static str) {
        self.errors.get_or_create(&CodeLabel { code }).inc();
    }

    /// A limit refused something; `limit` is its name.
    pub fn refused(&self, limit: &'static str) {
        self.refused.get_or_create(&CodeLabel { code: limit }).inc();
    }

    /// The model was asked again.
    pub fn model_retried(&self) {
        self.model_events.get_or_create(&CodeLabel { code: "retry" }).inc();
    }

    /// Another backend answered instead of the model.
    pub fn model_fell_back(&self) {
        self.model_events.get_or_create(&CodeLabel { code: "fallback" }).inc();
    }

    /// Citations that named nothing retrieved were left out.
    pub fn dropped_markers(&self, count: u32) {
        self.dropped_markers.inc_by(u64::from(count));
    }

    /// A connection was opened; it is counted as open until the value is dropped.
    pub fn connection_opens(&self) -> Counted {
        self.connections.inc();
        Counted(vec![self.connections.clone()])
    }

    /// Bytes of an attachment were taken.
    pub fn uploaded(&self, bytes: u64) {
        self.uploaded_bytes.inc_by(bytes);
    }

    /// Everything in the OpenMetrics text format.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
