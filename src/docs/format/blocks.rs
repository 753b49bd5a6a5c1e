//! Collects blocks for the readers: cleans their text and gives each its locator.
//!
//! Blank blocks never get in, and the heading of a locator is always the last heading seen.

use crate::docs::text::{clean_code, clean_line, table_row};
use crate::model::{Block, BlockKind, LineRange, Locator};

/// Deeper lists are indented like this one.
const MAX_LIST_LEVEL: usize = 8;

/// No handbook has more blocks; a document with more is made to cost time.
pub const MAX_BLOCKS: usize = 100_000;

/// What a reader says of what it could not read: a few sentences.
pub const MAX_NOTES: usize = 8;

/// The longest of them, in bytes.
pub const MAX_NOTE_BYTES: usize = 1_000;

/// The most text of one document, in bytes.
pub const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// A longer heading is running text. Every block and chunk below a heading keeps a copy of it.
const MAX_HEADING_BYTES: usize = 300;

/// Where a reader stands: what its format knows of pages and lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Page, counted from 1.
    pub page: Option<u32>,
    /// Lines of the source.
    pub lines: Option<LineRange>,
    /// Slide, counted from 1.
    pub slide: Option<u32>,
    /// Rows of a sheet, counted from 1.
    pub rows: Option<LineRange>,
}

/// The blocks so far. What comes after the first block beyond a bound is not kept: the document is refused anyway.
#[derive(Debug, Default)]
pub struct Blocks {
    kept: Vec<Block>,
    text_bytes: usize,
    heading: Option<String>,
    sheet: Option<String>,
}

impl Blocks {
    /// Another sheet of a workbook begins: it is in the locator of all that follows, and no heading stands above yet.
    pub fn sheet(&mut self, name: &str) {
        self.sheet = Some(clean_line(name));
        self.heading = None;
    }

    /// Another slide begins: no heading stands above yet.
    pub fn slide(&mut self) {
        self.heading = None;
    }

    /// A heading of level 1 to 6.
    pub fn heading(&mut self, level: u8, text: &str, place: Place) {
        let text = clean_line(text);
        if text.len() <= MAX_HEADING_BYTES && text.chars().any(char::is_alphanumeric) {
            self.heading = Some(text.clone());
            self.push(BlockKind::Heading { level: level.clamp(1, 6) }, text, place);
        } else {
            // A row of dots or stars is decoration and opens no section, and a page of text is no heading.
            self.push(BlockKind::Paragraph, text, place);
        }
    }

    /// Running text.
    pub fn paragraph(&mut self, text: &str, place: Place) {
        self.push(BlockKind::Paragraph, clean_line(text), place);
    }

    /// An item of a list, `level` counted from 0, with its marker (`-` or `1.`).
    pub fn list_item(&mut self, level: usize, marker: &str, text: &str, place: Place) {
        let text = clean_line(text);
        if !text.is_empty() {
            let indent = "  ".repeat(level.min(MAX_LIST_LEVEL));
            self.push(BlockKind::ListItem, format!("{indent}{marker} {text}"), place);
        }
    }

    /// A row of a table.
    pub fn table_row<S: AsRef<str>>(&mut self, header: bool, cells: &[S], place: Place) {
        if let Some(text) = table_row(cells) {
            self.push(BlockKind::TableRow { header }, text, place);
        }
    }

    /// Preformatted text.
    pub fn code(&mut self, text: &str, place: Place) {
        self.push(BlockKind::Code, clean_code(text), place);
    }

    /// Blocks of another reader (HTML inside Markdown), at this place.
    pub fn extend(&mut self, blocks: Vec<Block>, place: Place) {
        for block in blocks {
            if matches!(block.kind, BlockKind::Heading { .. }) {
                self.heading = Some(block.text.clone());
            }
            self.push(block.kind, block.text, place);
        }
    }

    /// The first heading of level 1.
    pub fn title(&self) -> Option<String> {
        let first = self.kept.iter().find(|block| matches!(block.kind, BlockKind::Heading { level: 1 }));
        first.map(|block| block.text.clone())
    }

    /// Whether there is nothing yet.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The blocks, in reading order.
    pub fn finish(self) -> Vec<Block> {
        self.kept
    }

    fn push(&mut self, kind: BlockKind, text: String, place: Place) {
        let is_full = self.kept.len() > MAX_BLOCKS || self.text_bytes > MAX_TEXT_BYTES;
        if is_full || text.trim().is_empty() {
            return;
        }
        self.text_bytes += text.len();
        let Place { page, lines, slide, rows } = place;
        let locator = Locator { page, sheet: self.sheet.clone(), rows, slide, heading: self.heading.clone(), lines };
        self.kept.push(Block { kind, text, locator });
    }
}
