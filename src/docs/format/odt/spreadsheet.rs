//! Walks the contents of a spreadsheet. A repeated cell or row is there once, with a number: whoever writes it a
//! billion times costs nothing.

use crate::docs::format::FormatError;
use crate::docs::format::blocks::{Blocks, MAX_TEXT_BYTES};
use crate::docs::format::odt::styles::Styles;
use crate::docs::format::sheet::{self, Cell, MAX_CELLS, Row, Rows};
use crate::docs::format::xml::{self, Element, Token};

/// A filled cell repeated more often is a filling, not contents.
const MAX_REPEATED_CELLS: u32 = 256;

/// A longer text that goes on over many rows is written in the first one only.
const MAX_REPEATED_BYTES: usize = 200;

/// Elements inside sheets that are not text of cells: remarks, drawings, what was there before.
const SKIPPED: &[&str] = &["annotation", "shapes", "tracked-changes", "forms", "frame", "title", "desc"];

/// Reads all sheets that are shown; gives their number.
pub fn read(content: &str, styles: &Styles, blocks: &mut Blocks) -> Result<u32, FormatError> {
    let mut walk = Walk {
        styles,
        blocks,
        sheets: 0,
        depth: 0,
        skip: 0,
        rows: Rows::new(),
        row: Row::default(),
        number: 1,
        column: 0,
        cell: OpenCell::default(),
        in_text: false,
        merged: Vec::new(),
        cells: 0,
        bytes: 0,
    };
    let whole = xml::walk(content, |token| walk.token(token));
    let (cells, bytes, sheets) = (walk.cells, walk.bytes, walk.sheets);
    if cells > MAX_CELLS {
        Err(FormatError::TooMuch(format!("it has more than {MAX_CELLS} filled cells")))
    } else if bytes > MAX_TEXT_BYTES {
        Err(FormatError::TooMuch(format!("it has more than {} MB of text", MAX_TEXT_BYTES / (1024 * 1024))))
    } else if whole {
        Ok(sheets)
    } else {
        Err(FormatError::Malformed("its sheets are not well-formed".to_owned()))
    }
}

struct Walk<'a> {
    styles: &'a Styles,
    blocks: &'a mut Blocks,
    sheets: u32,
    /// Tables that are open: a sheet, and tables inside its cells.
    depth: usize,
    skip: usize,
    rows: Rows,
    row: Row,
    number: u32,
    column: u32,
    cell: OpenCell,
    in_text: bool,
    /// Cells that go on in the rows below: column, how many rows are left, the cell.
    merged: Vec<(u32, u32, Cell)>,
    cells: usize,
    bytes: usize,
}

#[derive(Default)]
struct OpenCell {
    cell: Cell,
    repeated: u32,
    rows_spanned: u32,
}

impl Walk<'_> {
    fn token(&mut self, token: Token) {
        match token {
            Token::Start(element) if self.skip > 0 || self.is_skipped(&element) => self.skip += 1,
            Token::Start(element) => self.start(&element),
            Token::End(_) if self.skip > 0 => self.skip -= 1,
            Token::End(name) => self.end(&name),
            Token::Text(text) if self.in_text && self.skip == 0 => self.cell.cell.text.push_str(&text),
            Token::Text(_) => {}
        }
    }

    fn is_skipped(&self, element: &Element) -> bool {
        let hidden = || element.attribute("style-name").is_some_and(|style| self.styles.is_hidden(&style));
        SKIPPED.contains(&element.name.as_str()) || (element.name == "table" && (self.depth > 0 || hidden()))
    }

    fn start(&mut self, element: &Element) {
        match element.name.as_str() {
            "table" => self.begin_sheet(element),
            "table-row" => {
                self.row = Row { repeated: element.number("number-rows-repeated").unwrap_or(1), ..Row::default() };
                self.column = 0;
            }
            "table-cell" | "covered-table-cell" => self.begin_cell(element),
            "p" => {
                self.in_text = true;
                self.cell.cell.text.push(' ');
            }
            "s" | "tab" | "line-break" if self.in_text => self.cell.cell.text.push(' '),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "table" => self.end_sheet(),
            "table-row" => self.end_row(),
            "table-cell" => self.end_cell(),
            "covered-table-cell" => self.end_covered_cell(),
            "p" => self.in_text = false,
            _ => {}
        }
    }

    fn begin_sheet(&mut self, element: &Element) {
        self.depth = 1;
        self.sheets = self.sheets.saturating_add(1);
        self.number = 1;
        self.merged.clear();
        self.rows = Rows::new();
        self.blocks.sheet(&element.attribute("name").unwrap_or_default());
    }

    fn end_sheet(&mut self) {
        self.depth = 0;
        sheet::write(&std::mem::take(&mut self.rows), self.blocks);
    }

    fn begin_cell(&mut self, element: &Element) {
        let kind = element.attribute("value-type");
        let style = element.attribute("style-name").unwrap_or_default();
        let cell = Cell {
            text: String::new(),
            is_text: matches!(kind.as_deref(), None | Some("string")),
            is_bold: self.styles.is_bold(&style),
        };
        let repeated = element.number("number-columns-repeated").unwrap_or(1);
        self.cell = OpenCell { cell, repeated, rows_spanned: element.number("number-rows-spanned").unwrap_or(1) };
    }

    fn end_cell(&mut self) {
        let OpenCell { mut cell, repeated, rows_spanned } = std::mem::take(&mut self.cell);
        cell.text = cell.text.trim().to_owned();
        let first = self.column;
        self.column = first.saturating_add(repeated.max(1));
        if cell.text.is_empty() {
            return;
        }
        if rows_spanned > 1 && cell.text.len() <= MAX_REPEATED_BYTES {
            self.merged.retain(|(column, ..)| *column != first);
            self.merged.push((first, rows_spanned - 1, cell.clone()));
        }
        for column in first..first.saturating_add(repeated.clamp(1, MAX_REPEATED_CELLS)) {
            self.fill(column, cell.clone());
        }
    }

    fn end_covered_cell(&mut self) {
        let repeated = std::mem::take(&mut self.cell).repeated.max(1);
        let columns = self.column..self.column.saturating_add(repeated);
        self.column = columns.end;
        let held: Vec<(u32, Cell)> = self
            .merged
            .iter_mut()
            .filter(|(column, rows, _)| columns.contains(column) && *rows > 0)
            .map(|(column, rows, cell)| {
                *rows -= 1;
                (*column, cell.clone())
            })
            .collect();
        for (column, cell) in held {
            self.fill(column, cell);
        }
    }

    fn fill(&mut self, column: u32, cell: Cell) {
        self.cells += 1;
        self.bytes += cell.text.len();
        if self.cells <= MAX_CELLS && self.bytes <= MAX_TEXT_BYTES {
            self.row.cells.insert(column, cell);
        }
    }

    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let number = self.number;
        self.number = number.saturating_add(row.repeated.max(1));
        self.merged.retain(|(_, rows, _)| *rows > 0);
        if !row.cells.is_empty() {
            self.rows.insert(number, row);
        }
    }
}
