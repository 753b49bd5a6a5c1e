//! Opens a document's file, and reads it in pieces while hashing it.
//!
//! What is read is a regular file of the folder itself (see [`walk::open`]). No more of a file than one piece is held
//! here.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::docs::format::{self, FormatError};
use crate::docs::walk;
use crate::docs::walk::open::open_document;

/// The largest piece, in bytes: four times what a pipe of Linux holds.
pub const PIECE_BYTES: u64 = 256 * 1024;

/// A document's open file.
#[derive(Debug)]
pub struct Source {
    file: File,
    hasher: Sha256,
    read: u64,
    limit: u64,
    /// Size in bytes when it was opened.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970 when it was opened, when the file system tells.
    pub modified_ns: Option<i64>,
}

impl Source {
    /// Opens a file; `path` is its path relative to the documents folder.
    pub fn open(absolute: &Path, path: &str) -> Result<Self, FormatError> {
        let (file, metadata) = open_document(absolute, path).map_err(|error| unreadable(&error))?;
        Self::new(file, &metadata, path)
    }

    /// Takes a file that is open already, at its beginning; `name` tells its format where its contents do not.
    pub fn of_open(file: File, name: &str) -> Result<Self, FormatError> {
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        Self::new(file, &metadata, name)
    }

    fn new(file: File, metadata: &Metadata, path: &str) -> Result<Self, FormatError> {
        let limit = format::max_bytes(path);
        if metadata.len() > limit {
            return Err(FormatError::TooLarge(limit));
        }
        let modified_ns = walk::modified_ns(metadata);
        Ok(Self { file, hasher: Sha256::new(), read: 0, limit, bytes: metadata.len(), modified_ns })
    }

    /// The next piece, shorter than [`PIECE_BYTES`] only at the end. A file that grew beyond its format's limit is
    /// [`FormatError::TooLarge`].
    pub fn next_piece(&mut self) -> Result<Vec<u8>, FormatError> {
        let expected = self.bytes.saturating_sub(self.read).min(PIECE_BYTES);
        // One byte more than expected shows the end without a second look at a full buffer.
        let mut piece = Vec::with_capacity(usize::try_from(expected + 1).unwrap_or_default());
        let read = (&mut self.file).take(PIECE_BYTES).read_to_end(&mut piece);
        self.read += read.map_err(|error| unreadable(&error))? as u64;
        if self.read > self.limit {
            return Err(FormatError::TooLarge(self.limit));
        }
        self.hasher.update(&piece);
        Ok(piece)
    }

    /// SHA-256 of all pieces so far, hexadecimal.
    pub fn sha256(self) -> String {
        hex(&self.hasher.finalize())
    }
}

fn unreadable(error: &io::Error) -> FormatError {
    FormatError::Unreadable(error.to_string())
}

/// Whether a piece is the last one.
pub fn is_last(piece: &[u8]) -> bool {
    (piece.len() as u64) < PIECE_BYTES
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(root: &Path, path: &str) -> Result<(Vec<usize>, String), FormatError> {
        let mut source = Source::open(&root.join(path), path)?;
        let mut sizes = Vec::new();
        loop {
            let piece = source.next_piece()?;
            sizes.push(piece.len());
            if is_last(&piece) {
                return Ok((sizes, source.sha256()));
            }
        }
    }

    #[test]
    fn pieces_cover_the_file_and_its_hash() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        let piece = usize::try_from(PIECE_BYTES).unwrap();
        for (size, sizes) in
            [(0, vec![0]), (3, vec![3]), (piece, vec![piece, 0]), (2 * piece + 1, vec![piece, piece, 1])]
        {
            let file = dir.path().join("sub/a.txt");
            fs::write(&file, vec![b'x'; size]).unwrap();
            assert_eq!(read(dir.path(), "sub/a.txt"), Ok((sizes, walk::hash_file(&file, "sub/a.txt").unwrap())));
        }
    }

    #[test]
    fn a_file_that_grows_too_large_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        fs::write(&path, "x").unwrap();
        let mut source = Source::open(&path, "a.txt").unwrap();
        source.limit = 2;
        fs::write(&path, "xxx").unwrap();
        assert_eq!(source.next_piece(), Err(FormatError::TooLarge(2)));
    }

    /// D11: what is read is what was opened: no link, no pipe, nothing outside.
    #[cfg(unix)]
    #[test]
    fn only_a_regular_file_of_the_folder_is_opened() {
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("docs");
        fs::create_dir_all(root.join("real")).unwrap();
        fs::write(root.join("real/a.txt"), "x").unwrap();
        symlink(root.join("real/a.txt"), root.join("link.txt")).unwrap();
        symlink(root.join("real"), root.join("sub")).unwrap();
        // Hashing a document, which comes before reading it, is as careful.
        let refusal = |path: &str| {
            let hashing = walk::hash_file(&root.join(path), path).unwrap_err().to_string();
            let reading = read(&root, path).unwrap_err().to_string();
            assert!(reading.ends_with(&hashing), "{reading}, {hashing}");
            reading
        };
        assert!(refusal("link.txt").contains("links are not followed"), "{}", refusal("link.txt"));
        assert!(refusal("sub/a.txt").contains("links are not followed"), "{}", refusal("sub/a.txt"));
        assert!(refusal("real").contains("not a regular file"), "{}", refusal("real"));
        // A pipe that nobody writes to: opening it must not wait.
        let made = std::process::Command::new("mkfifo").arg(root.join("pipe.txt")).status().unwrap();
        assert!(made.success());
        assert!(refusal("pipe.txt").contains("not a regular file"), "{}", refusal("pipe.txt"));
    }
}
