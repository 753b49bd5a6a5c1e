//! An index whose word search is helped by embeddings. It wraps another index and changes only how it searches.
//!
//! Words are the ground: when the endpoint fails, when no vector is there yet, or for languages where embeddings
//! measure worse, the search goes on by words alone. A failure is logged, and the endpoint is left alone for a while.

pub mod file;
mod fuse;
pub mod matrix;
pub mod measured;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::config::settings::EmbeddingSettings;
use crate::index::hybrid::fuse::{Candidate, fuse};
use crate::index::hybrid::matrix::{Matrix, Near};
use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::llm::embed::Embedder;
use crate::model::{Chunk, DocumentRecord, Hit, QueryTerm};

/// Below `STATE_DIR`.
const FOLDER: &str = "embeddings";
/// How many hits of words and of meaning are fused at least.
const CANDIDATES: usize = 100;
/// How many chunks meaning may find: enough for as many documents as anybody asks for.
const SCANNED: usize = 1000;
/// A visitor waits no longer for the endpoint.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(3);
/// A file of vectors that grows is read anew no more often.
const REFRESH: Duration = Duration::from_secs(10);
/// How long an endpoint that failed is left alone.
const REST: Duration = Duration::from_secs(30);
/// Vectors of questions that are kept: people ask the same things, and one question is searched more than once.
const QUESTIONS_KEPT: usize = 256;

/// An index with embeddings.
pub struct Hybrid {
    words: Arc<dyn VectorStore>,
    embedder: Arc<dyn Embedder>,
    state_dir: PathBuf,
    weight: f32,
    /// Languages that the settings leave out; none: nothing is left out, not even what was measured worse.
    skip: Option<BTreeSet<String>>,
    matrix: RwLock<Option<Kept>>,
    /// Held by the one who reads the vectors anew.
    reading: tokio::sync::Mutex<()>,
    questions: Mutex<HashMap<String, Arc<Vec<f32>>>>,
    rests_until: Mutex<Option<Instant>>,
}

/// The vectors as they were read last.
#[derive(Clone)]
struct Kept {
    matrix: Arc<Matrix>,
    /// Of the file of measurements.
    measured: file::Stamp,
    read_at: Instant,
}

/// A file that takes another's place, with the permissions that files usually have.
fn temporary_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

/// Where the vectors of a model lie.
pub fn vector_file(state_dir: &Path, model: &str) -> PathBuf {
    let name = hex(&Sha256::digest(model)[..8]);
    state_dir.join(FOLDER).join(format!("{name}.vectors"))
}

/// The folder of vectors and measurements.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join(FOLDER)
}

impl Hybrid {
    /// Helps `words` with `embedder`.
    pub fn new(
        words: Arc<dyn VectorStore>,
        embedder: Arc<dyn Embedder>,
        state_dir: &Path,
        settings: &EmbeddingSettings,
    ) -> Self {
        Self {
            words,
            embedder,
            state_dir: state_dir.to_owned(),
            weight: settings.weight,
            skip: Some(settings.skip_languages.iter().cloned().collect()),
            matrix: RwLock::default(),
            reading: tokio::sync::Mutex::default(),
            questions: Mutex::default(),
            rests_until: Mutex::default(),
        }
    }

    /// Searches in all languages, whatever was measured, and fails where meaning cannot help: for measuring.
    #[must_use]
    pub fn everywhere(mut self) -> Self {
        self.skip = None;
        self
    }

    /// The vectors of the present commit. While somebody reads them anew, the others go on with those of before.
    async fn matrix(&self) -> Result<Arc<Matrix>, IndexError> {
        let kept = self.kept();
        if let Some(kept) = &kept
            && self.is_fresh(kept).await?
        {
            return Ok(Arc::clone(&kept.matrix));
        }
        let _reading = match (self.reading.try_lock(), &kept) {
            (Ok(guard), _) => guard,
            (Err(_), Some(kept)) => return Ok(Arc::clone(&kept.matrix)),
            (Err(_), None) => self.reading.lock().await,
        };
        match self.kept() {
            Some(kept) if self.is_fresh(&kept).await? => Ok(kept.matrix),
            before => self.read(before.map(|kept| kept.matrix).unwrap_or_default()).await,
        }
    }

    fn kept(&self) -> Option<Kept> {
        self.matrix.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether index, vectors and measurements are those that were read. A file that is being filled changes all the
    /// time; it is read anew now and then.
    async fn is_fresh(&self, kept: &Kept) -> Result<bool, IndexError> {
        let same_index = kept.matrix.generation == self.words.generation().await?;
        let same_measured = kept.measured == file::stamp(&measured::path(&self.state_dir));
        let same_vectors = || kept.matrix.stamp == file::stamp(&vector_file(&self.state_dir, self.embedder.model()));
        Ok(same_index && same_measured && (same_vectors() || kept.read_at.elapsed() < REFRESH))
    }

    async fn read(&self, before: Arc<Matrix>) -> Result<Arc<Matrix>, IndexError> {
        let model = self.embedder.model();
        let path = vector_file(&self.state_dir, model);
        let stamp = file::stamp(&path);
        let measured = file::stamp(&measured::path(&self.state_dir));
        let rows = if before.stamp == stamp { Arc::clone(&before.rows) } else { self.load(path).await? };
        let mut skip = self.skip.clone().unwrap_or_default();
        if self.skip.is_some() {
            skip.extend(measured::worse_languages(&self.state_dir, model));
        }
        let matrix = Arc::new(Matrix::read(&self.words, model, &skip, (rows, stamp), &before).await?);
        let kept = Kept { matrix: Arc::clone(&matrix), measured, read_at: Instant::now() };
        *self.matrix.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(matrix)
    }

    async fn load(&self, path: PathBuf) -> Result<Arc<file::Rows>, IndexError> {
        let shown = path.display().to_string();
        let failed = |message: String| IndexError::Backend { path: shown.clone(), message };
        let loaded = tokio::task::spawn_blocking(move || file::load(&path)).await;
        let rows = loaded.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        Ok(Arc::new(rows))
    }

    /// The vector of a question, or why there is none.
    async fn question(&self, text: &str) -> Result<Arc<Vec<f32>>, String> {
        let kept = self.questions.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let rests = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if rests.is_some_and(|until| Instant::now() < until) {
            return Err("the embeddings endpoint failed a moment ago".to_owned());
        }
        let texts = [text.to_owned()];
        let failure = match tokio::time::timeout(QUESTION_TIMEOUT, self.embedder.embed(&texts)).await {
            Ok(Ok(vectors)) => match vectors.into_iter().next() {
                Some(vector) => return Ok(self.keep(text, vector)),
                None => "the embeddings endpoint gave no vector".to_owned(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the embeddings endpoint did not answer in time".to_owned(),
        };
        tracing::warn!(rest_s = REST.as_secs(), "searching by words alone: {failure}");
        *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
        Err(failure)
    }

    fn keep(&self, text: &str, vector: Vec<f32>) -> Arc<Vec<f32>> {
        let vector = Arc::new(vector);
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if questions.len() >= QUESTIONS_KEPT {
            questions.clear();
        }
        questions.insert(text.to_owned(), Arc::clone(&vector));
        vector
    }

    /// The question's vector and those of the chunks; none when meaning cannot help. Where it is measured, that is an
    /// error.
    async fn meaning(&self, text: &str) -> Result<Option<(Arc<Vec<f32>>, Arc<Matrix>)>, IndexError> {
        let found = match self.matrix().await {
            Ok(matrix) if matrix.is_empty() => Err("no text has a vector".to_owned()),
            Ok(matrix) => self.question(text).await.map(|question| (question, matrix)),
            Err(error) => {
                tracing::warn!("searching by words alone: {error}");
                Err(error.to_string())
            }
        };
        match (found, &self.skip) {
            (Ok(found), _) => Ok(Some(found)),
            (Err(_), Some(_)) => Ok(None),
            (Err(message), None) => Err(IndexError::Backend { path: FOLDER.to_owned(), message }),
        }
    }

    /// The hits that meaning alone found, as words would have given them, with their cosines.
    async fn fetch(&self, near: &[&Near]) -> Result<Vec<(Hit, f32)>, IndexError> {
        let mut hits = Vec::with_capacity(near.len());
        for found in near {
            let Some(record) = self.words.record(&found.document_id).await? else { continue };
            let chunks = self.words.chunks(&found.document_id).await?;
            if let Some(chunk) = chunks.into_iter().find(|chunk| chunk.chunk_id == found.chunk_id) {
                let DocumentRecord { path, title, description, language, .. } = record;
                hits.push((Hit { chunk, path, title, description, language, score: 0.0 }, found.cosine));
            }
        }
        Ok(hits)
    }
}

#[async_trait]
impl VectorStore for Hybrid {
    async fn generation(&self) -> Result<u64, IndexError> {
        self.words.generation().await
    }

    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        self.words.records().await
    }

    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        self.words.record(document_id).await
    }

    async fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, IndexError> {
        self.words.chunks(document_id).await
    }

    async fn weigh(&self, question: &str) -> Result<Vec<QueryTerm>, IndexError> {
        self.words.weigh(question).await
    }

    async fn look_up(&self, query: &SearchQuery) -> Result<(Vec<QueryTerm>, Vec<Hit>), IndexError> {
        if self.weight == 0.0 {
            return self.words.look_up(query).await;
        }
        Ok((self.weigh(&query.text).await?, self.search(query).await?))
    }

    async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        if self.weight == 0.0 {
            return self.words.search(query).await;
        }
        let Some((question, matrix)) = self.meaning(&query.text).await? else {
            return self.words.search(query).await;
        };
        let wide = SearchQuery { limit: query.limit.max(CANDIDATES), ..query.clone() };
        let found = self.words.search(&wide).await?;
        let scan = tokio::task::spawn_blocking(move || {
            let near = matrix.nearest(&question, SCANNED);
            let cosines = found.iter().map(|hit| matrix.cosine(&hit.chunk.chunk_id, &question)).collect::<Vec<_>>();
            (found, cosines, near)
        });
        let failed =
            |error: tokio::task::JoinError| IndexError::Backend { path: FOLDER.to_owned(), message: error.to_string() };
        let (found, cosines, near) = scan.await.map_err(failed)?;
        let known: HashSet<&str> = found.iter().map(|hit| hit.chunk.chunk_id.as_str()).collect();
        // Only what can still be among the wanted is fetched whole.
        let new = best(&near, query.distinct_documents).filter(|near| !known.contains(near.chunk_id.as_str()));
        let fetched = self.fetch(&new.take(query.limit).collect::<Vec<_>>()).await?;
        let by_words = found.into_iter().zip(cosines).map(|(hit, cosine)| {
            let lexical = Some(hit.score);
            (hit, Candidate { lexical, cosine })
        });
        let by_meaning =
            fetched.into_iter().map(|(hit, cosine)| (hit, Candidate { lexical: None, cosine: Some(cosine) }));
        Ok(ranked(by_words.chain(by_meaning).collect(), self.weight, query))
    }

    async fn apply(&self, changes: Vec<IndexChange>) -> Result<(), IndexError> {
        self.words.apply(changes).await
    }
}

/// The nearest chunks, of each document only the best when that is asked.
fn best(near: &[Near], distinct: bool) -> impl Iterator<Item = &Near> {
    let mut seen = HashSet::new();
    near.iter().filter(move |near| !distinct || seen.insert(&near.document_id))
}

fn ranked(candidates: Vec<(Hit, Candidate)>, weight: f32, query: &SearchQuery) -> Vec<Hit> {
    let scores = fuse(&candidates.iter().map(|(_, candidate)| *candidate).collect::<Vec<_>>(), weight);
    let mut hits: Vec<Hit> = candidates.into_iter().zip(scores).map(|((hit, _), score)| Hit { score, ..hit }).collect();
    hits.sort_by(|one, other| {
        let place = |hit: &Hit| (hit.path.clone(), hit.chunk.ordinal);
        other.score.total_cmp(&one.score).then_with(|| place(one).cmp(&place(other)))
    });
    let mut seen = HashSet::new();
    hits.retain(|hit| !query.distinct_documents || seen.insert(hit.chunk.document_id.clone()));
    hits.truncate(query.limit);
    hits
}

#[cfg(test)]
mod tests;
