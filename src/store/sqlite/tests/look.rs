//! Looking at a database from beside its server.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::open_in;
use crate::model::thread::Principal;
use crate::model::usage::{Grouping, Usage, UsageQuery, UsageRow, UsageSum};
use crate::store::tests::{begin, principal};
use crate::store::{LookError, OpenError, Store, look_at_usage_in};

const DAYS: UsageQuery = UsageQuery { by: Grouping::Day, since: None, until: None };

async fn look(folder: &Path) -> Result<Option<Vec<UsageSum>>, LookError> {
    look_at_usage_in(&folder.join("threads.db"), DAYS).await
}

async fn answers(folder: &Path) -> u64 {
    UsageSum::total(&look(folder).await.unwrap().expect("a database")).answers
}

async fn answer(store: &dyn Store, who: &Principal) {
    let (thread, _) = begin(store, who, "q").await;
    let usage = Usage { model: "m".to_owned(), requests: 1, ..Usage::default() };
    let used = UsageRow {
        item_id: None,
        thread_id: thread.id,
        answered_at: jiff::Timestamp::UNIX_EPOCH,
        outcome: "done",
        usage,
        price: None,
    };
    store.add_usage(&used).await.unwrap();
}

/// S9: it needs no lock of the server's and keeps none from it.
#[tokio::test]
async fn s9_a_look_beside_a_running_server_sees_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path()).await;
    for number in 1..=3 {
        answer(&store, &principal("a")).await;
        assert_eq!(answers(folder.path()).await, number);
    }
    store.close().await;
    assert_eq!(answers(folder.path()).await, 3);
    let next = open_in(folder.path()).await;
    answer(&next, &principal("a")).await;
    assert_eq!(answers(folder.path()).await, 4);
}

#[tokio::test]
async fn a_look_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    assert!(look(folder.path()).await.unwrap().is_none());
    assert!(look(&folder.path().join("none")).await.unwrap().is_none());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_written_can_be_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("100% #1?");
    let store = super::SqliteStore::open(&folder.join("threads.db")).await.unwrap();
    answer(&store, &principal("a")).await;
    store.close().await;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let seen = answers(&folder).await;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn other_schemas_are_told_apart_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("threads.db");
    super::schema::make_old(&path, 2);
    assert_eq!(look(folder.path()).await.unwrap(), Some(Vec::new()), "it has no figures yet");
    let step: i64 = Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(step, 0, "nothing is migrated");
    fs::remove_file(&path).unwrap();
    open_in(folder.path()).await.close().await;
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9999").unwrap();
    assert!(matches!(look(folder.path()).await, Err(LookError::Open(OpenError::Newer { found: 9999, .. }))));
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE photos (id INTEGER)").unwrap();
    assert!(look(folder.path()).await.unwrap_err().to_string().contains("another program"));
    fs::write(&path, "this is a text, and long enough to be no database header").unwrap();
    assert!(matches!(look(folder.path()).await, Err(LookError::Open(OpenError::Open { .. }))));
}
