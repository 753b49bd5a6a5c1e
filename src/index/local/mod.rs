//! The local index: tantivy in a folder of the state directory.
//!
//! A document is one *record* entry and one entry for each chunk, all replaced in one commit. Opening takes no write
//! lock; `apply` does for its own duration, so a server and a sync can share a folder, and a reader sees whole
//! commits only.

mod entry;
mod search;
mod snapshot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tantivy::directory::error::LockError;
use tantivy::schema::Schema;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term};

use crate::index::local::entry::Fields;
use crate::index::local::snapshot::Snapshot;
use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::model::{DocumentRecord, Hit, QueryTerm};

/// The folder's name holds the format: another format is another folder, which the next sync fills.
const FOLDER: &str = "index-1";
/// Memory that a writer may use before it writes a segment.
const WRITER_BYTES: usize = 64 << 20;

/// The local index. Cheap to clone.
#[derive(Clone)]
pub struct LocalIndex {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    snapshot: Mutex<Option<Arc<Snapshot>>>,
}

impl LocalIndex {
    /// Opens the index below `state_dir`, making it when absent.
    pub fn open(state_dir: &Path) -> Result<Self, IndexError> {
        let folder = state_dir.join(FOLDER);
        let fail = |message: String| IndexError::Backend { path: folder.display().to_string(), message };
        std::fs::create_dir_all(&folder).map_err(|error| fail(error.to_string()))?;
        let (schema, fields) = entry::schema();
        let index = open_or_create(&folder, schema).map_err(|error| fail(error.to_string()))?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::OnCommitWithDelay)
            .try_into()
            .map_err(|error: TantivyError| fail(error.to_string()))?;
        let inner = Inner { folder, index, reader, fields, snapshot: Mutex::new(None) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs `work` off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let inner = Arc::clone(&self.inner);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result,
            Err(error) => Err(self.inner.failed(&error)),
        }
    }
}

fn open_or_create(folder: &Path, schema: Schema) -> tantivy::Result<Index> {
    Index::open_or_create(tantivy::directory::MmapDirectory::open(folder)?, schema)
}

impl Inner {
    fn failed(&self, error: &dyn std::fmt::Display) -> IndexError {
        IndexError::Backend { path: self.folder.display().to_string(), message: error.to_string() }
    }

    fn writer(&self) -> Result<IndexWriter, IndexError> {
        self.index.writer_with_num_threads(1, WRITER_BYTES).map_err(|error| match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => {
                IndexError::Locked { path: self.folder.display().to_string() }
            }
            error => self.failed(&error),
        })
    }

    /// The records and word statistics of the newest commit; made once a commit.
    fn snapshot(&self) -> Result<Arc<Snapshot>, IndexError> {
        let searcher = self.reader.searcher();
        let mut kept = self.snapshot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*kept {
            Some(snapshot) if snapshot.is_of(&searcher) => Ok(Arc::clone(snapshot)),
            _ => {
                let snapshot = Snapshot::read(searcher, self.fields).map_err(|error| self.failed(&error))?;
                let snapshot = Arc::new(snapshot);
                *kept = Some(Arc::clone(&snapshot));
                Ok(snapshot)
            }
        }
    }

    fn apply(&self, changes: &[IndexChange]) -> Result<(), IndexError> {
        let mut writer = self.writer()?;
        for change in changes {
            self.stage(&writer, change).map_err(|error| self.failed(&error))?;
        }
        writer.commit().map_err(|error| self.failed(&error))?;
        // Merging goes on after the commit; ending the writer early would throw its work away.
        writer.wait_merging_threads().map_err(|error| self.failed(&error))?;
        self.reader.reload().map_err(|error| self.failed(&error))
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

#[derive(Debug, thiserror::Error)]
enum StageError {
    #[error(transparent)]
    Engine(#[from] TantivyError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

#[async_trait]
impl VectorStore for LocalIndex {
    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        self.blocking(|inner| Ok(inner.snapshot()?.records_by_path())).await
    }

    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        let document_id = document_id.to_owned();
        self.blocking(move |inner| Ok(inner.snapshot()?.record(&document_id).cloned())).await
    }

    async fn weigh(&self, question: &str) -> Result<Vec<QueryTerm>, IndexError> {
        let question = question.to_owned();
        self.blocking(move |inner| {
            let snapshot = inner.snapshot()?;
            search::weigh(&snapshot, &question).map_err(|error| inner.failed(&error))
        })
        .await
    }

    async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        let query = query.clone();
        self.blocking(move |inner| {
            let snapshot = inner.snapshot()?;
            search::search(&snapshot, &query).map_err(|error| inner.failed(&error))
        })
        .await
    }

    async fn apply(&self, changes: Vec<IndexChange>) -> Result<(), IndexError> {
        self.blocking(move |inner| inner.apply(&changes)).await
    }
}

#[cfg(test)]
mod tests;
