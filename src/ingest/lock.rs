//! One sync at a time on one state folder. The lock goes with the process, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use crate::ingest::SyncError;

/// Takes the lock; it is given back when the returned file is dropped.
pub fn acquire(state_dir: &Path) -> Result<File, SyncError> {
    let shown = || state_dir.display().to_string();
    let failed = |error: std::io::Error| SyncError::State { path: shown(), message: error.to_string() };
    fs::create_dir_all(state_dir).map_err(failed)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(state_dir.join("sync.lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SyncError::Locked(shown())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
