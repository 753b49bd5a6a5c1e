//! What goes up for a document: its file as it is where the service reads it, else our own extraction as Markdown.
//!
//! The same document gives the same bytes. What is large goes through a temporary file: one document is never in
//! memory twice, and many small ones never together. A file that is not what the plan saw is refused.

pub mod formats;
mod spool;
mod text;

use std::io;

use crate::docs::ReadFile;
use crate::docs::format::{self, FormatError};
use crate::docs::reader::{ReadError, Reader};
use crate::docs::rendition;
use crate::docs::walk::FoundFile;
use crate::error::Problem;
use crate::hosted::folder::MAX_FILE_BYTES;
use crate::hosted::prepare::{Form, form_of};
use crate::ingest::renames::extension;

pub use crate::hosted::render::spool::{SPOOL_BYTES, Spooled};
pub use crate::hosted::render::text::{Converted, readable};

/// Why a document cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// It cannot be read.
    #[error(transparent)]
    Document(#[from] FormatError),
    /// Nothing can be read at all.
    #[error("no document can be read: {0}")]
    Reader(String),
    /// It is another file than the one that was planned for.
    #[error("it changed while it was being uploaded; the next sync takes it")]
    Changed,
    /// It cannot be read, or its rendition not be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A background task ended before its time.
    #[error("a background task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl RenderError {
    /// The problem of a document.
    pub fn problem(&self, path: &str) -> Problem {
        let code = match self {
            Self::Document(error) => error.code(),
            Self::Changed => "document/changed",
            Self::Reader(_) | Self::Io(_) | Self::Task(_) => "document/unreadable",
        };
        Problem::new(path, code, self.to_string())
    }
}

/// Our extraction of a document as Markdown.
pub async fn markdown(reader: &dyn Reader, file: &FoundFile) -> Result<Spooled, RenderError> {
    let read = reader.read(file).await.map_err(|error| match error {
        ReadError::Document(error) => RenderError::Document(error),
        ReadError::Reader(why) => RenderError::Reader(why),
    })?;
    if (read.bytes, read.modified_ns) != (file.bytes, file.modified_ns) {
        return Err(RenderError::Changed);
    }
    let written = tokio::task::spawn_blocking(move || {
        let mut spool = spool::Spool::default();
        rendition::write(&read.parsed, &mut spool)?;
        spool.finish(read.sha256)
    });
    Ok(written.await??)
}

/// What keeps a document that was read from going up. The service tells only after it has indexed a file, and by name.
pub fn obstacle(path: &str, read: &ReadFile) -> Option<Problem> {
    let named = format::by_extension(path)?;
    if form_of(path) == Form::Original && read.parsed.format != named.name {
        let message = format!(
            "its name says {}, its contents are {}, and the service goes by the name; rename it to what it is",
            named.name, read.parsed.format
        );
        return Some(Problem::new(path, "document/misnamed", message));
    }
    None
}

/// How many bytes the file at a path may have to go up. The service reads longer texts than our readers do.
pub fn max_bytes(path: &str) -> u64 {
    let is_text = formats::native(&extension(path)).is_some_and(|native| native.is_text);
    if is_text { MAX_FILE_BYTES } else { format::max_bytes(path) }
}

/// The extension of the uploaded file's name: the service goes by it.
pub fn uploaded_extension(path: &str, form: Form) -> String {
    match form {
        Form::Original => extension(path).to_ascii_lowercase(),
        Form::Markdown => "md".to_owned(),
    }
}

#[cfg(test)]
mod tests;
