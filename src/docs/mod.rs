//! From a folder of files to documents, blocks and chunks.
//!
//! A locator is made here, by the format's reader, and never recomputed. This layer reads files; it knows nothing of
//! indexes, and one bad file never hides the others.

pub mod catalogue;
pub mod chunk;
pub mod format;
pub mod identity;
pub mod reader;
pub mod text;
pub mod walk;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::docs::format::{FormatError, Input, Parsed};

/// Changes whenever a reader or the chunker makes something else of the same bytes: every document is read again.
pub const READER_VERSION: u32 = 3;

/// A file's parsed contents, with the hash of the very bytes that were parsed.
#[derive(Debug)]
pub struct ReadFile {
    /// What the reader made of it.
    pub parsed: Parsed,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970, taken before reading.
    pub modified_ns: Option<i64>,
}

/// Reads and parses one file; `path` is its path relative to the documents folder.
pub fn read_file(absolute: &Path, path: &str) -> Result<ReadFile, FormatError> {
    let unreadable = |error: std::io::Error| FormatError::Unreadable(error.to_string());
    let file = File::open(absolute).map_err(unreadable)?;
    let modified_ns = file.metadata().ok().as_ref().and_then(walk::modified_ns);
    let mut bytes = Vec::new();
    let limit = format::max_bytes(path);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(FormatError::TooLarge(limit));
    }
    let parsed = format::parse(Input { path, bytes: &bytes })?;
    let sha256 = hex(&Sha256::digest(&bytes));
    Ok(ReadFile { parsed, sha256, bytes: bytes.len() as u64, modified_ns })
}
