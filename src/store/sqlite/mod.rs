//! Threads in one SQLite file: WAL, `synchronous=FULL`, one writing thread, a few reading ones.
//!
//! Every statement on what belongs to somebody names the owner. Statements run on threads of their own, so no async
//! thread waits for a disk; what is written at the same time is committed together. See `writer` for how.

mod attachments;
mod checkpoint;
mod failure;
mod items;
mod job;
mod look;
mod migrate;
mod page;
mod place;
mod reader;
mod row;
mod session;
mod statement;
mod threads;
mod turns;
mod usage;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::model::attachment::{Attachment, AttachmentUsage};
use crate::model::item::InputSubmission;
use crate::model::thread::{Page, PageQuery, Principal, Thread, ThreadItem, ThreadStatus, UserMessage};
use crate::model::usage::{UsageQuery, UsageRow, UsageSum};
use crate::store::sqlite::checkpoint::{Checkpoints, LogPages};
use crate::store::sqlite::job::{Job, Queue, ask};
use crate::store::sqlite::migrate::SchemaError;
use crate::store::sqlite::place::Place;
use crate::store::sqlite::row::ItemRow;
use crate::store::sqlite::session::{Role, Session};
use crate::store::sqlite::statement::row;
use crate::store::sqlite::writer::Writer;
use crate::store::{Feedback, OpenError, StorageTrouble, Store, StoreError};

pub(super) use look::usage as look_at_usage;
pub(super) use place::{path_of_text, path_of_url};

const READERS: usize = 4;
/// Jobs that may wait for a connection; whoever comes then waits for a place.
const MAX_WAITING: usize = 1024;

/// Threads in one SQLite file.
pub struct SqliteStore {
    running: RwLock<Option<Running>>,
}

/// The threads and the ways to them. Without the queues the threads end.
struct Running {
    place: Arc<Place>,
    write: Queue,
    read: Queue,
    writer: JoinHandle<()>,
    readers: Vec<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file, making it (for its owner's eyes only) and bringing its schema up to date. It stays held: a
    /// second store of the same file is refused, in this process and in others.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || Self::open_here(&path)).await;
        opened.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    fn open_here(path: &Path) -> Result<Self, OpenError> {
        let place = Arc::new(Place::hold(path)?);
        let pages = LogPages::default();
        let session = |role| {
            let pages = pages.clone();
            let prepare = move |connection: &mut Connection| match role {
                Role::Write => pages.follow(connection),
                Role::Read | Role::Checkpoint => Ok(()),
            };
            Session::open(Arc::clone(&place), role, Box::new(prepare)).map_err(|error| unusable(path, &error))
        };
        let writer = session(Role::Write)?;
        let checkpoint = session(Role::Checkpoint)?;
        let readers = (0..READERS).map(|_| session(Role::Read)).collect::<Result<Vec<_>, _>>()?;
        let checkpoints = Checkpoints::start(checkpoint, pages);
        let running = checkpoints
            .and_then(|checkpoints| Running::start(Arc::clone(&place), writer, checkpoints, readers))
            .map_err(|error| OpenError::Open { path: path.display().to_string(), message: error.to_string() })?;
        Ok(Self { running: RwLock::new(Some(running)) })
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        ask(self.running(|running| &running.write)?, work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        ask(self.running(|running| &running.read)?, work).await
    }

    fn running<T: Clone>(&self, which: fn(&Running) -> &T) -> Result<T, StoreError> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(which).cloned().ok_or(StoreError::Closed)
    }
}

impl Running {
    fn start(place: Arc<Place>, writer: Session, checkpoints: Checkpoints, readers: Vec<Session>) -> io::Result<Self> {
        let (write, queue) = mpsc::channel::<Box<dyn Job>>(MAX_WAITING);
        let writer = Writer { session: writer, queue, checkpoints };
        let writer = named("store-writer").spawn(move || writer.run())?;
        let (read, queue) = mpsc::channel::<Box<dyn Job>>(MAX_WAITING);
        let queue = Arc::new(Mutex::new(queue));
        let start_reader = |session| {
            let queue = Arc::clone(&queue);
            named("store-reader").spawn(move || reader::run(session, &queue))
        };
        let readers = readers.into_iter().map(start_reader).collect::<Result<_, _>>()?;
        Ok(Self { place, write, read, writer, readers })
    }

    /// Lets what waits be done, readers first: the writer then has the last connection, and leaves no log.
    fn end(self) {
        let Self { place: _, write, read, writer, readers } = self;
        drop(read);
        for reader in readers {
            end_of(reader);
        }
        drop(write);
        end_of(writer);
    }
}

fn named(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_owned())
}

fn end_of(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the store panicked");
    }
}

fn unusable(path: &Path, error: &SchemaError) -> OpenError {
    let path = path.display().to_string();
    match error {
        SchemaError::Newer(found) => OpenError::Newer { path, found: *found },
        SchemaError::Foreign | SchemaError::Failed(_) => OpenError::Open { path, message: error.to_string() },
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let place = self.running(|running| &running.place)?;
        self.read(move |connection| {
            row(connection, "SELECT 1 FROM threads LIMIT 1", [], |_| Ok(()))?;
            if place.is_there() {
                return Ok(());
            }
            Err(StoreError::Storage { trouble: StorageTrouble::Gone, cause: None })
        })
        .await
    }

    async fn create_thread(&self, who: &Principal, thread: &Thread, first: &ThreadItem) -> Result<(), StoreError> {
        let (who, thread, first) = (who.clone(), thread.clone(), ItemRow::of(first)?);
        self.write(move |connection| threads::insert(connection, &who, &thread, &first)).await
    }

    async fn add_item(&self, who: &Principal, item: &ThreadItem) -> Result<(), StoreError> {
        let (who, item) = (who.clone(), ItemRow::of(item)?);
        self.write(move |connection| items::insert(connection, &who, &item)).await
    }

    async fn thread(&self, who: &Principal, thread_id: &str) -> Result<Thread, StoreError> {
        let (who, thread_id) = (who.clone(), thread_id.to_owned());
        self.read(move |connection| threads::find(connection, &who, &thread_id)).await
    }

    async fn threads(&self, who: &Principal, page: &PageQuery) -> Result<Page<Thread>, StoreError> {
        let (who, page) = (who.clone(), page.clone());
        self.read(move |connection| threads::page(connection, &who, &page)).await
    }

    async fn rename(&self, who: &Principal, thread_id: &str, title: &str) -> Result<Thread, StoreError> {
        let (who, thread_id, title) = (who.clone(), thread_id.to_owned(), title.to_owned());
        self.write(move |connection| threads::rename(connection, &who, &thread_id, &title)).await
    }

    async fn set_automatic_title(
        &self,
        who: &Principal,
        thread_id: &str,
        title: &str,
    ) -> Result<Option<Thread>, StoreError> {
        let (who, thread_id, title) = (who.clone(), thread_id.to_owned(), title.to_owned());
        self.write(move |connection| threads::set_automatic_title(connection, &who, &thread_id, &title)).await
    }

    async fn delete_thread(&self, who: &Principal, thread_id: &str) -> Result<(), StoreError> {
        let (who, thread_id) = (who.clone(), thread_id.to_owned());
        self.write(move |connection| threads::delete(connection, &who, &thread_id)).await
    }

    async fn item(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<ThreadItem, StoreError> {
        let (who, thread_id, item_id) = (who.clone(), thread_id.to_owned(), item_id.to_owned());
        self.read(move |connection| items::find(connection, &who, &thread_id, &item_id)).await
    }

    async fn items(&self, who: &Principal, thread_id: &str, page: &PageQuery) -> Result<Page<ThreadItem>, StoreError> {
        let (who, thread_id, page) = (who.clone(), thread_id.to_owned(), page.clone());
        self.read(move |connection| items::page(connection, &who, &thread_id, &page)).await
    }

    async fn rewind(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<UserMessage, StoreError> {
        let (who, thread_id, item_id) = (who.clone(), thread_id.to_owned(), item_id.to_owned());
        self.write(move |connection| items::rewind(connection, &who, &thread_id, &item_id)).await
    }

    async fn recent(&self, who: &Principal, thread_id: &str, limit: u32) -> Result<Vec<ThreadItem>, StoreError> {
        let (who, thread_id) = (who.clone(), thread_id.to_owned());
        self.read(move |connection| items::recent(connection, &who, &thread_id, limit)).await
    }

    async fn replace_item(&self, who: &Principal, item: &ThreadItem) -> Result<ThreadItem, StoreError> {
        let (who, item) = (who.clone(), ItemRow::of(item)?);
        self.write(move |connection| turns::replace_item(connection, &who, &item)).await
    }

    async fn remove_item(&self, who: &Principal, thread_id: &str, item_id: &str) -> Result<(), StoreError> {
        let (who, thread_id, item_id) = (who.clone(), thread_id.to_owned(), item_id.to_owned());
        self.write(move |connection| items::delete(connection, &who, &thread_id, &item_id)).await
    }

    async fn complete_tool_call(
        &self,
        who: &Principal,
        thread_id: &str,
        output: Value,
    ) -> Result<ThreadItem, StoreError> {
        let (who, thread_id) = (who.clone(), thread_id.to_owned());
        self.write(move |connection| turns::complete_tool_call(connection, &who, &thread_id, output)).await
    }

    async fn fill_form(
        &self,
        who: &Principal,
        thread_id: &str,
        item_id: &str,
        submission: &InputSubmission,
    ) -> Result<ThreadItem, StoreError> {
        let (who, thread_id, item_id) = (who.clone(), thread_id.to_owned(), item_id.to_owned());
        let submission = submission.clone();
        self.write(move |connection| turns::fill_form(connection, &who, &thread_id, &item_id, &submission)).await
    }

    async fn set_status(&self, who: &Principal, thread_id: &str, status: &ThreadStatus) -> Result<Thread, StoreError> {
        let (who, thread_id, status) = (who.clone(), thread_id.to_owned(), status.clone());
        self.write(move |connection| threads::set_status(connection, &who, &thread_id, &status)).await
    }

    async fn add_attachment(
        &self,
        who: &Principal,
        attachment: &Attachment,
        bounds: &AttachmentUsage,
    ) -> Result<(), StoreError> {
        let (who, attachment, bounds) = (who.clone(), attachment.clone(), *bounds);
        self.write(move |connection| attachments::insert(connection, &who, &attachment, &bounds)).await
    }

    async fn finish_upload(
        &self,
        who: &Principal,
        attachment: &Attachment,
        bounds: &AttachmentUsage,
    ) -> Result<(), StoreError> {
        let (who, attachment, bounds) = (who.clone(), attachment.clone(), *bounds);
        self.write(move |connection| attachments::finish(connection, &who, &attachment, &bounds)).await
    }

    async fn attachment(&self, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError> {
        let (who, attachment_id) = (who.clone(), attachment_id.to_owned());
        self.read(move |connection| attachments::find(connection, &who, &attachment_id)).await
    }

    async fn thread_attachments(&self, who: &Principal, thread_id: &str) -> Result<Vec<Attachment>, StoreError> {
        let (who, thread_id) = (who.clone(), thread_id.to_owned());
        self.read(move |connection| attachments::of_thread(connection, &who, &thread_id)).await
    }

    async fn delete_attachment(&self, who: &Principal, attachment_id: &str) -> Result<Attachment, StoreError> {
        let (who, attachment_id) = (who.clone(), attachment_id.to_owned());
        self.write(move |connection| attachments::delete(connection, &who, &attachment_id)).await
    }

    async fn expire_attachments(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| attachments::expire(connection, before)).await
    }

    async fn unnamed_bytes(&self, sha256: &[String]) -> Result<Vec<String>, StoreError> {
        let sha256 = sha256.to_vec();
        self.read(move |connection| attachments::unnamed(connection, sha256)).await
    }

    async fn set_feedback(&self, who: &Principal, thread_id: &str, feedback: &Feedback) -> Result<(), StoreError> {
        let (who, thread_id, feedback) = (who.clone(), thread_id.to_owned(), feedback.clone());
        self.write(move |connection| items::set_feedback(connection, &who, &thread_id, &feedback)).await
    }

    async fn newest_cited(&self, who: &Principal, thread_id: &str) -> Result<Option<ThreadItem>, StoreError> {
        let (who, thread_id) = (who.clone(), thread_id.to_owned());
        self.read(move |connection| items::newest_cited(connection, &who, &thread_id)).await
    }

    async fn add_answer(&self, who: &Principal, item: &ThreadItem, used: &UsageRow) -> Result<(), StoreError> {
        let (who, item, used) = (who.clone(), ItemRow::of(item)?, used.clone());
        self.write(move |connection| usage::insert_answer(connection, &who, &item, &used)).await
    }

    async fn add_usage(&self, used: &UsageRow) -> Result<(), StoreError> {
        let used = used.clone();
        self.write(move |connection| usage::insert(connection, &used)).await
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageSum>, StoreError> {
        let query = query.clone();
        self.read(move |connection| usage::sums(connection, &query)).await
    }

    async fn close(&self) {
        let running = self.running.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running
            && tokio::task::spawn_blocking(move || running.end()).await.is_err()
        {
            tracing::error!("ending the store panicked");
        }
    }
}
