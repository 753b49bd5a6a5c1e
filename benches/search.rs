//! What an index of 50,000 chunks of 150 words costs to make, to search and to hold:
//! `cargo bench --bench search` prints one line a figure.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up may stop")]
#![expect(clippy::print_stdout, reason = "its figures are its result")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatbotctl::answer::{Engine, Turn};
use chatbotctl::index::local::LocalIndex;
use chatbotctl::index::{IndexChange, SearchQuery, VectorStore};
use chatbotctl::llm::extractive::Extractive;
use chatbotctl::model::{BlockKind, Chunk, DocumentRecord, Locator, Span};
use futures_util::StreamExt;

const DOCUMENTS: u32 = 5_000;
const CHUNKS: u32 = 10;
const WORDS: u32 = 150;
/// Documents in one commit, as in a first sync of many small files.
const BATCH: usize = 512;
const VOCABULARY: usize = 60_000;
const QUESTIONS: usize = 2_000;

/// A fixed sequence, so that every run measures the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    #[expect(clippy::cast_precision_loss, reason = "31 bits")]
    fn share(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 31) as f64
    }
}

/// Words made of syllables; like in a language, the word of rank n is n times rarer than the first (Zipf).
struct Language {
    words: Vec<String>,
    cumulated: Vec<f64>,
}

impl Language {
    fn new(random: &mut Random) -> Self {
        const SYLLABLES: [&str; 24] = [
            "ka", "lo", "mi", "ter", "ran", "sel", "ot", "vin", "du", "pra", "est", "qui", "bor", "na", "fel", "ging",
            "tor", "al", "um", "sha", "rec", "pol", "wen", "ix",
        ];
        let mut words = Vec::with_capacity(VOCABULARY);
        for rank in 0..VOCABULARY {
            let length = 1 + usize::from(rank > 20) + usize::from(rank > 400) + usize::from(rank > 8_000);
            let word: String = (0..=length).map(|_| SYLLABLES[usize::try_from(random.next() % 24).unwrap()]).collect();
            words.push(word);
        }
        let mut sum = 0.0;
        let cumulated = (1..=u32::try_from(VOCABULARY).unwrap())
            .map(|rank| {
                sum += 1.0 / f64::from(rank);
                sum
            })
            .collect();
        Self { words, cumulated }
    }

    fn word(&self, random: &mut Random) -> &str {
        let place = random.share() * self.cumulated[VOCABULARY - 1];
        &self.words[self.cumulated.partition_point(|sum| *sum < place).min(VOCABULARY - 1)]
    }

    /// A word that a person would ask for: not one of the few that fill every sentence.
    fn topic(&self, random: &mut Random) -> &str {
        let lowest = self.cumulated[99];
        let place = lowest + random.share() * (self.cumulated[VOCABULARY - 1] - lowest);
        &self.words[self.cumulated.partition_point(|sum| *sum < place).min(VOCABULARY - 1)]
    }

    fn text(&self, random: &mut Random) -> String {
        let mut text = String::new();
        for place in 1..=WORDS {
            text.push_str(self.word(random));
            text.push_str(if place % 15 == 0 { ". " } else { " " });
        }
        text.trim_end().to_owned()
    }

    fn question(&self, random: &mut Random) -> String {
        let (one, two, three) = (self.topic(random), self.topic(random), self.topic(random));
        format!("How do I {one} the {two} of {three}?")
    }
}

fn document(number: u32, language: &Language, random: &mut Random) -> IndexChange {
    let document_id = format!("document_{number}");
    let chunks = (0..CHUNKS)
        .map(|ordinal| {
            let text = language.text(random);
            let span = Span { start: 0, end: text.len(), kind: BlockKind::Paragraph, locator: Locator::default() };
            Chunk {
                chunk_id: format!("{number}-{ordinal}"),
                document_id: document_id.clone(),
                ordinal,
                text,
                heading_path: vec![language.topic(random).to_owned()],
                locator: Locator::default(),
                spans: vec![span],
            }
        })
        .collect();
    let record = DocumentRecord {
        path: format!("{document_id}.md"),
        title: format!("{} {}", language.topic(random), language.topic(random)),
        document_id,
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
        chunks: CHUNKS,
    };
    IndexChange::Put { record, chunks }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let index: Arc<dyn VectorStore> = Arc::new(LocalIndex::open(folder.path()).unwrap());
    let mut random = Random(1);
    let language = Language::new(&mut random);
    let mut changes: Vec<IndexChange> = (0..DOCUMENTS).map(|number| document(number, &language, &mut random)).collect();
    println!("resident before     {}", resident());
    let begun = Instant::now();
    while !changes.is_empty() {
        let rest = changes.split_off(changes.len().min(BATCH));
        index.apply(std::mem::replace(&mut changes, rest)).await.unwrap();
    }
    println!("index 50,000 chunks {:.2} s", begun.elapsed().as_secs_f64());
    println!("resident indexed    {}", resident());

    let questions: Vec<String> = (0..QUESTIONS).map(|_| language.question(&mut random)).collect();
    let mut searches = Vec::new();
    for text in &questions {
        let query = SearchQuery { text: text.clone(), limit: 5, distinct_documents: false };
        let begun = Instant::now();
        assert!(!index.search(&query).await.unwrap().is_empty(), "{text}");
        searches.push(begun.elapsed());
    }
    report("search", searches);
    let engine = Engine { index, model: Arc::new(Extractive), max_search_results: 5 };
    let mut answers = Vec::new();
    for question in questions.iter().take(QUESTIONS / 4) {
        let begun = Instant::now();
        engine.answer(Turn { question: question.clone(), ..Turn::default() }).collect::<Vec<_>>().await;
        answers.push(begun.elapsed());
    }
    report("answer", answers);
    println!("resident searched   {}", resident());
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!("{name:<8} p50 {:.3} ms  p95 {:.3} ms  p99 {:.3} ms  max {:.3} ms", at(50), at(95), at(99), at(100));
}

/// Resident memory, where the system tells: Linux.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or_else(|| "unknown".into(), |size| size.trim().to_owned())
}
