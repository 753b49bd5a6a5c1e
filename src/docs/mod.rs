//! From a folder of files to documents, blocks and chunks.
//!
//! A locator is made here, by the format's reader, and never recomputed. This layer reads files; it knows nothing of
//! indexes, and one bad file never hides the others.

pub mod catalogue;
pub mod chunk;
pub mod format;
pub mod identity;
pub mod reader;
pub mod rendition;
mod source;
pub mod text;
pub mod walk;
pub mod worker;

use std::fs::File;
use std::path::Path;

use crate::docs::format::{FormatError, Input, Parsed};
use crate::docs::source::Source;

/// Changes whenever a reader or the chunker makes something else of the same bytes: every document is read again.
pub const READER_VERSION: u32 = 5;

/// A file's parsed contents, with the hash of the very bytes that were parsed.
#[derive(Debug)]
pub struct ReadFile {
    /// What the reader made of it.
    pub parsed: Parsed,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Size in bytes, of the open file before reading.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970, of the open file before reading.
    pub modified_ns: Option<i64>,
}

/// Reads one file whole; `path` is its path relative to the documents folder.
pub fn read_bytes(absolute: &Path, path: &str) -> Result<(Source, Vec<u8>), FormatError> {
    read_whole(Source::open(absolute, path)?)
}

fn read_whole(mut source: Source) -> Result<(Source, Vec<u8>), FormatError> {
    let mut bytes = Vec::new();
    loop {
        let piece = source.next_piece()?;
        bytes.extend_from_slice(&piece);
        if source::is_last(&piece) {
            return Ok((source, bytes));
        }
    }
}

/// Reads and parses one file in this process; `path` is its path relative to the documents folder.
pub fn read_file(absolute: &Path, path: &str) -> Result<ReadFile, FormatError> {
    parse_whole(Source::open(absolute, path)?, path)
}

/// Reads and parses a file that is open already; `name` tells its format where its contents do not.
pub fn read_open_file(file: File, name: &str) -> Result<ReadFile, FormatError> {
    parse_whole(Source::of_open(file, name)?, name)
}

fn parse_whole(source: Source, path: &str) -> Result<ReadFile, FormatError> {
    let (source, bytes) = read_whole(source)?;
    let parsed = format::parse(Input { path, bytes: &bytes })?;
    Ok(ReadFile { parsed, bytes: source.bytes, modified_ns: source.modified_ns, sha256: source.sha256() })
}
