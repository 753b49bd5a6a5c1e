//! Metrics that are looked up when somebody asks, rather than counted as things happen.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::serve::metrics::process::Process;

/// What was looked up for one answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scrape {
    /// What the system says about the process.
    pub process: Option<Process>,
    /// Documents in the index.
    pub documents: Option<u64>,
    /// Log lines that were lost.
    pub lost_log_lines: u64,
    /// Days until the model that answers ends, where that is known; negative when it is over.
    pub model_days_left: Option<i64>,
}

/// The last of them, shared with the registry.
#[derive(Debug, Clone, Default)]
pub struct LastScrape(Arc<Mutex<Scrape>>);

impl LastScrape {
    /// Replaces it.
    pub fn set(&self, scrape: Scrape) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = scrape;
    }

    fn get(&self) -> Scrape {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for LastScrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let scrape = self.get();
        let mut writer = Writer(&mut encoder);
        writer.counter("chatbotctl_log_lines_lost", "Log lines that could not be written", scrape.lost_log_lines)?;
        if let Some(documents) = scrape.documents {
            writer.gauge("chatbotctl_documents", "Documents in the index", None, documents)?;
        }
        if let Some(days) = scrape.model_days_left {
            let help = "Days until the model that answers ends; negative when it is over";
            writer.metric("chatbotctl_model_days_left", help, None, &ConstGauge::new(days))?;
        }
        let Some(process) = scrape.process else {
            return Ok(());
        };
        let bytes = Some(&Unit::Bytes);
        writer.gauge("process_resident_memory", "Resident memory size in bytes", bytes, process.resident_bytes)?;
        writer.gauge("process_virtual_memory", "Virtual memory size in bytes", bytes, process.virtual_bytes)?;
        writer.gauge("process_open_fds", "Number of open file descriptors", None, process.open_fds)?;
        writer.gauge("process_max_fds", "Maximum number of open file descriptors", None, process.max_fds)?;
        writer.seconds("process_start_time", "Start time since the Unix epoch in seconds", process.start_seconds)?;
        let help = "Total user and system CPU time spent in seconds";
        let cpu = ConstCounter::new(process.cpu_seconds);
        writer.metric("process_cpu", help, Some(&Unit::Seconds), &cpu)
    }
}

/// Writes one metric a call.
struct Writer<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Writer<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.metric(name, help, None, &ConstCounter::new(value))
    }

    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: u64) -> fmt::Result {
        self.metric(name, help, unit, &ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.metric(name, help, Some(&Unit::Seconds), &ConstGauge::new(value))
    }

    fn metric(&mut self, name: &str, help: &str, unit: Option<&Unit>, metric: &impl EncodeMetric) -> fmt::Result {
        metric.encode(self.0.encode_descriptor(name, help, unit, metric.metric_type())?)
    }
}
