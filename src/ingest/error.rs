//! What goes wrong with a sync as a whole. What goes wrong with one document is a problem, not an error.

use std::io::ErrorKind;

use crate::docs::catalogue::CatalogueError;
use crate::docs::walk::WalkError;
use crate::error::Failure;
use crate::exit::Exit;
use crate::index::IndexError;

/// Why a sync did not happen.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The documents folder is missing or unreadable. The index stays as it is.
    #[error(transparent)]
    Folder(#[from] WalkError),
    /// `documents.yaml` is wrong.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Another sync runs on the same state folder.
    #[error("another sync is running on `{0}`")]
    Locked(String),
    /// The state folder cannot be written.
    #[error("the state folder `{path}` cannot be written: {error}")]
    State {
        /// The state folder.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A question was answered with no, or by nobody.
    #[error("not confirmed: {0}")]
    Declined(String),
    /// A question could not be asked.
    #[error("{0}")]
    Undecided(Failure),
    /// Documents cannot be read at all.
    #[error("no document can be read: {0}")]
    Reader(String),
    /// A background task ended before its time.
    #[error("a background task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl SyncError {
    /// What it means that the state folder cannot be made or written.
    pub fn of_state(path: String, error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::Index(IndexError::DiskFull { path, message: error.to_string() })
            }
            _ => Self::State { path, error },
        }
    }
}

impl From<Failure> for SyncError {
    fn from(failure: Failure) -> Self {
        Self::Undecided(failure)
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        const WHAT: &str = "sync the documents";
        let why = error.to_string();
        match error {
            SyncError::Folder(WalkError::NoFolder(path)) => Self::new("docs/no-folder", Exit::NotGood, WHAT, why)
                .fix(format!("mkdir -p {path}, or name another folder with --docs-dir")),
            SyncError::Folder(WalkError::Unreadable { .. }) => {
                Self::new("docs/no-folder", Exit::NotGood, WHAT, why).fix("let this user read the folder")
            }
            SyncError::Catalogue(_) => Self::new("docs/catalogue", Exit::Settings, WHAT, why)
                .fix("correct documents.yaml; nothing was changed"),
            SyncError::Index(error) => error.into(),
            SyncError::Locked(_) => Self::new("docs/locked", Exit::Temporary, WHAT, why)
                .fix("wait for the other sync to end: chatbotctl docs sync --wait 60"),
            SyncError::State { error, .. } if error.kind() == ErrorKind::ReadOnlyFilesystem => {
                Self::new("docs/state", Exit::NotGood, WHAT, why)
                    .fix("the disk is read-only: name another folder with --state-dir; the index is as it was")
            }
            SyncError::State { .. } => Self::new("docs/state", Exit::NotGood, WHAT, why)
                .fix("let this user write the folder, or name another with --state-dir"),
            SyncError::Reader(_) => Self::new("docs/no-reader", Exit::Temporary, WHAT, why)
                .fix("look at the limits of processes and memory (ulimit -a), then run it again"),
            SyncError::Declined(_) => Self::new("docs/declined", Exit::Undecided, WHAT, why).fix(
                "nothing was changed; look at `chatbotctl docs plan`, and if they are to go: \
                     chatbotctl docs sync --allow-delete",
            ),
            SyncError::Undecided(failure) => failure,
            SyncError::Task(error) => Self::new("docs/bug", Exit::Bug, WHAT, why)
                .fix("run it again with -v, and report what it says")
                .cause(error),
        }
    }
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        let why = error.to_string();
        let said = error.said();
        let failure = match &error {
            IndexError::Locked { .. } => {
                Self::new("index/locked", Exit::Temporary, "write the index", why).fix("try again in a moment")
            }
            IndexError::DiskFull { .. } => Self::new("index/disk-full", Exit::NotGood, "write the index", why)
                .fix("make room on the disk, then run `chatbotctl docs sync` again; the index is as it was"),
            IndexError::ReadOnly { .. } => Self::new("index/read-only", Exit::NotGood, "write the index", why)
                .fix("let this user write the folder, or name another with --state-dir; the index is as it was"),
            IndexError::Backend { .. } => Self::new("index/failed", Exit::NotGood, "use the index", why)
                .fix("an index that is damaged may be deleted; `chatbotctl docs sync` makes it anew"),
        };
        failure.cause(anyhow::Error::msg(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_or_read_only_disk_is_told_as_such() {
        let failure = |kind: ErrorKind| Failure::from(SyncError::of_state("state".to_owned(), kind.into()));
        let told = |kind: ErrorKind, code: &str, fix: &str| {
            let failure = failure(kind);
            assert_eq!(failure.code, code);
            assert!(failure.fix.unwrap().contains(fix), "{kind}");
        };
        told(ErrorKind::StorageFull, "index/disk-full", "make room");
        told(ErrorKind::QuotaExceeded, "index/disk-full", "make room");
        told(ErrorKind::ReadOnlyFilesystem, "docs/state", "the disk is read-only");
        told(ErrorKind::PermissionDenied, "docs/state", "let this user write");
    }
}
