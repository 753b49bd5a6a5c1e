//! Searches with a small embedder that knows what some words mean.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::index::tests::{ids, put};
use crate::llm::embed::EmbedError;

/// Three meanings: money, parcels, sleep. Words it does not know mean a little of each.
pub(crate) struct Meanings {
    pub(crate) fails: AtomicBool,
    pub(crate) calls: AtomicUsize,
}

impl Meanings {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { fails: AtomicBool::new(false), calls: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Embedder for Meanings {
    fn model(&self) -> &'static str {
        "meanings"
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(EmbedError::Temporary { message: "down".to_owned(), retry_after: None });
        }
        let meanings =
            [&["refund", "cash", "money"][..], &["parcel", "deliver", "courier"], &["bed", "night", "sleep"]];
        let vector = |text: &String| {
            let text = text.to_lowercase();
            let count = |words: &[&str]| words.iter().map(|word| text.matches(word).count() as f32).sum::<f32>();
            let raw: Vec<f32> = meanings.iter().map(|words| 0.1 + count(words)).collect();
            let length = raw.iter().map(|value| value * value).sum::<f32>().sqrt();
            raw.into_iter().map(|value| value / length).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    state_dir: PathBuf,
    words: Arc<dyn VectorStore>,
    embedder: Arc<Meanings>,
}

impl Bench {
    /// Two documents, in the index and embedded.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let words = crate::index::open(folder.path()).unwrap();
        let changes = vec![
            put("returns", "Returns", &["Refunds reach your card in five days."]),
            put("delivery", "Delivery", &["Parcels arrive within three days."]),
        ];
        words.apply(changes).await.unwrap();
        let bench = Self { state_dir: folder.path().to_owned(), _folder: folder, words, embedder: Meanings::new() };
        bench.embed().await;
        bench
    }

    async fn embed(&self) {
        let mut rows = Vec::new();
        for record in self.words.records().await.unwrap() {
            for chunk in self.words.chunks(&record.document_id).await.unwrap() {
                let text = matrix::embedded_text(&record, &chunk);
                let vectors = self.embedder.embed(std::slice::from_ref(&text)).await.unwrap();
                rows.push((matrix::key("meanings", &text), vectors.into_iter().next().unwrap()));
            }
        }
        file::append(&vector_file(&self.state_dir, "meanings"), &rows).unwrap();
    }

    fn hybrid(&self, skip: &[&str]) -> Arc<dyn VectorStore> {
        let settings = EmbeddingSettings {
            model: "meanings".to_owned(),
            base_url: String::new(),
            api_key: None,
            weight: 0.5,
            skip_languages: skip.iter().map(|code| (*code).to_owned()).collect(),
        };
        Arc::new(Hybrid::new(Arc::clone(&self.words), self.embedder.clone(), &self.state_dir, &settings))
    }
}

#[tokio::test]
async fn meaning_finds_what_words_do_not() {
    let bench = Bench::new().await;
    assert_eq!(ids(&bench.words, "cash please").await, Vec::<String>::new());
    let hybrid = bench.hybrid(&[]);
    assert_eq!(ids(&hybrid, "cash please").await[0], "returns");
    assert_eq!(ids(&hybrid, "courier").await[0], "delivery");
    // What both find stays first.
    assert_eq!(ids(&hybrid, "parcels arrive").await[0], "delivery");
}

#[tokio::test]
async fn a_failing_endpoint_leaves_the_search_by_words() {
    let bench = Bench::new().await;
    let hybrid = bench.hybrid(&[]);
    bench.embedder.fails.store(true, Ordering::Relaxed);
    let before = bench.embedder.calls.load(Ordering::Relaxed);
    assert_eq!(ids(&hybrid, "refunds").await, ["returns"]);
    assert_eq!(ids(&hybrid, "parcels").await, ["delivery"]);
    assert_eq!(bench.embedder.calls.load(Ordering::Relaxed), before + 1, "an endpoint that failed is left alone");
}

#[tokio::test]
async fn languages_left_out_are_searched_by_words() {
    let bench = Bench::new().await;
    let language = bench.words.records().await.unwrap()[0].language.clone().expect("the records have a language");
    assert_eq!(ids(&bench.hybrid(&[&language]), "cash please").await, Vec::<String>::new());
    let figures = measured::Figures { questions: 30, words: 0.9, fused: 0.8 };
    let languages = std::collections::BTreeMap::from([(language, figures)]);
    measured::save(&bench.state_dir, &measured::Measured { model: "meanings".to_owned(), languages }).unwrap();
    assert_eq!(ids(&bench.hybrid(&[]), "cash please").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_new_commit_is_seen_and_old_vectors_do_not_count() {
    let bench = Bench::new().await;
    let hybrid = bench.hybrid(&[]);
    assert_eq!(ids(&hybrid, "sleep").await.len(), 2);
    bench.words.apply(vec![put("beds", "Beds", &["A good night begins here."])]).await.unwrap();
    bench.embed().await;
    assert_eq!(ids(&hybrid, "sleep").await[0], "beds");
    bench.words.apply(vec![IndexChange::Remove { document_id: "beds".to_owned() }]).await.unwrap();
    assert!(!ids(&hybrid, "sleep").await.contains(&"beds".to_owned()));
}

#[tokio::test]
async fn a_question_is_embedded_once() {
    let bench = Bench::new().await;
    let hybrid = bench.hybrid(&[]);
    let before = bench.embedder.calls.load(Ordering::Relaxed);
    assert_eq!(ids(&hybrid, "cash").await, ids(&hybrid, "cash").await);
    assert_eq!(bench.embedder.calls.load(Ordering::Relaxed), before + 1);
}
