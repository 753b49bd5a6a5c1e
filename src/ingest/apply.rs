//! Carries out a plan, in batches, each one durable commit.
//!
//! A document that fails leaves its old version in the index. An interruption gives up what is being read, and leaves
//! out what waits for the rest of the folder; every document is old or new, and the next run finishes as if there had
//! been no interruption.

mod batch;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;

use crate::docs::format::FormatError;
use crate::docs::reader::ReadError;
use crate::docs::{ReadFile, chunk, identity};
use crate::error::Problem;
use crate::event::Event;
use crate::index::{IndexChange, VectorStore};
use crate::ingest::apply::batch::{Batch, Prepared};
use crate::ingest::failures::Failures;
use crate::ingest::language::{self, Majority};
use crate::ingest::plan::{Change, Plan};
use crate::ingest::scan::{Scan, ScannedFile};
use crate::ingest::{Folders, SyncContext, SyncError, SyncReport};
use crate::model::{Chunk, DocumentRecord};

const READS_AT_ONCE: usize = 2;

/// A document is short, and waits for the folder's language, below this.
const SHORT_TEXT_BYTES: usize = 2_000;

/// What is to be done, and what it was decided on.
#[derive(Debug)]
pub struct Work {
    /// The changes.
    pub plan: Plan,
    /// The folder.
    pub scan: Scan,
    /// What the index has.
    pub records: Vec<DocumentRecord>,
}

/// Carries out the plan.
pub async fn apply(
    index: &Arc<dyn VectorStore>,
    folders: &Folders,
    work: Work,
    context: SyncContext<'_>,
) -> Result<SyncReport, SyncError> {
    let Work { plan, mut scan, records } = work;
    let mut problems = std::mem::take(&mut scan.problems);
    problems.extend_from_slice(&plan.failed);
    for problem in &problems {
        context.observer.observe(Event::Problem(problem.clone()));
    }
    let report = SyncReport {
        unchanged: plan.keep.len() + plan.refresh.len(),
        problems,
        skipped: std::mem::take(&mut scan.skipped),
        ..SyncReport::default()
    };
    let noted = std::mem::take(&mut scan.failures);
    let mut failures = noted.clone();
    failures.keep_only(&scan.files);
    let mut run = Run {
        index,
        context,
        report,
        batch: Batch::default(),
        waiting: Vec::new(),
        majority: majority(&plan, &records),
        failures,
        files: scan.files.iter().map(|file| (file.document_id.as_str(), file)).collect(),
        records: records.iter().map(|record| (record.document_id.as_str(), record)).collect(),
        looked_at: scan.started_at,
    };
    let done = run.all(&plan).await;
    if run.failures != noted {
        remember(run.failures, folders).await;
    }
    done?;
    run.report.problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(run.report)
}

/// A failure that is not written down costs reading the file again, no more.
async fn remember(failures: Failures, folders: &Folders) {
    let state_dir = folders.state_dir.clone();
    if let Ok(Err(error)) = tokio::task::spawn_blocking(move || failures.save(&state_dir)).await {
        tracing::debug!(%error, "what could not be read is not remembered");
    }
}

fn majority(plan: &Plan, records: &[DocumentRecord]) -> Majority {
    let removed: HashSet<&str> = plan.remove.iter().map(|change| change.document_id.as_str()).collect();
    let mut majority = Majority::default();
    for record in records {
        let stays = !removed.contains(record.document_id.as_str());
        majority.count(record.language.as_deref().filter(|_| stays));
    }
    majority
}

struct Run<'a> {
    index: &'a Arc<dyn VectorStore>,
    context: SyncContext<'a>,
    report: SyncReport,
    batch: Batch,
    /// Documents too short to tell their language; they take the majority's.
    waiting: Vec<Prepared>,
    majority: Majority,
    failures: Failures,
    files: HashMap<&'a str, &'a ScannedFile>,
    records: HashMap<&'a str, &'a DocumentRecord>,
    /// The present of just before the folder was scanned.
    looked_at: Timestamp,
}

/// A file to read and why.
#[derive(Clone, Copy)]
struct Task<'a> {
    change: &'a Change,
    is_new: bool,
    scanned: &'a ScannedFile,
}

impl<'a> Run<'a> {
    async fn all(&mut self, plan: &'a Plan) -> Result<(), SyncError> {
        self.small_changes(plan).await?;
        self.renames(plan).await?;
        self.documents(plan).await
    }

    async fn small_changes(&mut self, plan: &Plan) -> Result<(), SyncError> {
        for change in &plan.refresh {
            let id = change.document_id.as_str();
            if let (Some(record), Some(scanned)) = (self.records.get(id), self.files.get(id)) {
                self.batch.changes.push(IndexChange::Refresh(self.noted(record, scanned)));
            }
        }
        for change in &plan.remove {
            self.batch.remove(change.document_id.clone());
        }
        self.commit_if_due().await
    }

    /// The record with what the scan saw of the file.
    fn noted(&self, record: &DocumentRecord, scanned: &ScannedFile) -> DocumentRecord {
        DocumentRecord {
            bytes: scanned.file.bytes,
            modified_ns: scanned.file.modified_ns,
            ctime_ns: scanned.file.ctime_ns,
            inode: scanned.file.inode,
            indexed_at: self.looked_at,
            ..record.clone()
        }
    }

    async fn renames(&mut self, plan: &Plan) -> Result<(), SyncError> {
        for change in plan.update.iter().filter(|change| change.renamed) {
            if self.context.stop.is_cancelled() {
                break;
            }
            self.rename(change).await?;
            self.commit_if_due().await?;
        }
        Ok(())
    }

    /// Puts the document's own chunks in again, under its new path. Its title follows when it came from the name.
    async fn rename(&mut self, change: &Change) -> Result<(), SyncError> {
        let id = change.document_id.as_str();
        let (Some(&record), Some(&scanned)) = (self.records.get(id), self.files.get(id)) else { return Ok(()) };
        let chunks = self.index.chunks(id).await?;
        let mut record = self.noted(record, scanned);
        record.path.clone_from(&scanned.file.path);
        if record.title_from_name {
            record.title = identity::title_from_name(&record.path);
        }
        self.batch.push(Prepared {
            record,
            chunks,
            is_new: false,
            is_renamed: true,
            replaces: change.replaces.clone(),
        });
        Ok(())
    }

    async fn documents(&mut self, plan: &'a Plan) -> Result<(), SyncError> {
        let work = self.tasks(plan);
        let SyncContext { reader, observer, clock, stop, .. } = self.context;
        observer.observe(Event::Started { task: "indexing", total: Some(work.len() as u64) });
        observer.observe(Event::Sized { bytes: work.iter().map(|task| task.scanned.file.bytes).sum() });
        let mut reads = futures_util::stream::iter(work)
            .map(|task| async move {
                observer.observe(Event::Working { item: task.change.path.clone() });
                // Before the look: a change from now on shows in the file's times.
                let looked_at = clock.now();
                (task, looked_at, reader.read(&task.scanned.file).await)
            })
            .buffered(READS_AT_ONCE);
        // The race is with the reading alone: a stop gives up the reads that are under way, and a commit ends whole.
        while let Some(next) = stop.run_until_cancelled(reads.next()).await {
            let Some((task, looked_at, result)) = next else { break };
            match result {
                Ok(file) => self.read(task, looked_at, file).await?,
                Err(ReadError::Document(error)) => self.failed(task, &error).await?,
                Err(ReadError::Reader(why)) => return Err(SyncError::Reader(why)),
            }
            let bytes = task.scanned.file.bytes;
            observer.observe(Event::Advanced { item: task.change.path.clone(), bytes });
            self.commit_if_due().await?;
        }
        drop(reads);
        if stop.is_cancelled() {
            // Which language most documents have is not known: the next run reads the waiting ones again.
            self.report.interrupted = true;
            self.waiting.clear();
        }
        self.release_waiting();
        self.commit().await?;
        observer.observe(Event::Finished);
        Ok(())
    }

    fn tasks(&self, plan: &'a Plan) -> Vec<Task<'a>> {
        let changes =
            plan.add.iter().map(|change| (change, true)).chain(plan.update.iter().map(|change| (change, false)));
        let to_read = changes.filter(|(change, _)| !change.renamed);
        to_read
            .filter_map(|(change, is_new)| {
                Some(Task { change, is_new, scanned: *self.files.get(change.document_id.as_str())? })
            })
            .collect()
    }

    fn release_waiting(&mut self) {
        let language = self.majority.language_or_default();
        for mut prepared in std::mem::take(&mut self.waiting) {
            prepared.record.language.clone_from(&language);
            self.batch.push(prepared);
        }
    }

    async fn read(&mut self, task: Task<'_>, looked_at: Timestamp, file: ReadFile) -> Result<(), SyncError> {
        let document_id = task.scanned.document_id.clone();
        let cutting = tokio::task::spawn_blocking(move || {
            let chunks = chunk::chunks(&document_id, &file.parsed.blocks);
            (file, chunks)
        });
        let (file, chunks) = cutting.await?;
        self.failures.forget(&task.scanned.file.path);
        for note in &file.parsed.notes {
            self.problem(Problem::new(&task.change.path, "document/incomplete", note));
        }
        self.prepared(task, looked_at, &file, chunks);
        Ok(())
    }

    fn prepared(&mut self, task: Task<'_>, looked_at: Timestamp, file: &ReadFile, chunks: Vec<Chunk>) {
        let Task { change, is_new, scanned } = task;
        let details = &scanned.details;
        let blocks = &file.parsed.blocks;
        let path = scanned.file.path.clone();
        let given = file.parsed.language.as_deref().and_then(language::declared);
        let language = language::detect(blocks).or(given);
        self.majority.count(language.as_deref());
        let title = details.title.clone().or_else(|| identity::own_title(&file.parsed, &path));
        let record = DocumentRecord {
            document_id: scanned.document_id.clone(),
            title_from_name: title.is_none(),
            title: title.unwrap_or_else(|| identity::title_from_name(&path)),
            path,
            description: details.description.clone(),
            tags: details.tags.clone(),
            sha256: file.sha256.clone(),
            recipe: details.recipe(),
            bytes: file.bytes,
            modified_ns: file.modified_ns,
            // Of the scan: should the file have changed since, the next one sees other values, and hashes it.
            ctime_ns: scanned.file.ctime_ns,
            inode: scanned.file.inode,
            indexed_at: looked_at,
            chunks: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
            language,
        };
        let short = blocks.iter().map(|block| block.text.len()).sum::<usize>() < SHORT_TEXT_BYTES;
        let waits = record.language.is_none() && short;
        let prepared = Prepared { record, chunks, is_new, is_renamed: false, replaces: change.replaces.clone() };
        if waits {
            self.waiting.push(prepared);
        } else {
            self.batch.push(prepared);
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.context.observer.observe(Event::Problem(problem.clone()));
        self.report.problems.push(problem);
    }

    async fn failed(&mut self, task: Task<'_>, error: &FormatError) -> Result<(), SyncError> {
        let Task { change, scanned, .. } = task;
        self.failures.note(scanned, self.looked_at, error);
        self.problem(Problem::new(&change.path, error.code(), error.to_string()));
        if change.moved_from.is_none() {
            return Ok(());
        }
        let record = self.records.get(change.document_id.as_str());
        if record.is_some_and(|record| record.sha256 == scanned.sha256) {
            // The same bytes under another path: what was made of them earlier is still true.
            return self.rename(change).await;
        }
        // The old version of a moved document stands for a file that is gone.
        self.batch.remove(change.document_id.clone());
        Ok(())
    }

    async fn commit_if_due(&mut self) -> Result<(), SyncError> {
        if self.batch.is_due(self.context.clock.now()) { self.commit().await } else { Ok(()) }
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
        self.report.renamed += batch.renamed;
        Ok(())
    }
}
