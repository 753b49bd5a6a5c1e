//! What is written together: as if it were alone, but with one sync.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;

use super::super::statement::change;
use super::{Hold, open_in, release_with, texts};
use crate::store::tests::{answer_item, begin, principal, thread_with};
use crate::store::{Store as _, StoreError};

/// Commits in the log. A frame is a head of 24 bytes and a page; the last of a commit tells a size of the database,
/// those before it tell 0 (<https://www.sqlite.org/fileformat2.html#walformat>).
fn commits(folder: &Path) -> usize {
    let log = fs::read(folder.join("threads.db-wal")).unwrap();
    let (head, frames) = log.split_at(32);
    let salts = &head[16..24];
    let is_commit = |frame: &&[u8]| frame[8..16] == *salts && frame[4..8] != [0; 4];
    frames.chunks_exact(24 + 4096).filter(is_commit).count()
}

#[tokio::test]
async fn what_waits_is_committed_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let before = commits(folder.path());
    begin(&store, &who, "alone").await;
    assert_eq!(commits(folder.path()), before + 1, "who is alone does not wait for company");
    let hold = Hold::the_writer(&store).await;
    let threads: Vec<_> = (0..60).map(|_| thread_with("q")).collect();
    let creating = join_all(threads.iter().map(|(thread, first)| store.create_thread(&who, thread, first)));
    let (created, ()) = tokio::join!(creating, release_with(&store, hold, 60));
    assert!(created.iter().all(Result::is_ok));
    let after = commits(folder.path());
    assert!((before + 2..before + 5).contains(&after), "{before} and then {after} commits");
    for (thread, _) in &threads {
        assert_eq!(store.thread(&who, &thread.id).await.unwrap(), *thread);
    }
}

#[tokio::test]
async fn who_fails_undoes_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, question) = begin(&store, &who, "q").await;
    let (before, after) = (answer_item(&thread.id, "before"), answer_item(&thread.id, "after"));
    let rename = "UPDATE threads SET title = 'changed' RETURNING title";
    let refused = store.write(move |connection| {
        super::super::statement::row(connection, rename, [], |_| Ok(()))?;
        Err::<(), _>(StoreError::NoSuchItem)
    });
    let panicking = store.write::<()>(move |connection| {
        super::super::statement::row(connection, rename, [], |_| Ok(()))?;
        panic!("a bug, as it may happen");
    });
    let twice = store.add_item(&who, &question);
    let hold = Hold::the_writer(&store).await;
    let (first, refused, panicked, twice, last, ()) = tokio::join!(
        store.add_item(&who, &before),
        refused,
        panicking,
        twice,
        store.add_item(&who, &after),
        release_with(&store, hold, 5),
    );
    first.unwrap();
    last.unwrap();
    assert!(matches!(refused, Err(StoreError::NoSuchItem)));
    assert!(matches!(panicked, Err(StoreError::Panicked)));
    assert!(matches!(twice, Err(StoreError::Backend(_))), "an id is given once");
    assert_eq!(store.thread(&who, &thread.id).await.unwrap().title, None);
    assert_eq!(store.recent(&who, &thread.id, 9).await.unwrap(), [after, before, question]);
}

#[tokio::test]
async fn when_a_commit_fails_all_are_told_and_the_next_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, question) = begin(&store, &who, "q").await;
    let item = answer_item(&thread.id, "a");
    // A reference to nothing, which is looked at only by the commit.
    let broken = store.write(|connection| {
        change(connection, "PRAGMA defer_foreign_keys = ON", []).map(drop)?;
        change(
            connection,
            "INSERT INTO items (id, thread_seq, created_us, kind, content) VALUES ('x', 9999, 0, 'x', '{}')",
            [],
        )
    });
    let hold = Hold::the_writer(&store).await;
    let (innocent, broken, ()) = tokio::join!(store.add_item(&who, &item), broken, release_with(&store, hold, 2));
    assert!(matches!(broken, Err(StoreError::Backend(_))), "{broken:?}");
    assert!(matches!(innocent, Err(StoreError::Backend(_))), "{innocent:?}");
    assert_eq!(store.recent(&who, &thread.id, 9).await.unwrap().len(), 1, "nobody was told a lie");
    store.add_item(&who, &item).await.unwrap();
    assert_eq!(store.recent(&who, &thread.id, 9).await.unwrap(), [item, question]);
}

#[tokio::test]
async fn who_is_gone_before_the_work_begins_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open_in(folder.path()).await);
    let who = principal("a");
    let (thread, question) = begin(store.as_ref(), &who, "q").await;
    let hold = Hold::the_writer(&store).await;
    let waiting = tokio::spawn({
        let (store, who, item) = (Arc::clone(&store), who.clone(), answer_item(&thread.id, "never"));
        async move { store.add_item(&who, &item).await }
    });
    release_with(&store, hold, 1).await;
    // Either it was given up in time, or it was written whole.
    waiting.abort();
    let outcome = waiting.await;
    store.rename(&who, &thread.id, "next").await.unwrap();
    let items = store.recent(&who, &thread.id, 9).await.unwrap();
    match outcome {
        Ok(Ok(())) => assert_eq!(items.len(), 2),
        _ => assert!(items.len() == 1 || items.len() == 2, "{items:?}"),
    }
    let hold = Hold::the_writer(&store).await;
    let (gone, kept) = (answer_item(&thread.id, "gone"), answer_item(&thread.id, "kept"));
    {
        let mut given_up = std::pin::pin!(store.add_item(&who, &gone));
        assert!(futures_util::poll!(&mut given_up).is_pending());
    }
    let (added, ()) = tokio::join!(store.add_item(&who, &kept), release_with(&store, hold, 2));
    added.unwrap();
    let items = store.recent(&who, &thread.id, 9).await.unwrap();
    assert_eq!(items.first(), Some(&kept));
    assert_eq!(items.last(), Some(&question));
    assert!(!items.contains(&gone));
    assert_eq!(texts(&store, "PRAGMA integrity_check").await, "ok");
}

/// The log is moved into the database while writing goes on, or it would grow with every message.
#[tokio::test]
async fn the_log_stays_short() {
    const MEGABYTE: usize = 1024 * 1024;
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    let who = principal("a");
    let (thread, _) = begin(&store, &who, "q").await;
    let text = "x".repeat(MEGABYTE);
    for _ in 0..100 {
        store.add_item(&who, &answer_item(&thread.id, &text)).await.unwrap();
    }
    let bytes = std::fs::metadata(folder.path().join("threads.db-wal")).unwrap().len();
    assert!(bytes < 50 * MEGABYTE as u64, "{bytes} bytes of log after 100 MiB");
    store.close().await;
    assert!(std::fs::metadata(folder.path().join("threads.db")).unwrap().len() > 100 * MEGABYTE as u64);
}
