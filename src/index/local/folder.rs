//! The index's folder as tantivy sees it, and what its errors mean.
//!
//! Opening a reader takes a lock file, so that the writer removes no segment under its hands. Where the folder may not
//! be written there is no such file to take; the index can be read all the same.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    DirectoryLock, FileHandle, Lock, META_LOCK, MmapDirectory, WatchCallback, WatchHandle, WritePtr,
};
use tantivy::{Directory, TantivyError};

use crate::index::IndexError;

/// Less room than this on a disk is none for an index.
#[cfg(unix)]
const NO_ROOM_BYTES: u64 = 1 << 20;

/// A folder that can be read also when it cannot be written.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    inner: MmapDirectory,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Self { inner: MmapDirectory::open(path)? })
    }
}

impl Directory for Folder {
    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        match self.inner.acquire_lock(lock) {
            // A writer of another user may remove a segment meanwhile: then opening fails, and is tried again.
            Err(LockError::IoError(error)) if lock.filepath == META_LOCK.filepath && is_read_only(&error) => {
                Ok(DirectoryLock::from(Box::new(())))
            }
            outcome => outcome,
        }
    }

    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.inner.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.inner.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.inner.atomic_write(path, data)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.inner.sync_directory()
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(callback)
    }
}

/// Whether opening failed because a writer had just removed what was to be opened.
pub(super) fn is_gone(error: &TantivyError) -> bool {
    matches!(error, TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_)))
}

/// What a failed write means.
pub(super) fn write_error(folder: &Path, error: &TantivyError) -> IndexError {
    let (path, message) = (folder.display().to_string(), error.to_string());
    if let TantivyError::LockFailure(LockError::LockBusy, _) = error {
        return IndexError::Locked { path };
    }
    match io_kind(error) {
        Some(kind) if is_full(kind) => return IndexError::DiskFull { path, message },
        Some(ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied) => {
            return IndexError::ReadOnly { path, message };
        }
        _ => {}
    }
    // A thread of the writer's that failed leaves a text at the most.
    if message.contains("No space left") || has_no_room(folder) {
        IndexError::DiskFull { path, message }
    } else {
        IndexError::Backend { path, message }
    }
}

/// What the system says when the folder itself cannot be made or opened.
pub(super) fn folder_error(folder: &Path, error: &io::Error) -> IndexError {
    write_error(folder, &TantivyError::IoError(Arc::new(io::Error::new(error.kind(), error.to_string()))))
}

fn io_kind(error: &TantivyError) -> Option<ErrorKind> {
    match error {
        TantivyError::IoError(error)
        | TantivyError::LockFailure(LockError::IoError(error), _)
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: error, .. })
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: error, .. })
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: error, .. }) => Some(error.kind()),
        _ => None,
    }
}

fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}

#[cfg(unix)]
fn has_no_room(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|room| {
        room.f_bavail.saturating_mul(room.f_frsize) < NO_ROOM_BYTES || (room.f_files > 0 && room.f_favail == 0)
    })
}

#[cfg(not(unix))]
fn has_no_room(_folder: &Path) -> bool {
    false
}
