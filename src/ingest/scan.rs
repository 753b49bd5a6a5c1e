//! Looks at the folder: which files there are, and what each one's hash is.
//!
//! A file is not read again when its size, its times and its inode are those noted, and the times are old enough that
//! a later change would show.

use std::collections::{BTreeMap, HashMap};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::docs::catalogue::{Catalogue, Details};
use crate::docs::identity::assign_ids;
use crate::docs::walk::{self, FoundFile, Listing, MaxBytes, Skipped};
use crate::error::Problem;
use crate::event::{Event, Observer};
use crate::ingest::failures::Failures;
use crate::ingest::held::Held;
use crate::ingest::{Folders, SyncError, documents};
use crate::model::DocumentRecord;

/// A file written this shortly before it was looked at may have been changed again within the same tick of the clock:
/// the coarsest file systems count in steps of two seconds.
const RACY_NS: i128 = 2_000_000_000;

const HASHES_AT_ONCE: usize = 2;

/// How the folder is looked at.
#[derive(Clone, Copy)]
pub struct Looking<'a> {
    /// Told about every file that is hashed.
    pub observer: &'a dyn Observer,
    /// Where the present comes from.
    pub clock: &'a dyn Clock,
    /// Ends the work.
    pub stop: &'a CancellationToken,
    /// Whether every file is hashed.
    pub checksum: bool,
    /// Whether files that could not be read the last time count as not yet read.
    pub retry_failed: bool,
    /// How many bytes a file may have.
    pub max_bytes: MaxBytes,
}

/// A file and its hash.
#[derive(Debug, Clone)]
pub struct HashedFile {
    /// The file.
    pub file: FoundFile,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

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
    /// Why these bytes could not be read the last time.
    pub failed: Option<Problem>,
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
    /// What could not be read the last time.
    pub failures: Failures,
    /// The present of just before the look.
    pub started_at: Timestamp,
    /// Whether the work was interrupted: the rest says nothing.
    pub interrupted: bool,
}

/// Scans the folder. `records` say what need not be hashed again and which ids are known.
pub async fn scan(folders: &Folders, records: &[DocumentRecord], looking: Looking<'_>) -> Result<Scan, SyncError> {
    let started_at = looking.clock.now();
    let Folders { docs_dir, state_dir } = folders.clone();
    let look = tokio::task::spawn_blocking(move || {
        let listing = walk::walk_within(&docs_dir, looking.max_bytes)?;
        Ok::<_, SyncError>((listing, Catalogue::load(&docs_dir)?, Failures::load(&state_dir)))
    });
    let interrupted = || Ok(Scan { interrupted: true, ..Scan::default() });
    let Some(looked) = looking.stop.run_until_cancelled(look).await else { return interrupted() };
    let (listing, catalogue, failures) = looked??;
    let known: HashMap<&str, &DocumentRecord> = records.iter().map(|record| (record.path.as_str(), record)).collect();
    let noted = Noted { known: &known, failures: &failures, checksum: looking.checksum };
    let hashed = hash_all(&listing.files, &noted, looking).await?;
    if looking.stop.is_cancelled() {
        return interrupted();
    }
    let mut scan = Assembly { records, catalogue: &catalogue }.assemble(listing, hashed)?;
    scan.started_at = started_at;
    if !looking.retry_failed {
        for scanned in &mut scan.files {
            scanned.failed = remembered(&failures, scanned);
        }
    }
    scan.failures = failures;
    Ok(scan)
}

fn remembered(failures: &Failures, scanned: &ScannedFile) -> Option<Problem> {
    let failed = failures.get(&scanned.file.path)?;
    let same = failed.sha256 == scanned.sha256 && failed.recipe == scanned.details.recipe();
    same.then(|| failed.problem(&scanned.file.path))
}

/// What is noted of the files from earlier looks.
struct Noted<'a> {
    known: &'a HashMap<&'a str, &'a DocumentRecord>,
    failures: &'a Failures,
    checksum: bool,
}

impl Noted<'_> {
    /// The hash of a file that is certainly the one that was looked at before.
    fn hash_of(&self, file: &FoundFile) -> Option<String> {
        if self.checksum {
            return None;
        }
        let now = (file.bytes, file.modified_ns, file.ctime_ns, file.inode);
        if let Some(failed) = self.failures.get(&file.path) {
            let then = (failed.bytes, failed.modified_ns, failed.ctime_ns, failed.inode);
            if then == now && is_settled(file, failed.looked_at) {
                return Some(failed.sha256.clone());
            }
        }
        let record = self.known.get(file.path.as_str())?;
        let then = (record.bytes, record.modified_ns, record.ctime_ns, record.inode);
        (then == now && is_settled(file, record.indexed_at)).then(|| record.sha256.clone())
    }
}

/// Whether a change after `looked_at` would show in the file's times.
pub fn is_settled(file: &FoundFile, looked_at: Timestamp) -> bool {
    let Some(modified) = file.modified_ns else { return false };
    let latest = file.ctime_ns.map_or(modified, |ctime| ctime.max(modified));
    looked_at > Timestamp::UNIX_EPOCH && looked_at.as_nanosecond() - i128::from(latest) > RACY_NS
}

type Hashed = BTreeMap<String, Result<String, std::io::Error>>;

async fn hash_all(files: &[FoundFile], noted: &Noted<'_>, looking: Looking<'_>) -> Result<Hashed, SyncError> {
    let Looking { observer, stop, .. } = looking;
    let mut hashed = Hashed::new();
    let mut unsure = Vec::new();
    for file in files {
        match noted.hash_of(file) {
            Some(hash) => {
                hashed.insert(file.path.clone(), Ok(hash));
            }
            None => unsure.push(file),
        }
    }
    observer.observe(Event::Started { task: "scanning", total: Some(unsure.len() as u64) });
    observer.observe(Event::Sized { bytes: unsure.iter().map(|file| file.bytes).sum() });
    let mut hashes = futures_util::stream::iter(unsure)
        .map(|file| {
            let (absolute, path) = (file.absolute.clone(), file.path.clone());
            async move {
                observer.observe(Event::Working { item: file.path.clone() });
                let hash = tokio::task::spawn_blocking(move || walk::hash_file(&absolute, &path)).await?;
                Ok::<_, SyncError>((file, hash))
            }
        })
        .buffered(HASHES_AT_ONCE);
    while let Some(Some(result)) = stop.run_until_cancelled(hashes.next()).await {
        let (file, hash) = result?;
        observer.observe(Event::Advanced { item: file.path.clone(), bytes: file.bytes });
        hashed.insert(file.path.clone(), hash);
    }
    observer.observe(Event::Finished);
    Ok(hashed)
}

/// What turns files into documents.
struct Assembly<'a> {
    records: &'a [DocumentRecord],
    catalogue: &'a Catalogue,
}

impl Assembly<'_> {
    fn assemble(&self, listing: Listing, mut hashed: Hashed) -> Result<Scan, SyncError> {
        let mut problems = listing.problems;
        let mut files = Vec::new();
        for file in listing.files {
            match hashed.remove(&file.path) {
                Some(Ok(sha256)) => files.push(HashedFile { file, sha256 }),
                // It went away while we looked: it is not there.
                Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
                Some(Err(error)) => problems.push(Problem::new(file.path, "document/unreadable", error.to_string())),
                None => {}
            }
        }
        let troubled = problems.iter().map(|problem| problem.path.as_str());
        let bound = self.catalogue.bind(files.iter().map(|hashed| hashed.file.path.as_str()).chain(troubled))?;
        let details: Vec<Details> = files.iter().map(|hashed| bound.details(&hashed.file.path)).collect();
        let (claims, reserved) = documents::claims(&files, &details, self.records, &Held::new(&problems));
        let mut ids = assign_ids(&claims, &reserved);
        let files = files
            .into_iter()
            .zip(details)
            .filter_map(|(HashedFile { file, sha256 }, details)| {
                let document_id = ids.remove(&file.path)?;
                Some(ScannedFile { file, sha256, document_id, details, failed: None })
            })
            .collect();
        problems.extend(bound.problems);
        Ok(Scan { files, skipped: listing.skipped, problems, ..Scan::default() })
    }
}
