//! Reads every document of a folder once, and keeps of each what an examination makes of it.
//!
//! The one reading loop of `docs scan`, `docs lint`, `docs inventory`, and of the gate before an upload. At most `MAX_AT_ONCE` documents are in
//! memory at a time. It judges nothing.

use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::docs::ReadFile;
use crate::docs::format::FormatError;
use crate::docs::reader::{ReadError, Reader};
use crate::docs::walk::{self, FoundFile, Listing};
use crate::error::Problem;
use crate::event::{Event, Observer};
use crate::lint::LintError;
use crate::lint::sensitive::redact;

/// More at once only takes memory: reading is bound by processors.
const MAX_AT_ONCE: usize = 8;
const MIN_AT_ONCE: usize = 2;

/// What the work needs.
#[derive(Clone, Copy)]
pub struct LookContext<'a> {
    /// Reads the documents.
    pub reader: &'a dyn Reader,
    /// Told about every step.
    pub observer: &'a dyn Observer,
    /// Ends the work.
    pub stop: &'a CancellationToken,
}

/// A document, as the reader gave it.
pub type Read = Result<ReadFile, FormatError>;

/// What becomes of one document; it takes the document, so that no text outlives it.
pub type Examine<T> = dyn Fn(FoundFile, Read) -> T + Send + Sync;

/// Lists `root`, reads every document, gives each to `examine` on a background thread, and hands the results to
/// `take` in the order of paths. `None` when it was stopped.
pub async fn look<T: Send + 'static>(
    root: &Path,
    context: LookContext<'_>,
    examine: Arc<Examine<T>>,
    take: impl FnMut(T),
) -> Result<Option<Listing>, LintError> {
    let folder = root.to_owned();
    let walking = tokio::task::spawn_blocking(move || walk::walk(&folder));
    let Some(walked) = context.stop.run_until_cancelled(walking).await else { return Ok(None) };
    let listing = walked??;
    Ok(look_at(&listing.files, context, examine, take).await?.map(|()| listing))
}

/// Does the same with files that are known already. `None` when it was stopped.
pub async fn look_at<T: Send + 'static>(
    files: &[FoundFile],
    context: LookContext<'_>,
    examine: Arc<Examine<T>>,
    mut take: impl FnMut(T),
) -> Result<Option<()>, LintError> {
    let total = Some(files.len() as u64);
    context.observer.observe(Event::Started { task: "reading", total });
    let at_once = available_parallelism().map_or(MIN_AT_ONCE, |count| count.get().clamp(MIN_AT_ONCE, MAX_AT_ONCE));
    let mut examined = futures_util::stream::iter(files.iter().cloned())
        .map(|file| examine_one(file, context, Arc::clone(&examine)))
        .buffered(at_once);
    while let Some(next) = context.stop.run_until_cancelled(examined.next()).await {
        match next {
            Some(result) => take(result?),
            None => break,
        }
    }
    drop(examined);
    context.observer.observe(Event::Finished);
    Ok((!context.stop.is_cancelled()).then_some(()))
}

/// Why a document was not read. A reader may quote what it stumbled over.
pub fn problem(file: &FoundFile, error: &FormatError) -> Problem {
    Problem::new(file.path.clone(), error.code(), redact(&error.to_string()))
}

async fn examine_one<T: Send + 'static>(
    file: FoundFile,
    context: LookContext<'_>,
    examine: Arc<Examine<T>>,
) -> Result<T, LintError> {
    let read = match context.reader.read(&file).await {
        Ok(read) => Ok(read),
        Err(ReadError::Document(error)) => Err(error),
        Err(ReadError::Reader(why)) => return Err(LintError::Reader(why)),
    };
    if let Err(error) = &read {
        context.observer.observe(Event::Problem(problem(&file, error)));
    }
    let (item, bytes) = (file.path.clone(), file.bytes);
    let result = tokio::task::spawn_blocking(move || examine(file, read)).await?;
    context.observer.observe(Event::Advanced { item, bytes });
    Ok(result)
}
