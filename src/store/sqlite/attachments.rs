//! Attachments: rows only; their bytes lie elsewhere.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::model::attachment::{Attachment, AttachmentKind, AttachmentUsage, MAX_OF_PRINCIPAL};
use crate::model::thread::Principal;
use crate::store::StoreError;
use crate::store::sqlite::row::read_time;
use crate::store::sqlite::statement::{change, row, rows};
use crate::store::sqlite::threads;

pub(super) fn insert(
    connection: &Connection,
    who: &Principal,
    attachment: &Attachment,
    bounds: &AttachmentUsage,
) -> Result<(), StoreError> {
    check_number(connection, who)?;
    check_bounds(connection, who, (attachment.size_bytes, attachment.size_bytes), bounds)?;
    change(
        connection,
        "INSERT INTO attachments (id, owner, created_us, name, mime_type, kind, size_bytes, sha256) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            attachment.id,
            who.id,
            attachment.created_at.as_microsecond(),
            attachment.name,
            attachment.mime_type,
            kind_column(attachment.kind),
            bytes_column(attachment.size_bytes),
            attachment.sha256,
        ],
    )?;
    Ok(())
}

/// What became known by the upload.
pub(super) fn finish(
    connection: &Connection,
    who: &Principal,
    attachment: &Attachment,
    bounds: &AttachmentUsage,
) -> Result<(), StoreError> {
    let announced = find(connection, who, &attachment.id)?;
    if announced.sha256.is_some() {
        return Err(StoreError::AttachmentState(announced.id, "uploaded already"));
    }
    let more = attachment.size_bytes.saturating_sub(announced.size_bytes);
    check_bounds(connection, who, (more, attachment.size_bytes), bounds)?;
    change(
        connection,
        "UPDATE attachments SET mime_type = ?1, kind = ?2, size_bytes = ?3, sha256 = ?4 \
         WHERE id = ?5 AND owner = ?6",
        params![
            attachment.mime_type,
            kind_column(attachment.kind),
            bytes_column(attachment.size_bytes),
            attachment.sha256,
            attachment.id,
            who.id,
        ],
    )?;
    Ok(())
}

fn check_number(connection: &Connection, who: &Principal) -> Result<(), StoreError> {
    let statement = "SELECT COUNT(*) FROM attachments WHERE owner = ?1";
    let number: i64 = row(connection, statement, params![who.id], |row| Ok(row.get(0)?))?.unwrap_or_default();
    if number >= i64::from(MAX_OF_PRINCIPAL) {
        return Err(StoreError::AttachmentsFull("you have as many attachments as you may; delete some threads"));
    }
    Ok(())
}

/// What is only announced counts for its visitor and not for all: words alone must not take the space of others.
fn check_bounds(
    connection: &Connection,
    who: &Principal,
    (of_principal_more, in_all_more): (u64, u64),
    bounds: &AttachmentUsage,
) -> Result<(), StoreError> {
    let statement = "SELECT COALESCE(SUM(CASE WHEN owner = ?1 THEN size_bytes END), 0), \
                     COALESCE(SUM(CASE WHEN sha256 IS NOT NULL THEN size_bytes END), 0) FROM attachments";
    let taken = row(connection, statement, params![who.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (of_principal, in_all): (i64, i64) = taken.unwrap_or_default();
    let exceeds = |taken: i64, more, most| taken.saturating_add(bytes_column(more)) > bytes_column(most);
    if exceeds(of_principal, of_principal_more, bounds.of_principal) {
        return Err(StoreError::AttachmentsFull("your attachments take all the space they may; delete some threads"));
    }
    if exceeds(in_all, in_all_more, bounds.in_all) {
        return Err(StoreError::AttachmentsFull("there is no space for attachments now"));
    }
    Ok(())
}

pub(super) fn find(connection: &Connection, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError> {
    let statement = "SELECT a.*, t.id AS thread_id FROM attachments a LEFT JOIN threads t ON t.seq = a.thread_seq \
                     WHERE a.id = ?1 AND a.owner = ?2";
    row(connection, statement, params![attachment_id, who.id], read)?.ok_or(StoreError::NoSuchAttachment)
}

pub(super) fn of_thread(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
) -> Result<Vec<Attachment>, StoreError> {
    threads::find(connection, who, thread_id)?;
    let statement = "SELECT a.*, t.id AS thread_id FROM attachments a JOIN threads t ON t.seq = a.thread_seq \
                     WHERE t.id = ?1 AND t.owner = ?2 AND a.owner = ?2 ORDER BY a.seq";
    rows(connection, statement, params![thread_id, who.id], read)
}

/// Makes an uploaded attachment the thread's; one that is some message's already is refused.
pub(super) fn give_to_thread(
    connection: &Connection,
    who: &Principal,
    attachment_id: &str,
    thread_id: &str,
) -> Result<(), StoreError> {
    let attachment = find(connection, who, attachment_id)?;
    if attachment.sha256.is_none() {
        return Err(StoreError::AttachmentState(attachment.id, "not uploaded yet"));
    }
    if attachment.thread_id.is_some() {
        return Err(StoreError::AttachmentState(attachment.id, "part of a message already"));
    }
    change(
        connection,
        "UPDATE attachments SET thread_seq = (SELECT seq FROM threads WHERE id = ?1 AND owner = ?2) \
         WHERE id = ?3 AND owner = ?2",
        params![thread_id, who.id, attachment_id],
    )?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError> {
    let attachment = find(connection, who, attachment_id)?;
    if attachment.thread_id.is_some() {
        return Err(StoreError::AttachmentState(attachment.id, "part of a message"));
    }
    change(connection, "DELETE FROM attachments WHERE id = ?1 AND owner = ?2", params![attachment_id, who.id])?;
    Ok(attachment)
}

/// Deletes everybody's that are older and no message has. It acts for nobody, so it names no owner.
pub(super) fn expire(connection: &Connection, before: Timestamp) -> Result<u64, StoreError> {
    let statement = "DELETE FROM attachments WHERE thread_seq IS NULL AND created_us < ?1";
    let done = change(connection, statement, params![before.as_microsecond()])?;
    Ok(u64::try_from(done).unwrap_or(u64::MAX))
}

/// Which of these hashes no attachment names, whosever.
pub(super) fn unnamed(connection: &Connection, sha256: Vec<String>) -> Result<Vec<String>, StoreError> {
    let mut unnamed = Vec::new();
    for hash in sha256 {
        let statement = "SELECT seq FROM attachments WHERE sha256 = ?1 LIMIT 1";
        if row(connection, statement, params![hash], |_| Ok(()))?.is_none() {
            unnamed.push(hash);
        }
    }
    Ok(unnamed)
}

fn read(row: &Row<'_>) -> Result<Attachment, StoreError> {
    Ok(Attachment {
        id: row.get("id")?,
        name: row.get("name")?,
        mime_type: row.get("mime_type")?,
        size_bytes: u64::try_from(row.get::<_, i64>("size_bytes")?).unwrap_or(0),
        kind: match row.get::<_, String>("kind")?.as_str() {
            "image" => AttachmentKind::Image,
            _ => AttachmentKind::File,
        },
        sha256: row.get("sha256")?,
        thread_id: row.get("thread_id")?,
        created_at: read_time(row)?,
    })
}

fn kind_column(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::File => "file",
        AttachmentKind::Image => "image",
    }
}

fn bytes_column(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
