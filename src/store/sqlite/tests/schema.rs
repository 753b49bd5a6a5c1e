//! S5: migrations run once, under a lock, survive a kill in the middle, and refuse a newer schema.

use std::fs;
use std::path::Path;
use std::sync::Barrier;

use rusqlite::Connection;

use super::super::SqliteStore;
use super::super::migrate::{STEPS, migrate};
use super::texts;
use crate::model::attachment::{Attachment, AttachmentKind, AttachmentUsage};
use crate::model::thread::{ItemContent, Order, PageQuery};
use crate::store::tests::{begin, principal, user_item};
use crate::store::{OpenError, Store as _};

/// What versions before the numbered schema kept their steps in.
const RECORDS: &str = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
    execution_time BIGINT NOT NULL);";
const RECORD: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
    VALUES (?1, 'threads', TRUE, x'00', 1234)";
const CONVERSATION: &str = r#"
    INSERT INTO threads (id, owner, created_us, title) VALUES ('thr_old', 'a', 1700000000123456, 'Refunds');
    INSERT INTO items (id, thread_seq, created_us, kind, content) VALUES ('msg_old', 1, 1700000000123456,
        'user_message', '{"type":"user_message","content":[{"type":"input_text","text":"How long?"}],"inference_options":{}}');
    INSERT INTO feedback (item_seq, kind, given_us) VALUES (1, 'positive', 1700000000123456);
"#;

/// A database as an earlier version left it after this many steps.
pub(super) fn make_old(path: &Path, steps: usize) {
    let old = Connection::open(path).unwrap();
    old.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    old.execute_batch(RECORDS).unwrap();
    for (place, step) in STEPS.iter().enumerate().take(steps) {
        old.execute_batch(step).unwrap();
        old.execute(RECORD, [i64::try_from(place + 1).unwrap()]).unwrap();
    }
    if steps > 0 {
        old.execute_batch(CONVERSATION).unwrap();
    }
}

#[tokio::test]
async fn s5_databases_of_earlier_versions_keep_their_threads() {
    for steps in 1..=2 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("threads.db");
        make_old(&path, steps);
        for _ in 0..2 {
            let store = SqliteStore::open(&path).await.unwrap();
            let who = principal("a");
            let threads = store.threads(&who, &PageQuery::new(None, Order::Asc, None)).await.unwrap().data;
            assert_eq!((threads[0].id.as_str(), threads[0].title.as_deref()), ("thr_old", Some("Refunds")));
            let item = store.item(&who, "thr_old", "msg_old").await.unwrap();
            assert!(matches!(&item.content, ItemContent::UserMessage(message) if message.text() == "How long?"));
            assert_eq!(texts(&store, "SELECT kind FROM feedback").await, "positive");
            assert_eq!(texts(&store, "SELECT name FROM sqlite_schema WHERE name LIKE '%sqlx%'").await, "");
            store.add_item(&who, &user_item("thr_old", "and now?")).await.unwrap();
            store.close().await;
        }
        assert_eq!(schema_of(&path), STEPS.len());
    }
}

#[tokio::test]
async fn s5_a_step_that_was_missing_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("threads.db");
    make_old(&path, 1);
    let store = SqliteStore::open(&path).await.unwrap();
    let attachment = Attachment {
        id: "atc_1".to_owned(),
        name: "a".to_owned(),
        mime_type: "text/plain".to_owned(),
        size_bytes: 1,
        kind: AttachmentKind::File,
        sha256: None,
        thread_id: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
    };
    let bounds = AttachmentUsage { of_principal: 9, in_all: 9 };
    store.add_attachment(&principal("a"), &attachment, &bounds).await.unwrap();
}

#[tokio::test]
async fn s5_a_newer_schema_is_refused_and_left_alone() {
    for is_old_kind in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("threads.db");
        if is_old_kind {
            make_old(&path, 2);
            Connection::open(&path).unwrap().execute(RECORD, [9999]).unwrap();
        } else {
            SqliteStore::open(&path).await.unwrap().close().await;
            Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9999").unwrap();
        }
        let before = fs::read(&path).unwrap();
        let refused = SqliteStore::open(&path).await.err();
        assert!(matches!(refused, Some(OpenError::Newer { found: 9999, .. })), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photos.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE photos (id INTEGER); PRAGMA user_version = 1")
        .unwrap();
    let refused = SqliteStore::open(&path).await.err().unwrap().to_string();
    assert!(refused.contains("another program"), "{refused}");
    let tables: i64 =
        Connection::open(&path).unwrap().query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

/// A copy of the files in the middle of a step is what a kill at that moment leaves.
#[tokio::test]
async fn s5_a_kill_in_the_middle_of_a_step_costs_nothing() {
    for (done, step) in STEPS.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("threads.db");
        make_old(&path, done);
        let killed = Connection::open(&path).unwrap();
        // Without a cache everything is written at once, as if much more were written.
        killed.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN EXCLUSIVE").unwrap();
        killed.execute_batch(step).unwrap();
        let after = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            if !entry.file_name().to_string_lossy().ends_with("-shm") {
                fs::copy(entry.path(), after.path().join(entry.file_name())).unwrap();
            }
        }
        let store = super::open_in(after.path()).await;
        begin(&store, &principal("b"), "q").await;
        assert_eq!(
            texts(&store, "SELECT id FROM threads WHERE owner = 'a'").await,
            if done > 0 { "thr_old" } else { "" }
        );
        assert_eq!(texts(&store, "PRAGMA integrity_check").await, "ok");
        store.close().await;
        assert_eq!(schema_of(&after.path().join("threads.db")), STEPS.len());
    }
}

#[test]
fn s5_of_several_at_once_each_finds_it_done() {
    // Often enough that steps fall between the statements with which the others look what is missing.
    for _ in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("threads.db");
        make_old(&path, 1);
        let together = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let connection = Connection::open(&path).unwrap();
                    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
                    together.wait();
                    migrate(&connection).unwrap();
                });
            }
        });
        assert_eq!(schema_of(&path), STEPS.len());
    }
}

#[test]
fn every_file_of_the_schema_is_a_step() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations/sqlite");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert_eq!(texts, STEPS);
}

fn schema_of(path: &Path) -> usize {
    let connection = Connection::open(path).unwrap();
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    version as usize
}
