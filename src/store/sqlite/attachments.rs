//! Attachments: rows only; their bytes lie elsewhere.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::model::attachment::{Attachment, AttachmentKind, AttachmentUsage, MAX_OF_PRINCIPAL};
use crate::model::thread::Principal;
use crate::store::StoreError;
use crate::store::sqlite::row::read_time;

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    who: &Principal,
    attachment: &Attachment,
    bounds: &AttachmentUsage,
) -> Result<(), StoreError> {
    check_number(connection, who).await?;
    check_bounds(connection, who, attachment.size_bytes, bounds).await?;
    sqlx::query(
        "INSERT INTO attachments (id, owner, created_us, name, mime_type, kind, size_bytes, sha256) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&attachment.id)
    .bind(&who.id)
    .bind(attachment.created_at.as_microsecond())
    .bind(&attachment.name)
    .bind(&attachment.mime_type)
    .bind(kind_column(attachment.kind))
    .bind(i64::try_from(attachment.size_bytes).unwrap_or(i64::MAX))
    .bind(&attachment.sha256)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn finish(
    connection: &mut SqliteConnection,
    who: &Principal,
    attachment: &Attachment,
    bounds: &AttachmentUsage,
) -> Result<(), StoreError> {
    let announced = find(connection, who, &attachment.id).await?;
    if announced.sha256.is_some() {
        return Err(StoreError::AttachmentState(announced.id, "uploaded already"));
    }
    let more = attachment.size_bytes.saturating_sub(announced.size_bytes);
    check_bounds(connection, who, more, bounds).await?;
    sqlx::query(
        "UPDATE attachments SET mime_type = $1, kind = $2, size_bytes = $3, sha256 = $4 WHERE id = $5 AND owner = $6",
    )
    .bind(&attachment.mime_type)
    .bind(kind_column(attachment.kind))
    .bind(i64::try_from(attachment.size_bytes).unwrap_or(i64::MAX))
    .bind(&attachment.sha256)
    .bind(&attachment.id)
    .bind(&who.id)
    .execute(connection)
    .await?;
    Ok(())
}

async fn check_number(connection: &mut SqliteConnection, who: &Principal) -> Result<(), StoreError> {
    let number: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM attachments WHERE owner = $1")
        .bind(&who.id)
        .fetch_one(connection)
        .await?;
    if number >= i64::from(MAX_OF_PRINCIPAL) {
        return Err(StoreError::AttachmentsFull("you have as many attachments as you may; delete some threads"));
    }
    Ok(())
}

async fn check_bounds(
    connection: &mut SqliteConnection,
    who: &Principal,
    more: u64,
    bounds: &AttachmentUsage,
) -> Result<(), StoreError> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "SELECT COALESCE(SUM(size_bytes), 0) AS in_all, \
         COALESCE(SUM(CASE WHEN owner = $1 THEN size_bytes END), 0) AS of_principal FROM attachments",
    )
    .bind(&who.id)
    .fetch_one(connection)
    .await?;
    let exceeds = |column, most: u64| -> Result<bool, StoreError> {
        Ok(row.try_get::<i64, _>(column)?.saturating_add(more) > i64::try_from(most).unwrap_or(i64::MAX))
    };
    if exceeds("of_principal", bounds.of_principal)? {
        return Err(StoreError::AttachmentsFull("your attachments take all the space they may; delete some threads"));
    }
    if exceeds("in_all", bounds.in_all)? {
        return Err(StoreError::AttachmentsFull("there is no space for attachments now"));
    }
    Ok(())
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    who: &Principal,
    attachment_id: &str,
) -> Result<Attachment, StoreError> {
    sqlx::query(
        "SELECT a.*, t.id AS thread_id FROM attachments a LEFT JOIN threads t ON t.seq = a.thread_seq \
         WHERE a.id = $1 AND a.owner = $2",
    )
    .bind(attachment_id)
    .bind(&who.id)
    .fetch_optional(connection)
    .await?
    .as_ref()
    .map_or(Err(StoreError::NoSuchAttachment), read)
}

pub(super) async fn of_thread(
    connection: &mut SqliteConnection,
    who: &Principal,
    thread_id: &str,
) -> Result<Vec<Attachment>, StoreError> {
    let rows = sqlx::query(
        "SELECT a.*, t.id AS thread_id FROM attachments a JOIN threads t ON t.seq = a.thread_seq \
         WHERE t.id = $1 AND a.owner = $2 ORDER BY a.seq",
    )
    .bind(thread_id)
    .bind(&who.id)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Makes an uploaded attachment the thread's; one that is another thread's already is refused.
pub(super) async fn give_to_thread(
    connection: &mut SqliteConnection,
    who: &Principal,
    attachment_id: &str,
    thread_id: &str,
) -> Result<(), StoreError> {
    let attachment = find(connection, who, attachment_id).await?;
    if attachment.sha256.is_none() {
        return Err(StoreError::AttachmentState(attachment.id, "not uploaded yet"));
    }
    if attachment.thread_id.is_some() {
        return Err(StoreError::AttachmentState(attachment.id, "part of a message already"));
    }
    sqlx::query(
        "UPDATE attachments SET thread_seq = (SELECT seq FROM threads WHERE id = $1 AND owner = $2) \
         WHERE id = $3 AND owner = $2",
    )
    .bind(thread_id)
    .bind(&who.id)
    .bind(attachment_id)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    who: &Principal,
    attachment_id: &str,
) -> Result<Attachment, StoreError> {
    let attachment = find(connection, who, attachment_id).await?;
    if attachment.thread_id.is_some() {
        return Err(StoreError::AttachmentState(attachment.id, "part of a message"));
    }
    sqlx::query("DELETE FROM attachments WHERE id = $1 AND owner = $2")
        .bind(attachment_id)
        .bind(&who.id)
        .execute(connection)
        .await?;
    Ok(attachment)
}

fn read(row: &SqliteRow) -> Result<Attachment, StoreError> {
    Ok(Attachment {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        mime_type: row.try_get("mime_type")?,
        size_bytes: u64::try_from(row.try_get::<i64, _>("size_bytes")?).unwrap_or(0),
        kind: match row.try_get::<&str, _>("kind")? {
            "image" => AttachmentKind::Image,
            _ => AttachmentKind::File,
        },
        sha256: row.try_get("sha256")?,
        thread_id: row.try_get("thread_id")?,
        created_at: read_time(row)?,
    })
}

fn kind_column(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::File => "file",
        AttachmentKind::Image => "image",
    }
}
