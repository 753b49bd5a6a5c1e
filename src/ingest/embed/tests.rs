//! Filling with an endpoint that counts, fails on command, and refuses what is too long.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::event::Silent;
use crate::index::IndexChange;
use crate::index::tests::put;

/// What the endpoint does next.
#[derive(Default)]
struct Endpoint {
    seen: Mutex<Vec<String>>,
    longest: usize,
    /// The call, counted from 1, at which a run is stopped.
    stops_at: Option<(usize, CancellationToken)>,
    refuses: bool,
}

#[async_trait]
impl Embedder for Endpoint {
    fn model(&self) -> &'static str {
        "m"
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if self.refuses {
            return Err(EmbedError::Refused("401 wrong key".to_owned()));
        }
        if texts.iter().any(|text| text.len() > self.longest) {
            return Err(EmbedError::Rejected("400 too long".to_owned()));
        }
        let calls = {
            let mut seen = self.seen.lock().unwrap();
            seen.extend(texts.iter().cloned());
            seen.len().div_ceil(BATCH_TEXTS)
        };
        if let Some((_, stop)) = self.stops_at.as_ref().filter(|(at, _)| calls >= *at) {
            stop.cancel();
            std::future::pending::<()>().await;
        }
        Ok(texts.iter().map(|_| vec![0.6, 0.8]).collect())
    }
}

async fn index(folder: &Path, texts: usize) -> Arc<dyn VectorStore> {
    let index = crate::index::open(folder).unwrap();
    let texts: Vec<String> = (0..texts).map(|number| format!("Text number {number}.")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    index.apply(vec![put("a", "A", &texts)]).await.unwrap();
    index
}

async fn run(index: &Arc<dyn VectorStore>, folder: &Path, endpoint: &Arc<Endpoint>) -> EmbedReport {
    let embedder: Arc<dyn Embedder> = endpoint.clone();
    let stop = endpoint.stops_at.as_ref().map_or_else(CancellationToken::new, |(_, stop)| stop.clone());
    let context =
        EmbedContext { embedder: &embedder, skip_languages: &[], state_dir: folder, observer: &Silent, stop: &stop };
    fill(index, context).await.unwrap()
}

#[tokio::test]
async fn only_what_is_new_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), 3).await;
    let endpoint = Arc::new(Endpoint { longest: 9_999, ..Endpoint::default() });
    assert_eq!(run(&index, folder.path(), &endpoint).await.embedded, 3);
    assert_eq!(run(&index, folder.path(), &endpoint).await, EmbedReport::default());
    index.apply(vec![put("b", "B", &["Another text."])]).await.unwrap();
    assert_eq!(run(&index, folder.path(), &endpoint).await.embedded, 1);
    assert_eq!(endpoint.seen.lock().unwrap().len(), 4);
    index.apply(vec![IndexChange::Remove { document_id: "a".to_owned() }]).await.unwrap();
    assert_eq!(run(&index, folder.path(), &endpoint).await.embedded, 0);
}

#[tokio::test]
async fn an_interrupted_run_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), BATCH_TEXTS + 5).await;
    let stops_at = Some((2, CancellationToken::new()));
    let stopped = Arc::new(Endpoint { longest: 9_999, stops_at, ..Endpoint::default() });
    let report = run(&index, folder.path(), &stopped).await;
    assert_eq!((report.embedded, report.interrupted), (BATCH_TEXTS, true));
    let endpoint = Arc::new(Endpoint { longest: 9_999, ..Endpoint::default() });
    let report = run(&index, folder.path(), &endpoint).await;
    assert_eq!((report.embedded, report.interrupted), (5, false));
}

#[tokio::test]
async fn a_text_that_is_not_taken_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), 2).await;
    let long = "long ".repeat(1_000);
    index.apply(vec![put("b", "B", &[&long])]).await.unwrap();
    let endpoint = Arc::new(Endpoint { longest: SHORTENED_BYTES, ..Endpoint::default() });
    let report = run(&index, folder.path(), &endpoint).await;
    assert_eq!((report.embedded, report.problems.len()), (3, 0));
    let folder = tempfile::tempdir().unwrap();
    let index = self::index(folder.path(), 2).await;
    index.apply(vec![put("b", "B", &[&long])]).await.unwrap();
    let endpoint = Arc::new(Endpoint { longest: 100, ..Endpoint::default() });
    let report = run(&index, folder.path(), &endpoint).await;
    assert_eq!((report.embedded, report.problems[0].code.as_str()), (2, "embedding/rejected"));
}

#[tokio::test]
async fn a_wrong_key_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), 200).await;
    let endpoint = Arc::new(Endpoint { refuses: true, ..Endpoint::default() });
    let report = run(&index, folder.path(), &endpoint).await;
    assert_eq!((report.embedded, report.problems.len()), (0, 1));
    assert_eq!(report.problems[0].code, "embedding/failed");
}

#[test]
fn batches_are_bounded() {
    let text = |bytes: usize| Missing { path: String::new(), key: Key::default(), text: "x".repeat(bytes) };
    let sizes: Vec<usize> = batches((0..=BATCH_TEXTS).map(|_| text(1)).collect()).iter().map(Vec::len).collect();
    assert_eq!(sizes, [BATCH_TEXTS, 1]);
    let sizes: Vec<usize> = batches(vec![text(BATCH_BYTES), text(1), text(1)]).iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2]);
}
