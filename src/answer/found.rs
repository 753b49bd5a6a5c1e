//! What another service found, placed in our own text of the documents.
//!
//! The service knows files and its own extraction of them. A citation needs our chunk, our quote and our locator; so
//! each piece that is cited is looked for in the chunks of its document, the supporting sentence first, near where the
//! whole piece stands. What our text does not have is named without a place, never guessed.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::Arc;

use crate::answer::cite;
use crate::answer::locate::locate;
use crate::index::{IndexError, VectorStore};
use crate::model::{Chunk, DocumentRecord, Found, Hit, file_name};

/// Chunks to either side of where a piece stands in which its sentence is looked for first: a piece of the service is
/// longer than a chunk of ours.
const NEAR: usize = 4;
/// The service cuts a longer path, with this behind it.
const CUT: char = '…';

/// Where a found piece stands.
#[derive(Debug)]
pub(super) enum Placed {
    /// In this chunk, at these words of it.
    At { hit: Box<Hit>, quote: String },
    /// Our text does not have it.
    Nowhere(Named),
}

/// A document without a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Empty when the index does not have it.
    pub(super) document_id: String,
    pub(super) path: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
}

/// A document as the service names it: by id and path, as far as it keeps them.
type Name = (Option<String>, Option<String>);

/// A document of the index.
struct Own {
    record: DocumentRecord,
    chunks: Vec<Chunk>,
}

/// All that was found in one turn.
pub(super) struct Pieces {
    index: Arc<dyn VectorStore>,
    found: Vec<Found>,
    /// The documents looked up so far.
    documents: HashMap<Name, Known>,
}

/// What the index says of a document.
#[derive(Clone)]
enum Known {
    /// It has it.
    Own(Arc<Own>),
    /// It does not have it.
    Foreign,
    /// It has it, and not for this reader: the service does not know that yet.
    Hidden,
}

impl Pieces {
    /// Nothing yet.
    pub(super) fn new(index: Arc<dyn VectorStore>) -> Self {
        Self { index, found: Vec::new(), documents: HashMap::new() }
    }

    /// Takes more of what was found.
    pub(super) fn add(&mut self, found: Vec<Found>) {
        self.found.extend(found);
    }

    /// Where the piece of this number stands, and in it the words that support a claim; `None` if there is none, or none
    /// that may be named.
    pub(super) async fn place(&mut self, number: usize, quote: Option<&str>) -> Option<Placed> {
        let found = self.found.get(number)?.clone();
        let own = match self.document(&found).await {
            Ok(Known::Own(own)) => own,
            Ok(Known::Foreign) => return Some(Placed::Nowhere(named_by_service(found))),
            Ok(Known::Hidden) => return None,
            Err(error) => {
                // An answer without places is better than none; what may be named is not known now.
                tracing::warn!("a citation cannot be placed: {error}");
                return None;
            }
        };
        let quote = quote.map(str::to_owned);
        let looking = tokio::task::spawn_blocking(move || placed(&own, &found, quote.as_deref()));
        // Without a panic it was given up with its runtime, and nobody waits any more.
        looking.await.map_or_else(|error| error.try_into_panic().map_or(None, |panic| resume_unwind(panic)), Some)
    }

    async fn document(&mut self, found: &Found) -> Result<Known, IndexError> {
        let key = (found.document_id.clone(), found.path.clone());
        if let Some(known) = self.documents.get(&key) {
            return Ok(known.clone());
        }
        let known = match self.record(found).await? {
            Some(record) => {
                let chunks = self.index.chunks(&record.document_id).await?;
                Known::Own(Arc::new(Own { record, chunks }))
            }
            None if self.index.hides(found.document_id.as_deref(), found.path.as_deref()).await? => Known::Hidden,
            None => Known::Foreign,
        };
        self.documents.insert(key, known.clone());
        Ok(known)
    }

    /// By its id, or else by its path: ids are those of the machine that uploaded it.
    async fn record(&self, found: &Found) -> Result<Option<DocumentRecord>, IndexError> {
        if let Some(document_id) = &found.document_id
            && let Some(record) = self.index.record(document_id).await?
        {
            return Ok(Some(record));
        }
        let Some(path) = found.path.as_deref().filter(|path| !path.ends_with(CUT)) else {
            return Ok(None);
        };
        Ok(self.index.records().await?.into_iter().find(|record| record.path == path))
    }
}

/// Looks for the sentence near where the whole piece stands, then anywhere, then takes the place of the piece.
fn placed(own: &Own, found: &Found, quote: Option<&str>) -> Placed {
    let chunks = &own.chunks;
    let whole = locate(&found.text, chunks);
    let near = whole
        .as_ref()
        .map_or(0..chunks.len(), |place| place.chunk.saturating_sub(NEAR)..(place.chunk + NEAR + 1).min(chunks.len()));
    let sentence = quote.and_then(|quote| {
        let in_part = |from: usize, part: &[Chunk]| locate(quote, part).map(|place| (place.chunk + from, place.range));
        in_part(near.start, &chunks[near.clone()]).or_else(|| in_part(0, chunks))
    });
    let place = sentence.or_else(|| whole.map(|place| (place.chunk, place.range)));
    let placed = place.and_then(|(number, range)| {
        let chunk = chunks.get(number)?;
        let words = chunk.text.get(range)?;
        let quote = cite::opening(words).trim();
        (!quote.is_empty())
            .then(|| Placed::At { hit: Box::new(hit(&own.record, chunk, found.score)), quote: quote.to_owned() })
    });
    placed.unwrap_or_else(|| Placed::Nowhere(named(&own.record)))
}

fn hit(record: &DocumentRecord, chunk: &Chunk, score: f32) -> Hit {
    Hit {
        chunk: chunk.clone(),
        path: record.path.clone(),
        title: record.title.clone(),
        description: record.description.clone(),
        language: record.language.clone(),
        score,
    }
}

fn named(record: &DocumentRecord) -> Named {
    Named {
        document_id: record.document_id.clone(),
        path: record.path.clone(),
        title: record.title.clone(),
        description: record.description.clone(),
    }
}

/// A document that the index does not have, by what the service keeps of it.
fn named_by_service(found: Found) -> Named {
    let path = found.path.unwrap_or(found.file_name);
    let title = found.title.unwrap_or_else(|| file_name(&path).to_owned());
    Named { document_id: String::new(), path, title, description: None }
}
