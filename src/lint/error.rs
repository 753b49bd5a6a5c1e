//! Why the documents cannot be looked at. What is wrong with one document is a finding, not an error.

use crate::docs::walk::WalkError;
use crate::lint::allow::AllowError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    /// The documents folder is missing or unreadable.
    #[error(transparent)]
    Folder(#[from] WalkError),
    /// The file of allowed findings is wrong.
    #[error(transparent)]
    Allow(#[from] AllowError),
    /// Documents cannot be read at all.
    #[error("no document can be read: {0}")]
    Reader(String),
    /// A background task ended before its time.
    #[error("a background task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}
