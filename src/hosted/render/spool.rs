//! Text that is kept in memory while it is small, and in a temporary file beyond. The file goes with the value.

use std::io::{self, BufWriter, Write};

use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};

use crate::openai::file::Body;

/// The most that is kept in memory, in bytes: many uploads are under way at a time.
pub const SPOOL_BYTES: usize = 1024 * 1024;

/// A finished text.
#[derive(Debug)]
pub struct Spooled {
    /// What goes up.
    pub body: Body,
    /// SHA-256 of the source as it was read, hexadecimal; none where it is read while it is sent.
    pub source_sha256: Option<String>,
    /// The temporary file of the body, if it has one: removed when this is dropped.
    pub file: Option<TempPath>,
}

impl Spooled {
    /// What goes up from memory.
    pub fn of_bytes(bytes: Bytes, source_sha256: String) -> Self {
        Self { body: Body::Bytes(bytes), source_sha256: Some(source_sha256), file: None }
    }
}

/// Takes a text in pieces.
#[derive(Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<BufWriter<NamedTempFile>>,
    written: u64,
}

impl Spool {
    pub(super) fn finish(mut self, source_sha256: String) -> io::Result<Spooled> {
        let Some(file) = self.file.take() else {
            return Ok(Spooled::of_bytes(self.memory.into(), source_sha256));
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?.into_temp_path();
        let body = Body::Path { path: file.to_path_buf(), bytes: self.written };
        Ok(Spooled { body, source_sha256: Some(source_sha256), file: Some(file) })
    }
}

impl Write for Spool {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.memory.len() + piece.len() > SPOOL_BYTES {
            // For this user alone: it holds the text of a document.
            let mut file = BufWriter::new(NamedTempFile::new()?);
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(piece)?,
            None => self.memory.extend_from_slice(piece),
        }
        self.written += piece.len() as u64;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn large_texts_lie_in_a_file_that_goes_with_them() {
        let mut spool = Spool::default();
        let piece = [b'x'; 1000];
        for _ in 0..=SPOOL_BYTES / 1000 {
            spool.write_all(&piece).unwrap();
        }
        let spooled = spool.finish(String::new()).unwrap();
        let Body::Path { path, bytes } = spooled.body.clone() else { panic!("a file") };
        let content = fs::read(&path).unwrap();
        assert_eq!(content.len() as u64, bytes);
        assert!(content.iter().all(|byte| *byte == b'x') && bytes > SPOOL_BYTES as u64);
        drop(spooled);
        assert!(!path.exists());
        let mut small = Spool::default();
        small.write_all(b"abc").unwrap();
        assert!(matches!(small.finish(String::new()).unwrap().body, Body::Bytes(bytes) if bytes == "abc"));
    }
}
