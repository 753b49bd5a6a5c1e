//! The local index: tantivy in a folder of the state directory.
//!
//! A document is one *record* entry and one entry for each chunk, all replaced in one commit. Opening takes no write
//! lock; `apply` does for its own duration, so a server and a sync can share a folder, and a reader sees whole
//! commits only.

mod entry;
mod folder;
mod search;
mod snapshot;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term};
use tokio::sync::Semaphore;

use crate::index::local::entry::Fields;
use crate::index::local::folder::Folder;
use crate::index::local::snapshot::Snapshot;
use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::model::{Chunk, DocumentRecord, Hit, QueryTerm};

/// The folder's name holds the format: another format is another folder, which the next sync fills.
const FOLDER: &str = "index-2";
/// The file that every index of tantivy's has.
const META: &str = "meta.json";
/// How often an index is opened anew when a writer that cannot be locked out removes a segment of it meanwhile.
const OPENS: u32 = 5;
/// Memory that a writer may use before it writes a segment.
const WRITER_BYTES: usize = 64 << 20;

/// The local index. Cheap to clone.
#[derive(Clone)]
pub struct LocalIndex {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    fields: Fields,
    opened: Mutex<Option<Opened>>,
    /// Work that may go on at once: searching is computing, and more of it than cores makes all of it late.
    slots: Semaphore,
    /// The same for looking up what is in memory, which must not wait behind searches: health does it.
    lookups: Semaphore,
}

/// What is open once the folder exists.
#[derive(Clone)]
struct Opened {
    index: Index,
    reader: IndexReader,
    snapshot: Option<Arc<Snapshot>>,
}

impl LocalIndex {
    /// Opens the index below `state_dir`. Where there is none, it is empty, and the first `apply` makes it: looking
    /// writes nothing.
    pub fn open(state_dir: &Path) -> Result<Self, IndexError> {
        let folder = folder(state_dir);
        let (_, fields) = entry::schema();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let slots = || Semaphore::new(cores * 2);
        let inner = Inner { folder, fields, opened: Mutex::new(None), slots: slots(), lookups: slots() };
        inner.open_existing()?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs work that computes off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        self.within(&self.inner.slots, work).await
    }

    /// Runs work that only looks something up off the async threads.
    async fn peek<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        self.within(&self.inner.lookups, work).await
    }

    async fn within<T: Send + 'static>(
        &self,
        slots: &Semaphore,
        work: impl FnOnce(&Inner) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let _slot = slots.acquire().await.map_err(|error| self.inner.failed(&error))?;
        let inner = Arc::clone(&self.inner);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result,
            Err(error) => Err(self.inner.failed(&error)),
        }
    }
}

/// Where the index below `state_dir` lies.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join(FOLDER)
}

impl Inner {
    fn failed(&self, error: &dyn std::fmt::Display) -> IndexError {
        IndexError::Backend { path: self.folder.display().to_string(), message: error.to_string() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens what another process may have made meanwhile; none when there is nothing.
    fn open_existing(&self) -> Result<Option<Opened>, IndexError> {
        let mut opened = self.lock();
        if opened.is_none() && self.folder.join(META).is_file() {
            *opened = Some(self.reopen()?);
        }
        Ok(opened.clone())
    }

    /// Opens the folder for writing, making it when absent.
    fn open_or_create(&self) -> Result<Opened, IndexError> {
        if let Some(opened) = self.open_existing()? {
            return Ok(opened);
        }
        std::fs::create_dir_all(&self.folder).map_err(|error| folder::folder_error(&self.folder, &error))?;
        let directory = Folder::open(&self.folder).map_err(|error| self.failed(&error))?;
        let index = Index::open_or_create(directory, entry::schema().0);
        let made = index.and_then(opened).map_err(|error| folder::write_error(&self.folder, &error))?;
        *self.lock() = Some(made.clone());
        Ok(made)
    }

    /// Opens the folder for reading.
    fn reopen(&self) -> Result<Opened, IndexError> {
        let directory = Folder::open(&self.folder).map_err(|error| self.failed(&error))?;
        let mut tries = 0..OPENS;
        loop {
            match Index::open(directory.clone()).and_then(opened) {
                Err(error) if folder::is_gone(&error) && tries.next().is_some() => {}
                outcome => return outcome.map_err(|error| self.failed(&error)),
            }
        }
    }

    fn writer(&self, index: &Index) -> Result<IndexWriter, IndexError> {
        let writer = index.writer_with_num_threads(1, WRITER_BYTES);
        writer.map_err(|error| folder::write_error(&self.folder, &error))
    }

    /// The records and word statistics of the newest commit, made once a commit; none when nothing is indexed yet.
    fn snapshot(&self) -> Result<Option<Arc<Snapshot>>, IndexError> {
        let Some(opened) = self.open_existing()? else { return Ok(None) };
        let searcher = opened.reader.searcher();
        if let Some(snapshot) = opened.snapshot.filter(|snapshot| snapshot.is_of(&searcher)) {
            return Ok(Some(snapshot));
        }
        let snapshot = Arc::new(Snapshot::read(searcher, self.fields).map_err(|error| self.failed(&error))?);
        if let Some(opened) = self.lock().as_mut() {
            opened.snapshot = Some(Arc::clone(&snapshot));
        }
        Ok(Some(snapshot))
    }

    fn apply(&self, changes: &[IndexChange]) -> Result<(), IndexError> {
        let opened = self.open_or_create()?;
        let written = self.write(&opened.index, changes);
        if matches!(written, Err(IndexError::DiskFull { .. } | IndexError::Backend { .. })) {
            self.sweep(&opened.index);
        }
        written?;
        opened.reader.reload().map_err(|error| self.failed(&error))
    }

    fn write(&self, index: &Index, changes: &[IndexChange]) -> Result<(), IndexError> {
        let failed = |error: &TantivyError| folder::write_error(&self.folder, error);
        let mut writer = self.writer(index)?;
        for change in changes {
            self.stage(&writer, change).map_err(|error| match error {
                StageError::Engine(error) => failed(&error),
                StageError::Json(error) => self.failed(&error),
            })?;
        }
        writer.commit().map_err(|error| failed(&error))?;
        // Merging goes on after the commit; ending the writer early would throw its work away. The commit stands
        // whatever becomes of it.
        match writer.wait_merging_threads() {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "segments of the index could not be merged");
                Ok(())
            }
        }
    }

    /// Removes what a failed write left behind, as far as it can be: a full disk needs the room.
    fn sweep(&self, index: &Index) {
        let swept = self.writer(index).map(|writer| writer.garbage_collect_files().wait());
        if let Ok(Err(error)) = swept {
            tracing::debug!(%error, "what a failed write left behind is still there");
        }
    }

    fn stage(&self, writer: &IndexWriter<TantivyDocument>, change: &IndexChange) -> Result<(), StageError> {
        let fields = &self.fields;
        match change {
            IndexChange::Put { record, chunks } => {
                writer.delete_term(Term::from_field_text(fields.document_id, &record.document_id));
                writer.add_document(fields.record_entry(record)?)?;
                for chunk in chunks {
                    writer.add_document(fields.chunk_entry(record, chunk)?)?;
                }
            }
            IndexChange::Refresh(record) => {
                writer.delete_term(Term::from_field_text(fields.record_id, &record.document_id));
                writer.add_document(fields.record_entry(record)?)?;
            }
            IndexChange::Remove { document_id } => {
                writer.delete_term(Term::from_field_text(fields.document_id, document_id));
            }
        }
        Ok(())
    }
}

/// Reads what tantivy has opened.
fn opened(index: Index) -> tantivy::Result<Opened> {
    let reader = index.reader_builder().reload_policy(ReloadPolicy::OnCommitWithDelay).try_into()?;
    Ok(Opened { index, reader, snapshot: None })
}

#[derive(Debug, thiserror::Error)]
enum StageError {
    #[error(transparent)]
    Engine(#[from] TantivyError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

#[async_trait]
impl VectorStore for LocalIndex {
    async fn generation(&self) -> Result<u64, IndexError> {
        self.peek(|inner| Ok(inner.snapshot()?.map_or(0, |snapshot| snapshot.generation()))).await
    }

    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        self.peek(|inner| Ok(inner.snapshot()?.map(|snapshot| snapshot.records_by_path()).unwrap_or_default())).await
    }

    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        let document_id = document_id.to_owned();
        self.peek(move |inner| Ok(inner.snapshot()?.and_then(|snapshot| snapshot.record(&document_id).cloned()))).await
    }

    async fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, IndexError> {
        let document_id = document_id.to_owned();
        self.blocking(move |inner| {
            let Some(snapshot) = inner.snapshot()? else { return Ok(Vec::new()) };
            snapshot.chunks(&document_id).map_err(|error| inner.failed(&error))
        })
        .await
    }

    async fn weigh(&self, question: &str) -> Result<Vec<QueryTerm>, IndexError> {
        let question = question.to_owned();
        self.blocking(move |inner| {
            let Some(snapshot) = inner.snapshot()? else { return Ok(Vec::new()) };
            search::weigh(&snapshot, &question).map_err(|error| inner.failed(&error))
        })
        .await
    }

    async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        let query = query.clone();
        self.blocking(move |inner| {
            let Some(snapshot) = inner.snapshot()? else { return Ok(Vec::new()) };
            search::search(&snapshot, &query).map_err(|error| inner.failed(&error))
        })
        .await
    }

    async fn look_up(&self, query: &SearchQuery) -> Result<(Vec<QueryTerm>, Vec<Hit>), IndexError> {
        let query = query.clone();
        self.blocking(move |inner| {
            let Some(snapshot) = inner.snapshot()? else { return Ok((Vec::new(), Vec::new())) };
            let terms = search::weigh(&snapshot, &query.text).map_err(|error| inner.failed(&error))?;
            let hits = search::search(&snapshot, &query).map_err(|error| inner.failed(&error))?;
            Ok((terms, hits))
        })
        .await
    }

    async fn apply(&self, changes: Vec<IndexChange>) -> Result<(), IndexError> {
        self.blocking(move |inner| inner.apply(&changes)).await
    }
}

#[cfg(test)]
mod tests;
