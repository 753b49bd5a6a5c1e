//! Makes blocks of the text of an RTF file: paragraphs, headings, list items, rows of tables.

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::text::{is_bullet, list_marker};

/// What is known of a paragraph.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The level of heading, 1 to 6.
    pub heading: Option<u8>,
    /// The level in a list, from 0.
    pub level: usize,
    /// Whether it stands in a cell.
    pub in_table: bool,
}

/// The blocks so far, and what waits to become one.
#[derive(Default)]
pub struct Body {
    blocks: Blocks,
    text: String,
    marker: String,
    format: Format,
    note: String,
    notes: Vec<String>,
    row: Row,
    /// Rows of the table so far.
    rows: usize,
}

#[derive(Default)]
struct Row {
    cells: Vec<String>,
    is_header: bool,
    has_bold: bool,
    has_plain: bool,
}

impl Body {
    /// Text of the running paragraph.
    pub fn text(&mut self, text: &str, is_bold: bool, format: Format) {
        if text.contains(char::is_alphanumeric) {
            self.row.has_bold |= is_bold;
            self.row.has_plain |= !is_bold;
            self.format = format;
        }
        self.text.push_str(text);
    }

    /// Text of the number or bullet before the paragraph.
    pub fn marker(&mut self, text: &str) {
        self.marker.push_str(text);
    }

    /// Text of a footnote.
    pub fn note(&mut self, text: &str) {
        self.note.push_str(text);
    }

    /// A footnote ends: it comes after the paragraph that points to it.
    pub fn end_note(&mut self) {
        self.notes.push(std::mem::take(&mut self.note));
    }

    /// A paragraph ends. In a cell it is words of the cell.
    pub fn end_paragraph(&mut self, format: Format) {
        if format.in_table {
            self.text.push(' ');
            return;
        }
        if !self.row.cells.is_empty() {
            self.end_row();
        }
        let text = std::mem::take(&mut self.text);
        let marker = std::mem::take(&mut self.marker);
        if !text.trim().is_empty() {
            (self.rows, self.row) = (0, Row::default());
            self.push(&text, &marker, format);
        }
        for note in std::mem::take(&mut self.notes) {
            self.blocks.paragraph(&note, Place::default());
        }
    }

    fn push(&mut self, text: &str, marker: &str, format: Format) {
        let place = Place::default();
        match format.heading {
            Some(level) => self.blocks.heading(level, &format!("{} {text}", marker.trim()), place),
            None if marker.trim().is_empty() => match list_marker(text).filter(|_| text.starts_with(is_bullet)) {
                // Typed by hand, or by a program that knows no lists.
                Some((marker, rest)) => self.blocks.list_item(format.level, &marker, rest, place),
                None => self.blocks.paragraph(text, place),
            },
            None => {
                let marker = Some(marker.trim()).filter(|marker| marker.contains(char::is_alphanumeric));
                self.blocks.list_item(format.level, marker.unwrap_or("-"), text, place);
            }
        }
    }

    /// A cell ends.
    pub fn end_cell(&mut self) {
        let marker = std::mem::take(&mut self.marker);
        let text = std::mem::take(&mut self.text);
        self.row.cells.push(format!("{marker} {text}"));
    }

    /// Whether the row that begins is one that repeats on every page.
    pub fn row_is_header(&mut self, is_header: bool) {
        self.row.is_header = is_header;
    }

    /// A row ends.
    pub fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let is_set_off = self.rows == 0 && row.has_bold && !row.has_plain && row.cells.len() > 1;
        self.blocks.table_row(row.is_header || is_set_off, &row.cells, Place::default());
        self.rows += 1;
    }

    /// The blocks. The last paragraph needs no end.
    pub fn finish(&mut self) -> Blocks {
        let format = Format { in_table: false, ..self.format };
        if self.row.cells.is_empty() {
            self.end_paragraph(format);
        } else {
            self.end_cell();
            self.end_row();
        }
        std::mem::take(&mut self.blocks)
    }
}
