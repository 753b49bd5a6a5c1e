//! An answer and where it comes from.

use serde::{Deserialize, Serialize};

use crate::model::item::Link;
use crate::model::{Locator, file_name};

/// A link from a place in an answer to a chunk retrieved in the same turn; `quote` is a substring of that chunk.
///
/// What another service found and our own text does not have is not located: then the citation names the document,
/// and has neither chunk nor quote nor place. Only `answer::cite` makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The chunk; empty when it is not located.
    pub chunk_id: String,
    /// Its document; empty when the index does not have it.
    pub document_id: String,
    /// Path of the document, relative to the documents folder.
    pub path: String,
    /// Title of the document.
    pub title: String,
    /// Description of the document.
    pub description: Option<String>,
    /// The words of the chunk that support the answer; empty when it is not located.
    pub quote: String,
    /// Where the quote stands.
    pub locator: Locator,
    /// Position in the answer's text after which the footnote mark belongs, in Unicode code points.
    pub index: usize,
    /// Whether the place in the document is known.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub located: bool,
}

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The text, without markers.
    pub text: String,
    /// Its citations, in the order in which they were told.
    pub citations: Vec<Citation>,
    /// Its other marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whether this says that the documents do not answer.
    pub refused: bool,
    /// How many markers named nothing retrieved, or quoted words that are not there, and were dropped.
    pub dropped_markers: u32,
    /// How many citations name a document without a place in it.
    #[serde(default)]
    pub unlocated: u32,
}

/// Citations of before this could be said are all located.
fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_yes(located: &bool) -> bool {
    *located
}

impl Citation {
    /// The file name of the document, without folders.
    pub fn filename(&self) -> &str {
        file_name(&self.path)
    }
}
