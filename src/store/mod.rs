//! The port to threads and their items, and the table of its backends.
//!
//! Every operation takes the acting [`Principal`] and checks ownership in its own statement, so another's id and an
//! unknown id are the same answer. Lists follow a sequence, never the time. What an operation returned `Ok` for is
//! on disk. A store knows no protocol.

mod sqlite;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;

use crate::model::attachment::{Attachment, AttachmentUsage};
use crate::model::item::InputSubmission;
use crate::model::thread::{FeedbackKind, Page, PageQuery, Principal, Thread, ThreadItem, ThreadStatus, UserMessage};
use crate::model::usage::{UsageQuery, UsageRow, UsageSum};
use crate::secret::Secret;

pub use sqlite::SqliteStore;

/// Keeps threads. Object-safe: used as `Arc<dyn Store>`.
#[async_trait]
pub trait Store: Send + Sync {
    /// Whether the store answers.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Inserts a thread and its first item in one transaction, and gives the thread the attachments of that item.
    async fn create_thread(&self, who: &Principal, thread: &Thread, first: &ThreadItem) -> Result<(), StoreError>;
    /// Inserts an item if its thread exists, is the principal's and, for a user message, is active; gives the thread
    /// the message's attachments, which must be the principal's, uploaded, and no other message's.
    async fn add_item(&self, who: &Principal, item: &ThreadItem) -> Result<(), StoreError>;
    /// One thread.
    async fn thread(&self, who: &Principal, thread_id: &str) -> Result<Thread, StoreError>;
    /// The principal's threads.
    async fn threads(&self, who: &Principal, page: &PageQuery) -> Result<Page<Thread>, StoreError>;
    /// Sets a title that a person chose.
    async fn rename(&self, who: &Principal, thread_id: &str, title: &str) -> Result<Thread, StoreError>;
    /// Sets an automatic title unless a person gave one; tells the thread if that changed it.
    async fn set_automatic_title(
        &self,
        who: &Principal,
        thread_id: &str,
        title: &str,
    ) -> Result<Option<Thread>, StoreError>;
    /// Deletes a thread with all that belongs to it.
    async fn delete_thread(&self, who: &Principal, thread_id: &str) -> Result<(), StoreError>;
    /// One item.
    async fn item(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<ThreadItem, StoreError>;
    /// A thread's items, without those for the model alone.
    async fn items(&self, who: &Principal, thread_id: &str, page: &PageQuery) -> Result<Page<ThreadItem>, StoreError>;
    /// Deletes all items after a user message of an active thread, with what was attached to them, in one
    /// transaction; tells that message.
    async fn rewind(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<UserMessage, StoreError>;
    /// A thread's newest items, those for the model alone included, newest first.
    async fn recent(&self, who: &Principal, thread_id: &str, limit: u32) -> Result<Vec<ThreadItem>, StoreError>;
    /// Replaces what a stored item is, keeping its id, time and place; tells the item as it is now.
    async fn replace_item(&self, who: &Principal, item: &ThreadItem) -> Result<ThreadItem, StoreError>;
    /// Deletes one item.
    async fn remove_item(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<(), StoreError>;
    /// Gives the newest item, which must be a pending tool call of an active thread, its output, and deletes other
    /// pending calls near it; tells the completed call.
    async fn complete_tool_call(
        &self,
        who: &Principal,
        thread_id: &str,
        output: Value,
    ) -> Result<ThreadItem, StoreError>;
    /// Fills in a pending form of an active thread; tells the form as it is now.
    async fn fill_form(
        &self,
        who: &Principal,
        thread_id: &str,
        item_id: &str,
        submission: &InputSubmission,
    ) -> Result<ThreadItem, StoreError>;
    /// Locks, closes or opens a thread.
    async fn set_status(&self, who: &Principal, thread_id: &str, status: &ThreadStatus) -> Result<Thread, StoreError>;
    /// Inserts an attachment that no message has yet, within bounds on what all of them take.
    async fn add_attachment(
        &self,
        who: &Principal,
        attachment: &Attachment,
        bounds: &AttachmentUsage,
    ) -> Result<(), StoreError>;
    /// Sets what became known by the upload: size, hash, type and kind. Only once, and only before a message has it.
    async fn finish_upload(
        &self,
        who: &Principal,
        attachment: &Attachment,
        bounds: &AttachmentUsage,
    ) -> Result<(), StoreError>;
    /// One attachment.
    async fn attachment(&self, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError>;
    /// A thread's attachments.
    async fn thread_attachments(&self, who: &Principal, thread_id: &str) -> Result<Vec<Attachment>, StoreError>;
    /// Deletes an attachment that no message has; tells what it was.
    async fn delete_attachment(&self, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError>;
    /// Deletes everybody's attachments older than this that no message has; tells how many.
    async fn expire_attachments(&self, before: Timestamp) -> Result<u64, StoreError>;
    /// Which of these hashes no attachment names.
    async fn unnamed_bytes(&self, sha256: &[String]) -> Result<Vec<String>, StoreError>;
    /// Records feedback on items of one thread, all of them or none; later feedback replaces earlier.
    async fn set_feedback(&self, who: &Principal, thread_id: &str, feedback: &Feedback) -> Result<(), StoreError>;
    /// The newest assistant message that has citations.
    async fn newest_cited(&self, who: &Principal, thread_id: &str) -> Result<Option<ThreadItem>, StoreError>;
    /// [`Self::add_item`] and [`Self::add_usage`] in one transaction.
    async fn add_answer(&self, who: &Principal, item: &ThreadItem, used: &UsageRow) -> Result<(), StoreError>;
    /// Keeps what an answer took, whoever asked; of a thread that is gone, without what leads to it.
    async fn add_usage(&self, used: &UsageRow) -> Result<(), StoreError>;
    /// What everybody's answers took.
    async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageSum>, StoreError>;
    /// Ends the connections; later operations fail.
    async fn close(&self);
}

/// What a visitor thinks of some items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// The items.
    pub item_ids: Vec<String>,
    /// What is thought of them.
    pub kind: FeedbackKind,
    /// When it was given.
    pub given_at: Timestamp,
}

/// What goes wrong with an operation.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No such thread, or not the principal's.
    #[error("no such thread")]
    NoSuchThread,
    /// No such item in that thread.
    #[error("no such item in this thread")]
    NoSuchItem,
    /// The cursor names no row of that list.
    #[error("the cursor names no row of this list")]
    NoSuchCursor,
    /// The thread is locked or closed.
    #[error("the thread takes no messages")]
    NotActive,
    /// The item is not a user message.
    #[error("the item is not a user message")]
    NotUserMessage,
    /// No tool call or form waits there.
    #[error("nothing waits for this")]
    NothingPending,
    /// No such attachment, or not the principal's.
    #[error("no such attachment")]
    NoSuchAttachment,
    /// The attachment is in no state for this: not uploaded yet, or some message's already.
    #[error("the attachment `{0}` is {1}")]
    AttachmentState(String, &'static str),
    /// Attachments take all they may.
    #[error("{0}")]
    AttachmentsFull(&'static str),
    /// A stored row cannot be read back.
    #[error("the stored item `{item_id}` cannot be read: {message}")]
    Damaged {
        /// The item.
        item_id: String,
        /// What is wrong with it.
        message: String,
    },
    /// The place where the database lies fails. What was asked is not written; reading may go on.
    #[error("the place of the database {trouble}")]
    Storage {
        /// How.
        trouble: StorageTrouble,
        /// What the database said.
        #[source]
        cause: Option<Cause>,
    },
    /// Too many others want to write, or another program does.
    #[error("the database is busy")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The work panicked; it is undone.
    #[error("an operation of the store panicked")]
    Panicked,
    /// The database failed otherwise.
    #[error("the database failed")]
    Backend(#[source] Cause),
}

/// What a database said went wrong. One commit carries the work of many, and each is told.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// How the place where a database lies fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageTrouble {
    /// There is no space, or no more is allowed.
    #[error("has no space left")]
    Full,
    /// Nothing can be written.
    #[error("can only be read")]
    ReadOnly,
    /// The file was deleted, moved or replaced.
    #[error("has lost it")]
    Gone,
    /// Reading or writing fails.
    #[error("fails to read or write")]
    Failing,
}

/// Why a store does not open. Messages never hold a URL: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A backend that is not built.
    #[error("`{scheme}:` databases are not supported yet; supported: {}", supported())]
    Unsupported {
        /// The URL's scheme.
        scheme: String,
    },
    /// The URL has no usable path.
    #[error("the database URL needs the path of a file, as in `{example}`")]
    NoPath {
        /// A good one.
        example: &'static str,
    },
    /// The URL says more than the path of a file.
    #[error("parameters (`?` or `#` in a `sqlite:` URL) are not supported; give a plain path, as in `{example}`")]
    Parameters {
        /// A good one.
        example: &'static str,
    },
    /// The database was written by a newer version of the program.
    #[error("the database `{path}` has schema {found}, newer than this program knows; use the version that wrote it")]
    Newer {
        /// The file.
        path: String,
        /// The newest migration found in it.
        found: i64,
    },
    /// Another process has it open for writing.
    #[error("the database `{path}` is in use by another server")]
    Locked {
        /// The file.
        path: String,
    },
    /// The file cannot be made or opened.
    #[error("the database `{path}` cannot be opened: {message}")]
    Open {
        /// The file.
        path: String,
        /// What the system said.
        message: String,
    },
}

/// Why a store cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sums being looked up; none where there is no database.
pub type Looking = BoxFuture<'static, Result<Option<Vec<UsageSum>>, LookError>>;

/// A store being opened.
pub type Opening = BoxFuture<'static, Result<Arc<dyn Store>, OpenError>>;

/// One kind of store.
pub struct Backend {
    /// The scheme of its URLs.
    pub scheme: &'static str,
    /// What it is, for people.
    pub summary: &'static str,
    /// A URL.
    pub example: &'static str,
    /// Opens one by what follows the scheme, making and migrating it when needed.
    pub open: fn(String) -> Opening,
    /// Looks up what answers took while a server may have the store open: it takes no lock, makes and changes nothing.
    pub look_at_usage: fn(String, UsageQuery) -> Looking,
}

/// All kinds of store.
pub const BACKENDS: &[Backend] = &[Backend {
    scheme: "sqlite",
    summary: "one file on this machine",
    example: "sqlite:chatbotctl.db",
    open: |rest| {
        Box::pin(async move {
            let path = sqlite::path_of_url(&rest)?;
            Ok(Arc::new(SqliteStore::open(path).await?) as Arc<dyn Store>)
        })
    },
    look_at_usage: |rest, query| {
        Box::pin(async move { sqlite::look_at_usage(sqlite::path_of_url(&rest)?.to_owned(), query).await })
    },
}];

/// Opens the store that a `DATABASE_URL` names: `sqlite:PATH`, or a plain path.
pub async fn open(location: &Secret) -> Result<Arc<dyn Store>, OpenError> {
    let location = location.expose();
    let Some((scheme, rest)) = split_scheme(location) else {
        return open_path(sqlite::path_of_text(location)?).await;
    };
    match BACKENDS.iter().find(|backend| backend.scheme.eq_ignore_ascii_case(scheme)) {
        Some(backend) => (backend.open)(rest.to_owned()).await,
        None => Err(OpenError::Unsupported { scheme: scheme.to_ascii_lowercase() }),
    }
}

/// Looks up what answers took in the store that a `DATABASE_URL` names, as [`open`] reads it.
pub async fn look_at_usage(location: &Secret, query: UsageQuery) -> Result<Option<Vec<UsageSum>>, LookError> {
    let location = location.expose();
    let Some((scheme, rest)) = split_scheme(location) else {
        return look_at_usage_in(sqlite::path_of_text(location)?, query).await;
    };
    match BACKENDS.iter().find(|backend| backend.scheme.eq_ignore_ascii_case(scheme)) {
        Some(backend) => (backend.look_at_usage)(rest.to_owned(), query).await,
        None => Err(OpenError::Unsupported { scheme: scheme.to_ascii_lowercase() }.into()),
    }
}

/// The same in the store of this file.
pub async fn look_at_usage_in(path: &Path, query: UsageQuery) -> Result<Option<Vec<UsageSum>>, LookError> {
    sqlite::look_at_usage(path.to_owned(), query).await
}

/// The kind of store that a location names; a plain path, or none, means the first of the table.
pub fn kind(location: &str) -> &'static str {
    let scheme = split_scheme(location).map(|(scheme, _)| scheme);
    let named =
        BACKENDS.iter().find(|backend| scheme.is_some_and(|scheme| backend.scheme.eq_ignore_ascii_case(scheme)));
    named.unwrap_or(&BACKENDS[0]).scheme
}

/// Opens the store in this file, whatever characters its name has.
pub async fn open_path(path: &Path) -> Result<Arc<dyn Store>, OpenError> {
    Ok(Arc::new(SqliteStore::open(path).await?))
}

/// Splits a URL's scheme off. What does not begin with one is a path.
fn split_scheme(location: &str) -> Option<(&str, &str)> {
    let is_scheme = |text: &str| {
        text.len() > 1
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.chars().all(|each| each.is_ascii_alphanumeric() || "+-.".contains(each))
    };
    let (scheme, rest) = location.split_once(':')?;
    is_scheme(scheme).then(|| (scheme, rest.strip_prefix("//").unwrap_or(rest)))
}

fn supported() -> String {
    let examples: Vec<&str> = BACKENDS.iter().map(|backend| backend.example).collect();
    examples.join(", ")
}
