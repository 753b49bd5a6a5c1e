//! Which vector stands for which chunk of the present commit, and the exact scan over them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::index::hybrid::file::{Key, Rows, Stamp};
use crate::index::{IndexError, VectorStore};
use crate::model::{Chunk, DocumentRecord};

/// The vectors of one commit of the index.
#[derive(Default)]
pub struct Matrix {
    /// The commit.
    pub generation: u64,
    /// The file that the vectors were read from.
    pub stamp: Stamp,
    /// The vectors.
    pub rows: Arc<Rows>,
    documents: HashMap<String, Arc<Document>>,
    entries: Vec<Entry>,
    by_chunk: HashMap<String, usize>,
}

/// A document's chunks by the names of their vectors.
struct Document {
    /// Says whether the index still has the same chunks of it.
    version: (String, String, jiff::Timestamp),
    chunks: Vec<(String, Key)>,
}

/// A chunk that has a vector that counts.
struct Entry {
    document_id: Arc<str>,
    chunk_id: String,
    place: usize,
}

/// A chunk that meaning found.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Its document.
    pub document_id: Arc<str>,
    /// The chunk.
    pub chunk_id: String,
    /// The cosine to the question.
    pub cosine: f32,
}

/// What is sent for a chunk: the headings say what a short text is about.
pub fn embedded_text(record: &DocumentRecord, chunk: &Chunk) -> String {
    let mut parts = vec![record.title.as_str()];
    parts.extend(chunk.heading_path.iter().map(String::as_str).filter(|heading| *heading != record.title));
    format!("{}\n\n{}", parts.join(" > "), chunk.text)
}

/// The name of a text's vector.
pub fn key(model: &str, text: &str) -> Key {
    let digest = Sha256::new().chain_update(model).chain_update([0]).chain_update(text).finalize();
    let mut key = Key::default();
    key.copy_from_slice(&digest[..16]);
    key
}

impl Matrix {
    /// The vectors of the present commit; what `before` knows of unchanged documents is not looked up again.
    /// Documents in the languages of `skip` have none that count.
    pub async fn read(
        index: &Arc<dyn VectorStore>,
        model: &str,
        skip: &BTreeSet<String>,
        rows: (Arc<Rows>, Stamp),
        before: &Self,
    ) -> Result<Self, IndexError> {
        let generation = index.generation().await?;
        let (rows, stamp) = rows;
        let mut matrix = Self { generation, stamp, rows, ..Self::default() };
        for record in index.records().await? {
            let version = (record.sha256.clone(), record.recipe.clone(), record.indexed_at);
            let known = before.documents.get(&record.document_id).filter(|document| document.version == version);
            let document = if let Some(document) = known {
                Arc::clone(document)
            } else {
                let chunks = index.chunks(&record.document_id).await?;
                let named = |chunk: &Chunk| (chunk.chunk_id.clone(), key(model, &embedded_text(&record, chunk)));
                Arc::new(Document { version, chunks: chunks.iter().map(named).collect() })
            };
            if !record.language.as_ref().is_some_and(|language| skip.contains(language)) {
                matrix.enter(&record.document_id, &document);
            }
            matrix.documents.insert(record.document_id, document);
        }
        Ok(matrix)
    }

    fn enter(&mut self, document_id: &str, document: &Document) {
        let document_id: Arc<str> = Arc::from(document_id);
        for (chunk_id, key) in &document.chunks {
            if let Some(place) = self.rows.place(key) {
                let (document_id, chunk_id) = (Arc::clone(&document_id), chunk_id.clone());
                self.by_chunk.insert(chunk_id.clone(), self.entries.len());
                self.entries.push(Entry { document_id, chunk_id, place });
            }
        }
    }

    /// Whether no chunk has a vector that counts.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The chunks nearest to a question among all, best first, ties by document and chunk. A question of another
    /// length than the vectors finds nothing.
    pub fn nearest(&self, question: &[f32], limit: usize) -> Vec<Near> {
        if question.len() != self.rows.dimensions {
            return Vec::new();
        }
        let order = |(one, a): &(f32, &Entry), (other, b): &(f32, &Entry)| {
            other.total_cmp(one).then_with(|| (&a.document_id, &a.chunk_id).cmp(&(&b.document_id, &b.chunk_id)))
        };
        let mut near: Vec<(f32, &Entry)> =
            self.entries.iter().map(|entry| (dot(self.rows.at(entry.place), question), entry)).collect();
        if near.len() > limit && limit > 0 {
            near.select_nth_unstable_by(limit - 1, order);
        }
        near.truncate(limit);
        near.sort_by(order);
        let found = |(cosine, entry): (f32, &Entry)| Near {
            document_id: Arc::clone(&entry.document_id),
            chunk_id: entry.chunk_id.clone(),
            cosine,
        };
        near.into_iter().map(found).collect()
    }

    /// The cosine of one chunk to a question, when it has a vector that counts.
    pub fn cosine(&self, chunk_id: &str, question: &[f32]) -> Option<f32> {
        let entry = self.by_chunk.get(chunk_id).filter(|_| question.len() == self.rows.dimensions)?;
        Some(dot(self.rows.at(self.entries[*entry].place), question))
    }
}

/// Eight sums side by side, which the compiler turns into vector instructions.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest: f32 = ones.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in ones.zip(others) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_product_is_one_at_any_length() {
        for length in [1_u8, 7, 8, 9, 31] {
            let values: Vec<f32> = (0..length).map(f32::from).collect();
            let expected: f32 = values.iter().map(|value| value * value).sum();
            assert!((dot(&values, &values) - expected).abs() < 0.01, "{length}");
        }
    }

    #[test]
    fn a_name_depends_on_model_and_text() {
        assert_eq!(key("m", "t"), key("m", "t"));
        assert_ne!(key("m", "t"), key("mt", ""));
        assert_ne!(key("m", "t"), key("n", "t"));
    }
}
