//! Statements on threads.

use rusqlite::{Connection, params};

use crate::model::thread::{Order, Page, PageQuery, Principal, Thread, ThreadStatus};
use crate::store::StoreError;
use crate::store::sqlite::page::{cut_page, first_bound};
use crate::store::sqlite::row::{ItemRow, read_thread, status_columns};
use crate::store::sqlite::statement::{change, row, rows};
use crate::store::sqlite::{items, usage};

/// A thread with its first item.
pub(super) fn insert(
    connection: &Connection,
    who: &Principal,
    thread: &Thread,
    first: &ItemRow,
) -> Result<(), StoreError> {
    let (status, reason) = status_columns(&thread.status);
    change(
        connection,
        "INSERT INTO threads (id, owner, created_us, title, title_is_users, status, status_reason) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            thread.id,
            who.id,
            thread.created_at.as_microsecond(),
            thread.title,
            thread.title_is_users,
            status,
            reason
        ],
    )?;
    items::insert(connection, who, first)
}

pub(super) fn find(connection: &Connection, who: &Principal, thread_id: &str) -> Result<Thread, StoreError> {
    row(connection, "SELECT * FROM threads WHERE id = ?1 AND owner = ?2", params![thread_id, who.id], read_thread)?
        .ok_or(StoreError::NoSuchThread)
}

/// Refuses a thread that takes no messages.
pub(super) fn check_active(connection: &Connection, who: &Principal, thread_id: &str) -> Result<(), StoreError> {
    match find(connection, who, thread_id)?.status {
        ThreadStatus::Active => Ok(()),
        ThreadStatus::Locked { .. } | ThreadStatus::Closed { .. } => Err(StoreError::NotActive),
    }
}

pub(super) fn page(connection: &Connection, who: &Principal, page: &PageQuery) -> Result<Page<Thread>, StoreError> {
    let bound = match &page.after {
        None => first_bound(page.order),
        Some(after) => {
            let statement = "SELECT seq FROM threads WHERE id = ?1 AND owner = ?2";
            row(connection, statement, params![after, who.id], |row| Ok(row.get(0)?))?
                .ok_or(StoreError::NoSuchCursor)?
        }
    };
    let statement = match page.order {
        Order::Asc => "SELECT * FROM threads WHERE owner = ?1 AND seq > ?2 ORDER BY seq ASC LIMIT ?3",
        Order::Desc => "SELECT * FROM threads WHERE owner = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
    };
    let threads = rows(connection, statement, params![who.id, bound, page.limit() + 1], read_thread)?;
    Ok(cut_page(threads, page.limit() as usize, |thread| &thread.id))
}

/// A title that a person chose.
pub(super) fn rename(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    title: &str,
) -> Result<Thread, StoreError> {
    let statement = "UPDATE threads SET title = ?1, title_is_users = 1 WHERE id = ?2 AND owner = ?3 RETURNING *";
    row(connection, statement, params![title, thread_id, who.id], read_thread)?.ok_or(StoreError::NoSuchThread)
}

/// A title where none is.
pub(super) fn set_automatic_title(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    title: &str,
) -> Result<Option<Thread>, StoreError> {
    let statement = "UPDATE threads SET title = ?1 \
                     WHERE id = ?2 AND owner = ?3 AND title_is_users = 0 AND title IS NOT ?1 RETURNING *";
    row(connection, statement, params![title, thread_id, who.id], read_thread)
}

pub(super) fn set_status(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    status: &ThreadStatus,
) -> Result<Thread, StoreError> {
    let (status, reason) = status_columns(status);
    let statement = "UPDATE threads SET status = ?1, status_reason = ?2 WHERE id = ?3 AND owner = ?4 RETURNING *";
    row(connection, statement, params![status, reason, thread_id, who.id], read_thread)?.ok_or(StoreError::NoSuchThread)
}

/// Items, feedback and attachments go with their thread; what its answers cost stays, and leads nowhere.
pub(super) fn delete(connection: &Connection, who: &Principal, thread_id: &str) -> Result<(), StoreError> {
    usage::unlink(connection, who, thread_id)?;
    let statement = "DELETE FROM threads WHERE id = ?1 AND owner = ?2";
    match change(connection, statement, params![thread_id, who.id])? {
        0 => Err(StoreError::NoSuchThread),
        _ => Ok(()),
    }
}
