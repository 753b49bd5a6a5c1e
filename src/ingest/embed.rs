//! Brings the vectors up to date with the index: embeds what has no vector yet, batch by batch.
//!
//! Each batch is on the disk before the next is sent, and a vector is kept under the hash of its text, so an
//! interrupted run goes on where it stopped, and no text is paid for twice. The index is only read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::clock::hex;
use crate::error::Problem;
use crate::event::{Event, Observer};
use crate::index::hybrid::file::{self, Key, Rows};
use crate::index::hybrid::{matrix, vector_file};
use crate::index::{IndexError, VectorStore};
use crate::ingest::lock;
use crate::llm::embed::{EmbedError, Embedder};
use crate::model::DocumentRecord;

/// Texts of one request. Every endpoint takes as many.
const BATCH_TEXTS: usize = 64;
/// Bytes of one request's texts: below any endpoint's limit of tokens for one request.
const BATCH_BYTES: usize = 128 * 1024;
const ATTEMPTS: usize = 6;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A text that the endpoint will not take whole is sent by its beginning.
const SHORTENED_BYTES: usize = 1_000;
/// The file is written anew when it holds more than twice what is wanted, and at least so many vectors too many.
const STALE: usize = 1_000;

/// What embeddings are made with.
#[derive(Clone, Copy)]
pub struct EmbedContext<'a> {
    /// The endpoint.
    pub embedder: &'a Arc<dyn Embedder>,
    /// Documents in these languages need no vectors, ISO 639-3.
    pub skip_languages: &'a [String],
    /// The state folder.
    pub state_dir: &'a Path,
    /// Told about every step.
    pub observer: &'a dyn Observer,
    /// Ends the work after the batch that is under way.
    pub stop: &'a CancellationToken,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EmbedReport {
    /// Texts that have a vector now and had none.
    pub embedded: usize,
    /// Whether it was interrupted; the next run goes on.
    pub interrupted: bool,
    /// What went wrong. The search goes on with the vectors that are there, and by words.
    pub problems: Vec<Problem>,
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The file of vectors failed.
    #[error("the vectors in `{path}` cannot be used: {message}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        message: String,
    },
}

/// A text without a vector.
struct Missing {
    path: String,
    key: Key,
    text: String,
}

/// Embeds every chunk of the index that has no vector yet.
pub async fn fill(index: &Arc<dyn VectorStore>, context: EmbedContext<'_>) -> Result<EmbedReport, FillError> {
    let mut report = EmbedReport::default();
    let path = vector_file(context.state_dir, context.embedder.model());
    let records = index.records().await?;
    let fingerprint = fingerprint(&records, context.skip_languages);
    if is_complete(&path, &fingerprint) {
        return Ok(report);
    }
    let Ok(_lock) = lock::acquire_embedding(context.state_dir) else {
        report.problems.push(problem("embedding/locked", "another process embeds; run it again to embed the rest"));
        return Ok(report);
    };
    let rows = load(&path).await?;
    let (missing, wanted) = missing(index, &records, context, &rows).await?;
    context.observer.observe(Event::Started { task: "embedding", total: Some(missing.len() as u64) });
    let mut filler = Filler { context, path: path.clone(), report };
    for batch in batches(missing) {
        let done = context.stop.run_until_cancelled(filler.batch(batch)).await;
        match done {
            Some(Ok(true)) => {}
            Some(Ok(false)) => break,
            Some(Err(error)) => return Err(error),
            None => {
                filler.report.interrupted = true;
                break;
            }
        }
    }
    context.observer.observe(Event::Finished);
    let report = filler.report;
    if !report.interrupted && report.problems.is_empty() {
        finish(&path, wanted, fingerprint).await?;
    }
    Ok(report)
}

fn problem(code: &str, message: impl Into<String>) -> Problem {
    Problem::new("embeddings", code, message)
}

fn file_error(path: &Path, error: &dyn std::fmt::Display) -> FillError {
    FillError::File { path: path.display().to_string(), message: error.to_string() }
}

/// Runs work on the file off the async threads.
async fn with_file<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
) -> Result<T, FillError> {
    let place = path.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&place)).await.map_err(|error| file_error(path, &error))?;
    done.map_err(|error| file_error(path, &error))
}

async fn load(path: &Path) -> Result<Rows, FillError> {
    with_file(path, file::load).await
}

/// What the vectors must stand for: the same fingerprint means that nothing is missing.
fn fingerprint(records: &[DocumentRecord], skip_languages: &[String]) -> String {
    let mut digest = Sha256::new();
    for record in records {
        let parts = [&record.document_id, &record.sha256, &record.recipe, &record.title];
        for part in parts {
            digest.update(format!("{part}\0"));
        }
        digest.update(record.language.as_deref().unwrap_or_default());
    }
    digest.update(skip_languages.join(","));
    hex(&digest.finalize())
}

fn complete_mark(path: &Path) -> PathBuf {
    path.with_extension("complete")
}

fn is_complete(path: &Path, fingerprint: &str) -> bool {
    path.is_file() && std::fs::read_to_string(complete_mark(path)).is_ok_and(|found| found == fingerprint)
}

async fn missing(
    index: &Arc<dyn VectorStore>,
    records: &[DocumentRecord],
    context: EmbedContext<'_>,
    rows: &Rows,
) -> Result<(Vec<Missing>, BTreeSet<Key>), FillError> {
    let (mut missing, mut wanted) = (Vec::new(), BTreeSet::new());
    let is_skipped = |record: &&DocumentRecord| {
        !record.language.as_ref().is_some_and(|language| context.skip_languages.contains(language))
    };
    for record in records.iter().filter(is_skipped) {
        for chunk in index.chunks(&record.document_id).await? {
            let text = matrix::embedded_text(record, &chunk);
            let key = matrix::key(context.embedder.model(), &text);
            if wanted.insert(key) && rows.vector(&key).is_none() {
                missing.push(Missing { path: record.path.clone(), key, text });
            }
        }
    }
    Ok((missing, wanted))
}

fn batches(missing: Vec<Missing>) -> Vec<Vec<Missing>> {
    let mut batches: Vec<Vec<Missing>> = Vec::new();
    let mut bytes = 0;
    for text in missing {
        let fits = |batch: &&mut Vec<Missing>| batch.len() < BATCH_TEXTS && bytes + text.text.len() <= BATCH_BYTES;
        if let Some(batch) = batches.last_mut().filter(fits) {
            bytes += text.text.len();
            batch.push(text);
        } else {
            bytes = text.text.len();
            batches.push(vec![text]);
        }
    }
    batches
}

struct Filler<'a> {
    context: EmbedContext<'a>,
    path: PathBuf,
    report: EmbedReport,
}

impl Filler<'_> {
    /// Embeds and keeps one batch. `false`: the endpoint fails, and going on is of no use.
    async fn batch(&mut self, batch: Vec<Missing>) -> Result<bool, FillError> {
        match self.embed(&batch).await {
            Ok(vectors) => self.keep(batch, vectors).await.map(|()| true),
            Err(EmbedError::Rejected(_)) => self.one_by_one(batch).await,
            Err(error) => {
                self.report.problems.push(problem("embedding/failed", told(&error)));
                Ok(false)
            }
        }
    }

    /// Some text of the batch is not taken: it is found, sent by its beginning, or named.
    async fn one_by_one(&mut self, batch: Vec<Missing>) -> Result<bool, FillError> {
        for mut text in batch {
            let mut tried = self.embed(std::slice::from_ref(&text)).await;
            if matches!(tried, Err(EmbedError::Rejected(_))) {
                text.text.truncate(text.text.floor_char_boundary(SHORTENED_BYTES));
                tried = self.embed(std::slice::from_ref(&text)).await;
            }
            match tried {
                Ok(vectors) => self.keep(vec![text], vectors).await?,
                Err(EmbedError::Rejected(why)) => {
                    self.report.problems.push(Problem::new(text.path, "embedding/rejected", why));
                }
                Err(error) => {
                    self.report.problems.push(problem("embedding/failed", told(&error)));
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn embed(&self, batch: &[Missing]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let texts: Vec<String> = batch.iter().map(|missing| missing.text.clone()).collect();
        let waits = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(ATTEMPTS - 1)
            .with_jitter();
        (|| self.context.embedder.embed(&texts))
            .retry(waits)
            .when(EmbedError::is_temporary)
            .adjust(|error, wait| match (wait, error.retry_after()) {
                (Some(wait), Some(asked)) => Some(wait.max(asked)),
                (wait, _) => wait,
            })
            .await
    }

    async fn keep(&mut self, batch: Vec<Missing>, vectors: Vec<Vec<f32>>) -> Result<(), FillError> {
        let count = batch.len();
        let told: Vec<(String, u64)> =
            batch.iter().map(|missing| (missing.path.clone(), missing.text.len() as u64)).collect();
        let rows: Vec<(Key, Vec<f32>)> = batch.into_iter().map(|missing| missing.key).zip(vectors).collect();
        with_file(&self.path, move |path| file::append(path, &rows)).await?;
        self.report.embedded += count;
        for (item, bytes) in told {
            self.context.observer.observe(Event::Advanced { item, bytes });
        }
        Ok(())
    }
}

fn told(error: &EmbedError) -> String {
    format!("{error}; the search goes on by words, and the next sync tries again")
}

/// Writes the file anew when most of it is stale, and notes that nothing is missing.
async fn finish(path: &Path, wanted: BTreeSet<Key>, fingerprint: String) -> Result<(), FillError> {
    with_file(path, move |path| {
        let rows = file::load(path)?;
        if rows.len() > wanted.len() * 2 && rows.len() > wanted.len() + STALE {
            file::compact(path, &rows, &wanted)?;
        }
        if path.is_file() { std::fs::write(complete_mark(path), fingerprint) } else { Ok(()) }
    })
    .await
}

#[cfg(test)]
mod tests;
