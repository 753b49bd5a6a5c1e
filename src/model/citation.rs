//! An answer and where it comes from.

use serde::{Deserialize, Serialize};

use crate::model::item::Link;
use crate::model::{Locator, file_name};

/// A link from a place in an answer to a chunk retrieved in the same turn; `quote` is a substring of that chunk.
///
/// Only `answer::cite` makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The chunk.
    pub chunk_id: String,
    /// Its document.
    pub document_id: String,
    /// Path of the document, relative to the documents folder.
    pub path: String,
    /// Title of the document.
    pub title: String,
    /// Description of the document.
    pub description: Option<String>,
    /// The words of the chunk that support the answer.
    pub quote: String,
    /// Where the quote stands.
    pub locator: Locator,
    /// Position in the answer's text after which the footnote mark belongs, in Unicode code points.
    pub index: usize,
}

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The text, without markers.
    pub text: String,
    /// Its citations, in the order of their positions.
    pub citations: Vec<Citation>,
    /// Its other marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whether this says that the documents do not answer.
    pub refused: bool,
    /// How many markers named nothing retrieved, or quoted words that are not there, and were dropped.
    pub dropped_markers: u32,
}

impl Citation {
    /// The file name of the document, without folders.
    pub fn filename(&self) -> &str {
        file_name(&self.path)
    }
}
