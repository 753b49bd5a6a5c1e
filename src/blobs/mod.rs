//! The port to the bytes of attachments: kept under the SHA-256 of what they are, whatever they were called.
//!
//! A name is made here from a hash and from nothing else, so no word of a caller ever reaches a path. Bytes become
//! visible whole or not at all: they are staged, judged by whoever stages them, and only then kept. What was derived
//! from bytes lies beside them and goes with them. Which bytes somebody still names, the store knows, not this.

mod folder;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;

use async_trait::async_trait;
use tempfile::NamedTempFile;
use tokio::io::AsyncRead;

pub use folder::FolderBlobs;

/// Keeps bytes. Object-safe: used as `Arc<dyn BlobStore>`.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Removes what a killed process left half-done. For the start, before anything is staged.
    async fn recover(&self) -> Result<(), BlobError>;
    /// Takes in bytes up to `max_bytes` without making them visible. What is not kept is gone when it is dropped.
    async fn stage(&self, from: &mut (dyn AsyncRead + Send + Unpin), max_bytes: u64) -> Result<Staged, BlobError>;
    /// Makes staged bytes visible under their hash, durably; equal bytes take their place.
    async fn keep(&self, staged: Staged) -> Result<(), BlobError>;
    /// Opens kept bytes for reading.
    async fn get(&self, name: &BlobName) -> Result<File, BlobError>;
    /// Removes kept bytes and all that was derived from them. Absent ones are as good as removed.
    async fn delete(&self, name: &BlobName) -> Result<(), BlobError>;
    /// The names of everything that is kept, and of what was derived from bytes that are gone.
    async fn list(&self) -> Result<Vec<BlobName>, BlobError>;
    /// Keeps something derived from kept bytes, replacing the same kind; [`BlobError::Absent`] without the bytes.
    async fn put_derived(&self, name: &BlobName, kind: &DerivedKind, bytes: Vec<u8>) -> Result<(), BlobError>;
    /// What was derived; `None` when it was not.
    async fn derived(&self, name: &BlobName, kind: &DerivedKind) -> Result<Option<Vec<u8>>, BlobError>;
}

/// The SHA-256 of bytes: 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(String);

impl BlobName {
    /// The name that this text is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A kind of derived data: a few lower-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedKind(String);

impl DerivedKind {
    /// The kind of this name: what is no letter or digit of ASCII is left out.
    pub fn new(name: &str) -> Self {
        let kept = name.chars().filter(char::is_ascii_alphanumeric).take(16);
        Self(kept.map(|each| each.to_ascii_lowercase()).collect())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes that were taken in and are not kept yet.
#[derive(Debug)]
pub struct Staged {
    file: NamedTempFile,
    /// Their name once they are kept.
    pub name: BlobName,
    /// How many there are.
    pub bytes: u64,
}

impl Staged {
    /// Opens them for reading, from the beginning.
    pub fn open(&self) -> io::Result<File> {
        self.file.reopen()
    }
}

/// What goes wrong with bytes.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There are more than allowed.
    #[error("there are more than {0} bytes")]
    TooLarge(u64),
    /// Whoever sends them failed before the end.
    #[error("the bytes do not come to their end")]
    Source(#[source] io::Error),
    /// There are no such bytes.
    #[error("no bytes have this name")]
    Absent,
    /// There is no room for them: the disk is full, or takes nothing.
    #[error("there is no room for more bytes")]
    Full(#[source] io::Error),
    /// Where they lie fails.
    #[error("what keeps the bytes failed")]
    Io(#[source] io::Error),
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Full(error)
            }
            _ => Self::Io(error),
        }
    }
}
