//! Where words stand in the chunks of a document.

use std::ops::Range;

use crate::model::Chunk;

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The chunk's number.
    pub chunk: usize,
    /// Bytes of the chunk's text.
    pub range: Range<usize>,
    /// Whether the words stand there exactly so.
    pub exact: bool,
}

/// The place of this text, when a chunk has it.
pub fn locate(found_text: &str, chunks: &[Chunk]) -> Option<Place> {
    let words = found_text.trim();
    if words.is_empty() {
        return None;
    }
    chunks.iter().enumerate().find_map(|(chunk, each)| {
        let start = each.text.find(words)?;
        Some(Place { chunk, range: start..start + words.len(), exact: true })
    })
}
