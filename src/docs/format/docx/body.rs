//! Walks the text part and makes blocks of its paragraphs and tables.

use crate::docs::format::FormatError;
use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::docx::notes::Notes;
use crate::docs::format::docx::numbering::Numbering;
use crate::docs::format::docx::styles::Styles;
use crate::docs::format::table::Grid;
use crate::docs::format::xml::{self, Element, Token};
use crate::docs::text::list_marker;

/// Elements whose contents are not the document's present text: deleted and moved text, fallbacks for what was read
/// already, field codes, properties of the section, what was there before a change, how a word is pronounced.
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
    "tblPrChange",
    "numPicBullet",
    "rt",
];

/// A table deeper than this in other tables is read as part of the one around it: each level copies its text.
const MAX_NESTED_TABLES: usize = 16;

/// The parts that the text part refers to.
pub struct Parts<'a> {
    /// Styles of paragraphs.
    pub styles: &'a Styles,
    /// Shapes of lists.
    pub numbering: Numbering,
    /// Footnotes and endnotes.
    pub notes: Notes,
}

/// Reads one text part into blocks.
pub struct Body<'a> {
    parts: Parts<'a>,
    blocks: &'a mut Blocks,
    title: Option<String>,
    paragraph: Paragraph,
    /// Paragraphs around this one: a text box stands inside a paragraph.
    outer: Vec<Paragraph>,
    tables: Vec<Table>,
    /// Tables that are open beyond those.
    deeper: usize,
    /// Notes that are referred to and not yet written.
    notes: Vec<String>,
    /// Content controls around this place: whether each shows only what to fill in.
    controls: Vec<bool>,
    skip: usize,
    run: Run,
}

/// The run that is being read.
#[derive(Default)]
struct Run {
    is_open: bool,
    is_hidden: bool,
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
    grid: Grid,
    cell: String,
    columns: usize,
    joins_above: bool,
    is_header: bool,
    is_deleted: bool,
    /// How many columns at the end of the row have no cell.
    missing: usize,
    in_row_properties: bool,
}

impl<'a> Body<'a> {
    /// A reader that adds to `blocks`.
    pub fn new(parts: Parts<'a>, blocks: &'a mut Blocks) -> Self {
        Self {
            parts,
            blocks,
            title: None,
            paragraph: Paragraph::default(),
            outer: Vec::new(),
            tables: Vec::new(),
            deeper: 0,
            notes: Vec::new(),
            controls: Vec::new(),
            skip: 0,
            run: Run::default(),
        }
    }

    /// Reads the part; gives the paragraph in the style for titles.
    pub fn read(mut self, text: &str) -> Result<Option<String>, FormatError> {
        let whole = xml::walk(text, |token| self.token(token));
        self.write_notes();
        if whole { Ok(self.title) } else { Err(FormatError::Malformed("its text part is not well-formed".to_owned())) }
    }

    /// What one token of a part changes.
    pub fn token(&mut self, token: Token) {
        match token {
            Token::Start(_) if self.skip > 0 => self.skip += 1,
            Token::Start(element) if self.is_skipped(&element.name) => self.skip = 1,
            Token::Start(element) => self.start(&element),
            Token::End(_) if self.skip > 0 => self.skip -= 1,
            Token::End(name) => self.end(&name),
            Token::Text(text) if self.run.in_text && self.skip == 0 => self.push(&text),
            Token::Text(_) => {}
        }
    }

    fn is_skipped(&mut self, name: &str) -> bool {
        if name == "del" {
            // Among the properties of a row the same word says that the row was deleted.
            self.table(|table| table.is_deleted |= table.in_row_properties);
        }
        SKIPPED.contains(&name) || (name == "sdtContent" && self.controls.last() == Some(&true))
    }

    fn start(&mut self, element: &Element) {
        match element.name.as_str() {
            "p" => self.outer.push(std::mem::take(&mut self.paragraph)),
            "pStyle" => self.paragraph.style = element.value().unwrap_or_default(),
            "numId" => self.paragraph.list = element.value(),
            "ilvl" => self.paragraph.level = element.number("val"),
            "outlineLvl" => self.paragraph.outline = element.number("val"),
            "r" => self.run = Run { is_open: true, ..Run::default() },
            "vanish" if self.run.is_open => self.run.is_hidden = element.is_on(),
            "t" => self.run.in_text = true,
            "tab" | "br" | "cr" | "ptab" => self.push(" "),
            "noBreakHyphen" => self.push("-"),
            "sym" => self.symbol(element),
            "footnoteReference" | "endnoteReference" => self.refer(element),
            "sdt" => self.controls.push(false),
            "showingPlcHdr" => self.controls.last_mut().into_iter().for_each(|is_empty| *is_empty = element.is_on()),
            _ => self.start_in_table(element),
        }
    }

    fn start_in_table(&mut self, element: &Element) {
        match element.name.as_str() {
            "tbl" if self.tables.len() == MAX_NESTED_TABLES => self.deeper += 1,
            "tbl" => self.tables.push(Table::default()),
            "trPr" => self.table(|table| table.in_row_properties = true),
            // Columns at the ends of a row that have no cell.
            "gridBefore" => self.table(|table| table.grid.cell(String::new(), element.number("val").unwrap_or(1))),
            "gridAfter" => self.table(|table| table.missing = element.number("val").unwrap_or(0)),
            "tblHeader" => self.table(|table| table.is_header = element.is_on()),
            "tcPr" => self.table(|table| (table.columns, table.joins_above) = (1, false)),
            "gridSpan" => self.table(|table| table.columns = element.number("val").unwrap_or(1)),
            // Without a value, or with any other, it goes on from the row above.
            "vMerge" => self.table(|table| table.joins_above = element.value().as_deref() != Some("restart")),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.run.in_text = false,
            "r" => self.run = Run::default(),
            "p" => self.end_paragraph(),
            "sdt" => {
                self.controls.pop();
            }
            "trPr" => self.table(|table| table.in_row_properties = false),
            "tc" => self.table(Table::end_cell),
            "tr" => self.end_row(),
            "tbl" if self.deeper > 0 => self.deeper -= 1,
            "tbl" => {
                self.tables.pop();
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        if !self.run.is_hidden {
            self.paragraph.text.push_str(text);
        }
    }

    /// A character of a font of signs. Most of those have no meaning outside their font.
    fn symbol(&mut self, element: &Element) {
        let code = element.attribute("char").and_then(|code| u32::from_str_radix(&code, 16).ok());
        if let Some(sign) = code.filter(|code| *code < 0xe000).and_then(char::from_u32) {
            self.push(sign.encode_utf8(&mut [0; 4]));
        }
    }

    fn refer(&mut self, element: &Element) {
        let id = element.attribute("id").unwrap_or_default();
        self.notes.extend(self.parts.notes.take(&element.name, &id));
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
        } else if !self.parts.styles.is_contents(&paragraph.style) {
            self.write(&paragraph);
        }
    }

    fn write(&mut self, paragraph: &Paragraph) {
        let place = Place::default();
        if let Some(level) = self.heading_level(paragraph) {
            if self.title.is_none() && self.parts.styles.is_title(&paragraph.style) {
                self.title = Some(paragraph.text.trim().to_owned());
            }
            self.write_notes();
            self.blocks.heading(level, &paragraph.text, place);
        } else if let Some((marker, level)) = self.list_marker(paragraph) {
            self.blocks.list_item(level, &marker, &paragraph.text, place);
        } else if let Some((marker, text)) = list_marker(&paragraph.text) {
            // A list that was typed.
            self.blocks.list_item(0, &marker, text, place);
        } else {
            self.blocks.paragraph(&paragraph.text, place);
        }
    }

    /// Notes stand at the end of their section: between two items of a list they would part it.
    fn write_notes(&mut self) {
        for note in std::mem::take(&mut self.notes) {
            self.blocks.paragraph(&note, Place::default());
        }
    }

    fn heading_level(&self, paragraph: &Paragraph) -> Option<u8> {
        match paragraph.outline {
            Some(level) if level < 9 => Some((level + 1).min(6)),
            // Level 9 takes a paragraph out of the outline that its style is in.
            Some(_) => None,
            None => self.parts.styles.heading(&paragraph.style),
        }
    }

    fn list_marker(&mut self, paragraph: &Paragraph) -> Option<(String, usize)> {
        let by_style = self.parts.styles.list(&paragraph.style);
        let list = paragraph.list.clone().or_else(|| by_style.as_ref().map(|(list, _)| list.clone()));
        let level = paragraph.level.or(by_style.map(|(_, level)| level)).unwrap_or(0);
        match list.as_deref() {
            // List 0 takes a paragraph out of its style's list.
            Some("0") => None,
            Some(list) => Some((self.parts.numbering.next(list, level), level)),
            None => self.parts.styles.is_list_by_name(&paragraph.style).then(|| ("-".to_owned(), level)),
        }
    }

    fn end_row(&mut self) {
        let depth = self.tables.len();
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        match std::mem::take(&mut table.missing) {
            0 => {}
            missing => table.grid.cell(String::new(), missing),
        }
        let row = table.grid.end_row();
        let header = std::mem::take(&mut table.is_header) || row.is_first;
        if std::mem::take(&mut table.is_deleted) {
            return;
        }
        if depth > 1 {
            // A table inside a cell is text of the cell.
            let outer = &mut self.tables[depth - 2].cell;
            outer.push(' ');
            outer.push_str(&row.cells.join(" "));
        } else if row.is_title {
            self.blocks.paragraph(&row.cells.join(" "), Place::default());
        } else {
            self.blocks.table_row(header, &row.cells, Place::default());
        }
    }
}

impl Table {
    fn end_cell(&mut self) {
        let text = std::mem::take(&mut self.cell);
        let columns = std::mem::replace(&mut self.columns, 1);
        if std::mem::take(&mut self.joins_above) {
            self.grid.joined_cell(columns);
        } else {
            self.grid.cell(text, columns);
        }
    }
}
