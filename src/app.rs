//! The only place that turns settings into live backends.

pub mod embeddings;
pub mod hosted;
pub mod operators;

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::answer::Engine;
use crate::blobs::FolderBlobs;
use crate::clock::{RandomIds, SystemClock};
use crate::config::Settings;
use crate::docs::ReadFile;
use crate::docs::reader::{OpenReader, ReadError, Reader};
use crate::docs::walk::FoundFile;
use crate::docs::worker::{Pool, PoolSettings};
use crate::error::{Failure, Problem};
use crate::event::Observer;
use crate::exit::Exit;
use crate::index::visible::Visible;
use crate::index::{self, IndexError, VectorStore};
use crate::ingest::watch::{Due, Watcher};
use crate::ingest::{self, Folders, SyncContext, SyncError, SyncOptions, SyncReport};
use crate::llm;
use crate::secret::Secret;
use crate::serve;
use crate::serve::visitor;
use crate::store::{self, Store};
use crate::ui::Out;
use crate::ui::out::show_warning;

/// The database's file in `STATE_DIR` when `DATABASE_URL` names none.
const DATABASE_FILE: &str = "chatbotctl.db";
/// Held by the one server of a state directory.
const SERVE_LOCK: &str = "serve.lock";
/// Where in `STATE_DIR` the bytes of attachments lie.
const ATTACHMENTS_FOLDER: &str = "attachments";
/// Attachments that are read at a time.
const ATTACHMENT_WORKERS: usize = 2;

/// How long a bot that follows its documents waits for another sync.
const FOLLOW_WAIT: Duration = Duration::from_mins(1);

/// The index that the settings name, its search helped by embeddings where a model is named.
pub fn open_index(settings: &Settings) -> Result<Arc<dyn VectorStore>, Failure> {
    embeddings::helped(settings, open_words(settings)?)
}

/// The index by words alone.
fn open_words(settings: &Settings) -> Result<Arc<dyn VectorStore>, Failure> {
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
        Err(error) => Arc::new(NoReader::new(&error)),
    }
}

/// What reads the files that visitors attach: a few processes of its own, which no sync keeps waiting.
fn open_attachment_reader() -> Arc<dyn OpenReader> {
    match PoolSettings::of_this_program(warn) {
        Ok(settings) => Arc::new(Pool::new(PoolSettings { workers: ATTACHMENT_WORKERS, ..settings })),
        Err(error) => Arc::new(NoReader::new(&error)),
    }
}

/// Stands for a reader that cannot be opened. It is told where it matters: at the first document.
struct NoReader(String);

impl NoReader {
    fn new(error: &std::io::Error) -> Self {
        Self(format!("this program's own file is not found: {error}"))
    }
}

#[async_trait]
impl Reader for NoReader {
    async fn read(&self, _file: &FoundFile) -> Result<ReadFile, ReadError> {
        Err(ReadError::Reader(self.0.clone()))
    }
}

#[async_trait]
impl OpenReader for NoReader {
    async fn read_open(&self, _file: File, _name: &str) -> Result<ReadFile, ReadError> {
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
///
/// A folder that cannot be written needs no hold: then the threads lie in a database elsewhere.
pub fn hold_state(settings: &Settings) -> Result<Option<File>, Failure> {
    let path = settings.paths.state_dir.join(SERVE_LOCK);
    let what = || format!("take `{}` for this server", settings.paths.state_dir.display());
    let unusable = |error: std::io::Error| {
        Failure::new("serve/state", Exit::Settings, what(), error.to_string())
            .fix("let this user write the folder, or name another with --state-dir")
            .cause(error)
    };
    let is_elsewhere = settings.server.database_url.is_some() && settings.server.visitor_key.is_some();
    let opened = std::fs::create_dir_all(&settings.paths.state_dir)
        .and_then(|()| File::options().create(true).append(true).open(path));
    let file = match opened {
        Ok(file) => file,
        Err(error) if is_elsewhere && is_read_only(&error) => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let why = "another server is running on it";
            Err(Failure::new("serve/locked", Exit::Temporary, what(), why)
                .fix("stop the other one, or give this one its own with --state-dir"))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}

/// The engine that answers visitors from this index: documents with roles are not there.
pub fn engine(settings: &Settings, index: Arc<dyn VectorStore>) -> Result<Engine, Failure> {
    let model = llm::open(&settings.assistant).map_err(|error| {
        let (code, fix) = match &error {
            llm::OpenError::NotBuilt => ("llm/not-built", "choose another MODEL_BACKEND"),
            llm::OpenError::Instructions { .. } => {
                ("llm/instructions", "name a readable file in ASSISTANT_INSTRUCTIONS_TEMPLATE, or leave it unset")
            }
            llm::OpenError::Client(_) => ("llm/client", "choose MODEL_BACKEND=extractive, which needs no connection"),
        };
        Failure::new(code, Exit::Settings, "open the model backend", error.to_string()).fix(fix).cause(error)
    })?;
    let index = Arc::new(Visible::new(index));
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

/// Brings the index up to date before it answers questions, and tells what it did.
///
/// What keeps the folder from being followed (it is missing, its `documents.yaml` is wrong, another sync runs, the disk
/// is full or read-only, many documents are gone) is told, and the index stays as it is: a bot that answers from
/// yesterday's documents is better than none. Nobody is asked here, so many documents are never removed.
pub async fn bring_up_to_date(
    settings: &Settings,
    index: &Arc<dyn VectorStore>,
    watch: Watch<'_>,
) -> Result<Option<SyncReport>, Failure> {
    let Watch { out, reader, observer, stop } = watch;
    let ask = |_: &str| Ok(false);
    let options = SyncOptions::default();
    let context = SyncContext { reader, observer, ask: &ask, clock: &SystemClock, stop, options };
    match ingest::sync(index, &folders(settings), context).await {
        Ok(report) => {
            for problem in &report.problems {
                out.warn(&format!("{}: {} ({})", problem.path, problem.message, problem.code));
            }
            Ok(Some(report))
        }
        Err(error) if leaves_a_usable_index(&error) => {
            let fix = Failure::from(error);
            let hint = fix.fix.map(|fix| format!(" ({fix})")).unwrap_or_default();
            let why = fix.why;
            out.warn(&format!(
                "the documents were not brought up to date: {why}{hint}; answering from what is indexed"
            ));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn leaves_a_usable_index(error: &SyncError) -> bool {
    match error {
        SyncError::Folder(_)
        | SyncError::Catalogue(_)
        | SyncError::Locked(_)
        | SyncError::Declined(_)
        | SyncError::Undecided(_)
        | SyncError::State { .. } => true,
        SyncError::Index(error) => {
            matches!(error, IndexError::Locked { .. } | IndexError::DiskFull { .. } | IndexError::ReadOnly { .. })
        }
        SyncError::Reader(_) | SyncError::Task(_) => false,
    }
}

/// Follows the documents while a bot answers from them: brings the index up to date whenever they change, until the
/// stop. What keeps one sync from happening is told once, and the next one tries again.
pub async fn follow(settings: &Settings, index: &Arc<dyn VectorStore>, watch: Watch<'_>, poll: Option<Duration>) {
    let mut watcher = Watcher::start(&folders(settings), poll);
    if let Some(trouble) = watcher.trouble() {
        watch
            .out
            .warn(&format!("the documents folder cannot be watched ({trouble}); it is looked at from time to time"));
    }
    let mut told = Told::default();
    let mut embedding: Option<JoinHandle<()>> = None;
    // First a look without waiting: something may have changed before the watch began.
    loop {
        let ask = |_: &str| Ok(false);
        let options = SyncOptions { wait: FOLLOW_WAIT, ..SyncOptions::default() };
        let Watch { reader, observer, stop, .. } = watch;
        let context = SyncContext { reader, observer, ask: &ask, clock: &SystemClock, stop, options };
        match ingest::sync(index, &folders(settings), context).await {
            Ok(report) => told.report(report),
            Err(_) if stop.is_cancelled() => break,
            Err(error) => told.failure(error.into()),
        }
        // Also without changes: the endpoint may have failed the last time. Nothing is sent twice, and a slow endpoint
        // keeps no document waiting.
        if embedding.as_ref().is_none_or(JoinHandle::is_finished) {
            let (settings, index, stop) = (settings.clone(), Arc::clone(index), stop.clone());
            embedding = Some(tokio::spawn(async move { embeddings::embed_quietly(&settings, &index, &stop).await }));
        }
        if watcher.due(watch.stop).await == Due::Stopped {
            break;
        }
    }
    if let Some(embedding) = embedding
        && embedding.await.is_err()
    {
        tracing::error!("embedding the documents ended with a bug");
    }
}

/// What the log was told last: the same is not told again and again.
#[derive(Default)]
struct Told {
    problems: Vec<Problem>,
    failure: String,
}

impl Told {
    fn report(&mut self, report: SyncReport) {
        self.failure.clear();
        if report.has_changes() {
            let SyncReport { added, updated, removed, .. } = report;
            tracing::info!(added, updated, removed, problems = report.problems.len(), "documents changed");
        }
        for problem in report.problems.iter().filter(|problem| !self.problems.contains(problem)) {
            tracing::warn!(path = problem.path, code = problem.code, "a document is not taken in: {}", problem.message);
        }
        self.problems = report.problems;
    }

    fn failure(&mut self, failure: Failure) {
        if failure.why != self.failure {
            let fix = failure.fix.unwrap_or_default();
            tracing::warn!(code = failure.code, fix, "the documents were not brought up to date: {}", failure.why);
            self.failure = failure.why;
        }
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
        index: Arc::new(Visible::new(index)),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        docs_dir: settings.paths.docs_dir.clone(),
        blobs: Arc::new(FolderBlobs::new(settings.paths.state_dir.join(ATTACHMENTS_FOLDER))),
        attachment_reader: open_attachment_reader(),
        assistant_name: settings.assistant.name.clone(),
        settings: settings.server.clone(),
        visitor_key,
        operators: None,
    })
}

/// What kind of store the settings name: the scheme of its URL.
pub fn store_kind(settings: &Settings) -> String {
    let url = settings.server.database_url.as_ref().map(Secret::expose).unwrap_or_default();
    store::kind(url).to_owned()
}

async fn open_store(settings: &Settings) -> Result<Arc<dyn Store>, Failure> {
    let state_dir = &settings.paths.state_dir;
    let opened = match &settings.server.database_url {
        Some(url) => store::open(url).await,
        None => store::open_path(&state_dir.join(DATABASE_FILE)).await,
    };
    opened.map_err(|error| {
        let (code, exit, fix) = match &error {
            store::OpenError::Locked { .. } => {
                ("store/locked", Exit::Temporary, "stop the other server, or give this one its own with DATABASE_URL")
            }
            _ => (
                "store/unusable",
                Exit::Settings,
                "check DATABASE_URL and STATE_DIR; `chatbotctl env show` says where they come from",
            ),
        };
        Failure::new(code, exit, "open the database", error.to_string()).fix(fix).cause(error)
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
