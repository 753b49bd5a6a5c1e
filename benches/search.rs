//! What a search and an answer cost, on 20,000 made-up chunks: `cargo bench --bench search`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up may stop")]

use std::sync::{Arc, LazyLock};

use chatbotctl::answer::{Engine, Turn};
use chatbotctl::index::local::LocalIndex;
use chatbotctl::index::{IndexChange, SearchQuery, VectorStore};
use chatbotctl::llm::extractive::Extractive;
use chatbotctl::model::{BlockKind, Chunk, DocumentRecord, Locator, Span};
use divan::Bencher;
use futures_util::StreamExt;

const DOCUMENTS: u32 = 2_000;
const CHUNKS: u32 = 10;
const WORDS: u64 = 120;
const VOCABULARY: u64 = 30_000;

struct Bed {
    runtime: tokio::runtime::Runtime,
    engine: Engine,
    _folder: tempfile::TempDir,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let index = LocalIndex::open(folder.path()).unwrap();
    let mut random = Random(1);
    let changes = (0..DOCUMENTS).map(|number| document(number, &mut random)).collect();
    runtime.block_on(index.apply(changes)).unwrap();
    let engine = Engine { index: Arc::new(index), model: Arc::new(Extractive), max_search_results: 5 };
    Bed { runtime, engine, _folder: folder }
});

/// A fixed sequence, so that every run measures the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Like words of a language, a few are frequent and many are rare.
    fn word(&mut self) -> String {
        let rank = (self.next() % VOCABULARY) * (self.next() % VOCABULARY) / VOCABULARY;
        format!("w{rank}x")
    }
}

fn document(number: u32, random: &mut Random) -> IndexChange {
    let document_id = format!("document_{number}");
    let chunks = (0..CHUNKS)
        .map(|ordinal| {
            let words: Vec<String> = (0..WORDS).map(|_| random.word()).collect();
            let text = format!("{}.", words.join(" "));
            let span = Span { start: 0, end: text.len(), kind: BlockKind::Paragraph, locator: Locator::default() };
            Chunk {
                chunk_id: format!("{number}-{ordinal}"),
                document_id: document_id.clone(),
                ordinal,
                text,
                heading_path: vec![random.word()],
                locator: Locator::default(),
                spans: vec![span],
            }
        })
        .collect();
    let record = DocumentRecord {
        path: format!("{document_id}.md"),
        title: format!("{} {}", random.word(), random.word()),
        document_id,
        description: None,
        tags: Vec::new(),
        language: Some("eng".into()),
        sha256: String::new(),
        recipe: String::new(),
        bytes: 0,
        modified_ns: None,
        ctime_ns: None,
        inode: None,
        title_from_name: false,
        indexed_at: jiff::Timestamp::UNIX_EPOCH,
        chunks: CHUNKS,
    };
    IndexChange::Put { record, chunks }
}

fn question(random: &mut Random) -> String {
    format!("How do I {} the {} of {} and {}?", random.word(), random.word(), random.word(), random.word())
}

#[divan::bench]
fn search(bencher: Bencher) {
    let mut random = Random(7);
    bencher.with_inputs(|| question(&mut random)).bench_local_values(|text| {
        let query = SearchQuery { text, limit: 5, distinct_documents: false };
        BED.runtime.block_on(BED.engine.index.search(&query)).unwrap()
    });
}

#[divan::bench]
fn answer(bencher: Bencher) {
    let mut random = Random(7);
    bencher.with_inputs(|| question(&mut random)).bench_local_values(|question| {
        let turn = Turn { question, history: Vec::new() };
        BED.runtime.block_on(BED.engine.answer(turn).collect::<Vec<_>>())
    });
}

fn main() {
    divan::main();
}
