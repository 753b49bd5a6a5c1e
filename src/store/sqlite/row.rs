//! Rows to model and back.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;

use crate::model::thread::{FeedbackKind, ItemContent, Thread, ThreadItem, ThreadStatus};
use crate::store::StoreError;

/// An item as it is written. It is made before the work is queued: the one writer has enough to do.
pub(super) struct ItemRow {
    pub(super) id: String,
    pub(super) thread_id: String,
    pub(super) created_us: i64,
    pub(super) kind: &'static str,
    pub(super) content: String,
    /// The attachments that the item takes.
    pub(super) attachment_ids: Vec<String>,
}

impl ItemRow {
    pub(super) fn of(item: &ThreadItem) -> Result<Self, StoreError> {
        let attachment_ids = match &item.content {
            ItemContent::UserMessage(message) => message.attachments.iter().map(|each| each.id.clone()).collect(),
            _ => Vec::new(),
        };
        Ok(Self {
            id: item.id.clone(),
            thread_id: item.thread_id.clone(),
            created_us: item.created_at.as_microsecond(),
            kind: item.content.kind(),
            content: serde_json::to_string(&item.content).map_err(|error| damaged(&item.id, &error))?,
            attachment_ids,
        })
    }
}

/// A row of `threads`.
pub(super) fn read_thread(row: &Row<'_>) -> Result<Thread, StoreError> {
    let reason = row.get("status_reason")?;
    let status = match row.get::<_, String>("status")?.as_str() {
        "locked" => ThreadStatus::Locked { reason },
        "closed" => ThreadStatus::Closed { reason },
        _ => ThreadStatus::Active,
    };
    Ok(Thread {
        id: row.get("id")?,
        created_at: read_time(row)?,
        title: row.get("title")?,
        title_is_users: row.get("title_is_users")?,
        status,
    })
}

/// A row of `items`, with `thread_id` beside.
pub(super) fn read_item(row: &Row<'_>) -> Result<ThreadItem, StoreError> {
    let id: String = row.get("id")?;
    let content = serde_json::from_str(&row.get::<_, String>("content")?).map_err(|error| damaged(&id, &error))?;
    Ok(ThreadItem { thread_id: row.get("thread_id")?, created_at: read_time(row)?, content, id })
}

pub(super) fn read_time(row: &Row<'_>) -> Result<Timestamp, StoreError> {
    let time = Timestamp::from_microsecond(row.get("created_us")?);
    time.map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, Box::new(error)).into())
}

/// What is wrong with an item's content, without a word of it.
pub(super) fn damaged(item_id: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged {
        item_id: item_id.to_owned(),
        message: format!("{:?} at column {}", error.classify(), error.column()),
    }
}

/// `status` and `status_reason`.
pub(super) fn status_columns(status: &ThreadStatus) -> (&'static str, Option<&str>) {
    match status {
        ThreadStatus::Active => ("active", None),
        ThreadStatus::Locked { reason } => ("locked", reason.as_deref()),
        ThreadStatus::Closed { reason } => ("closed", reason.as_deref()),
    }
}

/// `feedback.kind`, written.
pub(super) fn feedback_column(kind: FeedbackKind) -> &'static str {
    match kind {
        FeedbackKind::Positive => "positive",
        FeedbackKind::Negative => "negative",
    }
}
