//! Carries out a plan, in batches, each one durable commit.
//!
//! A document that fails leaves its old version in the index. An interruption gives up what is being read and keeps
//! what was read; every document is old or new, and the next run finishes as if there had been no interruption.

mod batch;
mod borrowed;
mod order;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::docs::format::FormatError;
use crate::docs::reader::ReadError;
use crate::docs::{ReadFile, chunk, identity};
use crate::error::Problem;
use crate::event::Event;
use crate::index::{IndexChange, VectorStore};
use crate::ingest::apply::batch::{Batch, Prepared};
use crate::ingest::apply::order::Order;
use crate::ingest::failures::Failures;
use crate::ingest::language::{self, Majority};
use crate::ingest::plan::{Change, Plan};
use crate::ingest::scan::{Scan, ScannedFile};
use crate::ingest::{Folders, SyncContext, SyncError, SyncReport};
use crate::model::{Block, Chunk, DocumentRecord};

/// When nothing has come for so long, what has come is committed: there is nothing better to do, and no kill costs it.
const QUIET: Duration = Duration::from_secs(3);

/// A document is short, and takes the folder's language, below this.
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
        order: Order::default(),
        majority: majority(&plan, &records),
        failures,
        files: scan.files.iter().map(|file| (file.document_id.as_str(), file)).collect(),
        records: records.iter().map(|record| (record.document_id.as_str(), record)).collect(),
        by_path: records.iter().map(|record| (record.path.as_str(), record)).collect(),
        renamed: plan.update.iter().filter(|change| change.renamed).map(|change| change.document_id.as_str()).collect(),
        indexed: records.iter().map(|record| (record.document_id.clone(), record.clone())).collect(),
        put: HashSet::new(),
        displaced: HashMap::new(),
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
    Majority::of(records.iter().filter(|record| !removed.contains(record.document_id.as_str())))
}

struct Run<'a> {
    index: &'a Arc<dyn VectorStore>,
    context: SyncContext<'a>,
    report: SyncReport,
    batch: Batch,
    order: Order<Done<'a>>,
    /// Of the documents known so far.
    majority: Majority,
    failures: Failures,
    files: HashMap<&'a str, &'a ScannedFile>,
    records: HashMap<&'a str, &'a DocumentRecord>,
    by_path: HashMap<&'a str, &'a DocumentRecord>,
    /// Ids of the documents that only have another path.
    renamed: HashSet<&'a str>,
    /// What the index has now, after the last commit.
    indexed: BTreeMap<String, DocumentRecord>,
    /// Ids of the documents that were put in.
    put: HashSet<String>,
    /// Documents whose old path went to another one before they were read under their new path, with their chunks.
    displaced: HashMap<&'a str, Vec<Chunk>>,
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

/// The place of a task in the work, the task, the present before its file was opened, and what came of it.
type Reading<'a> = (usize, Task<'a>, Timestamp, Result<ReadFile, ReadError>);

/// What came of a task, whose fault is the document's.
struct Done<'a> {
    task: Task<'a>,
    looked_at: Timestamp,
    result: Result<ReadFile, FormatError>,
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
        let chunks = match self.displaced.remove(id) {
            Some(chunks) => chunks,
            None => self.index.chunks(id).await?,
        };
        let mut record = self.noted(record, scanned);
        record.path.clone_from(&scanned.file.path);
        if record.title_from_name {
            record.title = identity::title_from_name(&record.path);
        }
        let replaces = change.replaces.clone();
        self.put(Prepared { record, chunks, is_new: false, is_renamed: true, replaces }).await
    }

    /// Puts a document into the next commit. Another one that still stands under its path goes in the same commit, for
    /// the path is no longer its own.
    async fn put(&mut self, prepared: Prepared) -> Result<(), SyncError> {
        let (id, path) = (prepared.record.document_id.as_str(), prepared.record.path.as_str());
        if let Some(&other) = self.by_path.get(path) {
            let other_id = other.document_id.as_str();
            let is_elsewhere = self.files.contains_key(other_id);
            let is_settled = self.put.contains(other_id) || self.renamed.contains(other_id);
            if other_id != id && is_elsewhere && !is_settled && !self.displaced.contains_key(other_id) {
                self.displaced.insert(other_id, self.index.chunks(other_id).await?);
                self.batch.changes.push(IndexChange::Remove { document_id: other_id.to_owned() });
            }
        }
        self.put.insert(prepared.record.document_id.clone());
        self.batch.push(prepared);
        Ok(())
    }

    async fn documents(&mut self, plan: &'a Plan) -> Result<(), SyncError> {
        let work = self.tasks(plan);
        let SyncContext { reader, observer, clock, stop, .. } = self.context;
        observer.observe(Event::Started { task: "indexing", total: Some(work.len() as u64) });
        observer.observe(Event::Sized { bytes: work.iter().map(|task| task.scanned.file.bytes).sum() });
        let reads = futures_util::stream::iter(work.into_iter().enumerate())
            .map(|(place, task)| async move {
                observer.observe(Event::Working { item: task.change.path.clone() });
                // Before the look: a change from now on shows in the file's times.
                let looked_at = clock.now();
                (place, task, looked_at, reader.read(&task.scanned.file).await)
            })
            .buffer_unordered(reader.width().max(1));
        let outcome = self.take_in(reads).await;
        self.report.interrupted |= stop.is_cancelled();
        // Whatever ended the reading, what was read is kept.
        self.order.wait_no_more();
        self.go_ahead().await?;
        self.commit().await?;
        outcome?;
        if !self.report.interrupted {
            self.revise_languages().await?;
        }
        observer.observe(Event::Finished);
        Ok(())
    }

    /// Takes in what is read until all is, or until a stop.
    async fn take_in(&mut self, mut reads: impl Stream<Item = Reading<'a>> + Unpin) -> Result<(), SyncError> {
        let SyncContext { observer, clock, stop, .. } = self.context;
        // The race is with the reading alone: a stop gives up the reads that are under way, and a commit ends whole.
        loop {
            match timeout(QUIET, stop.run_until_cancelled(reads.next())).await {
                Ok(Some(Some((place, task, looked_at, result)))) => {
                    let result = match result {
                        Ok(file) => Ok(file),
                        Err(ReadError::Document(error)) => Err(error),
                        Err(ReadError::Reader(why)) => return Err(SyncError::Reader(why)),
                    };
                    let bytes = result.as_ref().map_or(0, |file| text_bytes(&file.parsed.blocks));
                    self.order.push(place, Done { task, looked_at, result }, bytes, clock.now());
                    let bytes = task.scanned.file.bytes;
                    observer.observe(Event::Advanced { item: task.change.path.clone(), bytes });
                    self.go_ahead().await?;
                }
                Ok(_) => return Ok(()),
                Err(_) => {
                    self.order.wait_no_more();
                    self.go_ahead().await?;
                    self.commit().await?;
                }
            }
        }
    }

    /// Does with what was read what is to be done with it.
    async fn go_ahead(&mut self) -> Result<(), SyncError> {
        while let Some(Done { task, looked_at, result }) = self.order.pop() {
            match result {
                Ok(file) => self.read(task, looked_at, file).await?,
                Err(error) => self.failed(task, &error).await?,
            }
            self.commit_if_due().await?;
        }
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
        let record = self.record(task, looked_at, &file, chunks.len());
        let Task { change, is_new, .. } = task;
        self.put(Prepared { record, chunks, is_new, is_renamed: false, replaces: change.replaces.clone() }).await
    }

    fn record(&mut self, task: Task<'_>, looked_at: Timestamp, file: &ReadFile, chunks: usize) -> DocumentRecord {
        let scanned = task.scanned;
        let details = &scanned.details;
        let blocks = &file.parsed.blocks;
        let path = scanned.file.path.clone();
        let given = file.parsed.language.as_deref().and_then(language::declared);
        let own_language = language::detect(blocks).or(given);
        self.majority.count(own_language.as_deref());
        let language_borrowed = own_language.is_none() && text_bytes(blocks) < SHORT_TEXT_BYTES;
        let title = details.title.clone().or_else(|| identity::own_title(&file.parsed, &path));
        DocumentRecord {
            document_id: scanned.document_id.clone(),
            title_from_name: title.is_none(),
            format: file.parsed.format.clone(),
            title: title.unwrap_or_else(|| identity::title_from_name(&path)),
            path,
            description: details.description.clone(),
            tags: details.tags.clone(),
            roles: details.roles.clone(),
            sha256: file.sha256.clone(),
            recipe: details.recipe(),
            bytes: file.bytes,
            modified_ns: file.modified_ns,
            // Of the scan: should the file have changed since, the next one sees other values, and hashes it.
            ctime_ns: scanned.file.ctime_ns,
            inode: scanned.file.inode,
            indexed_at: looked_at,
            chunks: u32::try_from(chunks).unwrap_or(u32::MAX),
            language: if language_borrowed { self.majority.language_or_default() } else { own_language },
            language_borrowed,
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
        // The old version stays under its old path, though no file is there: nobody was asked whether it may go.
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
        let records: Vec<_> = batch.changes.iter().map(record_after).collect();
        self.index.apply(batch.changes).await?;
        for (document_id, record) in records {
            match record {
                Some(record) => self.indexed.insert(document_id, record),
                None => self.indexed.remove(&document_id),
            };
        }
        self.report.added += batch.added;
        self.report.updated += batch.updated;
        self.report.removed += batch.removed;
        self.report.renamed += batch.renamed;
        Ok(())
    }
}

/// The record of a document after a change; none when it is removed.
fn record_after(change: &IndexChange) -> (String, Option<DocumentRecord>) {
    match change {
        IndexChange::Put { record, .. } | IndexChange::Refresh(record) => {
            (record.document_id.clone(), Some(record.clone()))
        }
        IndexChange::Remove { document_id } => (document_id.clone(), None),
    }
}

fn text_bytes(blocks: &[Block]) -> usize {
    blocks.iter().map(|block| block.text.len()).sum()
}
