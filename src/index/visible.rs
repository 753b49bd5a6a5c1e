//! What visitors see of an index: documents with roles are not there.
//!
//! It wraps another index, as the last wrapper, and hides: no search, list or look-up of it gives a document that
//! `documents.yaml` gives roles, or a word of one. No way of signing in gives a reader roles yet; when one does, this
//! is the place that asks for them. Operators, and whoever keeps the index equal to the folder, use the index itself.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::model::{Chunk, DocumentRecord, Hit, QueryTerm};

/// How much more is asked for when hidden documents took places among the hits.
const WIDER: usize = 4;

/// An index without the documents that are not for everybody.
pub struct Visible {
    index: Arc<dyn VectorStore>,
    hidden: Mutex<Option<Hidden>>,
}

/// The ids that are hidden, as of one commit.
#[derive(Clone)]
struct Hidden {
    generation: u64,
    ids: Arc<HashSet<String>>,
}

impl Visible {
    /// What visitors see of `index`.
    pub fn new(index: Arc<dyn VectorStore>) -> Self {
        Self { index, hidden: Mutex::default() }
    }

    async fn hidden(&self) -> Result<Hidden, IndexError> {
        let generation = self.index.generation().await?;
        let kept = self.hidden.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.generation == generation) {
            return Ok(kept);
        }
        let records = self.index.records().await?;
        let ids = records.into_iter().filter(DocumentRecord::is_restricted).map(|record| record.document_id);
        let hidden = Hidden { generation, ids: Arc::new(ids.collect()) };
        // The records may be of a later commit: then the next look sees another number, and reads them anew.
        *self.hidden.lock().unwrap_or_else(PoisonError::into_inner) = Some(hidden.clone());
        Ok(hidden)
    }

    /// Takes the hidden ones out. What is hidden is asked after the search, so that nothing is shown that was already
    /// restricted in the commit that was searched.
    async fn without_hidden(&self, mut hits: Vec<Hit>) -> Result<Vec<Hit>, IndexError> {
        let hidden = self.hidden().await?;
        hits.retain(|hit| !hidden.ids.contains(&hit.chunk.document_id));
        Ok(hits)
    }

    async fn is_hidden(&self, document_id: &str) -> Result<bool, IndexError> {
        Ok(self.index.record(document_id).await?.is_some_and(|record| record.is_restricted()))
    }
}

#[async_trait]
impl VectorStore for Visible {
    async fn generation(&self) -> Result<u64, IndexError> {
        self.index.generation().await
    }

    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        let mut records = self.index.records().await?;
        records.retain(|record| !record.is_restricted());
        Ok(records)
    }

    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        Ok(self.index.record(document_id).await?.filter(|record| !record.is_restricted()))
    }

    async fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, IndexError> {
        // Asked afterwards, so that chunks of a document that is being restricted are not given out.
        let chunks = self.index.chunks(document_id).await?;
        Ok(if self.is_hidden(document_id).await? { Vec::new() } else { chunks })
    }

    async fn hides(&self, document_id: Option<&str>, path: Option<&str>) -> Result<bool, IndexError> {
        let is_it = |record: &DocumentRecord| {
            document_id == Some(record.document_id.as_str()) || path == Some(record.path.as_str())
        };
        Ok(self.index.records().await?.iter().any(|record| record.is_restricted() && is_it(record)))
    }

    async fn weigh(&self, question: &str) -> Result<Vec<QueryTerm>, IndexError> {
        self.index.weigh(question).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        let mut wide = query.clone();
        loop {
            let found = self.index.search(&wide).await?;
            let is_all = found.len() < wide.limit || wide.limit == usize::MAX;
            let mut hits = self.without_hidden(found).await?;
            if hits.len() >= query.limit || is_all {
                hits.truncate(query.limit);
                return Ok(hits);
            }
            wide.limit = wide.limit.saturating_mul(WIDER);
        }
    }

    async fn look_up(&self, query: &SearchQuery) -> Result<(Vec<QueryTerm>, Vec<Hit>), IndexError> {
        let (terms, found) = self.index.look_up(query).await?;
        let seen = found.len();
        let hits = self.without_hidden(found).await?;
        Ok((terms, if hits.len() == seen { hits } else { self.search(query).await? }))
    }

    async fn apply(&self, changes: Vec<IndexChange>) -> Result<(), IndexError> {
        self.index.apply(changes).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index;
    use crate::index::tests::{ids, put, query};

    fn for_staff(change: IndexChange) -> IndexChange {
        let IndexChange::Put { record, chunks } = change else { panic!("a document") };
        IndexChange::Put { record: DocumentRecord { roles: vec!["staff".to_owned()], ..record }, chunks }
    }

    /// A document with roles is not found, listed, read or counted among the hits of somebody without them.
    #[tokio::test]
    async fn restricted_documents_are_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let all = index::open(folder.path()).unwrap();
        // Enough hidden ones to take every place among the best hits.
        let hidden = (0..40).map(|at| for_staff(put(&format!("s{at}"), "Bonus", &["bonus bonus bonus", "bonus"])));
        let public = put("public", "Holidays", &["A bonus is mentioned in a long text about holidays and leave."]);
        all.apply(hidden.chain([public]).collect()).await.unwrap();
        let seen: Arc<dyn VectorStore> = Arc::new(Visible::new(Arc::clone(&all)));
        assert_eq!(ids(&seen, "bonus").await, ["public"]);
        assert_eq!(seen.look_up(&query("bonus")).await.unwrap().1.len(), 1);
        let listed: Vec<String> = seen.records().await.unwrap().into_iter().map(|record| record.document_id).collect();
        assert_eq!(listed, ["public"]);
        assert_eq!(seen.record("s1").await.unwrap(), None);
        assert_eq!(seen.chunks("s1").await.unwrap(), Vec::new());
        assert_eq!(seen.chunks("public").await.unwrap().len(), 1);
        // Who knows of one elsewhere can ask whether it may be named.
        let path = all.record("s1").await.unwrap().unwrap().path;
        assert!(seen.hides(Some("s1"), None).await.unwrap() && seen.hides(None, Some(&path)).await.unwrap());
        assert!(!seen.hides(Some("public"), Some("none.md")).await.unwrap());
        assert!(!all.hides(Some("s1"), None).await.unwrap());
        // Operators see all of it.
        assert!(all.record("s1").await.unwrap().is_some());
        // From the commit on that restricts a document it is hidden, and from the one that frees it it is there.
        all.apply(vec![for_staff(put("public", "Holidays", &["bonus"]))]).await.unwrap();
        assert_eq!(ids(&seen, "bonus").await, Vec::<String>::new());
        assert_eq!(seen.look_up(&query("bonus")).await.unwrap().1, Vec::new());
        all.apply(vec![put("s1", "Bonus", &["bonus"])]).await.unwrap();
        assert_eq!(ids(&seen, "bonus").await, ["s1"]);
    }
}
