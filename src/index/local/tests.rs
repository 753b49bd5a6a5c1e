//! The local index on a real folder.

use super::*;
use crate::index::tests::{ids, put};

#[tokio::test]
async fn another_process_sees_the_commit_and_a_second_writer_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (LocalIndex::open(folder.path()).expect("open"), LocalIndex::open(folder.path()).expect("open"));
    let opened = one.inner.open_or_create().expect("made");
    let held = one.inner.writer(&opened.index).expect("the only writer");
    let refused = other.apply(vec![put("a", "A", &["text"])]).await;
    assert!(matches!(refused, Err(IndexError::Locked { .. })), "{refused:?}");
    drop(held);
    other.apply(vec![put("a", "A", &["bicycle"])]).await.expect("apply");
    opened.reader.reload().expect("reload");
    let store: Arc<dyn VectorStore> = Arc::new(one);
    assert_eq!(ids(&store, "bicycles").await, ["a"]);
}

/// H19: what health asks for does not wait until all searches before it are done.
#[tokio::test]
async fn looking_up_does_not_wait_behind_searches() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = LocalIndex::open(folder.path()).expect("open");
    let slots = u32::try_from(index.inner.slots.available_permits()).expect("few");
    let _searches = index.inner.slots.acquire_many(slots).await.expect("all of them");
    let looked = tokio::time::timeout(std::time::Duration::from_secs(10), index.record("")).await;
    assert!(matches!(looked, Ok(Ok(None))), "{looked:?}");
}

#[tokio::test]
async fn user_text_has_no_syntax_and_slips_are_forgiven() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn VectorStore> = Arc::new(LocalIndex::open(folder.path()).expect("open"));
    store.apply(vec![put("warranty", "Warranty", &["The warranty lasts two years."])]).await.expect("apply");
    assert_eq!(ids(&store, "waranty").await, ["warranty"]);
    for odd in ["\"", "a AND (", "terms:*", "-warranty +\"", "[* TO *]", "\u{0}", "🙂"] {
        ids(&store, odd).await;
    }
    assert_eq!(ids(&store, "NOT warranty*").await, ["warranty"]);
    let terms = store.weigh("zebra warranty").await.expect("weigh");
    assert_eq!(terms.iter().map(|term| term.known).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn a_part_finds_its_compounds_where_words_are_joined() {
    let german = |id: &str, text: &str| match put(id, "Haus", &[text]) {
        IndexChange::Put { record, chunks } => {
            IndexChange::Put { record: DocumentRecord { language: Some("deu".into()), ..record }, chunks }
        }
        other => other,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn VectorStore> = Arc::new(LocalIndex::open(folder.path()).expect("open"));
    let changes = vec![
        german("a", "Die Kündigungsfrist beträgt drei Monate."),
        german("b", "Mülltonnen stehen im Hof."),
        german("c", "Der Hausmüllbeutel ist grau; die Kellertür bleibt zu."),
    ];
    store.apply(changes).await.expect("apply");
    assert_eq!(ids(&store, "Kündigung").await, ["a"]);
    assert_eq!(ids(&store, "Müll").await, ["b"]);
    assert_eq!(ids(&store, "Tür").await, Vec::<String>::new(), "three letters end too many words");
    let english = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn VectorStore> = Arc::new(LocalIndex::open(english.path()).expect("open"));
    store.apply(vec![put("a", "A", &["The parcelled land."])]).await.expect("apply");
    assert_eq!(ids(&store, "land parc").await, ["a"]);
    assert_eq!(ids(&store, "parc").await, Vec::<String>::new());
}

#[tokio::test]
async fn looking_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let index = LocalIndex::open(&state).expect("open");
    assert!(index.records().await.expect("records").is_empty());
    assert!(index.weigh("lamp").await.expect("weigh").is_empty());
    assert!(!state.exists());
    // What another process makes meanwhile is seen.
    LocalIndex::open(&state).expect("open").apply(vec![put("a", "A", &["bicycle"])]).await.expect("apply");
    assert_eq!(index.records().await.expect("records").len(), 1);
}
