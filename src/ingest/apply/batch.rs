//! Changes that wait for the next commit, and what they count as once it is there.

use jiff::Timestamp;

use crate::index::IndexChange;
use crate::model::{Chunk, DocumentRecord};

/// A commit costs several waits for the disk and a segment to merge, so a long sync makes few of them.
const BATCH_DOCUMENTS: usize = 512;
/// Slow documents do not wait for that many others: no kill costs more work than this.
const BATCH_SECONDS: i64 = 20;
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
    /// When the first change came in.
    since: Option<Timestamp>,
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

    /// A document of the index is put in again otherwise, which counts as no change of its own.
    pub(super) fn revise(&mut self, record: DocumentRecord, chunks: Vec<Chunk>) {
        self.text_bytes += chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>();
        self.changes.push(IndexChange::Put { record, chunks });
    }

    pub(super) fn remove(&mut self, document_id: String) {
        self.changes.push(IndexChange::Remove { document_id });
        self.removed += 1;
    }

    /// Whether it is time for a commit.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        if self.changes.is_empty() {
            return false;
        }
        let waits = now.as_second() - self.since.get_or_insert(now).as_second();
        self.changes.len() >= BATCH_DOCUMENTS || self.text_bytes >= BATCH_TEXT_BYTES || waits >= BATCH_SECONDS
    }
}
