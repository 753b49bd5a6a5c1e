//! Rows to model and back.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::model::thread::{FeedbackKind, Thread, ThreadItem, ThreadStatus};
use crate::store::StoreError;

/// A row of `threads`.
pub(super) fn read_thread(row: &SqliteRow) -> Result<Thread, StoreError> {
    let reason = row.try_get("status_reason")?;
    let status = match row.try_get::<&str, _>("status")? {
        "locked" => ThreadStatus::Locked { reason },
        "closed" => ThreadStatus::Closed { reason },
        _ => ThreadStatus::Active,
    };
    Ok(Thread {
        id: row.try_get("id")?,
        created_at: read_time(row)?,
        title: row.try_get("title")?,
        title_is_users: row.try_get("title_is_users")?,
        status,
    })
}

/// A row of `items`, with `thread_id` beside.
pub(super) fn read_item(row: &SqliteRow) -> Result<ThreadItem, StoreError> {
    let id: String = row.try_get("id")?;
    let content = serde_json::from_str(row.try_get("content")?).map_err(|error| damaged(&id, &error))?;
    Ok(ThreadItem { thread_id: row.try_get("thread_id")?, created_at: read_time(row)?, content, id })
}

pub(super) fn read_time(row: &SqliteRow) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(row.try_get("created_us")?)
        .map_err(|error| StoreError::Backend(sqlx::Error::Decode(Box::new(error))))
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
