//! The port to the searchable index, and the table of its backends.
//!
//! An index is the truth about what is indexed: it keeps a [`DocumentRecord`] beside the chunks of each document,
//! and both change in one commit. A crash leaves each document old or new.

pub mod hybrid;
pub mod local;
mod query;
pub mod visible;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::index::local::LocalIndex;
use crate::model::{Chunk, DocumentRecord, Hit, QueryTerm};

/// A kind of index.
pub struct Backend {
    /// Its name.
    pub name: &'static str,
    /// Opens one below the state directory, making it when absent.
    pub open: fn(&Path) -> Result<Arc<dyn VectorStore>, IndexError>,
}

/// All kinds of index. The first is used where the settings name none.
pub const BACKENDS: &[Backend] =
    &[Backend { name: "local", open: |state_dir| Ok(Arc::new(LocalIndex::open(state_dir)?)) }];

/// Opens the index below `state_dir`, making it when absent.
pub fn open(state_dir: &Path) -> Result<Arc<dyn VectorStore>, IndexError> {
    (BACKENDS[0].open)(state_dir)
}

/// A question to the index.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// The words of a person. Never parsed as query syntax.
    pub text: String,
    /// How many hits at the most.
    pub limit: usize,
    /// Whether only the best chunk of each document counts.
    pub distinct_documents: bool,
}

/// One change of one document; a batch of them is applied in one commit.
#[derive(Debug, Clone)]
pub enum IndexChange {
    /// Adds the document, or replaces what the index has of its id.
    Put {
        /// What to keep of it.
        record: DocumentRecord,
        /// Its chunks.
        chunks: Vec<Chunk>,
    },
    /// Only the record changed (a touched file, say); the chunks stay.
    Refresh(DocumentRecord),
    /// Removes the document.
    Remove {
        /// Its id.
        document_id: String,
    },
}

/// What goes wrong with an index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another process writes to it.
    #[error("the index in `{path}` is being written by another process")]
    Locked {
        /// Where it lies.
        path: String,
    },
    /// There is no room for the change. The index is as it was.
    #[error("the disk of `{path}` is full")]
    DiskFull {
        /// Where it lies.
        path: String,
        /// What the engine said.
        message: String,
    },
    /// It may not be written. The index is as it was.
    #[error("the index in `{path}` may not be written")]
    ReadOnly {
        /// Where it lies.
        path: String,
        /// What the engine said.
        message: String,
    },
    /// The disk or the search engine failed.
    #[error("the index in `{path}` failed: {message}")]
    Backend {
        /// Where it lies.
        path: String,
        /// What the engine said.
        message: String,
    },
}

impl IndexError {
    /// What the engine said, for those who ask for causes.
    pub fn said(&self) -> String {
        match self {
            Self::Locked { .. } => self.to_string(),
            Self::DiskFull { message, .. } | Self::ReadOnly { message, .. } | Self::Backend { message, .. } => {
                message.clone()
            }
        }
    }
}

/// A searchable index of documents. Object-safe: used as `Arc<dyn VectorStore>`.
#[async_trait]
pub trait VectorStore: Send + Sync {
    /// The number of the present commit: equal as long as nothing changed.
    async fn generation(&self) -> Result<u64, IndexError>;
    /// The records of all documents, ordered by path.
    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError>;
    /// The record of one document.
    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError>;
    /// The chunks of one document, in order; none when it is unknown.
    async fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, IndexError>;
    /// Whether there is such a document, by its id or its path, that is kept from whoever asks here.
    async fn hides(&self, _document_id: Option<&str>, _path: Option<&str>) -> Result<bool, IndexError> {
        Ok(false)
    }
    /// The words of a question that say what it is about, and what each is worth here; none when it holds stop
    /// words alone.
    ///
    /// A backend without word statistics gives all of them the same weight.
    async fn weigh(&self, question: &str) -> Result<Vec<QueryTerm>, IndexError> {
        Ok(query::content_words(question, &[])
            .into_iter()
            .map(|word| QueryTerm { forms: vec![word], weight: 1.0, known: true })
            .collect())
    }
    /// The best hits, best first, ties in a fixed order.
    async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, IndexError>;
    /// [`Self::weigh`] and [`Self::search`] for the same text, which a backend may do at once.
    async fn look_up(&self, query: &SearchQuery) -> Result<(Vec<QueryTerm>, Vec<Hit>), IndexError> {
        Ok((self.weigh(&query.text).await?, self.search(query).await?))
    }
    /// Applies all changes in one durable commit. Searches see it afterwards.
    async fn apply(&self, changes: Vec<IndexChange>) -> Result<(), IndexError>;
}

#[cfg(test)]
pub(crate) mod tests;
