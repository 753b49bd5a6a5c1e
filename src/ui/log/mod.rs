//! Logs of a long-running command: JSON or text, one event a line, to standard error or to a file that is rotated.
//!
//! Lines are written by a thread of their own behind a bounded queue: a full disk or a stuck pipe loses lines, which
//! are counted, and never holds up an answer. Messages never hold what visitors write; that is up to whoever logs, and
//! a test searches for it.

mod file;
mod line;
mod queue;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, reload};

use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::log::file::LogFile;
use crate::ui::log::queue::{Queue, Sink, Stderr};

/// How long the end of the process waits for lines on their way.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people on a terminal, else JSON.
    Auto,
    /// One document a line.
    Json,
    /// For people.
    Text,
}

/// What is logged, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// How much.
    pub level: Level,
    /// How lines look.
    pub form: Form,
    /// A file instead of standard error.
    pub file: Option<&'a Path>,
    /// Bytes after which the file is put aside.
    pub max_bytes: u64,
    /// How many files put aside are kept.
    pub keep: usize,
}

/// Puts a level into force; false when another log took the place of this one.
type SetLevel = Box<dyn Fn(Level) -> bool + Send + Sync>;

/// The running log. Cheap to clone.
#[derive(Clone)]
pub struct Logs(Arc<Parts>);

struct Parts {
    queue: Queue,
    level: Mutex<Level>,
    set_level: SetLevel,
}

/// Starts writing logs for the rest of the process's life.
pub fn start(settings: Settings<'_>) -> Result<Logs, Failure> {
    let sink: Box<dyn Sink> = match settings.file {
        Some(path) => {
            let file = LogFile::open(path, settings.max_bytes, settings.keep);
            Box::new(file.map_err(|error| unwritable(path, &error))?)
        }
        None => Box::new(Stderr),
    };
    let is_for_people = settings.file.is_none() && io::stderr().is_terminal();
    let shape = match settings.form {
        Form::Auto if is_for_people => line::Shape::Text,
        Form::Text => line::Shape::Text,
        Form::Auto | Form::Json => line::Shape::Json,
    };
    let queue = Queue::start(sink, shape).map_err(|error| {
        Failure::new("log/no-thread", Exit::Temporary, "start the log's thread", error.to_string()).cause(error)
    })?;
    let (filter, handle) = reload::Layer::new(filter(settings.level));
    let layer = layer(queue.clone(), shape).with_filter(filter);
    // Within one process a second start (in tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    let set_level = move |level| handle.reload(self::filter(level)).is_ok();
    Ok(Logs(Arc::new(Parts { queue, level: Mutex::new(settings.level), set_level: Box::new(set_level) })))
}

impl Logs {
    /// How much is logged now.
    pub fn level(&self) -> Level {
        *self.0.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs more or less from now on.
    pub fn set_level(&self, level: Level) {
        let mut current = self.0.level.lock().unwrap_or_else(PoisonError::into_inner);
        if (self.0.set_level)(level) {
            *current = level;
        }
    }

    /// Opens the file anew, after somebody has put it aside.
    pub fn reopen(&self) {
        self.0.queue.reopen();
    }

    /// How many lines were lost: the disk was full, or nobody took them in time.
    pub fn lost(&self) -> u64 {
        self.0.queue.lost()
    }

    /// Writes what is on its way when the value is dropped, also in a panic.
    #[must_use]
    pub fn flush_at_end(&self) -> FlushAtEnd {
        FlushAtEnd(self.0.queue.clone())
    }
}

/// See [`Logs::flush_at_end`].
pub struct FlushAtEnd(Queue);

impl Drop for FlushAtEnd {
    fn drop(&mut self) {
        self.0.flush(FLUSH_TIMEOUT);
    }
}

/// What libraries have to say interests an operator only when something is wrong.
fn filter(level: Level) -> Targets {
    let level = LevelFilter::from_level(level);
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("chatbotctl", level)
}

/// Without colours: they are escape sequences, and in a log there are none.
fn layer<S>(queue: Queue, shape: line::Shape) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(ToQueue { queue, shape });
    match shape {
        line::Shape::Text => layer.with_target(false).boxed(),
        line::Shape::Json => layer.json().flatten_event(true).with_current_span(false).boxed(),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let what = format!("open the log file `{}`", path.display());
    Failure::new("log/unwritable", Exit::Settings, what, error.to_string()).fix("correct LOG_FILE, or make its folder")
}

/// Takes each event's line as the formatter hands it over: whole, in one call.
struct ToQueue {
    queue: Queue,
    shape: line::Shape,
}

impl<'a> MakeWriter<'a> for ToQueue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl io::Write for &ToQueue {
    fn write(&mut self, raw: &[u8]) -> io::Result<usize> {
        self.queue.push(line::tidy(raw, self.shape));
        Ok(raw.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
