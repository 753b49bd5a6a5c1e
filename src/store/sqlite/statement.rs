//! One prepared statement: its rows, its one row, or how many rows it changed.
//!
//! Values come as parameters only; no statement is put together from text.

use rusqlite::{Connection, Params, Row};

use crate::store::StoreError;

/// All rows.
pub(super) fn rows<T>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    connection.prepare_cached(statement)?.query_and_then(params, read)?.collect()
}

/// The one row, if there is one. The statement runs to its end, so what it changes is changed.
pub(super) fn row<T>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(params)?;
    let Some(first) = rows.next()? else { return Ok(None) };
    let value = read(first)?;
    rows.next()?;
    Ok(Some(value))
}

/// How many rows it inserted, updated or deleted.
pub(super) fn change(connection: &Connection, statement: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(statement)?.execute(params)?)
}
