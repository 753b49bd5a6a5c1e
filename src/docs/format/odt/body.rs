//! Walks the contents of a text or a presentation and makes blocks of its paragraphs, lists and tables.

use crate::docs::format::FormatError;
use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::odt::lists::Lists;
use crate::docs::format::odt::styles::Styles;
use crate::docs::format::slide::{Slide, Text};
use crate::docs::format::table::Grid;
use crate::docs::format::xml::{self, Element, Token};
use crate::docs::text::list_marker;

/// Elements whose contents are not the document's present text: what was deleted, remarks in the margin, the number of
/// a footnote, how a word is pronounced, what a picture is called, tables of contents, forms and styles.
const SKIPPED: &[&str] = &[
    "tracked-changes",
    "annotation",
    "note-citation",
    "ruby-text",
    "title",
    "desc",
    "table-of-content",
    "illustration-index",
    "alphabetical-index",
    "forms",
    "automatic-styles",
    "binary-data",
    "scripts",
];

/// Frames of a slide that say the same on each.
const FURNITURE: &[&str] = &["page-number", "date-time", "footer", "header", "page"];

/// A table deeper than this in other tables is read as part of the one around it.
const MAX_NESTED_TABLES: usize = 16;

/// More spaces in a row are no text.
const MAX_SPACES: usize = 100;

/// The walk.
pub struct Body<'a> {
    styles: &'a Styles,
    blocks: &'a mut Blocks,
    title: Option<String>,
    skip: usize,
    paragraph: Option<Paragraph>,
    /// Paragraphs around this one: a text box or a footnote stands inside a paragraph.
    outer: Vec<Option<Paragraph>>,
    lists: Lists,
    tables: Vec<Table>,
    deeper: usize,
    slides: u32,
    slide: Option<Slide>,
    in_title: bool,
    notes: Vec<String>,
    in_note: usize,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    style: String,
    outline: Option<u8>,
}

#[derive(Default)]
struct Table {
    grid: Grid,
    cell: String,
    in_header: bool,
    /// For how many rows the cell of a column goes on.
    hold: Vec<usize>,
    rows_spanned: usize,
}

impl<'a> Body<'a> {
    /// Reads the contents; gives the title that the text itself shows, and how many slides there are.
    pub fn read(
        content: &str,
        styles: &'a Styles,
        blocks: &'a mut Blocks,
    ) -> Result<(Option<String>, Option<u32>), FormatError> {
        let mut body = Self {
            styles,
            blocks,
            title: None,
            skip: 0,
            paragraph: None,
            outer: Vec::new(),
            lists: Lists::default(),
            tables: Vec::new(),
            deeper: 0,
            slides: 0,
            slide: None,
            in_title: false,
            notes: Vec::new(),
            in_note: 0,
        };
        let whole = xml::walk(content, |token| body.token(token));
        body.write_notes();
        let slides = (body.slides > 0).then_some(body.slides);
        if whole {
            Ok((body.title, slides))
        } else {
            Err(FormatError::Malformed("its text part is not well-formed".to_owned()))
        }
    }

    fn token(&mut self, token: Token) {
        match token {
            Token::Start(element) if self.skip > 0 || self.is_skipped(&element) => self.skip += 1,
            Token::Start(element) => self.start(&element),
            Token::End(_) if self.skip > 0 => self.skip -= 1,
            Token::End(name) => self.end(&name),
            Token::Text(text) if self.skip == 0 => self.push(&text),
            Token::Text(_) => {}
        }
    }

    fn is_skipped(&self, element: &Element) -> bool {
        let style = || element.attribute("style-name").unwrap_or_default();
        match element.name.as_str() {
            "span" | "p" => self.styles.is_hidden(&style()),
            "frame" => element.attribute("class").is_some_and(|class| FURNITURE.contains(&class.as_str())),
            name => SKIPPED.contains(&name),
        }
    }

    fn start(&mut self, element: &Element) {
        match element.name.as_str() {
            "p" | "h" => self.begin_paragraph(element),
            "s" => self.push(&" ".repeat(element.number("c").unwrap_or(1).min(MAX_SPACES))),
            "tab" | "line-break" => self.push(" "),
            "note-body" => self.in_note += 1,
            "list" => self.lists.begin(element),
            "list-item" => self.lists.item(element),
            "table" if self.tables.len() == MAX_NESTED_TABLES => self.deeper += 1,
            "table" => self.tables.push(Table::default()),
            "table-header-rows" => self.table(|table| table.in_header = true),
            "table-cell" => {
                self.table(|table| table.rows_spanned = element.number("number-rows-spanned").unwrap_or(1));
            }
            "page" => self.begin_slide(element),
            "frame" => self.in_title = element.attribute("class").as_deref() == Some("title"),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" | "h" => self.end_paragraph(),
            "note-body" => self.in_note = self.in_note.saturating_sub(1),
            "list" => self.lists.end(),
            "table" if self.deeper > 0 => self.deeper -= 1,
            "table" => {
                self.tables.pop();
            }
            "table-header-rows" => self.table(|table| table.in_header = false),
            "table-cell" => self.table(Table::end_cell),
            "covered-table-cell" => self.table(Table::covered_cell),
            "table-row" => self.end_row(),
            "page" => self.end_slide(),
            "frame" => self.in_title = false,
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(paragraph) = &mut self.paragraph {
            paragraph.text.push_str(text);
        }
    }

    fn table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(table) = self.tables.last_mut().filter(|_| self.deeper == 0) {
            change(table);
        }
    }

    fn begin_paragraph(&mut self, element: &Element) {
        let outline = (element.name == "h").then(|| element.number("outline-level").unwrap_or(1));
        let style = element.attribute("style-name").unwrap_or_default();
        self.outer.push(self.paragraph.replace(Paragraph { text: String::new(), style, outline }));
    }

    fn end_paragraph(&mut self) {
        let outer = self.outer.pop().flatten();
        let Some(paragraph) = std::mem::replace(&mut self.paragraph, outer) else { return };
        if paragraph.text.trim().is_empty() {
            return;
        }
        if self.in_note > 0 {
            self.notes.push(paragraph.text);
        } else if let Some(table) = self.tables.last_mut() {
            table.cell.push(' ');
            table.cell.push_str(&paragraph.text);
        } else if let Some(slide) = &mut self.slide {
            let text = slide_text(paragraph.text, self.in_title, self.lists.marker(self.styles));
            slide.texts.push(text);
        } else {
            self.write(paragraph);
        }
    }

    fn write(&mut self, Paragraph { text, style, outline }: Paragraph) {
        let place = Place::default();
        let is_title = self.styles.is_title(&style);
        if let Some(level) = outline.or_else(|| self.styles.heading(&style)).or(is_title.then_some(1)) {
            if is_title && self.title.is_none() {
                self.title = Some(text.trim().to_owned());
            }
            self.write_notes();
            self.blocks.heading(level, &text, place);
        } else if let Some((level, marker)) = self.lists.marker(self.styles) {
            self.blocks.list_item(level, &marker, &text, place);
        } else if let Some((marker, text)) = list_marker(&text) {
            // A list that was typed.
            self.blocks.list_item(0, &marker, text, place);
        } else {
            self.blocks.paragraph(&text, place);
        }
    }

    /// Footnotes stand at the end of their section: between two items of a list they would part it.
    fn write_notes(&mut self) {
        for note in std::mem::take(&mut self.notes) {
            self.blocks.paragraph(&note, Place::default());
        }
    }

    fn end_row(&mut self) {
        if self.deeper > 0 {
            return;
        }
        let Some(table) = self.tables.last_mut() else { return };
        let row = table.grid.end_row();
        let header = table.in_header || row.is_first;
        let depth = self.tables.len();
        if depth > 1 {
            // A table inside a cell is text of the cell.
            let outer = &mut self.tables[depth - 2].cell;
            outer.push(' ');
            outer.push_str(&row.cells.join(" "));
        } else if let Some(slide) = &mut self.slide {
            slide.texts.push(Text::Row { header, cells: row.cells });
        } else if row.is_title {
            self.blocks.paragraph(&row.cells.join(" "), Place::default());
        } else {
            self.blocks.table_row(header, &row.cells, Place::default());
        }
    }

    fn begin_slide(&mut self, element: &Element) {
        self.slides = self.slides.saturating_add(1);
        let is_hidden = element.attribute("style-name").is_some_and(|style| self.styles.is_hidden(&style));
        self.slide = Some(Slide { is_hidden, ..Slide::default() });
    }

    fn end_slide(&mut self) {
        if let Some(slide) = self.slide.take().filter(|slide| !slide.is_hidden) {
            slide.write(self.slides, self.blocks);
        }
    }
}

fn slide_text(text: String, is_title: bool, marker: Option<(usize, String)>) -> Text {
    match marker {
        _ if is_title => Text::Title(text),
        Some((level, marker)) => Text::Item(level, marker, text),
        None => match list_marker(&text) {
            Some((marker, rest)) => Text::Item(0, marker, rest.to_owned()),
            None => Text::Paragraph(text),
        },
    }
}

impl Table {
    fn end_cell(&mut self) {
        let column = self.grid.column();
        self.hold_column(column, self.rows_spanned.saturating_sub(1));
        let text = std::mem::take(&mut self.cell);
        // The cells that this one covers are there, and say so.
        self.grid.cell(text, 1);
    }

    fn covered_cell(&mut self) {
        self.cell.clear();
        let column = self.grid.column();
        match self.hold.get(column).copied().unwrap_or(0) {
            0 => self.grid.gap(1),
            rows => {
                self.hold_column(column, rows - 1);
                self.grid.joined_cell(1);
            }
        }
    }

    fn hold_column(&mut self, column: usize, rows: usize) {
        if self.hold.len() <= column {
            self.hold.resize(column + 1, 0);
        }
        self.hold[column] = rows;
    }
}
