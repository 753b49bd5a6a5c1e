//! When the write-ahead log is moved into the database, so that it stays short and no commit waits long for it.
//!
//! A thread of its own moves most of it while writing goes on. What was written meanwhile, the writer moves itself
//! between two transactions: only then is the log read to its end, and the next commit begins it anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;

use crate::store::sqlite::session::Session;

/// Pages (4 KiB) in the log before it is moved.
const MANY_PAGES: u32 = 2_000;
/// Pages more than that before the writer waits for the thread no longer.
const PATIENCE_PAGES: u32 = 8_000;

/// How many pages the log has after the last commit; SQLite tells it to a hook.
#[derive(Clone, Default)]
pub(super) struct LogPages(Arc<AtomicU32>);

impl LogPages {
    /// Has a connection tell after each of its commits.
    pub(super) fn follow(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let pages = Arc::clone(&self.0);
        connection.wal_hook(Some(move |_: &mut _, count| {
            pages.store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
    }
}

/// The thread, and what the writer knows of the log.
pub(super) struct Checkpoints {
    pages: LogPages,
    seen: u32,
    due: u32,
    is_asked: bool,
    ask: SyncSender<()>,
    is_moved: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the thread with a connection of its own.
    pub(super) fn start(session: Session, pages: LogPages) -> std::io::Result<Self> {
        let (ask, asked) = sync_channel(1);
        let is_moved = Arc::new(AtomicBool::new(false));
        let moved = Arc::clone(&is_moved);
        let builder = std::thread::Builder::new().name("store-checkpoint".to_owned());
        let thread = builder.spawn(move || move_when_asked(session, &asked, &moved))?;
        Ok(Self { pages, seen: 0, due: MANY_PAGES, is_asked: false, ask, is_moved, thread })
    }

    /// Called between two transactions by the writer, with its connection.
    pub(super) fn after_commit(&mut self, connection: &Connection) {
        let pages = self.pages.0.load(Ordering::Relaxed);
        if pages < self.seen {
            self.due = MANY_PAGES;
        }
        self.seen = pages;
        if pages < self.due {
            return;
        }
        if self.is_moved.swap(false, Ordering::AcqRel) || pages >= self.due.saturating_add(PATIENCE_PAGES) {
            move_log(connection);
            self.is_asked = false;
            // Somebody may still read an old state: then the log grows on, and is moved now and then.
            self.due = pages.saturating_add(MANY_PAGES);
        } else if !self.is_asked {
            self.is_asked = self.ask.try_send(()).is_ok();
        }
    }

    /// Ends the thread.
    pub(super) fn end(self) {
        drop(self.ask);
        if self.thread.join().is_err() {
            tracing::error!("the thread that moves the database's log panicked");
        }
    }
}

fn move_when_asked(mut session: Session, asked: &Receiver<()>, is_moved: &AtomicBool) {
    while asked.recv().is_ok() {
        match session.connection() {
            Ok(connection) => move_log(connection),
            Err(error) => tracing::debug!(%error, "the database's log is not moved now"),
        }
        is_moved.store(true, Ordering::Release);
    }
    session.close();
}

/// Moves what can be moved without waiting for anybody. What fails is tried again: nothing is lost by it.
fn move_log(connection: &Connection) {
    if let Err(error) = connection.wal_checkpoint_v2(Some("main"), CheckpointMode::PASSIVE) {
        tracing::debug!(%error, "the database's log is not moved now");
    }
}
