//! The hashes of the folder's files, kept so that an untouched file is not read at every sync.
//!
//! It says of files, never of the store. It may be lost or old without harm: that costs reading the files once more.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hosted::state::{Remote, RemoteFile};
use crate::ingest::Scan;
use crate::model::DocumentRecord;

/// Its name in the state folder.
const FILE: &str = "hosted-hashes.json";
const MAX_BYTES: u64 = 256 * 1024 * 1024;
const FORMAT: u32 = 1;

/// What was seen of a file when it was hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    sha256: String,
    bytes: u64,
    modified_ns: Option<i64>,
    ctime_ns: Option<i64>,
    inode: Option<u64>,
    /// The present of just before the look.
    looked_at: Timestamp,
}

/// Hashes by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    format: u32,
    files: BTreeMap<String, Seen>,
}

impl Hashes {
    /// What is kept in this state folder; nothing when it cannot be read.
    pub fn load(state_dir: &Path) -> Self {
        let mut text = String::new();
        let read = fs::File::open(state_dir.join(FILE)).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        let kept: Option<Self> = read.ok().and_then(|_| serde_json::from_str(&text).ok());
        kept.filter(|kept| kept.format == FORMAT).unwrap_or_default()
    }

    /// The hashes that a scan made or confirmed.
    pub fn of(scan: &Scan) -> Self {
        let seen = |scanned: &crate::ingest::scan::ScannedFile| Seen {
            sha256: scanned.sha256.clone(),
            bytes: scanned.file.bytes,
            modified_ns: scanned.file.modified_ns,
            ctime_ns: scanned.file.ctime_ns,
            inode: scanned.file.inode,
            looked_at: scan.started_at,
        };
        let files = scan.files.iter().map(|scanned| (scanned.file.path.clone(), seen(scanned))).collect();
        Self { format: FORMAT, files }
    }

    /// Writes them down, whole or not at all.
    pub fn save(&self, state_dir: &Path) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(state_dir)?;
        serde_json::to_writer(io::BufWriter::new(&mut file), self)?;
        file.flush()?;
        file.persist(state_dir.join(FILE)).map_err(|error| error.error)?;
        Ok(())
    }

    /// The documents of the store as the records of a local index, by which the scan tells who is who. The newest
    /// version of a document speaks for it; `full_path` undoes the cutting of long paths.
    pub fn records(&self, remote: &Remote, full_path: impl Fn(&str) -> String) -> Vec<DocumentRecord> {
        let newest = remote.documents.values().filter_map(|files| files.first());
        newest.map(|file| self.record(file, full_path(&file.path))).collect()
    }

    fn record(&self, file: &RemoteFile, path: String) -> DocumentRecord {
        let seen = self.files.get(&path).filter(|seen| seen.sha256 == file.sha256);
        DocumentRecord {
            document_id: file.document_id.clone(),
            path,
            title: String::new(),
            description: None,
            tags: Vec::new(),
            roles: Vec::new(),
            language: None,
            language_borrowed: false,
            sha256: file.sha256.clone(),
            recipe: file.recipe.clone(),
            bytes: seen.map_or(0, |seen| seen.bytes),
            modified_ns: seen.and_then(|seen| seen.modified_ns),
            ctime_ns: seen.and_then(|seen| seen.ctime_ns),
            inode: seen.and_then(|seen| seen.inode),
            title_from_name: false,
            format: String::new(),
            indexed_at: seen.map_or(Timestamp::UNIX_EPOCH, |seen| seen.looked_at),
            chunks: 0,
        }
    }
}
