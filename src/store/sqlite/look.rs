//! Looks at a database from beside its server: no lock is taken, nothing is made, nothing is changed.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::model::usage::{UsageQuery, UsageSum};
use crate::store::sqlite::migrate::{self, SchemaError};
use crate::store::sqlite::{unusable, usage};
use crate::store::{LookError, OpenError};

/// How long a statement waits for whoever has the database for itself.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The schema in which answers have figures.
const WITH_USAGE: i64 = 3;

/// Sums of what answers took; none where there is no database. One from before there were such figures has none.
pub(in crate::store) async fn usage(path: PathBuf, query: UsageQuery) -> Result<Option<Vec<UsageSum>>, LookError> {
    let looked = tokio::task::spawn_blocking(move || look(&path, &query)).await;
    looked.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn look(path: &Path, query: &UsageQuery) -> Result<Option<Vec<UsageSum>>, LookError> {
    let real = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error).into()),
    };
    let connection = connect(&real).map_err(|error| failed(path, &error))?;
    let schema = migrate::version(&connection).and_then(|version| match version {
        version if version > migrate::known() => Err(SchemaError::Newer(version)),
        version => Ok(version),
    });
    if schema.map_err(|error| unusable(path, &error))? < WITH_USAGE {
        return Ok(Some(Vec::new()));
    }
    Ok(Some(usage::sums(&connection, query)?))
}

/// A connection that only reads. Where the folder cannot be written and no server runs, SQLite has no place for the
/// index of its log, and needs none: without a log nobody is writing.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(prepared);
    match opened {
        Err(_) if !has_log(path) => {
            Connection::open_with_flags(unchanging(path), flags | OpenFlags::SQLITE_OPEN_URI).and_then(prepared)
        }
        opened => opened,
    }
}

fn prepared(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(
        "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;",
    )?;
    connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn has_log(path: &Path) -> bool {
    let mut log = OsString::from(path);
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// The file as one that nobody changes (<https://www.sqlite.org/uri.html>).
fn unchanging(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => drop(write!(uri, "%{byte:02x}")),
        }
    }
    uri + "?immutable=1"
}

fn failed(path: &Path, error: &dyn std::error::Error) -> OpenError {
    OpenError::Open { path: path.display().to_string(), message: error.to_string() }
}
