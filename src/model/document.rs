//! Documents and their pieces. A [`Locator`] is made by the format's reader and never recomputed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// First and last line, counted from 1, both included. Serialized as `[first, last]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LineRange(pub u32, pub u32);

/// Where in a document a piece stands. What a format does not know is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Locator {
    /// Page, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Sheet of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// First and last row of a sheet, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<LineRange>,
    /// Slide, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slide: Option<u32>,
    /// The innermost heading above the piece (for a heading block: itself).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// Lines of the source text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineRange>,
}

impl Locator {
    /// The place in words, for people: `page 2, lines 4-9, “Returns”`. Empty when nothing is known.
    pub fn describe(&self) -> String {
        let range = |one: &str, LineRange(first, last): LineRange| {
            if first == last { format!("{one} {first}") } else { format!("{one}s {first}-{last}") }
        };
        let parts = [
            self.page.map(|page| format!("page {page}")),
            self.sheet.as_ref().map(|sheet| format!("sheet {sheet}")),
            self.rows.map(|rows| range("row", rows)),
            self.slide.map(|slide| format!("slide {slide}")),
            self.lines.map(|lines| range("line", lines)),
            self.heading.as_ref().map(|heading| format!("“{heading}”")),
        ];
        parts.into_iter().flatten().collect::<Vec<String>>().join(", ")
    }
}

/// The file name in a document's path, without folders.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What a block is; lists and table rows stay whole in chunks and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading; level 1 is the outermost.
    Heading {
        /// 1 to 6.
        level: u8,
    },
    /// Running text.
    Paragraph,
    /// One item of a list, its text beginning with its marker (`- ` or `1. `), indented two spaces a level.
    ListItem,
    /// One row of a table, written `| a | b |`. The header row comes first.
    TableRow {
        /// Whether this is the header.
        header: bool,
    },
    /// Preformatted text.
    Code,
}

/// A piece of a parsed document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its text, never blank. Only `Code` holds line breaks.
    pub text: String,
    /// Where it stands.
    pub locator: Locator,
}

/// A parsed document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Stable id, unique in the folder: letters, digits, `_` and `-`.
    pub document_id: String,
    /// Path relative to the documents folder, with `/`.
    pub path: String,
    /// Title for people.
    pub title: String,
    /// One sentence, when given.
    pub description: Option<String>,
    /// Labels, when given.
    pub tags: Vec<String>,
    /// The pieces, in reading order.
    pub blocks: Vec<Block>,
}

/// A run of a chunk's text that came from one block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Byte offset in the chunk's text where the run begins.
    pub start: usize,
    /// Byte offset after its end.
    pub end: usize,
    /// What the block is.
    pub kind: BlockKind,
    /// Where the block stands.
    pub locator: Locator,
}

/// What is indexed and cited: neighbouring blocks of one document, in order, joined by line breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Hash of document id and text (with an ordinal among equal texts): it stays when others change.
    pub chunk_id: String,
    /// The document it belongs to.
    pub document_id: String,
    /// Its place among the document's chunks, from 0.
    pub ordinal: u32,
    /// The text.
    pub text: String,
    /// The headings above the chunk's first block, outermost first.
    pub heading_path: Vec<String>,
    /// Where the chunk begins.
    pub locator: Locator,
    /// The runs of `text`, in order. Runs of headings may be among them.
    pub spans: Vec<Span>,
}

/// What an index keeps of a document beside its chunks: enough to list it and to plan a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRecord {
    /// Stable id, unique in the folder.
    pub document_id: String,
    /// Path relative to the documents folder, with `/`.
    pub path: String,
    /// Title for people.
    pub title: String,
    /// One sentence, when given.
    pub description: Option<String>,
    /// Labels, when given.
    pub tags: Vec<String>,
    /// Who may read it, when it is not for everybody: a reader needs one of these roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Detected language, ISO 639-3, when sure.
    pub language: Option<String>,
    /// Whether the document is too short to tell its language and has that of most documents.
    #[serde(default)]
    pub language_borrowed: bool,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// SHA-256 over all that `documents.yaml` says of it and over the reader's version: a change re-indexes.
    pub recipe: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970, when the file system tells.
    pub modified_ns: Option<i64>,
    /// Time of the last change of the file's inode in nanoseconds since 1970, when the file system tells. Unlike the
    /// modification time, no program can set it back.
    #[serde(default)]
    pub ctime_ns: Option<i64>,
    /// Number of the file's inode, when the file system has such: a file put in the place of another has its own.
    #[serde(default)]
    pub inode: Option<u64>,
    /// Whether the title was made of the file's name: it follows when the file is renamed.
    #[serde(default)]
    pub title_from_name: bool,
    /// The format that it was read as, by its row of the table; empty where an older index does not say.
    #[serde(default)]
    pub format: String,
    /// When its file was last read or compared: the present of just before that look.
    pub indexed_at: Timestamp,
    /// How many chunks it has.
    pub chunks: u32,
}

impl DocumentRecord {
    /// Whether it is not for everybody.
    pub fn is_restricted(&self) -> bool {
        !self.roles.is_empty()
    }
}

/// One search result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The chunk found.
    pub chunk: Chunk,
    /// Path of its document.
    pub path: String,
    /// Title of its document.
    pub title: String,
    /// Description of its document.
    pub description: Option<String>,
    /// Language of its document, ISO 639-3, when known.
    pub language: Option<String>,
    /// The backend's score: higher is better; comparable within one search only.
    pub score: f32,
}

/// A piece of a document that another service found: where it stands is not known yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The document's id, when the service keeps it.
    pub document_id: Option<String>,
    /// The document's path, when the service keeps it.
    pub path: Option<String>,
    /// The document's title, when the service keeps it.
    pub title: Option<String>,
    /// The name of the file that the service has.
    pub file_name: String,
    /// The text as the service has it.
    pub text: String,
    /// The service's score: higher is better.
    pub score: f32,
}

/// A word of a question that says what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryTerm {
    /// The word's forms as they may stand among a text's terms: a stem for each language of the documents.
    pub forms: Vec<String>,
    /// What it tells: rare words tell more. Above 0.
    pub weight: f32,
    /// Whether any document holds it.
    pub known: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_described() {
        let mut locator = Locator::default();
        assert_eq!(locator.describe(), "");
        locator.lines = Some(LineRange(7, 7));
        assert_eq!(locator.describe(), "line 7");
        locator = Locator { page: Some(2), heading: Some("Returns".to_owned()), ..locator };
        locator.lines = Some(LineRange(4, 9));
        assert_eq!(locator.describe(), "page 2, lines 4-9, “Returns”");
    }

    #[test]
    fn names_have_no_folders() {
        assert_eq!((file_name("a/b.md"), file_name("b.md")), ("b.md", "b.md"));
    }
}
