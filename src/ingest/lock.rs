//! One sync at a time on one state folder. The lock goes with the process, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ingest::SyncError;

/// How often a lock that is waited for is tried. The system's own waiting cannot be given up.
const RETRY: Duration = Duration::from_millis(100);

/// Takes the lock of a sync; it is given back when the returned file is dropped.
pub fn acquire(state_dir: &Path) -> Result<File, SyncError> {
    take(state_dir, "sync.lock")
}

/// Takes the lock of those who embed: a slow endpoint must keep no sync waiting.
pub fn acquire_embedding(state_dir: &Path) -> Result<File, SyncError> {
    take(state_dir, "embedding.lock")
}

fn take(state_dir: &Path, name: &str) -> Result<File, SyncError> {
    let shown = || state_dir.display().to_string();
    let failed = |error: std::io::Error| SyncError::of_state(shown(), error);
    fs::create_dir_all(state_dir).map_err(failed)?;
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(state_dir.join(name)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SyncError::Locked(shown())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Takes the lock, waiting so long for another sync to end; a stop ends the waiting, too.
pub async fn acquire_within(state_dir: &Path, wait: Duration, stop: &CancellationToken) -> Result<File, SyncError> {
    let deadline = Instant::now() + wait;
    loop {
        match acquire(state_dir) {
            Err(SyncError::Locked(_)) if Instant::now() < deadline && !stop.is_cancelled() => {
                tokio::time::sleep(RETRY).await;
            }
            outcome => return outcome,
        }
    }
}
