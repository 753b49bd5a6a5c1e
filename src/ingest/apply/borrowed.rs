//! Gives every document that borrowed its language the language of most documents, as the index has them now.
//!
//! It is done after every sync that ends, whatever changed: then an index does not depend on its history. No file is
//! read again for it.

use crate::ingest::SyncError;
use crate::ingest::apply::Run;
use crate::ingest::language::Majority;
use crate::model::DocumentRecord;

impl Run<'_> {
    /// Puts in again what borrowed another language than that of most documents.
    pub(super) async fn revise_languages(&mut self) -> Result<(), SyncError> {
        let language = Majority::of(self.indexed.values()).language_or_default();
        let is_outdated = |record: &&DocumentRecord| record.language_borrowed && record.language != language;
        let outdated: Vec<DocumentRecord> = self.indexed.values().filter(is_outdated).cloned().collect();
        for mut record in outdated {
            if self.context.stop.is_cancelled() {
                self.report.interrupted = true;
                break;
            }
            let chunks = self.index.chunks(&record.document_id).await?;
            if chunks.len() != record.chunks as usize {
                // Whatever is amiss with the index, this would make it worse.
                continue;
            }
            record.language.clone_from(&language);
            self.batch.revise(record, chunks);
            self.commit_if_due().await?;
        }
        self.commit().await
    }
}
