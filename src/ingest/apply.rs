//! Carries out a plan, in batches, each one durable commit.
//!
//! A document that fails leaves its old version in the index. An interruption gives up what is being read, and leaves
//! out what waits for the rest of the folder; every document is old or new, and the next run finishes as if there had
//! been no interruption.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt as _;

use crate::docs::format::FormatError;
use crate::docs::reader::{ReadError, Reader};
use crate::docs::{ReadFile, chunk, identity};
use crate::error::Problem;
use crate::event::Event;
use crate::index::{IndexChange, VectorStore};
use crate::ingest::language::{self, Majority};
use crate::ingest::plan::{Change, Plan};
use crate::ingest::scan::{Scan, ScannedFile};
use crate::ingest::{SyncContext, SyncError, SyncReport};
use crate::model::{Chunk, DocumentRecord};

const READS_AT_ONCE: usize = 2;
const BATCH_DOCUMENTS: usize = 64;
const BATCH_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// A document is short, and waits for the folder's language, below this.
const SHORT_TEXT_BYTES: usize = 2_000;

/// Carries out the plan.
pub async fn apply(
    index: &Arc<dyn VectorStore>,
    plan: &Plan,
    scan: Scan,
    records: &[DocumentRecord],
    context: SyncContext<'_>,
) -> Result<SyncReport, SyncError> {
    let Scan { files, skipped, problems, .. } = scan;
    for problem in &problems {
        context.observer.observe(Event::Problem(problem.clone()));
    }
    let report =
        SyncReport { unchanged: plan.keep.len() + plan.refresh.len(), problems, skipped, ..SyncReport::default() };
    let mut run =
        Run { index, context, report, batch: Batch::default(), waiting: Vec::new(), majority: majority(plan, records) };
    run.small_changes(plan, &files, records).await?;
    run.documents(plan, &files).await?;
    run.report.problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(run.report)
}

fn majority(plan: &Plan, records: &[DocumentRecord]) -> Majority {
    let mut majority = Majority::default();
    for record in records {
        let stays = !plan.remove.iter().any(|change| change.document_id == record.document_id);
        majority.count(record.language.as_deref().filter(|_| stays));
    }
    majority
}

/// Changes that wait for the next commit.
#[derive(Default)]
struct Batch {
    changes: Vec<IndexChange>,
    text_bytes: usize,
    added: usize,
    updated: usize,
    removed: usize,
}

/// A document that is read but not yet in a batch.
struct Prepared {
    record: DocumentRecord,
    chunks: Vec<Chunk>,
    is_new: bool,
    /// The document's old id, when it has a new one.
    replaces: Option<String>,
}

struct Run<'a> {
    index: &'a Arc<dyn VectorStore>,
    context: SyncContext<'a>,
    report: SyncReport,
    batch: Batch,
    /// Documents too short to tell their language; they take the majority's.
    waiting: Vec<Prepared>,
    majority: Majority,
}

impl Run<'_> {
    async fn small_changes(
        &mut self,
        plan: &Plan,
        files: &[ScannedFile],
        records: &[DocumentRecord],
    ) -> Result<(), SyncError> {
        let by_id: HashMap<&str, &ScannedFile> = files.iter().map(|file| (file.document_id.as_str(), file)).collect();
        for record in records {
            let refreshed = plan.refresh.iter().any(|change| change.document_id == record.document_id);
            if let Some(scanned) = by_id.get(record.document_id.as_str()).filter(|_| refreshed) {
                let mut record = record.clone();
                record.bytes = scanned.file.bytes;
                record.modified_ns = scanned.file.modified_ns;
                record.indexed_at = self.context.clock.now();
                self.batch.changes.push(IndexChange::Refresh(record));
            }
        }
        for change in &plan.remove {
            self.batch.changes.push(IndexChange::Remove { document_id: change.document_id.clone() });
            self.batch.removed += 1;
        }
        if self.batch.changes.len() >= BATCH_DOCUMENTS {
            self.commit().await?;
        }
        Ok(())
    }

    async fn documents(&mut self, plan: &Plan, files: &[ScannedFile]) -> Result<(), SyncError> {
        let by_id: HashMap<&str, &ScannedFile> = files.iter().map(|file| (file.document_id.as_str(), file)).collect();
        let changes =
            plan.add.iter().map(|change| (change, true)).chain(plan.update.iter().map(|change| (change, false)));
        let work: Vec<(&Change, bool, &ScannedFile)> = changes
            .filter_map(|(change, is_new)| Some((change, is_new, *by_id.get(change.document_id.as_str())?)))
            .collect();
        self.context.observer.observe(Event::Started { task: "indexing", total: Some(work.len() as u64) });
        let reader = self.context.reader;
        let mut reads = futures_util::stream::iter(work)
            .map(|(change, is_new, scanned)| async move { (change, is_new, scanned, read(reader, scanned).await) })
            .buffered(READS_AT_ONCE);
        // The race is with the reading alone: a stop gives up the reads that are under way, and a commit ends whole.
        while let Some(next) = self.context.stop.run_until_cancelled(reads.next()).await {
            let Some((change, is_new, scanned, result)) = next else { break };
            match result? {
                Ok(file) => self.prepared(scanned, file, change, is_new),
                Err(error) => self.failed(change, &error),
            }
            self.context.observer.observe(Event::Advanced { item: change.path.clone(), bytes: scanned.file.bytes });
            if self.batch.is_full() {
                self.commit().await?;
            }
        }
        drop(reads);
        if self.context.stop.is_cancelled() {
            // Which language most documents have is not known: the next run reads the waiting ones again.
            self.report.interrupted = true;
            self.waiting.clear();
        }
        self.release_waiting();
        self.commit().await?;
        self.context.observer.observe(Event::Finished);
        Ok(())
    }

    fn release_waiting(&mut self) {
        let language = self.majority.language_or_default();
        for mut prepared in std::mem::take(&mut self.waiting) {
            prepared.record.language.clone_from(&language);
            self.batch.push(prepared);
        }
    }

    fn prepared(
        &mut self,
        scanned: &ScannedFile,
        (file, chunks): (ReadFile, Vec<Chunk>),
        change: &Change,
        is_new: bool,
    ) {
        let details = &scanned.details;
        let blocks = &file.parsed.blocks;
        let path = scanned.file.path.clone();
        let given = file.parsed.language.as_deref().and_then(language::declared);
        let language = language::detect(blocks).or(given);
        self.majority.count(language.as_deref());
        let record = DocumentRecord {
            document_id: scanned.document_id.clone(),
            title: details.title.clone().unwrap_or_else(|| identity::derive_title(&file.parsed, &path)),
            path,
            description: details.description.clone(),
            tags: details.tags.clone(),
            sha256: file.sha256.clone(),
            recipe: details.recipe(),
            bytes: file.bytes,
            modified_ns: file.modified_ns,
            indexed_at: self.context.clock.now(),
            chunks: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
            language,
        };
        let short = blocks.iter().map(|block| block.text.len()).sum::<usize>() < SHORT_TEXT_BYTES;
        let waits = record.language.is_none() && short;
        let prepared = Prepared { record, chunks, is_new, replaces: change.replaces.clone() };
        if waits {
            self.waiting.push(prepared);
        } else {
            self.batch.push(prepared);
        }
    }

    fn failed(&mut self, change: &Change, error: &FormatError) {
        let problem = Problem::new(&change.path, error.code(), error.to_string());
        self.context.observer.observe(Event::Problem(problem.clone()));
        self.report.problems.push(problem);
        // The old version of a moved document stands for a file that is gone.
        if change.moved_from.is_some() {
            self.batch.changes.push(IndexChange::Remove { document_id: change.document_id.clone() });
            self.batch.removed += 1;
        }
    }

    async fn commit(&mut self) -> Result<(), SyncError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.changes.is_empty() {
            return Ok(());
        }
        self.index.apply(batch.changes).await?;
        self.report.added += batch.added;
        self.report.updated += batch.updated;
        self.report.removed += batch.removed;
        Ok(())
    }
}

impl Batch {
    fn push(&mut self, prepared: Prepared) {
        self.text_bytes += prepared.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>();
        self.added += usize::from(prepared.is_new);
        self.updated += usize::from(!prepared.is_new);
        // In one commit with the new one: the old id goes when, and only when, the new one is there.
        self.changes.extend(prepared.replaces.map(|document_id| IndexChange::Remove { document_id }));
        self.changes.push(IndexChange::Put { record: prepared.record, chunks: prepared.chunks });
    }

    fn is_full(&self) -> bool {
        self.changes.len() >= BATCH_DOCUMENTS || self.text_bytes >= BATCH_TEXT_BYTES
    }
}

type ReadResult = Result<(ReadFile, Vec<Chunk>), FormatError>;

async fn read(reader: &dyn Reader, scanned: &ScannedFile) -> Result<ReadResult, SyncError> {
    let file = match reader.read(&scanned.file).await {
        Ok(file) => file,
        Err(ReadError::Document(error)) => return Ok(Err(error)),
        Err(ReadError::Reader(why)) => return Err(SyncError::Reader(why)),
    };
    let document_id = scanned.document_id.clone();
    let cutting = tokio::task::spawn_blocking(move || {
        let chunks = chunk::chunks(&document_id, &file.parsed.blocks);
        (file, chunks)
    });
    Ok(Ok(cutting.await?))
}
