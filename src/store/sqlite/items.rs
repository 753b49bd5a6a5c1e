//! Statements on a thread's items and on what visitors think of them.
//!
//! A statement that matched nothing is followed, in the same transaction, by one that says why.

use rusqlite::{Connection, params};

use crate::model::thread::{ItemContent, Order, Page, PageQuery, Principal, ThreadItem, UserMessage};
use crate::store::sqlite::page::{cut_page, first_bound};
use crate::store::sqlite::row::{ItemRow, feedback_column, read_item};
use crate::store::sqlite::statement::{change, row, rows};
use crate::store::sqlite::{attachments, threads};
use crate::store::{Feedback, StoreError};

/// Bytes of items on a page at the most, unless it holds one item only.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

pub(super) fn insert(connection: &Connection, who: &Principal, item: &ItemRow) -> Result<(), StoreError> {
    let done = change(
        connection,
        "INSERT INTO items (id, thread_seq, created_us, kind, content) \
         SELECT ?1, t.seq, ?2, ?3, ?4 FROM threads t \
         WHERE t.id = ?5 AND t.owner = ?6 AND (t.status = 'active' OR ?3 <> 'user_message')",
        params![item.id, item.created_us, item.kind, item.content, item.thread_id, who.id],
    )?;
    if done == 0 {
        threads::find(connection, who, &item.thread_id)?;
        return Err(StoreError::NotActive);
    }
    for attachment_id in &item.attachment_ids {
        attachments::give_to_thread(connection, who, attachment_id, &item.thread_id)?;
    }
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
) -> Result<ThreadItem, StoreError> {
    let statement = "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
                     WHERE i.id = ?1 AND t.id = ?2 AND t.owner = ?3";
    if let Some(item) = row(connection, statement, params![item_id, thread_id, who.id], read_item)? {
        return Ok(item);
    }
    threads::find(connection, who, thread_id)?;
    Err(StoreError::NoSuchItem)
}

/// A page of the items that a visitor may see.
pub(super) fn page(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    page: &PageQuery,
) -> Result<Page<ThreadItem>, StoreError> {
    threads::find(connection, who, thread_id)?;
    let bound = match &page.after {
        None => first_bound(page.order),
        Some(after) => seq(connection, who, thread_id, after)?.ok_or(StoreError::NoSuchCursor)?,
    };
    let statement = match page.order {
        Order::Asc => {
            "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
             WHERE t.id = ?1 AND t.owner = ?2 AND i.seq > ?3 \
             AND i.kind NOT IN ('hidden_context_item', 'sdk_hidden_context') ORDER BY i.seq ASC LIMIT ?4"
        }
        Order::Desc => {
            "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
             WHERE t.id = ?1 AND t.owner = ?2 AND i.seq < ?3 \
             AND i.kind NOT IN ('hidden_context_item', 'sdk_hidden_context') ORDER BY i.seq DESC LIMIT ?4"
        }
    };
    let mut statement = connection.prepare_cached(statement)?;
    let mut found = statement.query(params![thread_id, who.id, bound, page.limit() + 1])?;
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut most = page.limit() as usize;
    while let Some(row) = found.next()? {
        bytes += row.get_ref("content")?.as_bytes().map_or(0, <[u8]>::len);
        if bytes > MAX_PAGE_BYTES && !items.is_empty() {
            // One item at least, or nobody would get past it; the one too much tells that more follow.
            most = most.min(items.len());
        }
        items.push(read_item(row)?);
        if items.len() > most {
            break;
        }
    }
    Ok(cut_page(items, most, |item| &item.id))
}

fn seq(connection: &Connection, who: &Principal, thread_id: &str, item_id: &str) -> Result<Option<i64>, StoreError> {
    let statement = "SELECT i.seq FROM items i JOIN threads t ON t.seq = i.thread_seq \
                     WHERE i.id = ?1 AND t.id = ?2 AND t.owner = ?3";
    row(connection, statement, params![item_id, thread_id, who.id], |row| Ok(row.get(0)?))
}

/// The newest items, hidden ones too, newest first.
pub(super) fn recent(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    limit: u32,
) -> Result<Vec<ThreadItem>, StoreError> {
    threads::find(connection, who, thread_id)?;
    let statement = "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
                     WHERE t.id = ?1 AND t.owner = ?2 ORDER BY i.seq DESC LIMIT ?3";
    rows(connection, statement, params![thread_id, who.id, limit], read_item)
}

/// The newest assistant message that has citations.
pub(super) fn newest_cited(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
) -> Result<Option<ThreadItem>, StoreError> {
    threads::find(connection, who, thread_id)?;
    let statement = "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
                     WHERE t.id = ?1 AND t.owner = ?2 AND i.kind = 'assistant_message' \
                     AND json_array_length(i.content, '$.citations') > 0 ORDER BY i.seq DESC LIMIT 1";
    row(connection, statement, params![thread_id, who.id], read_item)
}

/// Deletes all that follows a user message.
pub(super) fn rewind(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
) -> Result<UserMessage, StoreError> {
    let ItemContent::UserMessage(message) = find(connection, who, thread_id, item_id)?.content else {
        return Err(StoreError::NotUserMessage);
    };
    threads::check_active(connection, who, thread_id)?;
    change(
        connection,
        "DELETE FROM attachments WHERE owner = ?2 AND id IN (SELECT json_extract(a.value, '$.id') \
         FROM items i, json_each(i.content, '$.attachments') a WHERE i.kind = 'user_message' \
         AND i.thread_seq = (SELECT seq FROM threads WHERE id = ?1 AND owner = ?2) \
         AND i.seq > (SELECT seq FROM items WHERE id = ?3))",
        params![thread_id, who.id, item_id],
    )?;
    change(
        connection,
        "DELETE FROM items WHERE thread_seq = (SELECT seq FROM threads WHERE id = ?1 AND owner = ?2) \
         AND seq > (SELECT seq FROM items WHERE id = ?3)",
        params![thread_id, who.id, item_id],
    )?;
    Ok(message)
}

/// Replaces what an item is; its id, time and place stay.
pub(super) fn update(connection: &Connection, who: &Principal, item: &ItemRow) -> Result<(), StoreError> {
    let done = change(
        connection,
        "UPDATE items SET kind = ?1, content = ?2 WHERE id = ?3 \
         AND thread_seq = (SELECT seq FROM threads WHERE id = ?4 AND owner = ?5)",
        params![item.kind, item.content, item.id, item.thread_id, who.id],
    )?;
    refuse_none(connection, who, &item.thread_id, done)
}

pub(super) fn delete(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
) -> Result<(), StoreError> {
    let done = change(
        connection,
        "DELETE FROM items WHERE id = ?1 AND thread_seq = (SELECT seq FROM threads WHERE id = ?2 AND owner = ?3)",
        params![item_id, thread_id, who.id],
    )?;
    refuse_none(connection, who, thread_id, done)
}

/// Feedback on all these items, or on none.
pub(super) fn set_feedback(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    feedback: &Feedback,
) -> Result<(), StoreError> {
    threads::find(connection, who, thread_id)?;
    for item_id in &feedback.item_ids {
        let done = change(
            connection,
            "INSERT INTO feedback (item_seq, kind, given_us) \
             SELECT i.seq, ?1, ?2 FROM items i JOIN threads t ON t.seq = i.thread_seq \
             WHERE i.id = ?3 AND t.id = ?4 AND t.owner = ?5 \
             ON CONFLICT (item_seq) DO UPDATE SET kind = excluded.kind, given_us = excluded.given_us",
            params![feedback_column(feedback.kind), feedback.given_at.as_microsecond(), item_id, thread_id, who.id],
        )?;
        refuse_none(connection, who, thread_id, done)?;
    }
    Ok(())
}

/// Says why a statement on one item touched none.
fn refuse_none(connection: &Connection, who: &Principal, thread_id: &str, done: usize) -> Result<(), StoreError> {
    match done {
        0 => threads::find(connection, who, thread_id).and(Err(StoreError::NoSuchItem)),
        _ => Ok(()),
    }
}
