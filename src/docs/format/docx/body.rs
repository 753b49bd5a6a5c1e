//! Walks the text part and makes blocks of its paragraphs and tables.

use crate::docs::format::FormatError;
use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::docx::numbering::Numbering;
use crate::docs::format::docx::styles::Styles;
use crate::docs::format::xml::{self, Element, Token};

/// Elements whose contents are not the document's present text: deleted and moved text, fallbacks for what was read
/// already, field codes, properties of the section, notes in the margin.
const SKIPPED: &[&str] = &[
    "del",
    "moveFrom",
    "Fallback",
    "instrText",
    "sectPr",
    "delText",
    "comment",
    "rPrChange",
    "pPrChange",
    "numPicBullet",
];

/// A table deeper than this in other tables is read as part of the one around it: each level copies its text.
const MAX_NESTED_TABLES: usize = 16;

/// Reads one text part into blocks.
pub struct Body<'a> {
    styles: &'a Styles,
    numbering: Numbering,
    blocks: &'a mut Blocks,
    title: Option<String>,
    paragraph: Paragraph,
    /// Paragraphs around this one: a text box stands inside a paragraph.
    outer: Vec<Paragraph>,
    tables: Vec<Table>,
    /// Tables that are open beyond those.
    deeper: usize,
    skip: usize,
    in_text: bool,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    style: String,
    list: Option<String>,
    level: Option<usize>,
    outline: Option<u8>,
}

#[derive(Default)]
struct Table {
    cells: Vec<String>,
    cell: String,
    header: bool,
    rows: usize,
}

impl<'a> Body<'a> {
    /// A reader that adds to `blocks`.
    pub fn new(styles: &'a Styles, numbering: Numbering, blocks: &'a mut Blocks) -> Self {
        Self {
            styles,
            numbering,
            blocks,
            title: None,
            paragraph: Paragraph::default(),
            outer: Vec::new(),
            tables: Vec::new(),
            deeper: 0,
            skip: 0,
            in_text: false,
        }
    }

    /// Reads a part; an empty text is an absent part.
    pub fn read(&mut self, text: &str) -> Result<(), FormatError> {
        let whole = xml::walk(text, |token| match token {
            Token::Start(element) => self.start(&element),
            Token::End(name) => self.end(&name),
            Token::Text(text) if self.in_text && self.skip == 0 => {
                self.paragraph.text.push_str(&text);
            }
            Token::Text(_) => {}
        });
        if whole { Ok(()) } else { Err(FormatError::Malformed("its text part is not well-formed".to_owned())) }
    }

    /// The paragraph in the style for titles.
    pub fn title(&mut self) -> Option<String> {
        self.title.take()
    }

    fn start(&mut self, element: &Element) {
        let name = element.name.as_str();
        if self.skip > 0 || SKIPPED.contains(&name) {
            self.skip += usize::from(SKIPPED.contains(&name));
            return;
        }
        match name {
            "p" => self.outer.push(std::mem::take(&mut self.paragraph)),
            "pStyle" => self.paragraph.style = element.value().unwrap_or_default(),
            "numId" => self.paragraph.list = element.value(),
            "ilvl" => self.paragraph.level = element.value().and_then(|level| level.parse().ok()),
            "outlineLvl" => {
                self.paragraph.outline = element.value().and_then(|level| level.parse().ok());
            }
            "t" => self.in_text = true,
            "tab" | "br" | "cr" | "ptab" => self.paragraph.text.push(' '),
            "noBreakHyphen" => self.paragraph.text.push('-'),
            "tbl" if self.tables.len() == MAX_NESTED_TABLES => self.deeper += 1,
            "tbl" => self.tables.push(Table::default()),
            "tblHeader" => self.table(|table| table.header = element.is_on()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if self.skip > 0 {
            self.skip -= usize::from(SKIPPED.contains(&name));
            return;
        }
        match name {
            "t" => self.in_text = false,
            "p" => self.end_paragraph(),
            "tc" => self.table(|table| {
                let cell = std::mem::take(&mut table.cell);
                table.cells.push(cell);
            }),
            "tr" => self.end_row(),
            "tbl" if self.deeper > 0 => self.deeper -= 1,
            "tbl" => {
                self.tables.pop();
            }
            _ => {}
        }
    }

    fn table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(table) = self.tables.last_mut() {
            change(table);
        }
    }

    fn end_paragraph(&mut self) {
        let outer = self.outer.pop().unwrap_or_default();
        let paragraph = std::mem::replace(&mut self.paragraph, outer);
        if paragraph.text.trim().is_empty() {
            return;
        }
        if let Some(table) = self.tables.last_mut() {
            if !table.cell.is_empty() {
                table.cell.push(' ');
            }
            table.cell.push_str(&paragraph.text);
            return;
        }
        let place = Place::default();
        if let Some(level) = self.heading_level(&paragraph) {
            if self.title.is_none() && self.styles.is_title(&paragraph.style) {
                self.title = Some(paragraph.text.trim().to_owned());
            }
            self.blocks.heading(level, &paragraph.text, place);
        } else if let Some((marker, level)) = self.list_marker(&paragraph) {
            self.blocks.list_item(level, &marker, &paragraph.text, place);
        } else if let Some((marker, text)) = crate::docs::text::list_marker(&paragraph.text) {
            // A list that was typed.
            self.blocks.list_item(0, &marker, text, place);
        } else {
            self.blocks.paragraph(&paragraph.text, place);
        }
    }

    fn heading_level(&self, paragraph: &Paragraph) -> Option<u8> {
        let own = paragraph.outline.filter(|level| *level < 9).map(|level| (level + 1).min(6));
        own.or_else(|| self.styles.heading(&paragraph.style))
    }

    fn list_marker(&mut self, paragraph: &Paragraph) -> Option<(String, usize)> {
        let by_style = self.styles.list(&paragraph.style);
        let list = paragraph.list.clone().or_else(|| by_style.as_ref().map(|(list, _)| list.clone()));
        let level = paragraph.level.or(by_style.map(|(_, level)| level)).unwrap_or(0);
        match list.as_deref() {
            // List 0 takes a paragraph out of its style's list.
            Some("0") => None,
            Some(list) => Some((self.numbering.next(list, level), level)),
            None => self.styles.is_list_by_name(&paragraph.style).then(|| ("-".to_owned(), level)),
        }
    }

    fn end_row(&mut self) {
        let nested = self.tables.len() > 1;
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let cells = std::mem::take(&mut table.cells);
        let header = table.header || (table.rows == 0 && cells.len() > 1);
        table.header = false;
        table.rows += 1;
        if nested {
            // A table inside a cell is text of the cell.
            let text = cells.join(" ");
            let at = self.tables.len() - 2;
            let cell = &mut self.tables[at].cell;
            cell.push(' ');
            cell.push_str(&text);
            return;
        }
        match cells.iter().filter(|cell| !cell.trim().is_empty()).count() {
            0 => {}
            // Programs frame single paragraphs with a table.
            1 if cells.len() == 1 => self.blocks.paragraph(&cells[0], Place::default()),
            _ => self.blocks.table_row(header, &cells, Place::default()),
        }
    }
}
