//! What the server counts about itself, for operators: never a message, an id or an address.
//!
//! Names follow the Prometheus conventions; labels are bounded: route templates, statuses, codes of our own.

mod process;
mod scrape;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::serve::metrics::scrape::LastScrape;

pub use process::Process;
pub use scrape::Scrape;

/// Seconds: from what a JSON answer takes to what a language model takes.
const SECONDS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Methods that are counted by name; a caller may send any word, and each would be another time series.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
/// What stands for all others.
const OTHER_METHOD: &str = "other";

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus' own text, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a request was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    event: &'static str,
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
    answers: Family<OutcomeLabel, Counter>,
    errors: Family<CodeLabel, Counter>,
    refused: Family<LimitLabel, Counter>,
    model_events: Family<EventLabel, Counter>,
    dropped_markers: Counter,
    unlocated: Counter,
    connections: Gauge,
    uploaded_bytes: Counter<u64, AtomicU64>,
    reloads: Family<OutcomeLabel, Counter>,
    last_scrape: LastScrape,
}

impl Default for Metrics {
    fn default() -> Self {
        let latency = Family::<RouteLabel, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let metrics = Self {
            requests: Family::default(),
            latency,
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
            unlocated: Counter::default(),
            connections: Gauge::default(),
            uploaded_bytes: Counter::default(),
            reloads: Family::default(),
            last_scrape: LastScrape::default(),
            registry: Registry::default(),
        };
        let mut registry = Registry::default();
        metrics.register(registry.sub_registry_with_prefix("chatbotctl"));
        registry.register_collector(Box::new(metrics.last_scrape.clone()));
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
    fn register(&self, registry: &mut Registry) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What is running", build);
        registry.register("http_requests", "Requests answered, by route template and status", self.requests.clone());
        registry.register("streams", "Answers that are being streamed", self.streams.clone());
        registry.register("active_threads", "Threads that are being answered", self.active_threads.clone());
        registry.register("answers", "Answers, by how they ended", self.answers.clone());
        registry.register("errors", "Errors, by code", self.errors.clone());
        registry.register("refused_requests", "Requests and connections refused, by limit", self.refused.clone());
        registry.register("model_events", "Retries and fall-backs of the model", self.model_events.clone());
        registry.register("dropped_markers", "Invented citations left out", self.dropped_markers.clone());
        let help = "Citations that name a document without a place in it";
        registry.register("citations_unlocated", help, self.unlocated.clone());
        registry.register("connections", "Open connections of the public side", self.connections.clone());
        registry.register("settings_reloads", "Reloads of the settings, by outcome", self.reloads.clone());
        let help = "Bytes of attachments taken";
        registry.register_with_unit("uploaded", help, Unit::Bytes, self.uploaded_bytes.clone());
        let help = "Time to the head of an answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.latency.clone());
        let help = "Time from a message to the first text of its answer";
        registry.register_with_unit("first_token", help, Unit::Seconds, self.first_token.clone());
        registry.register_with_unit("search_duration", "Time of a search", Unit::Seconds, self.search.clone());
        let help = "Time the model took for an answer";
        registry.register_with_unit("model_duration", help, Unit::Seconds, self.model.clone());
    }

    /// A request was answered; `route` is the template.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or(OTHER_METHOD);
        let labels = RequestLabels { method, route: route.to_owned(), status };
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
        self.answers.get_or_create(&OutcomeLabel { outcome }).inc();
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
        self.refused.get_or_create(&LimitLabel { limit }).inc();
    }

    /// The model was asked again.
    pub fn model_retried(&self) {
        self.model_events.get_or_create(&EventLabel { event: "retry" }).inc();
    }

    /// Another backend answered instead of the model.
    pub fn model_fell_back(&self) {
        self.model_events.get_or_create(&EventLabel { event: "fallback" }).inc();
    }

    /// Citations that named nothing retrieved were left out.
    pub fn dropped_markers(&self, count: u32) {
        self.dropped_markers.inc_by(u64::from(count));
    }

    /// Citations whose place in the document was not found.
    pub fn unlocated_citations(&self, count: u32) {
        self.unlocated.inc_by(u64::from(count));
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

    /// The settings were read anew; `outcome` is one of a few words.
    pub fn reloaded(&self, outcome: &'static str) {
        self.reloads.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Everything as text, with what was looked up for it.
    pub fn render(&self, exposition: Exposition, scrape: Scrape) -> Result<String, std::fmt::Error> {
        self.last_scrape.set(scrape);
        let mut page = String::new();
        match exposition {
            Exposition::Prometheus => prometheus_text::encode(&mut page, &self.registry)?,
            Exposition::OpenMetrics => text::encode(&mut page, &self.registry)?,
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Exposition, Metrics, Process, Scrape};

    #[test]
    fn what_is_counted_is_told_in_both_forms() {
        let metrics = Metrics::default();
        metrics.request("GET", "/knowledge/info", 200, Duration::from_millis(3));
        metrics.answer_ended("done");
        metrics.refused("rate");
        let running = metrics.answer_begins();
        let process = Some(Process { resident_bytes: 4096, cpu_seconds: 1.5, ..Process::default() });
        let scrape = Scrape { process, documents: Some(8), lost_log_lines: 2 };
        let prometheus = metrics.render(Exposition::Prometheus, scrape).unwrap();
        for line in [
            "# TYPE chatbotctl_http_requests_total counter",
            "chatbotctl_http_requests_total{method=\"GET\",route=\"/knowledge/info\",status=\"200\"} 1",
            "chatbotctl_http_request_duration_seconds_bucket{route=\"/knowledge/info\",le=\"0.0025\"} 0",
            "chatbotctl_http_request_duration_seconds_bucket{route=\"/knowledge/info\",le=\"0.005\"} 1",
            "chatbotctl_answers_total{outcome=\"done\"} 1",
            "chatbotctl_refused_requests_total{limit=\"rate\"} 1",
            "chatbotctl_streams 1",
            "chatbotctl_documents 8",
            "chatbotctl_log_lines_lost_total 2",
            "process_resident_memory_bytes 4096",
            "process_cpu_seconds_total 1.5",
        ] {
            assert!(prometheus.lines().any(|each| each == line), "{line} is not in\n{prometheus}");
        }
        assert!(!prometheus.contains("# EOF"));
        drop(running);
        let open = metrics.render(Exposition::OpenMetrics, scrape).unwrap();
        assert!(open.contains("\nchatbotctl_streams 0\n") && open.ends_with("# EOF\n"), "{open}");
        assert!(open.contains("# TYPE chatbotctl_http_requests counter\n"), "{open}");
    }

    /// H23: what a caller sends makes no new time series without end.
    #[test]
    fn invented_methods_are_counted_as_one() {
        let metrics = Metrics::default();
        for number in 0..100 {
            metrics.request(&format!("X{number}"), "unmatched", 405, Duration::ZERO);
        }
        let text = metrics.render(Exposition::Prometheus, Scrape::default()).unwrap();
        let series = text.lines().filter(|line| line.starts_with("chatbotctl_http_requests_total{")).count();
        assert_eq!(series, 1, "{text}");
    }
}
