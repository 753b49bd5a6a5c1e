//! The schema, brought up to date: every step in a transaction of its own, together with its number.
//!
//! The number of the last step is SQLite's `user_version`. Whoever is killed between two steps goes on with the next
//! one, and whoever is killed within one begins it anew. A database from before the numbers is known by the table in
//! which its steps were recorded.

use rusqlite::{Connection, Error, OptionalExtension as _};

/// All steps in order; the first makes schema 1.
pub(super) const STEPS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_threads.sql"),
    include_str!("../migrations/sqlite/0002_attachments.sql"),
    include_str!("../migrations/sqlite/0003_usage.sql"),
];

/// Says in the file's header whose database it is.
const APPLICATION_ID: i64 = 0x6362_6f74;

/// Why a database has not the schema that it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum SchemaError {
    /// A newer version of the program wrote it.
    #[error("it has schema {0}, which is newer than this program knows")]
    Newer(i64),
    /// It has tables, and none of them is ours.
    #[error("it is the database of another program")]
    Foreign,
    /// A step failed and is undone.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Takes the steps that are missing.
pub(super) fn migrate(connection: &Connection) -> Result<(), SchemaError> {
    // Looked at in one state: between two statements somebody else may take a step, and the parts would not fit.
    while within(connection, "BEGIN DEFERRED", missing_step)?.is_some() {
        within(connection, "BEGIN EXCLUSIVE", take_step)?;
    }
    Ok(())
}

/// Does work in a transaction, which is undone when the work fails.
fn within<T>(
    connection: &Connection,
    begin: &str,
    work: impl FnOnce(&Connection) -> Result<T, SchemaError>,
) -> Result<T, SchemaError> {
    connection.execute_batch(begin)?;
    let worked = work(connection).and_then(|value| Ok(connection.execute_batch("COMMIT").map(|()| value)?));
    if worked.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    worked
}

/// The lock is ours now: what was missing may be there meanwhile.
fn take_step(connection: &Connection) -> Result<(), SchemaError> {
    if let Some((number, step)) = missing_step(connection)? {
        if let Some(step) = step {
            connection.execute_batch(step)?;
        }
        connection.execute_batch("DROP TABLE IF EXISTS _sqlx_migrations")?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", number)?;
    }
    Ok(())
}

/// The number that the database should have next, and the step to it: none where it only has to be written down.
fn missing_step(connection: &Connection) -> Result<Option<(i64, Option<&'static str>)>, SchemaError> {
    let known = known();
    let version = version(connection)?;
    if version > known {
        return Err(SchemaError::Newer(version));
    }
    if version == known {
        return Ok(number(connection, "user_version")?.lt(&known).then_some((known, None)));
    }
    let step = usize::try_from(version).ok().and_then(|done| STEPS.get(done)).copied();
    Ok(Some((version + 1, step)))
}

/// The newest schema that this program knows.
pub(super) fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The schema that the database has.
pub(super) fn version(connection: &Connection) -> Result<i64, SchemaError> {
    let version = number(connection, "user_version")?;
    if number(connection, "application_id")? == APPLICATION_ID {
        return Ok(version);
    }
    if has_table(connection, "name = '_sqlx_migrations'")? {
        let statement = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";
        return Ok(connection.query_row(statement, [], |row| row.get(0))?);
    }
    if has_table(connection, "TRUE")? {
        return Err(SchemaError::Foreign);
    }
    Ok(0)
}

fn number(connection: &Connection, pragma: &str) -> Result<i64, Error> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn has_table(connection: &Connection, which: &'static str) -> Result<bool, Error> {
    let statement = format!("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND {which} LIMIT 1");
    Ok(connection.query_row(&statement, [], |_| Ok(())).optional()?.is_some())
}
