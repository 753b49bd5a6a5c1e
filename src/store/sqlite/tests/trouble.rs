//! S4: a full disk, one that can only be read, and a file that is gone give clean errors; reading goes on, and so does
//! writing once the trouble is over.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::super::SqliteStore;
use super::{Hold, open_in, release_with, texts};
use crate::store::tests::{answer_item, begin, principal};
use crate::store::{StorageTrouble, Store as _, StoreError};

fn trouble(result: &Result<(), StoreError>) -> Option<StorageTrouble> {
    match result {
        Err(StoreError::Storage { trouble, .. }) => Some(*trouble),
        _ => None,
    }
}

/// Says this to the writing connection.
async fn tell_writer(store: &SqliteStore, pragma: &'static str) {
    store
        .write(move |connection: &Connection| Ok(connection.query_row(pragma, [], |_| Ok(())).or_else(none)?))
        .await
        .unwrap();
}

fn none(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        error => Err(error),
    }
}

#[tokio::test]
async fn s4_a_full_disk_is_told_and_gotten_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, question) = begin(&store, &who, "q").await;
    tell_writer(&store, "PRAGMA max_page_count = 1").await;
    let small = answer_item(&thread.id, "small");
    let large = answer_item(&thread.id, &"x".repeat(200_000));
    let hold = Hold::the_writer(&store).await;
    let (added, refused, ()) =
        tokio::join!(store.add_item(&who, &small), store.add_item(&who, &large), release_with(&store, hold, 2));
    assert_eq!(trouble(&refused), Some(StorageTrouble::Full), "{refused:?}");
    let items = store.recent(&who, &thread.id, 9).await.unwrap();
    match added {
        Ok(()) => assert_eq!(items, [small, question]),
        Err(StoreError::Storage { .. }) => assert_eq!(items, [question]),
        Err(other) => panic!("{other:?}"),
    }
    store.ping().await.unwrap();
    tell_writer(&store, "PRAGMA max_page_count = 1000000").await;
    store.add_item(&who, &large).await.unwrap();
    assert_eq!(store.recent(&who, &thread.id, 1).await.unwrap(), [large]);
}

#[tokio::test]
async fn s4_what_can_only_be_read_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, _) = begin(&store, &who, "q").await;
    let item = answer_item(&thread.id, "a");
    tell_writer(&store, "PRAGMA query_only = ON").await;
    assert_eq!(trouble(&store.add_item(&who, &item).await), Some(StorageTrouble::ReadOnly));
    assert_eq!(store.thread(&who, &thread.id).await.unwrap(), thread);
    // The connection is opened anew, as it must be where a disk is mounted anew.
    store.add_item(&who, &item).await.unwrap();
}

/// Moves a database with its log; the index of the log stays, it is not a part of it.
fn move_database(from: &Path, to: &Path) {
    fs::rename(from.join("threads.db"), to.join("threads.db")).unwrap();
    fs::rename(from.join("threads.db-wal"), to.join("threads.db-wal")).unwrap();
}

#[tokio::test]
async fn s4_nothing_is_acknowledged_into_a_file_that_is_gone() {
    let (folder, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, question) = begin(&store, &who, "q").await;
    let item = answer_item(&thread.id, "a");
    move_database(folder.path(), away.path());
    assert_eq!(trouble(&store.add_item(&who, &item).await), Some(StorageTrouble::Gone));
    assert_eq!(trouble(&store.ping().await), Some(StorageTrouble::Gone), "whoever asks is told");
    assert_eq!(store.thread(&who, &thread.id).await.unwrap(), thread, "reading goes on");
    fs::write(folder.path().join("threads.db"), "").unwrap();
    assert_eq!(trouble(&store.add_item(&who, &item).await), Some(StorageTrouble::Gone), "an empty file is a loss");
    move_database(away.path(), folder.path());
    store.add_item(&who, &item).await.unwrap();
    assert_eq!(store.recent(&who, &thread.id, 9).await.unwrap(), [item, question]);
    store.close().await;
    let next = open_in(folder.path()).await;
    assert_eq!(next.recent(&who, &thread.id, 9).await.unwrap().len(), 2);
}

/// Another database in its place, a restored backup for example, is not written to before the next start; and what the
/// former one's log holds never gets into it.
#[tokio::test]
async fn s4_a_restored_database_is_taken_at_the_next_start() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let who = principal("a");
    let backup = open_in(other.path()).await;
    let (restored, _) = begin(&backup, &who, "q").await;
    backup.close().await;
    let before = fs::read(other.path().join("threads.db")).unwrap();
    let store = open_in(folder.path()).await;
    let (former, _) = begin(&store, &who, "q").await;
    fs::rename(other.path().join("threads.db"), folder.path().join("threads.db")).unwrap();
    for thread in [&restored, &former] {
        let refused = store.add_item(&who, &answer_item(&thread.id, "a")).await;
        assert_eq!(trouble(&refused), Some(StorageTrouble::Gone), "{refused:?}");
    }
    assert_eq!(trouble(&store.ping().await), Some(StorageTrouble::Gone));
    assert_eq!(store.thread(&who, &former.id).await.unwrap(), former);
    store.close().await;
    assert_eq!(fs::read(folder.path().join("threads.db")).unwrap(), before);
    let next = open_in(folder.path()).await;
    assert_eq!(next.thread(&who, &restored.id).await.unwrap(), restored);
    assert!(matches!(next.thread(&who, &former.id).await, Err(StoreError::NoSuchThread)));
    assert_eq!(texts(&next, "PRAGMA integrity_check").await, "ok");
}

#[tokio::test]
async fn s4_a_folder_that_is_gone_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("state");
    let store = SqliteStore::open(&inner.join("threads.db")).await.unwrap();
    let who = principal("a");
    let (thread, _) = begin(&store, &who, "q").await;
    fs::remove_dir_all(&inner).unwrap();
    assert_eq!(trouble(&store.add_item(&who, &answer_item(&thread.id, "a")).await), Some(StorageTrouble::Gone));
    assert_eq!(trouble(&store.ping().await), Some(StorageTrouble::Gone));
    store.close().await;
    assert!(!inner.exists(), "nothing is made anew");
}

/// Whoever deletes the log has not deleted what was acknowledged: it is moved into the database at the end.
#[tokio::test]
async fn s4_a_deleted_log_is_told_and_nothing_is_lost_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, question) = begin(&store, &who, "q").await;
    fs::remove_file(folder.path().join("threads.db-wal")).unwrap();
    assert_eq!(trouble(&store.add_item(&who, &answer_item(&thread.id, "a")).await), Some(StorageTrouble::Gone));
    store.close().await;
    let next = open_in(folder.path()).await;
    assert_eq!(next.recent(&who, &thread.id, 9).await.unwrap(), [question]);
}

/// Another program that writes the database is waited for; then it is told that it is in the way.
#[tokio::test]
async fn another_writer_makes_it_busy_not_broken() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, _) = begin(&store, &who, "q").await;
    let other = Connection::open(folder.path().join("threads.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tokio::join!(async { store.add_item(&who, &answer_item(&thread.id, "a")).await.unwrap() }, async {
        store.thread(&who, &thread.id).await.unwrap();
        other.execute_batch("COMMIT").unwrap();
    });
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.add_item(&who, &answer_item(&thread.id, "b")).await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    other.execute_batch("COMMIT").unwrap();
    store.add_item(&who, &answer_item(&thread.id, "c")).await.unwrap();
}
