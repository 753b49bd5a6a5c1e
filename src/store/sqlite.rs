//! Threads in one SQLite file: WAL, `synchronous=FULL`, one writer, a few readers.
//!
//! Every statement names the owner. A write that matched nothing asks afterwards, within its own transaction, why.

mod attachments;
mod row;
mod turns;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, SqliteConnection, Transaction};

use crate::model::attachment::{Attachment, AttachmentUsage};
use crate::model::item::InputSubmission;
use crate::model::thread::{
    ItemContent, Order, Page, PageQuery, Principal, Thread, ThreadItem, ThreadStatus, UserMessage,
};
use crate::store::sqlite::row::{damaged, feedback_column, read_item, read_thread, status_columns};
use crate::store::{BACKENDS, Feedback, OpenError, Store, StoreError};

const READERS: u32 = 4;
/// Bytes of items on a page at the most, unless it holds one item only.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Threads in one SQLite file.
pub struct SqliteStore {
    pub(super) writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, making it (for its owner's eyes only) and bringing its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |message: String| OpenError::Open { path: path.display().to_string(), message };
        make_private_file(path).await.map_err(|error| failed(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(file_uri(path))
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .synchronous(SqliteSynchronous::Full);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone().journal_mode(SqliteJournalMode::Wal))
            .await
            .map_err(|error| failed(error.to_string()))?;
        migrate(&writer, path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { writer, readers })
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// The path that follows `sqlite:` or `sqlite://`.
pub(super) fn path_of_url(rest: &str) -> Result<&Path, OpenError> {
    if rest.contains(['?', '#']) {
        let example = BACKENDS[0].example;
        return Err(OpenError::Parameters { example });
    }
    path_of_text(rest)
}

/// A path, unless it is none or one of SQLite's names for databases that are no files.
pub(super) fn path_of_text(text: &str) -> Result<&Path, OpenError> {
    if text.is_empty() || text.starts_with(':') {
        let example = BACKENDS[0].example;
        return Err(OpenError::NoPath { example });
    }
    Ok(Path::new(text))
}

/// The path as a URI: the only form in which SQLite takes every name as it is, also one that is no UTF-8.
fn file_uri(path: &Path) -> String {
    // A relative path must not become one of SQLite's own names.
    let path = Path::new(".").join(path);
    let escaped = path.as_os_str().as_encoded_bytes().iter().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    format!("file:{}", escaped.collect::<String>())
}

/// Makes the file with mode 0600 if it is not there; SQLite gives its side files the same mode.
async fn make_private_file(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut options = tokio::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await.map(drop)
}

async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let path = path.display().to_string();
    match sqlx::migrate!("src/store/migrations/sqlite").run(writer).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(OpenError::Newer { path, found }),
        Err(error) => Err(OpenError::Open { path, message: error.to_string() }),
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM threads LIMIT 1").fetch_optional(&self.readers).await?;
        Ok(())
    }

    async fn create_thread(&self, who: &Principal, thread: &Thread, first: &ThreadItem) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let (status, reason) = status_columns(&thread.status);
        sqlx::query(
            "INSERT INTO threads (id, owner, created_us, title, title_is_users, status, status_reason) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&thread.id)
        .bind(&who.id)
        .bind(thread.created_at.as_microsecond())
        .bind(&thread.title)
        .bind(thread.title_is_users)
        .bind(status)
        .bind(reason)
        .execute(&mut *transaction)
        .await?;
        insert_item(&mut transaction, who, first).await?;
        Ok(transaction.commit().await?)
    }

    async fn add_item(&self, who: &Principal, item: &ThreadItem) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        insert_item(&mut transaction, who, item).await?;
        Ok(transaction.commit().await?)
    }

    async fn thread(&self, who: &Principal, thread_id: &str) -> Result<Thread, StoreError> {
        let mut connection = self.readers.acquire().await?;
        find_thread(&mut connection, who, thread_id).await
    }

    async fn threads(&self, who: &Principal, page: &PageQuery) -> Result<Page<Thread>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        let bound = match &page.after {
            None => first_bound(page.order),
            Some(after) => sqlx::query_scalar("SELECT seq FROM threads WHERE id = $1 AND owner = $2")
                .bind(after)
                .bind(&who.id)
                .fetch_optional(&mut *snapshot)
                .await?
                .ok_or(StoreError::NoSuchCursor)?,
        };
        let statement = match page.order {
            Order::Asc => "SELECT * FROM threads WHERE owner = $1 AND seq > $2 ORDER BY seq ASC LIMIT $3",
            Order::Desc => "SELECT * FROM threads WHERE owner = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
        };
        let rows =
            sqlx::query(statement).bind(&who.id).bind(bound).bind(page.limit() + 1).fetch_all(&mut *snapshot).await?;
        let threads = rows.iter().map(read_thread).collect::<Result<_, _>>()?;
        Ok(cut_page(threads, page.limit() as usize, |thread: &Thread| &thread.id))
    }

    async fn rename(&self, who: &Principal, thread_id: &str, title: &str) -> Result<Thread, StoreError> {
        sqlx::query("UPDATE threads SET title = $1, title_is_users = 1 WHERE id = $2 AND owner = $3 RETURNING *")
            .bind(title)
            .bind(thread_id)
            .bind(&who.id)
            .fetch_optional(&self.writer)
            .await?
            .as_ref()
            .map_or(Err(StoreError::NoSuchThread), read_thread)
    }

    async fn set_automatic_title(
        &self,
        who: &Principal,
        thread_id: &str,
        title: &str,
    ) -> Result<Option<Thread>, StoreError> {
        sqlx::query(
            "UPDATE threads SET title = $1 \
             WHERE id = $2 AND owner = $3 AND title_is_users = 0 AND title IS NOT $1 RETURNING *",
        )
        .bind(title)
        .bind(thread_id)
        .bind(&who.id)
        .fetch_optional(&self.writer)
        .await?
        .as_ref()
        .map(read_thread)
        .transpose()
    }

    async fn delete_thread(&self, who: &Principal, thread_id: &str) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM threads WHERE id = $1 AND owner = $2")
            .bind(thread_id)
            .bind(&who.id)
            .execute(&self.writer)
            .await?;
        match done.rows_affected() {
            0 => Err(StoreError::NoSuchThread),
            _ => Ok(()),
        }
    }

    async fn item(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<ThreadItem, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        find_item(&mut snapshot, who, thread_id, item_id).await
    }

    async fn items(&self, who: &Principal, thread_id: &str, page: &PageQuery) -> Result<Page<ThreadItem>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        find_thread(&mut snapshot, who, thread_id).await?;
        let bound = match &page.after {
            None => first_bound(page.order),
            Some(after) => item_seq(&mut snapshot, who, thread_id, after).await?.ok_or(StoreError::NoSuchCursor)?,
        };
        let statement = match page.order {
            Order::Asc => {
                "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
                 WHERE t.id = $1 AND t.owner = $2 AND i.seq > $3 \
                 AND i.kind NOT IN ('hidden_context_item', 'sdk_hidden_context') ORDER BY i.seq ASC LIMIT $4"
            }
            Order::Desc => {
                "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
                 WHERE t.id = $1 AND t.owner = $2 AND i.seq < $3 \
                 AND i.kind NOT IN ('hidden_context_item', 'sdk_hidden_context') ORDER BY i.seq DESC LIMIT $4"
            }
        };
        let rows = sqlx::query(statement)
            .bind(thread_id)
            .bind(&who.id)
            .bind(bound)
            .bind(page.limit() + 1)
            .fetch_all(&mut *snapshot)
            .await?;
        let most = fitting(&rows)?.min(page.limit() as usize);
        let items = rows.iter().map(read_item).collect::<Result<_, _>>()?;
        Ok(cut_page(items, most, |item: &ThreadItem| &item.id))
    }

    async fn rewind(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<UserMessage, StoreError> {
        let mut transaction = self.write().await?;
        let item = find_item(&mut transaction, who, thread_id, item_id).await?;
        let ItemContent::UserMessage(message) = item.content else {
            return Err(StoreError::NotUserMessage);
        };
        let thread = find_thread(&mut transaction, who, thread_id).await?;
        if thread.status != ThreadStatus::Active {
            return Err(StoreError::NotActive);
        }
        sqlx::query(
            "DELETE FROM items \
             WHERE thread_seq = (SELECT seq FROM threads WHERE id = $1 AND owner = $2) \
             AND seq > (SELECT seq FROM items WHERE id = $3)",
        )
        .bind(thread_id)
        .bind(&who.id)
        .bind(item_id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(message)
    }

    async fn set_feedback(&self, who: &Principal, thread_id: &str, feedback: &Feedback) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        find_thread(&mut transaction, who, thread_id).await?;
        for item_id in &feedback.item_ids {
            let done = sqlx::query(
                "INSERT INTO feedback (item_seq, kind, given_us) \
                 SELECT i.seq, $1, $2 FROM items i JOIN threads t ON t.seq = i.thread_seq \
                 WHERE i.id = $3 AND t.id = $4 AND t.owner = $5 \
                 ON CONFLICT (item_seq) DO UPDATE SET kind = excluded.kind, given_us = excluded.given_us",
            )
            .bind(feedback_column(feedback.kind))
            .bind(feedback.given_at.as_microsecond())
            .bind(item_id)
            .bind(thread_id)
            .bind(&who.id)
            .execute(&mut *transaction)
            .await?;
            if done.rows_affected() == 0 {
                return Err(StoreError::NoSuchItem);
            }
        }
        Ok(transaction.commit().await?)
    }

    async fn newest_cited(&self, who: &Principal, thread_id: &str) -> Result<Option<ThreadItem>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        find_thread(&mut snapshot, who, thread_id).await?;
        sqlx::query(
            "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
             WHERE t.id = $1 AND t.owner = $2 AND i.kind = 'assistant_message' \
             AND json_array_length(i.content, '$.citations') > 0 ORDER BY i.seq DESC LIMIT 1",
        )
        .bind(thread_id)
        .bind(&who.id)
        .fetch_optional(&mut *snapshot)
        .await?
        .as_ref()
        .map(read_item)
        .transpose()
    }

    async fn recent(&self, who: &Principal, thread_id: &str, limit: u32) -> Result<Vec<ThreadItem>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        find_thread(&mut snapshot, who, thread_id).await?;
        let rows = sqlx::query(
            "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
             WHERE t.id = $1 AND t.owner = $2 ORDER BY i.seq DESC LIMIT $3",
        )
        .bind(thread_id)
        .bind(&who.id)
        .bind(limit)
        .fetch_all(&mut *snapshot)
        .await?;
        rows.iter().map(read_item).collect()
    }

    async fn replace_item(&self, who: &Principal, item: &ThreadItem) -> Result<ThreadItem, StoreError> {
        let mut transaction = self.write().await?;
        let replaced = turns::replace_item(&mut transaction, who, item).await?;
        transaction.commit().await?;
        Ok(replaced)
    }

    async fn remove_item(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        turns::delete_item(&mut transaction, who, thread_id, item_id).await?;
        Ok(transaction.commit().await?)
    }

    async fn complete_tool_call(
        &self,
        who: &Principal,
        thread_id: &str,
        output: Value,
    ) -> Result<ThreadItem, StoreError> {
        let mut transaction = self.write().await?;
        let call = turns::complete_tool_call(&mut transaction, who, thread_id, output).await?;
        transaction.commit().await?;
        Ok(call)
    }

    async fn fill_form(
        &self,
        who: &Principal,
        thread_id: &str,
        item_id: &str,
        submission: &InputSubmission,
    ) -> Result<ThreadItem, StoreError> {
        let mut transaction = self.write().await?;
        let form = turns::fill_form(&mut transaction, who, thread_id, item_id, submission).await?;
        transaction.commit().await?;
        Ok(form)
    }

    async fn set_status(&self, who: &Principal, thread_id: &str, status: &ThreadStatus) -> Result<Thread, StoreError> {
        let (status, reason) = status_columns(status);
        sqlx::query("UPDATE threads SET status = $1, status_reason = $2 WHERE id = $3 AND owner = $4 RETURNING *")
            .bind(status)
            .bind(reason)
            .bind(thread_id)
            .bind(&who.id)
            .fetch_optional(&self.writer)
            .await?
            .as_ref()
            .map_or(Err(StoreError::NoSuchThread), read_thread)
    }

    async fn add_attachment(
        &self,
        who: &Principal,
        attachment: &Attachment,
        bounds: &AttachmentUsage,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        attachments::insert(&mut transaction, who, attachment, bounds).await?;
        Ok(transaction.commit().await?)
    }

    async fn finish_upload(
        &self,
        who: &Principal,
        attachment: &Attachment,
        bounds: &AttachmentUsage,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        attachments::finish(&mut transaction, who, attachment, bounds).await?;
        Ok(transaction.commit().await?)
    }

    async fn attachment(&self, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError> {
        let mut connection = self.readers.acquire().await?;
        attachments::find(&mut connection, who, attachment_id).await
    }

    async fn thread_attachments(&self, who: &Principal, thread_id: &str) -> Result<Vec<Attachment>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        find_thread(&mut snapshot, who, thread_id).await?;
        attachments::of_thread(&mut snapshot, who, thread_id).await
    }

    async fn delete_attachment(&self, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError> {
        let mut transaction = self.write().await?;
        let deleted = attachments::delete(&mut transaction, who, attachment_id).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    async fn expire_attachments(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM attachments WHERE thread_seq IS NULL AND created_us < $1")
            .bind(before.as_microsecond())
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected())
    }

    async fn unnamed_bytes(&self, sha256: &[String]) -> Result<Vec<String>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        let mut unnamed = Vec::new();
        for hash in sha256 {
            let found: Option<i64> = sqlx::query_scalar("SELECT seq FROM attachments WHERE sha256 = $1 LIMIT 1")
                .bind(hash)
                .fetch_optional(&mut *snapshot)
                .await?;
            if found.is_none() {
                unnamed.push(hash.clone());
            }
        }
        Ok(unnamed)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn insert_item(connection: &mut SqliteConnection, who: &Principal, item: &ThreadItem) -> Result<(), StoreError> {
    let content = serde_json::to_string(&item.content).map_err(|error| damaged(&item.id, &error))?;
    let done = sqlx::query(
        "INSERT INTO items (id, thread_seq, created_us, kind, content) \
         SELECT $1, t.seq, $2, $3, $4 FROM threads t \
         WHERE t.id = $5 AND t.owner = $6 AND (t.status = 'active' OR $3 <> 'user_message')",
    )
    .bind(&item.id)
    .bind(item.created_at.as_microsecond())
    .bind(item.content.kind())
    .bind(content)
    .bind(&item.thread_id)
    .bind(&who.id)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        find_thread(connection, who, &item.thread_id).await?;
        return Err(StoreError::NotActive);
    }
    if let ItemContent::UserMessage(message) = &item.content {
        for attachment in &message.attachments {
            attachments::give_to_thread(connection, who, &attachment.id, &item.thread_id).await?;
        }
    }
    Ok(())
}

async fn find_thread(
    connection: &mut SqliteConnection,
    who: &Principal,
    thread_id: &str,
) -> Result<Thread, StoreError> {
    sqlx::query("SELECT * FROM threads WHERE id = $1 AND owner = $2")
        .bind(thread_id)
        .bind(&who.id)
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map_or(Err(StoreError::NoSuchThread), read_thread)
}

async fn find_item(
    connection: &mut SqliteConnection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
) -> Result<ThreadItem, StoreError> {
    let row = sqlx::query(
        "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
         WHERE i.id = $1 AND t.id = $2 AND t.owner = $3",
    )
    .bind(item_id)
    .bind(thread_id)
    .bind(&who.id)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = row {
        return read_item(&row);
    }
    find_thread(connection, who, thread_id).await?;
    Err(StoreError::NoSuchItem)
}

async fn item_seq(
    connection: &mut SqliteConnection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT i.seq FROM items i JOIN threads t ON t.seq = i.thread_seq \
         WHERE i.id = $1 AND t.id = $2 AND t.owner = $3",
    )
    .bind(item_id)
    .bind(thread_id)
    .bind(&who.id)
    .fetch_optional(connection)
    .await?)
}

/// A bound that every row lies beyond.
fn first_bound(order: Order) -> i64 {
    match order {
        Order::Asc => 0,
        Order::Desc => i64::MAX,
    }
}

/// How many of these items a page may hold by their size; one at least, or nobody would get past it.
fn fitting(rows: &[SqliteRow]) -> Result<usize, StoreError> {
    let mut bytes = 0;
    for (before, row) in rows.iter().enumerate() {
        bytes += row.try_get::<&str, _>("content")?.len();
        if bytes > MAX_PAGE_BYTES && before > 0 {
            return Ok(before);
        }
    }
    Ok(rows.len())
}

/// Makes a page of the first rows; those beyond only tell that more follow.
fn cut_page<T>(mut rows: Vec<T>, most: usize, id: fn(&T) -> &String) -> Page<T> {
    let has_more = rows.len() > most;
    rows.truncate(most);
    let after = match (has_more, rows.last()) {
        (true, Some(last)) => Some(id(last).clone()),
        _ => None,
    };
    Page { data: rows, has_more, after }
}
