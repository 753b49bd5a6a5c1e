//! Looks at the folder: which files there are, and what each one's hash is.
//!
//! A file is not read again when its size and time are those of the record, and the time is old enough that a later
//! change would show.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::docs::catalogue::{Catalogue, Details};
use crate::docs::identity::{Claim, assign_ids};
use crate::docs::walk::{self, FoundFile, Listing, Skipped};
use crate::error::Problem;
use crate::event::{Event, Observer};
use crate::ingest::{Folders, SyncError};
use crate::model::DocumentRecord;

/// A file written this shortly before it was indexed may have been changed again within the same tick of the clock.
const RACY_NS: i128 = 2_000_000_000;

const HASHES_AT_ONCE: usize = 2;

/// A file, what it is called and what is said about it.
#[derive(Debug, Clone)]
pub struct ScannedFile {
    /// The file.
    pub file: FoundFile,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// The id it has or will have.
    pub document_id: String,
    /// What the catalogue says of it.
    pub details: Details,
}

/// The folder as it is now.
#[derive(Debug, Default)]
pub struct Scan {
    /// Files to be in the index, sorted by path.
    pub files: Vec<ScannedFile>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
    /// What could not be looked at. Documents at or below these paths stay in the index.
    pub problems: Vec<Problem>,
    /// Whether the work was interrupted: the rest says nothing.
    pub interrupted: bool,
}

/// Scans the folder. `records` say what need not be hashed again and which ids are known.
pub async fn scan(
    folders: &Folders,
    records: &[DocumentRecord],
    observer: &dyn Observer,
    stop: &CancellationToken,
) -> Result<Scan, SyncError> {
    let root = folders.docs_dir.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let listing = walk::walk(&root)?;
        Ok::<_, SyncError>((listing, Catalogue::load(&root)?))
    });
    let Some(looked) = stop.run_until_cancelled(looking).await else {
        return Ok(Scan { interrupted: true, ..Scan::default() });
    };
    let (listing, catalogue) = looked??;
    let known: HashMap<&str, &DocumentRecord> = records.iter().map(|record| (record.path.as_str(), record)).collect();
    observer.observe(Event::Started { task: "scanning", total: Some(listing.files.len() as u64) });
    let hashed = hash_all(&listing.files, &known, observer, stop).await?;
    observer.observe(Event::Finished);
    if stop.is_cancelled() {
        return Ok(Scan { interrupted: true, ..Scan::default() });
    }
    assemble(listing, hashed, &catalogue, &known)
}

type Hashed = BTreeMap<String, Result<String, std::io::Error>>;

async fn hash_all(
    files: &[FoundFile],
    known: &HashMap<&str, &DocumentRecord>,
    observer: &dyn Observer,
    stop: &CancellationToken,
) -> Result<Hashed, SyncError> {
    let mut hashes = futures_util::stream::iter(files)
        .map(|file| {
            let path = file.path.clone();
            let absolute = Arc::new(file.absolute.clone());
            let same = known.get(path.as_str()).filter(|record| is_untouched(file, record));
            let same = same.map(|record| record.sha256.clone());
            async move {
                let hash = match same {
                    Some(hash) => Ok(hash),
                    None => tokio::task::spawn_blocking(move || walk::hash_file(&absolute)).await?,
                };
                Ok::<_, SyncError>((path, file.bytes, hash))
            }
        })
        .buffered(HASHES_AT_ONCE);
    let mut hashed = Hashed::new();
    while let Some(Some(result)) = stop.run_until_cancelled(hashes.next()).await {
        let (path, bytes, hash) = result?;
        observer.observe(Event::Advanced { item: path.clone(), bytes });
        hashed.insert(path, hash);
    }
    Ok(hashed)
}

/// Whether a file is certainly the one that was indexed.
fn is_untouched(file: &FoundFile, record: &DocumentRecord) -> bool {
    let Some(modified) = file.modified_ns else {
        return false;
    };
    let settled = record.indexed_at.as_nanosecond() - i128::from(modified) > RACY_NS;
    file.bytes == record.bytes
        && Some(modified) == record.modified_ns
        && settled
        && record.indexed_at > Timestamp::UNIX_EPOCH
}

fn assemble(
    listing: Listing,
    mut hashed: Hashed,
    catalogue: &Catalogue,
    known: &HashMap<&str, &DocumentRecord>,
) -> Result<Scan, SyncError> {
    let mut problems = listing.problems;
    let mut files = Vec::new();
    for file in listing.files {
        match hashed.remove(&file.path) {
            Some(Ok(sha256)) => files.push((file, sha256)),
            // It went away while we looked: it is not there.
            Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Some(Err(error)) => problems.push(Problem::new(file.path, "document/unreadable", error.to_string())),
            None => {}
        }
    }
    let troubled = problems.iter().map(|problem| problem.path.as_str());
    let bound = catalogue.bind(files.iter().map(|(file, _)| file.path.as_str()).chain(troubled))?;
    let details: Vec<Details> = files.iter().map(|(file, _)| bound.details(&file.path)).collect();
    let claims: Vec<Claim<'_>> = files
        .iter()
        .zip(&details)
        .map(|((file, _), details)| Claim {
            path: &file.path,
            given: details.id.as_deref(),
            known: known.get(file.path.as_str()).map(|record| record.document_id.as_str()),
        })
        .collect();
    let reserved: BTreeSet<String> = known
        .values()
        .filter(|record| is_held(&record.path, &problems))
        .map(|record| record.document_id.clone())
        .collect();
    let mut ids = assign_ids(&claims, &reserved);
    let files = files
        .into_iter()
        .zip(details)
        .filter_map(|((file, sha256), details)| {
            let document_id = ids.remove(&file.path)?;
            Some(ScannedFile { file, sha256, document_id, details })
        })
        .collect();
    problems.extend(bound.problems);
    Ok(Scan { files, skipped: listing.skipped, problems, interrupted: false })
}

/// Whether a path could not be looked at, itself or a folder above it.
pub fn is_held(path: &str, problems: &[Problem]) -> bool {
    problems.iter().any(|problem| {
        let rest = path.strip_prefix(problem.path.as_str());
        problem.path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
