//! The only place that turns settings into live backends.

use std::fs::{File, TryLockError};
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::answer::Engine;
use crate::clock::{RandomIds, SystemClock};
use crate::config::Settings;
use crate::docs::ReadFile;
use crate::docs::reader::{ReadError, Reader};
use crate::docs::walk::FoundFile;
use crate::docs::worker::{Pool, PoolSettings};
use crate::error::Failure;
use crate::event::Observer;
use crate::exit::Exit;
use crate::index::{self, VectorStore};
use crate::ingest::{self, Folders, SyncContext, SyncError};
use crate::llm;
use crate::serve;
use crate::serve::visitor;
use crate::store::{self, Store};
use crate::ui::Out;
use crate::ui::out::show_warning;

/// The database's file in `STATE_DIR` when `DATABASE_URL` names none.
const DATABASE_FILE: &str = "chatbotctl.db";
/// Held by the one server of a state directory.
const SERVE_LOCK: &str = "serve.lock";

/// The index that the settings name.
pub fn open_index(settings: &Settings) -> Result<Arc<dyn VectorStore>, Failure> {
    let state_dir = &settings.paths.state_dir;
    index::open(state_dir).map_err(|error| {
        let folder = index::local::folder(state_dir);
        let what = format!("open the index in `{}`", folder.display());
        let fix = format!(
            "let this user read and write it; if it is damaged, remove it and make it anew: rm -r {} && chatbotctl docs sync",
            folder.display()
        );
        Failure::new("index/unusable", Exit::Settings, what, error.to_string()).fix(fix).cause(error)
    })
}

/// What reads the documents: worker processes of this program.
pub fn open_reader() -> Arc<dyn Reader> {
    match PoolSettings::of_this_program(warn) {
        Ok(settings) => Arc::new(Pool::new(settings)),
        // Told where it matters: at the first document.
        Err(error) => Arc::new(NoReader(format!("this program's own file is not found: {error}"))),
    }
}

/// Stands for a reader that cannot be opened.
struct NoReader(String);

#[async_trait]
impl Reader for NoReader {
    async fn read(&self, _file: &FoundFile) -> Result<ReadFile, ReadError> {
        Err(ReadError::Reader(self.0.clone()))
    }
}

/// A warning about safety: to the log where there is one, and shown to whoever asked for quiet, too.
fn warn(text: &str) {
    if tracing::dispatcher::has_been_set() {
        tracing::warn!("{text}");
    } else {
        show_warning(text);
    }
}

/// Keeps a second server from the same state directory: one answer at a time in a thread is kept within a process.
/// The hold ends with the file's handle, also when the process is killed.
pub fn hold_state(settings: &Settings) -> Result<File, Failure> {
    let path = settings.paths.state_dir.join(SERVE_LOCK);
    let what = || format!("take `{}` for this server", settings.paths.state_dir.display());
    let unusable = |error: std::io::Error| {
        Failure::new("serve/state", Exit::Settings, what(), error.to_string())
            .fix("let this user write the folder, or name another with --state-dir")
            .cause(error)
    };
    std::fs::create_dir_all(&settings.paths.state_dir).map_err(unusable)?;
    let file = File::options().create(true).append(true).open(path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let why = "another server is running on it";
            Err(Failure::new("serve/locked", Exit::Temporary, what(), why)
                .fix("stop the other one, or give this one its own with --state-dir"))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// The engine that answers from this index.
pub fn engine(settings: &Settings, index: Arc<dyn VectorStore>) -> Result<Engine, Failure> {
    let model = llm::open(&settings.assistant).ok_or_else(|| {
        Failure::new("llm/not-built", Exit::Settings, "open the model backend", "this program was built without it")
            .fix("choose another MODEL_BACKEND")
    })?;
    Ok(Engine { index, model, max_search_results: settings.assistant.max_search_results })
}

/// Who watches longer work, and what ends it.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Told what a person should know.
    pub out: &'a Out,
    /// Reads the documents.
    pub reader: &'a dyn Reader,
    /// Told every step.
    pub observer: &'a dyn Observer,
    /// Ends the work.
    pub stop: &'a CancellationToken,
}

/// Brings the index up to date before it answers questions.
///
/// What keeps the folder from being followed (it is missing, its `documents.yaml` is wrong, another sync runs, many removals are not confirmed) is
/// told, and the index stays as it is: a bot that answers from yesterday's documents is better than none.
pub async fn bring_up_to_date(
    settings: &Settings,
    index: &Arc<dyn VectorStore>,
    watch: Watch<'_>,
) -> Result<(), Failure> {
    let Watch { out, reader, observer, stop } = watch;
    let ask = |question: &str| out.confirm(question);
    let context = SyncContext { reader, observer, ask: &ask, clock: &SystemClock, stop };
    match ingest::sync(index, &folders(settings), context).await {
        Ok(report) => {
            for problem in &report.problems {
                out.warn(&format!("{}: {} ({})", problem.path, problem.message, problem.code));
            }
            Ok(())
        }
        Err(
            error @ (SyncError::Folder(_)
            | SyncError::Catalogue(_)
            | SyncError::Locked(_)
            | SyncError::Declined(_)
            | SyncError::Undecided(_)),
        ) => {
            out.warn(&format!("the documents were not brought up to date: {error}; answering from what is indexed"));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Where documents and state lie.
pub fn folders(settings: &Settings) -> Folders {
    Folders { docs_dir: settings.paths.docs_dir.clone(), state_dir: settings.paths.state_dir.clone() }
}

/// What the server is made of.
pub async fn serve_deps(settings: &Settings, index: Arc<dyn VectorStore>) -> Result<serve::Deps, Failure> {
    let store = open_store(settings).await?;
    let visitor_key = load_visitor_key(settings).await?;
    Ok(serve::Deps {
        store,
        engine: engine(settings, Arc::clone(&index))?,
        index,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        docs_dir: settings.paths.docs_dir.clone(),
        assistant_name: settings.assistant.name.clone(),
        settings: settings.server.clone(),
        visitor_key,
    })
}

async fn open_store(settings: &Settings) -> Result<Arc<dyn Store>, Failure> {
    let state_dir = &settings.paths.state_dir;
    let opened = match &settings.server.database_url {
        Some(url) => store::open(url).await,
        None => store::open_path(&state_dir.join(DATABASE_FILE)).await,
    };
    opened.map_err(|error| {
        Failure::new("store/unusable", Exit::Settings, "open the database", error.to_string())
            .fix("check DATABASE_URL and STATE_DIR; `chatbotctl env show` says where they come from")
            .cause(error)
    })
}

/// Reading or making a key file waits for the disk.
async fn load_visitor_key(settings: &Settings) -> Result<visitor::VisitorKey, Failure> {
    let state_dir = settings.paths.state_dir.clone();
    let setting = settings.server.visitor_key.clone();
    let loaded = tokio::task::spawn_blocking(move || visitor::load_key(&state_dir, setting.as_ref())).await;
    let failed = |error: anyhow::Error| {
        Failure::new("serve/no-key", Exit::Settings, "load the key that signs visitors' cookies", error.to_string())
            .fix("check that STATE_DIR can be written, or set VISITOR_KEY")
            .cause(error)
    };
    loaded.map_err(|error| failed(error.into()))?.map_err(|error| failed(error.into()))
}
