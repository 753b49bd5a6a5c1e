//! What is particular to SQLite.

mod group;
mod look;
mod schema;
mod trouble;

use std::path::Path;
use std::sync::mpsc;

use jiff::Timestamp;
use rusqlite::Connection;

use super::SqliteStore;
use crate::model::thread::FeedbackKind;
use crate::store::tests::{begin, principal};
use crate::store::{Feedback, OpenError, Store as _, StoreError};

/// Rows that were read, joined.
async fn texts(store: &SqliteStore, statement: &'static str) -> String {
    let read = move |connection: &Connection| {
        super::statement::rows(connection, statement, [], |row| Ok(row.get::<_, String>(0)?))
    };
    store.read(read).await.unwrap().join(" ")
}

async fn open_in(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("threads.db")).await.unwrap()
}

/// Holds the writer until this is dropped; what is asked meanwhile waits, and is then written together.
struct Hold {
    _release: mpsc::Sender<()>,
}

impl Hold {
    async fn the_writer(store: &SqliteStore) -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let queue = store.running(|running| &running.write).unwrap();
        tokio::spawn(super::job::ask(queue, move |_| {
            let _ = begun.send(());
            let _ = released.recv();
            Ok(())
        }));
        has_begun.await.unwrap();
        Self { _release: release }
    }
}

/// Lets the writer go on when this many jobs wait for it.
async fn release_with(store: &SqliteStore, hold: Hold, waiting: usize) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let queue = store.running(|running| &running.write).unwrap();
        if queue.max_capacity() - queue.capacity() == waiting {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the jobs do not arrive");
        tokio::task::yield_now().await;
    }
    drop(hold);
}

#[tokio::test]
async fn feedback_is_one_row_an_item() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, question) = begin(&store, &who, "q").await;
    let kinds = async || texts(&store, "SELECT kind FROM feedback").await;
    let give = |item_ids: &[&str], kind| Feedback {
        item_ids: item_ids.iter().map(|id| (*id).to_owned()).collect(),
        kind,
        given_at: Timestamp::UNIX_EPOCH,
    };
    let mixed = give(&[&question.id, "msg_unknown"], FeedbackKind::Positive);
    assert!(store.set_feedback(&who, &thread.id, &mixed).await.is_err());
    assert_eq!(kinds().await, "", "all or nothing");
    for (kind, name) in [(FeedbackKind::Positive, "positive"), (FeedbackKind::Negative, "negative")] {
        store.set_feedback(&who, &thread.id, &give(&[&question.id], kind)).await.unwrap();
        assert_eq!(kinds().await, name);
    }
    let other = principal("other");
    assert!(store.set_feedback(&other, &thread.id, &give(&[&question.id], FeedbackKind::Positive)).await.is_err());
    assert_eq!(kinds().await, "negative");
    store.delete_thread(&who, &thread.id).await.unwrap();
    assert_eq!(kinds().await, "", "it goes with its item");
}

/// S9: a second server on one file is refused, by whatever name it calls the file; who only reads is not.
#[tokio::test]
async fn s9_one_file_has_one_writing_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/threads.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (thread, _) = begin(&store, &principal("a"), "q").await;
    let mut names = vec![path.clone(), folder.path().join("deep/er/../er/threads.db")];
    #[cfg(unix)]
    {
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        names.push(link);
    }
    for name in &names {
        let refused = SqliteStore::open(name).await.err();
        assert!(matches!(refused, Some(OpenError::Locked { .. })), "{}: {refused:?}", name.display());
    }
    let reader = Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let found: String = reader.query_row("SELECT id FROM threads", [], |row| row.get(0)).unwrap();
    assert_eq!(found, thread.id, "a backup, for example");
    drop(reader);
    store.close().await;
    for name in &names {
        let next = SqliteStore::open(name).await.unwrap();
        assert_eq!(next.thread(&principal("a"), &thread.id).await.unwrap(), thread);
        next.close().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn all_its_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    begin(&store, &principal("a"), "q").await;
    let entries: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(entries.len() >= 3, "{entries:?}");
    for entry in entries {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
}

/// Not closed, as after a panic: the threads end by themselves and let the file go.
#[tokio::test]
async fn a_dropped_store_lets_its_file_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let (thread, _) = begin(&store, &principal("a"), "q").await;
    drop(store);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let next = loop {
        match SqliteStore::open(&folder.path().join("threads.db")).await {
            Ok(next) => break next,
            Err(error) => assert!(std::time::Instant::now() < deadline, "{error}"),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(next.thread(&principal("a"), &thread.id).await.unwrap(), thread);
}

#[tokio::test]
async fn a_closed_store_has_done_what_waited_and_leaves_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let hold = Hold::the_writer(&store).await;
    let (thread, first) = crate::store::tests::thread_with("q");
    let (created, ()) = tokio::join!(store.create_thread(&who, &thread, &first), async {
        release_with(&store, hold, 1).await;
        store.close().await;
    });
    created.unwrap();
    assert!(matches!(store.thread(&who, &thread.id).await, Err(StoreError::Closed)));
    assert!(matches!(store.create_thread(&who, &thread, &first).await, Err(StoreError::Closed)));
    assert!(!folder.path().join("threads.db-wal").exists());
    store.close().await;
    let next = open_in(folder.path()).await;
    assert_eq!(next.thread(&who, &thread.id).await.unwrap(), thread);
}
