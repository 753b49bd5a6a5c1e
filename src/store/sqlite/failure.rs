//! What SQLite says went wrong, as the store's errors.

use std::sync::Arc;

use rusqlite::ffi;

use crate::store::{Cause, StorageTrouble, StoreError};

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // https://www.sqlite.org/rescode.html: the low byte is the kind, the whole number says more.
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        let cause: Cause = Arc::new(error);
        let storage = |trouble| Self::Storage { trouble, cause: Some(Arc::clone(&cause)) };
        match (code, code & 0xff) {
            (ffi::SQLITE_READONLY_DBMOVED, _) | (_, ffi::SQLITE_CANTOPEN) => storage(StorageTrouble::Gone),
            (_, ffi::SQLITE_FULL) => storage(StorageTrouble::Full),
            (_, ffi::SQLITE_READONLY) => storage(StorageTrouble::ReadOnly),
            (_, ffi::SQLITE_IOERR) => storage(StorageTrouble::Failing),
            (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => Self::Busy,
            _ => Self::Backend(cause),
        }
    }
}

/// Whether a new connection may do better. One to a file that is gone is kept: the file may come back.
pub(super) fn blames_the_connection(error: &StoreError) -> bool {
    match error {
        StoreError::Storage { trouble, .. } => matches!(trouble, StorageTrouble::Failing | StorageTrouble::ReadOnly),
        StoreError::Backend(_) => true,
        _ => false,
    }
}
