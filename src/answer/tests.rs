//! The engine over a real local index.

use std::time::Duration;

use futures_util::TryStreamExt;

use super::*;
use crate::index::local::LocalIndex;
use crate::index::visible::Visible;
use crate::index::{IndexChange, VectorStore};
use crate::llm::extractive::Extractive;
use crate::llm::stub::Stub;
use crate::llm::tests::hit;
use crate::model::{DocumentRecord, Found};

async fn engine(folder: &std::path::Path, model: Arc<dyn ChatModel>) -> Engine {
    engine_of(folder, model, &[("returns", "Refunds reach your card in five working days. Gift cards take one day.")])
        .await
}

async fn engine_of(folder: &std::path::Path, model: Arc<dyn ChatModel>, documents: &[(&str, &str)]) -> Engine {
    let index = LocalIndex::open(folder).expect("open");
    let changes = documents.iter().map(|(id, text)| put(id, text)).collect();
    index.apply(changes).await.expect("apply");
    Engine { index: Arc::new(index), model, max_search_results: 5 }
}

fn put(id: &str, text: &str) -> IndexChange {
    let mut chunk = hit(text).chunk;
    (chunk.document_id, chunk.chunk_id) = (id.to_owned(), format!("{id}-1"));
    let record = DocumentRecord {
        document_id: id.to_owned(),
        path: format!("{id}.md"),
        title: id.to_owned(),
        description: None,
        tags: Vec::new(),
        roles: Vec::new(),
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
    IndexChange::Put { record, chunks: vec![chunk] }
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

fn before(questions: &[&str]) -> Vec<Exchange> {
    let exchange = |question: &&str| Exchange { question: (*question).to_owned(), answer: "So it is.".into() };
    questions.iter().map(exchange).collect()
}

#[tokio::test]
async fn a_question_that_points_back_is_searched_alone_and_with_what_it_points_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let documents = [
        ("refunds", "A refund arrives on your card within five working days after the return."),
        ("parcels", "A parcel arrives within three days, and takes longer to an island."),
        ("lamps", "Lamps take a bulb of forty watts. A lamp has a warranty of two years."),
    ];
    let engine = engine_of(folder.path(), Arc::new(Extractive), &documents).await;
    let first = async |question: &str, history: &[&str]| {
        let mut turn = Turn { question: question.into(), history: before(history), ..Turn::default() };
        let found = retrieve::retrieve(engine.index.as_ref(), &mut turn, 5).await.expect("a search");
        found.hits.first().map(|hit| hit.path.clone()).unwrap_or_default()
    };
    assert_eq!(first("How many days until it arrives?", &["How do I get a refund?"]).await, "refunds.md");
    assert_eq!(first("How many days until it arrives?", &["Where is my parcel?"]).await, "parcels.md");
    // Each question back points further back.
    let chain = ["How do I get a refund?", "When does it arrive?"];
    assert_eq!(first("And how many days?", &chain).await, "refunds.md");
    // What stands for itself is searched by itself, also later in a conversation.
    let alone = first("Which bulb do lamps take?", &[]).await;
    assert_eq!(first("Which bulb do lamps take?", &["How do I get a refund?"]).await, alone);
    assert_eq!(alone, "lamps.md");
    let question = "Does it snow in Lisbon?";
    assert!(done(&engine, question, before(&["How do I get a refund?"])).await.refused);
}

#[tokio::test]
async fn what_was_attached_is_cited_like_a_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path(), Arc::new(Extractive)).await;
    let mut piece = hit("The invoice is about a lamp of brass.");
    piece.path = "invoice.txt".into();
    let turn = Turn { question: "What is the invoice about?".into(), attached: vec![piece], ..Turn::default() };
    let events: Vec<AnswerEvent> = engine.answer(turn).try_collect().await.expect("an answer");
    let Some(AnswerEvent::Done(answer)) = events.last() else { panic!("{events:?}") };
    assert_eq!(answer.citations[0].path, "invoice.txt", "{answer:?}");
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

/// Says these events, and searches elsewhere.
struct Elsewhere(Vec<ModelEvent>);

impl ChatModel for Elsewhere {
    fn name(&self) -> &'static str {
        "elsewhere"
    }

    fn needs_hits(&self) -> bool {
        false
    }

    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>> {
        assert!(request.hits.is_empty(), "nothing is retrieved for it");
        stream::iter(self.0.clone().into_iter().map(Ok)).boxed()
    }
}

fn piece(document_id: Option<&str>, path: Option<&str>, text: &str) -> Found {
    let owned = |text: &str| text.to_owned();
    Found {
        document_id: document_id.map(owned),
        path: path.map(owned),
        text: text.to_owned(),
        file_name: "file.txt".to_owned(),
        ..Found::default()
    }
}

/// M3: what another service found is cited in our own words and places, or without any, and never twice at one place.
#[tokio::test]
async fn what_was_found_elsewhere_is_placed_in_our_own_text() {
    let returns = "Refunds reach your\ncard in five working days. Gift cards take one day.";
    let found = vec![
        piece(Some("returns"), None, returns),
        piece(
            Some("of-another-machine"),
            Some("returns.md"),
            "Moonlight refunds are paid in seashells by the harbour.",
        ),
        piece(None, Some("gone/away.md"), "Nobody has this."),
    ];
    let cite = |found: usize, quote: Option<&str>, at: usize| ModelEvent::CiteFound {
        found,
        quote: quote.map(str::to_owned),
        at,
    };
    let used = Usage { requests: 1, ..Usage::default() };
    let events = vec![
        ModelEvent::Found(found),
        ModelEvent::Text("One day, they say.".to_owned()),
        cite(0, Some("Gift cards take one day."), 7),
        cite(0, Some("Gift cards take one day."), 7),
        cite(0, None, 99),
        cite(1, Some("Moonlight refunds are paid in seashells by the harbour."), 18),
        cite(2, None, 18),
        cite(3, None, 18),
        ModelEvent::Used(used.clone()),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path(), Arc::new(Elsewhere(events))).await;
    let turn = Turn { question: "How long?".into(), ..Turn::default() };
    let told: Vec<AnswerEvent> = engine.answer(turn).try_collect().await.expect("an answer");
    assert!(told.contains(&AnswerEvent::Used(used)));
    let Some(AnswerEvent::Done(answer)) = told.last() else { panic!("{told:?}") };
    let cited: Vec<(&str, &str, usize, bool)> = answer
        .citations
        .iter()
        .map(|one| (one.document_id.as_str(), one.quote.as_str(), one.index, one.located))
        .collect();
    let whole = "Refunds reach your card in five working days. Gift cards take one day.";
    let expected = [
        ("returns", "Gift cards take one day.", 7, true),
        ("returns", whole, 18, true),
        ("returns", "", 18, false),
        ("", "", 18, false),
    ];
    assert_eq!(cited, expected);
    assert_eq!(answer.citations[3].path, "gone/away.md");
    assert_eq!((answer.unlocated, answer.dropped_markers), (2, 1));
}

/// A20: a document that this index keeps from the reader is not named, however the service came by it.
#[tokio::test]
async fn what_is_hidden_here_is_not_named_though_it_was_found_elsewhere() {
    let events = vec![
        ModelEvent::Found(vec![
            piece(Some("salaries"), None, "Salaries rise in May."),
            piece(Some("of-another-machine"), Some("salaries.md"), "Salaries rise in May."),
        ]),
        ModelEvent::Text("In May.".to_owned()),
        ModelEvent::CiteFound { found: 0, quote: None, at: 7 },
        ModelEvent::CiteFound { found: 1, quote: None, at: 7 },
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let all = LocalIndex::open(folder.path()).expect("open");
    let IndexChange::Put { mut record, chunks } = put("salaries", "Salaries rise in May.") else { panic!("a put") };
    record.roles = vec!["staff".to_owned()];
    all.apply(vec![IndexChange::Put { record, chunks }]).await.expect("apply");
    let index = Arc::new(Visible::new(Arc::new(all)));
    let engine = Engine { index, model: Arc::new(Elsewhere(events)), max_search_results: 5 };
    let answer = done(&engine, "When do salaries rise?", Vec::new()).await;
    assert_eq!((answer.citations.len(), answer.dropped_markers), (0, 2), "{answer:?}");
}
