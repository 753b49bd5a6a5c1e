//! Logs of a long-running command: readable lines on a terminal, JSON lines elsewhere and in `LOG_FILE`.
//!
//! Messages never hold what visitors write; that is up to whoever logs, and a test searches for it.

use std::fs::OpenOptions;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::Failure;
use crate::exit::Exit;

/// Starts writing logs for the rest of the process's life: to `file`, or to standard error.
pub fn start(level: tracing::Level, file: Option<&Path>) -> Result<(), Failure> {
    // What libraries have to say interests an operator only when something is wrong.
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("chatbotctl", level);
    let layer = match file {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
                Failure::new(
                    "log/unwritable",
                    Exit::Settings,
                    format!("open the log file `{}`", path.display()),
                    error.to_string(),
                )
                .fix("correct LOG_FILE, or make its folder")
            })?;
            json(Mutex::new(file)).boxed()
        }
        None if std::io::stderr().is_terminal() => {
            tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).boxed()
        }
        None => json(std::io::stderr).boxed(),
    };
    // Within one process a second start (in tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    Ok(())
}

fn json<S, W>(writer: W) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(writer)
}
