//! Makes an index equal to a folder: scan, plan, apply.
//!
//! [`plan()`] is pure. [`sync()`] is the one function that brings an index up to date, for every caller. It prints
//! nothing: what needs a person's word is asked through a function that the caller gives.

pub mod apply;
pub mod documents;
pub mod embed;
pub mod error;
pub mod failures;
pub mod held;
pub mod language;
pub mod lock;
pub mod plan;
pub mod removals;
pub mod renames;
pub mod scan;
pub mod watch;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::docs::format;
use crate::docs::reader::Reader;
use crate::docs::walk::Skipped;
use crate::error::{Failure, Problem};
use crate::event::Observer;
use crate::index::VectorStore;

pub use crate::ingest::error::SyncError;
pub use crate::ingest::plan::{Plan, plan};
pub use crate::ingest::removals::doubt;
pub use crate::ingest::scan::{Looking, Scan, scan};

/// Where documents and state lie.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The documents folder.
    pub docs_dir: PathBuf,
    /// The state folder; the lock lies in it.
    pub state_dir: PathBuf,
}

/// Asks whether many documents may be removed; the question names their number. `false` is a no, also of nobody.
///
/// It is called on a thread that has other tasks: who waits for a person in it says so (`block_in_place`).
pub type Ask<'a> = dyn Fn(&str) -> Result<bool, Failure> + Send + Sync + 'a;

/// What a person may want otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub struct SyncOptions {
    /// Whether every file is hashed, however untouched it looks.
    pub checksum: bool,
    /// Whether unchanged files that could not be read the last time are read again.
    pub retry_failed: bool,
    /// Whether many documents may be removed without a question.
    pub allow_delete: bool,
    /// How long another sync is waited for.
    pub wait: Duration,
}

/// What a sync works with.
#[derive(Clone, Copy)]
pub struct SyncContext<'a> {
    /// Reads the documents.
    pub reader: &'a dyn Reader,
    /// Told about every step.
    pub observer: &'a dyn Observer,
    /// Asked before many documents are removed.
    pub ask: &'a Ask<'a>,
    /// Where the present comes from.
    pub clock: &'a dyn Clock,
    /// Ends the work: at once while something is read, after the commit while something is written.
    pub stop: &'a CancellationToken,
    /// What is wanted otherwise.
    pub options: SyncOptions,
}

/// What a sync did.
#[derive(Debug, Default, Serialize)]
pub struct SyncReport {
    /// Documents that are new.
    pub added: usize,
    /// Documents that changed, those included that were only renamed.
    pub updated: usize,
    /// Documents that are gone.
    pub removed: usize,
    /// Documents that stayed as they were.
    pub unchanged: usize,
    /// How many of the updated ones only have another path: they were not read again.
    pub renamed: usize,
    /// Whether it was interrupted; the next run finishes.
    pub interrupted: bool,
    /// What went wrong, by path.
    pub problems: Vec<Problem>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
}

impl SyncReport {
    /// Whether the index is another than before.
    pub fn has_changes(&self) -> bool {
        self.added + self.updated + self.removed > 0
    }
}

/// Brings the index up to date with the folder.
///
/// A question is asked without the lock: a person may take their time, and other syncs need not wait for it. What is
/// done afterwards is decided on the folder as it is then, and an answer counts for no more than what it was asked of.
pub async fn sync(
    index: &Arc<dyn VectorStore>,
    folders: &Folders,
    context: SyncContext<'_>,
) -> Result<SyncReport, SyncError> {
    let SyncContext { stop, options, .. } = context;
    let mut agreed = Removals::new();
    loop {
        let lock = lock::acquire_within(&folders.state_dir, options.wait, stop).await?;
        let Some(work) = look(index, folders, context).await? else {
            return Ok(SyncReport { interrupted: true, ..SyncReport::default() });
        };
        let removals = removals(&work.plan);
        let is_agreed = options.allow_delete || removals.is_subset(&agreed);
        let Some(question) = doubt(&work.plan, &work.records).filter(|_| !is_agreed) else {
            let report = apply::apply(index, folders, work, context).await;
            context.reader.rest();
            return report;
        };
        drop(lock);
        if !(context.ask)(&question)? {
            return Err(SyncError::Declined(question));
        }
        agreed = removals;
    }
}

/// The documents that a plan removes: id and path.
type Removals = BTreeSet<(String, String)>;

fn removals(plan: &Plan) -> Removals {
    plan.remove.iter().map(|change| (change.document_id.clone(), change.path.clone())).collect()
}

/// What is to be done now; none when the look was interrupted.
async fn look(
    index: &Arc<dyn VectorStore>,
    folders: &Folders,
    context: SyncContext<'_>,
) -> Result<Option<apply::Work>, SyncError> {
    let SyncContext { observer, clock, stop, options, .. } = context;
    let records = index.records().await?;
    let looking = Looking {
        observer,
        clock,
        stop,
        checksum: options.checksum,
        retry_failed: options.retry_failed,
        max_bytes: format::max_bytes,
    };
    let scan = scan(folders, &records, looking).await?;
    if scan.interrupted {
        return Ok(None);
    }
    Ok(Some(apply::Work { plan: plan(&records, &scan), scan, records }))
}

#[cfg(test)]
mod tests;
