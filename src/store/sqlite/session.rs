//! A connection that stays with the database: opened anew after a failure, and never to another file.
//!
//! Another database that lies there meanwhile (a restored backup) waits for the next start. Opened in this process it
//! would share the index of the log with connections to the former one, and SQLite would cut that file short under them.
//! For the same reason nothing else is mapped into memory: a read beyond the end of a mapped file ends the process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::store::sqlite::migrate::{SchemaError, migrate};
use crate::store::sqlite::place::{Files, Place};
use crate::store::{StorageTrouble, StoreError};

/// How long a statement waits for another program that writes the same database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept; there are fewer.
const STATEMENTS: usize = 64;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Writes; there is one.
    Write,
    /// Reads only.
    Read,
    /// Moves the log's pages into the database.
    Checkpoint,
}

/// Called with each new connection.
type Prepare = Box<dyn Fn(&mut Connection) -> rusqlite::Result<()> + Send>;

/// A connection and what it needs to be opened again.
pub(super) struct Session {
    place: Arc<Place>,
    role: Role,
    prepare: Prepare,
    files: Files,
    connection: Option<Connection>,
}

impl Session {
    /// Opens a connection, the writing one with the schema brought up to date.
    pub(super) fn open(place: Arc<Place>, role: Role, prepare: Prepare) -> Result<Self, SchemaError> {
        let mut connection = connect(&place.path, role)?;
        if role == Role::Write {
            migrate(&connection)?;
        }
        prepare(&mut connection)?;
        let files = files_of(&connection, &place)?;
        Ok(Self { place, role, prepare, files, connection: Some(connection) })
    }

    /// The connection, opened anew where it was given up. Readers go on reading a file that is gone.
    pub(super) fn connection(&mut self) -> Result<&Connection, StoreError> {
        if self.connection.is_none() {
            self.reopen()?;
        }
        if self.role != Role::Read {
            self.check()?;
        }
        self.connection.as_ref().ok_or_else(gone)
    }

    /// Fails when the files are no longer those that are written to: then nothing may be acknowledged.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.place.files() == self.files { Ok(()) } else { Err(gone()) }
    }

    /// Gives the connection up; the next use opens another.
    pub(super) fn forget(&mut self) {
        self.connection = None;
    }

    /// Ends the connection. The writing one, which is the last, leaves the database without a log.
    pub(super) fn close(mut self) {
        if let Some(connection) = self.connection.take()
            && self.role == Role::Write
            && let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        {
            tracing::warn!(%error, "the log of the database stays until the next start");
        }
    }

    /// The log may be a new one: whoever had the last connection took the former with it.
    fn reopen(&mut self) -> Result<(), StoreError> {
        if !self.place.files().have_the_database_of(&self.files) {
            return Err(gone());
        }
        let mut connection = connect(&self.place.path, self.role)?;
        (self.prepare)(&mut connection)?;
        self.files = files_of(&connection, &self.place)?;
        self.connection = Some(connection);
        Ok(())
    }
}

fn gone() -> StoreError {
    StoreError::Storage { trouble: StorageTrouble::Gone, cause: None }
}

/// The first read opens the log, so that its file is there to be known again.
fn files_of(connection: &Connection, place: &Place) -> rusqlite::Result<Files> {
    connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(place.files())
}

fn connect(path: &Path, role: Role) -> rusqlite::Result<Connection> {
    // A connection stays in one thread, so SQLite need not lock it.
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(COMMON)?;
    connection.execute_batch(match role {
        Role::Write => WRITE,
        Role::Read => READ,
        Role::Checkpoint => CHECKPOINT,
    })?;
    Ok(connection)
}

/// `fullfsync` makes a sync reach the disk on macOS; elsewhere it does nothing.
const COMMON: &str = "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; \
                      PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;";
/// Sizes of caches are KiB when negative. The log is never made shorter below its usual length: writing over what is
/// there is synced faster than appending.
const WRITE: &str = "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096; \
                     PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 0;";
const READ: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -1024;";
const CHECKPOINT: &str = "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256;";
