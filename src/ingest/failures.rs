//! What could not be read the last time, so that an unchanged bad file is neither read again at every sync nor "new"
//! for ever.
//!
//! An entry says of bytes, not of a path's place in the index, that this version of the reader failed on them. So the
//! file may be lost or old without harm: that costs reading once more. What the system did (no permission, a disk
//! error, a killed reader, a machine too busy) is never remembered.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::docs::format::FormatError;
use crate::error::Problem;
use crate::ingest::scan::ScannedFile;

/// Its name in the state folder.
const FILE: &str = "failed-documents.json";
const MAX_BYTES: u64 = 64 * 1024 * 1024;
const FORMAT: u32 = 1;

/// One failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// SHA-256 of the bytes that were read.
    pub sha256: String,
    /// The recipe they were read with.
    pub recipe: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified_ns: Option<i64>,
    /// Time of the last change of the inode in nanoseconds since 1970.
    pub ctime_ns: Option<i64>,
    /// Number of the inode.
    pub inode: Option<u64>,
    /// The present of just before the file was looked at.
    pub looked_at: Timestamp,
    /// The problem's code.
    pub code: String,
    /// The problem's message.
    pub message: String,
}

/// All failures, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    format: u32,
    documents: BTreeMap<String, Failed>,
}

impl Failures {
    /// What is remembered in this state folder; nothing when it cannot be read.
    pub fn load(state_dir: &Path) -> Self {
        let mut text = String::new();
        let read = fs::File::open(state_dir.join(FILE)).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        let known: Option<Self> = read.ok().and_then(|_| serde_json::from_str(&text).ok());
        known.filter(|known| known.format == FORMAT).unwrap_or(Self { format: FORMAT, documents: BTreeMap::new() })
    }

    /// Writes them down, whole or not at all.
    pub fn save(&self, state_dir: &Path) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(state_dir)?;
        serde_json::to_writer(&mut file, self)?;
        file.flush()?;
        file.persist(state_dir.join(FILE)).map_err(|error| error.error)?;
        Ok(())
    }

    /// What is remembered of a path.
    pub fn get(&self, path: &str) -> Option<&Failed> {
        self.documents.get(path)
    }

    /// Remembers that the file's bytes cannot be read.
    pub fn note(&mut self, scanned: &ScannedFile, looked_at: Timestamp, error: &FormatError) {
        let file = &scanned.file;
        if error.is_passing() {
            self.documents.remove(&file.path);
            return;
        }
        let failed = Failed {
            sha256: scanned.sha256.clone(),
            recipe: scanned.details.recipe(),
            bytes: file.bytes,
            modified_ns: file.modified_ns,
            ctime_ns: file.ctime_ns,
            inode: file.inode,
            looked_at,
            code: error.code().to_owned(),
            message: error.to_string(),
        };
        self.documents.insert(file.path.clone(), failed);
    }

    /// Keeps what is remembered of these files only, as they are now.
    pub fn keep_only(&mut self, files: &[ScannedFile]) {
        let mut known = std::mem::take(&mut self.documents);
        for scanned in files {
            let same = |failed: &Failed| failed.sha256 == scanned.sha256 && failed.recipe == scanned.details.recipe();
            if let Some((path, failed)) = known.remove_entry(&scanned.file.path).filter(|(_, failed)| same(failed)) {
                self.documents.insert(path, failed);
            }
        }
    }

    /// Forgets a path: it could be read.
    pub fn forget(&mut self, path: &str) {
        self.documents.remove(path);
    }
}

impl Failed {
    /// As a problem of the document at `path`.
    pub fn problem(&self, path: &str) -> Problem {
        Problem::new(path, &self.code, &self.message)
    }
}
