//! `docs sync --watch`: follows the documents folder until it is stopped.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::cmd::Ctx;
use crate::cmd::docs::{problem_lines, sync};
use crate::config::Settings;
use crate::docs::reader::Reader;
use crate::error::Failure;
use crate::event::{Observer, Silent};
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::ingest::watch::{Due, Watcher};
use crate::ingest::{self, SyncContext, SyncError, SyncOptions, SyncReport};
use crate::ui::{Format, clean};

/// Another sync is waited for at least so long: there is nothing else to do.
const WAIT: Duration = Duration::from_mins(1);

/// What is wanted of the watch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watching {
    pub(super) options: SyncOptions,
    /// How often to look, when nobody is to tell of changes.
    pub(super) poll: Option<Duration>,
}

/// Syncs, waits for a change, and so on. A stop is what ends it.
pub(super) async fn run(settings: &Settings, watching: Watching, ctx: &Ctx) -> Result<Exit, Failure> {
    if ctx.out.format == Format::Json {
        let why = "--format json is one document, and a watch has no last one";
        return Err(Failure::new("docs/watch-json", Exit::Usage, "watch the documents", why)
            .fix("chatbotctl docs sync --watch --format jsonl"));
    }
    let folders = app::folders(settings);
    // Before the first look: what changes during a sync is looked at afterwards.
    let mut watcher = Watcher::start(&folders, watching.poll);
    if let Some(trouble) = watcher.trouble() {
        ctx.out.warn(&format!("the folder cannot be watched ({trouble}); it is looked at from time to time"));
    }
    let reader = app::open_reader();
    let mut session =
        Session { settings, watching, ctx, index: app::open_index(settings)?, reader: &*reader, told: String::new() };
    let progress = ctx.out.progress();
    let mut first = true;
    loop {
        let observer: &dyn Observer = if first { &progress } else { &Silent };
        session.sync(observer, first).await?;
        if first {
            ctx.out.note(&format!("watching `{}`; Ctrl-C ends it", folders.docs_dir.display()));
        }
        first = false;
        if watcher.due(&ctx.stop).await == Due::Stopped {
            return Ok(Exit::Interrupted);
        }
    }
}

/// A watch under way.
struct Session<'a> {
    settings: &'a Settings,
    watching: Watching,
    ctx: &'a Ctx,
    index: Arc<dyn VectorStore>,
    reader: &'a dyn Reader,
    /// What was told last: the same is not told again and again.
    told: String,
}

impl Session<'_> {
    async fn sync(&mut self, observer: &dyn Observer, first: bool) -> Result<(), Failure> {
        // Nobody is asked: a question would keep everything else waiting.
        let ask = |_: &str| Ok(false);
        let options = SyncOptions { wait: self.watching.options.wait.max(WAIT), ..self.watching.options };
        let context = SyncContext {
            reader: self.reader,
            observer,
            ask: &ask,
            clock: &SystemClock,
            stop: &self.ctx.stop,
            options,
        };
        match ingest::sync(&self.index, &app::folders(self.settings), context).await {
            Ok(report) => {
                let report = sync::embedded(self.settings, &self.index, report, self.ctx).await?;
                self.show(&report, first)
            }
            Err(SyncError::Locked(_)) if self.ctx.stop.is_cancelled() => Ok(()),
            Err(error @ SyncError::Task(_)) => Err(error.into()),
            Err(error) => {
                self.warn(error.into());
                Ok(())
            }
        }
    }

    fn show(&mut self, report: &SyncReport, first: bool) -> Result<(), Failure> {
        let problems = problem_lines(&report.problems);
        let news = first || report.has_changes() || problems != self.told;
        self.told = problems;
        if !news || report.interrupted {
            return Ok(());
        }
        match self.ctx.out.format {
            Format::Human => self.ctx.out.result(&clean(&line(report, SystemClock.now()))),
            Format::Json | Format::Jsonl => self.ctx.out.json_line(report),
        }
    }

    fn warn(&mut self, failure: Failure) {
        let fix = failure.fix.map(|fix| format!(" ({fix})")).unwrap_or_default();
        let text = format!("not synced: {}{fix}", failure.why);
        if text != self.told {
            self.ctx.out.warn(&text);
            self.told = text;
        }
    }
}

/// One line, with the time, and one more for each problem.
fn line(report: &SyncReport, now: Timestamp) -> String {
    let mut text = format!("{} {}", now.strftime("%F %T UTC"), sync::counts(report));
    if !report.problems.is_empty() {
        let _ = write!(text, ", {} with problems\n{}", report.problems.len(), problem_lines(&report.problems));
    }
    text
}
