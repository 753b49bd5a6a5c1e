//! Changes that wait for the next commit, and what they count as once it is there.

use crate::index::IndexChange;
use crate::model::{Chunk, DocumentRecord};

const BATCH_DOCUMENTS: usize = 64;
const BATCH_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// Changes that wait for the next commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) changes: Vec<IndexChange>,
    pub(super) added: usize,
    pub(super) updated: usize,
    pub(super) removed: usize,
    pub(super) renamed: usize,
    text_bytes: usize,
}

/// A document that is read but not yet in a batch.
pub(super) struct Prepared {
    pub(super) record: DocumentRecord,
    pub(super) chunks: Vec<Chunk>,
    pub(super) is_new: bool,
    /// Whether only its path is another.
    pub(super) is_renamed: bool,
    /// The document's old id, when it has a new one.
    pub(super) replaces: Option<String>,
}

impl Batch {
    pub(super) fn push(&mut self, prepared: Prepared) {
        self.text_bytes += prepared.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>();
        self.added += usize::from(prepared.is_new);
        self.updated += usize::from(!prepared.is_new);
        self.renamed += usize::from(prepared.is_renamed);
        // In one commit with the new one: the old id goes when, and only when, the new one is there.
        self.changes.extend(prepared.replaces.map(|document_id| IndexChange::Remove { document_id }));
        self.changes.push(IndexChange::Put { record: prepared.record, chunks: prepared.chunks });
    }

    pub(super) fn remove(&mut self, document_id: String) {
        self.changes.push(IndexChange::Remove { document_id });
        self.removed += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.changes.len() >= BATCH_DOCUMENTS || self.text_bytes >= BATCH_TEXT_BYTES
    }
}
