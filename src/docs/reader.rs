//! The port to what reads a file into blocks: in this process, or in another that may break.

use std::fs::File;

use async_trait::async_trait;

use crate::docs::format::FormatError;
use crate::docs::walk::FoundFile;
use crate::docs::{ReadFile, read_file, read_open_file};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is the document's fault.
    #[error(transparent)]
    Document(#[from] FormatError),
    /// Nothing can be read at all: it is ours.
    #[error("no document can be read: {0}")]
    Reader(String),
}

/// Reads files. Object-safe: used as `Arc<dyn Reader>`.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Reads one file of the documents folder. Dropping the future gives the file up.
    async fn read(&self, file: &FoundFile) -> Result<ReadFile, ReadError>;
    /// How many files it reads at once; more would only wait.
    fn width(&self) -> usize {
        2
    }
    /// There is nothing to read for now: what waits for work is given back.
    fn rest(&self) {}
}

/// Reads files that are no documents of a folder. Object-safe: used as `Arc<dyn OpenReader>`.
#[async_trait]
pub trait OpenReader: Send + Sync {
    /// Reads a file that is open already, at its beginning; `name` tells its format where its contents do not.
    /// Dropping the future gives the file up.
    async fn read_open(&self, file: File, name: &str) -> Result<ReadFile, ReadError>;
    /// There is nothing to read for now: what waits for work is given back.
    fn rest(&self) {}
}

/// Reads in this process: for files that are trusted not to break it, as in tests. Strangers' files are for
/// [`crate::docs::worker::Pool`].
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

#[async_trait]
impl Reader for InProcess {
    async fn read(&self, file: &FoundFile) -> Result<ReadFile, ReadError> {
        let (absolute, path) = (file.absolute.clone(), file.path.clone());
        let read = tokio::task::spawn_blocking(move || read_file(&absolute, &path)).await;
        Ok(read.map_err(|error| ReadError::Reader(error.to_string()))??)
    }
}

#[async_trait]
impl OpenReader for InProcess {
    async fn read_open(&self, file: File, name: &str) -> Result<ReadFile, ReadError> {
        let name = name.to_owned();
        let read = tokio::task::spawn_blocking(move || read_open_file(file, &name)).await;
        Ok(read.map_err(|error| ReadError::Reader(error.to_string()))??)
    }
}
