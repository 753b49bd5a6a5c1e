//! The engine over a real local index.

use std::time::Duration;

use futures_util::TryStreamExt;

use super::*;
use crate::index::local::LocalIndex;
use crate::index::{IndexChange, VectorStore};
use crate::llm::extractive::Extractive;
use crate::llm::stub::Stub;
use crate::llm::tests::hit;
use crate::model::DocumentRecord;

async fn engine(folder: &std::path::Path, model: Arc<dyn ChatModel>) -> Engine {
    let index = LocalIndex::open(folder).expect("open");
    let found = hit("Refunds reach your card in five working days. Gift cards take one day.");
    let record = DocumentRecord {
        document_id: found.chunk.document_id.clone(),
        path: "returns.md".into(),
        title: "Returns".into(),
        description: None,
        tags: Vec::new(),
        language: Some("eng".into()),
        sha256: String::new(),
        recipe: String::new(),
        bytes: 0,
        modified_ns: None,
        ctime_ns: None,
        inode: None,
        language_borrowed: false,
        title_from_name: false,
        format: String::new(),
        indexed_at: jiff::Timestamp::UNIX_EPOCH,
        chunks: 1,
    };
    index.apply(vec![IndexChange::Put { record, chunks: vec![found.chunk] }]).await.expect("apply");
    Engine { index: Arc::new(index), model, max_search_results: 5 }
}

async fn done(engine: &Engine, question: &str, history: Vec<Exchange>) -> Answer {
    let turn = Turn { question: question.into(), history, ..Turn::default() };
    let events: Vec<AnswerEvent> = engine.answer(turn).try_collect().await.expect("an answer");
    let text: String = events
        .iter()
        .filter_map(|event| match event {
            AnswerEvent::Delta(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    match events.last() {
        Some(AnswerEvent::Done(answer)) => {
            assert_eq!(answer.text, text, "the deltas are the answer");
            answer.clone()
        }
        other => panic!("the last event is the whole answer, not {other:?}"),
    }
}

#[tokio::test]
async fn questions_are_answered_cited_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path(), Arc::new(Extractive)).await;
    let answer = done(&engine, "How long until refunds reach my card?", Vec::new()).await;
    assert!(answer.text.contains("five working days"), "{answer:?}");
    assert_eq!(answer.citations[0].path, "returns.md");
    assert!(!answer.refused);
    let answer = done(&engine, "Who won the football match in Lisbon?", Vec::new()).await;
    assert!(answer.refused && answer.citations.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn a_short_follow_up_is_read_with_the_question_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path(), Arc::new(Extractive)).await;
    let before = Exchange { question: "When do refunds reach my card?".into(), answer: "In five days.".into() };
    let answer = done(&engine, "And how long?", vec![before]).await;
    assert!(!answer.refused, "{answer:?}");
}

#[tokio::test]
async fn the_stub_cites_whatever_matches() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path(), Arc::new(Stub { delta: Duration::ZERO })).await;
    let answer = done(&engine, "Which football match about gift wrapping?", Vec::new()).await;
    assert_eq!(answer.citations.len(), 1, "{answer:?}");
    let answer = done(&engine, "xyzzy", Vec::new()).await;
    assert!(answer.citations.is_empty() && answer.refused);
}
