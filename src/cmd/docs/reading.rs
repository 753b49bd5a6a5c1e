//! What `docs scan`, `docs lint` and `docs inventory` share: reading the folder, and the allow file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::cmd::Ctx;
use crate::cmd::docs::looking;
use crate::config::Settings;
use crate::docs::walk::Listing;
use crate::error::Failure;
use crate::exit::Exit;
use crate::ingest::SyncError;
use crate::lint::allow::{ALLOW_FILE, Allow, AllowError, Presence};
use crate::lint::look::Examine;
use crate::lint::{self, LintError, LookContext};

/// The flag that names the allow file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AllowArgs {
    /// The file of allowed findings [default: docs-allow.yaml in the project's folder, if there is one]
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
}

impl AllowArgs {
    /// Whether a file is named.
    pub(super) fn is_given(&self) -> bool {
        self.allow.is_some()
    }

    /// Reads the file that the flag names, or the usual one.
    pub(super) fn load(&self, ctx: &Ctx) -> Result<Allow, Failure> {
        let loaded = match &self.allow {
            Some(path) => Allow::load(&ctx.folder().join(path), Presence::Required),
            None => Allow::load(&ctx.folder().join(ALLOW_FILE), Presence::Optional),
        };
        loaded.map_err(|error| failure(error.into()))
    }
}

/// Reads every document and keeps what `examine` makes of each. `None` when it was stopped.
pub(super) async fn read_all<T: Send + 'static>(
    settings: &Settings,
    ctx: &Ctx,
    examine: Arc<Examine<T>>,
) -> Result<Option<(Vec<T>, Listing)>, Failure> {
    let reader = app::open_reader();
    let progress = ctx.out.progress();
    let context = LookContext { reader: &*reader, observer: &progress, stop: &ctx.stop };
    let mut kept = Vec::new();
    let listing =
        lint::look(docs_dir(settings), context, examine, |result| kept.push(result)).await.map_err(failure)?;
    Ok(listing.map(|listing| (kept, listing)))
}

/// The documents folder.
pub(super) fn docs_dir(settings: &Settings) -> &Path {
    &settings.paths.docs_dir
}

/// The day on which an allow file is read, in UTC.
pub(super) fn today() -> Date {
    SystemClock.now().to_zoned(TimeZone::UTC).date()
}

/// The end of a command that could not look.
pub(super) fn failure(error: LintError) -> Failure {
    match error {
        LintError::Folder(error) => looking(error),
        LintError::Reader(why) => looking(SyncError::Reader(why)),
        LintError::Task(error) => looking(SyncError::Task(error)),
        LintError::Allow(error) => {
            let fix = match error {
                AllowError::Missing { .. } => "correct the path after --allow, or write the file",
                AllowError::Unreadable { .. } => "make it readable, or name another with --allow",
                AllowError::Invalid { .. } => "correct the file; `chatbotctl docs scan --help` shows an entry",
            };
            Failure::new("docs/allow-file", Exit::Settings, "read the allowed findings", error.to_string()).fix(fix)
        }
    }
}
