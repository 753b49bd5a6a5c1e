//! Makes an index equal to a folder: scan, plan, apply.
//!
//! [`plan()`] is pure. [`sync()`] is the one function that brings an index up to date, for every caller. It prints
//! nothing: what needs a person's word is asked through a function that the caller gives.

pub mod apply;
pub mod embed;
pub mod error;
pub mod language;
pub mod lock;
pub mod plan;
pub mod scan;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::docs::reader::Reader;
use crate::docs::walk::Skipped;
use crate::error::{Failure, Problem};
use crate::event::Observer;
use crate::index::VectorStore;

pub use crate::ingest::error::SyncError;
pub use crate::ingest::plan::{Plan, plan};
pub use crate::ingest::scan::{Scan, scan};

/// Where documents and state lie.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The documents folder.
    pub docs_dir: PathBuf,
    /// The state folder; the lock lies in it.
    pub state_dir: PathBuf,
}

/// Asks a person a question that needs yes or no.
pub type Ask<'a> = dyn Fn(&str) -> Result<bool, Failure> + Send + Sync + 'a;

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
}

/// What a sync did.
#[derive(Debug, Default, Serialize)]
pub struct SyncReport {
    /// Documents that are new.
    pub added: usize,
    /// Documents that changed.
    pub updated: usize,
    /// Documents that are gone.
    pub removed: usize,
    /// Documents that stayed as they were.
    pub unchanged: usize,
    /// Whether it was interrupted; the next run finishes.
    pub interrupted: bool,
    /// What went wrong, by path.
    pub problems: Vec<Problem>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
}

/// Brings the index up to date with the folder.
pub async fn sync(
    index: &Arc<dyn VectorStore>,
    folders: &Folders,
    context: SyncContext<'_>,
) -> Result<SyncReport, SyncError> {
    let _lock = lock::acquire(&folders.state_dir)?;
    let records = index.records().await?;
    let scan = scan(folders, &records, context.observer, context.stop).await?;
    if scan.interrupted {
        return Ok(SyncReport { interrupted: true, ..SyncReport::default() });
    }
    let plan = plan(&records, &scan);
    if let Some(question) = plan.doubt(records.len())
        && !(context.ask)(&question)?
    {
        return Err(SyncError::Declined(question));
    }
    apply::apply(index, &plan, scan, &records, context).await
}

#[cfg(test)]
mod tests;
