//! The table that is open: cells, the columns and rows they span, headers.
//!
//! A cell that spans rows stands in each of them, so that every row reads alone.

use crate::docs::format::html::token::attribute;

/// More columns are spanned by nobody.
const MAX_COLUMN_SPAN: usize = 50;

/// More rows are spanned by nobody.
const MAX_ROW_SPAN: usize = 1_000;

/// Cells beyond these are not filled up.
const MAX_FILLED_CELLS: usize = 200;

/// A longer text is not repeated in the rows that it spans.
const MAX_REPEATED_BYTES: usize = 200;

/// A table.
#[derive(Debug, Default)]
pub struct Table {
    /// It arranges the page: its cells are parts of the page, not of a row.
    pub layout: bool,
    /// A cell is open.
    pub in_cell: bool,
    cells: Vec<String>,
    /// By column: what cells above leave to the rows below.
    spanning: Vec<Spanning>,
    cell: Cell,
    in_head: bool,
    /// All cells of the row so far are headers.
    all_headers: bool,
    /// Rows so far, and how many of them, from the first on, were headers.
    rows: usize,
    header_rows: usize,
}

#[derive(Debug, Default, Clone)]
struct Spanning {
    rows: usize,
    text: String,
}

#[derive(Debug, Default)]
struct Cell {
    columns: usize,
    rows: usize,
    is_header: bool,
}

/// A finished row.
pub struct Row {
    /// Its cells.
    pub cells: Vec<String>,
    /// Whether it is a header.
    pub is_header: bool,
}

impl Table {
    /// A table begins.
    pub fn new(attributes: &[(String, String)]) -> Self {
        let layout = matches!(attribute(attributes, "role"), Some("presentation" | "none"));
        Self { layout, ..Self::default() }
    }

    /// `<thead>` begins or ends.
    pub fn set_head(&mut self, in_head: bool) {
        self.in_head = in_head;
    }

    /// `<td>` or `<th>` begins.
    pub fn begin_cell(&mut self, name: &str, attributes: &[(String, String)]) {
        self.fill();
        let span = |key: &str, most: usize| {
            attribute(attributes, key).and_then(|span| span.trim().parse().ok()).unwrap_or(1).clamp(1, most)
        };
        let is_header = name == "th";
        self.all_headers = is_header && (self.cells.is_empty() || self.all_headers);
        self.cell = Cell { columns: span("colspan", MAX_COLUMN_SPAN), rows: span("rowspan", MAX_ROW_SPAN), is_header };
        self.in_cell = true;
    }

    /// A cell ends.
    pub fn end_cell(&mut self, text: String) {
        self.in_cell = false;
        let cell = std::mem::take(&mut self.cell);
        let repeated = if text.len() <= MAX_REPEATED_BYTES { text.trim().to_owned() } else { String::new() };
        let column = self.cells.len();
        self.cells.push(text);
        // The name of a group of columns belongs to each of them; other cells only keep the others in their column.
        let beside = if cell.is_header { repeated.clone() } else { String::new() };
        while self.cells.len() < column + cell.columns && self.cells.len() < MAX_FILLED_CELLS {
            self.cells.push(beside.clone());
        }
        if cell.rows > 1 && self.cells.len() <= MAX_FILLED_CELLS {
            self.spanning.resize(self.spanning.len().max(self.cells.len()), Spanning::default());
            for (index, spanning) in self.spanning[column..self.cells.len()].iter_mut().enumerate() {
                let text = if index == 0 { repeated.clone() } else { beside.clone() };
                *spanning = Spanning { rows: cell.rows - 1, text };
            }
        }
    }

    /// Puts what spans into this row where it belongs.
    fn fill(&mut self) {
        while let Some(spanning) = self.spanning.get_mut(self.cells.len()).filter(|spanning| spanning.rows > 0) {
            spanning.rows -= 1;
            self.cells.push(spanning.text.clone());
        }
    }

    /// A row ends; `None` when it had no cells.
    pub fn end_row(&mut self) -> Option<Row> {
        if self.cells.is_empty() {
            return None;
        }
        self.fill();
        let cells = std::mem::take(&mut self.cells);
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return None;
        }
        let is_first = self.header_rows == self.rows;
        let is_header = cells.len() > 1 && is_first && (self.in_head || self.all_headers);
        self.rows += 1;
        self.header_rows += usize::from(is_header);
        Some(Row { cells, is_header })
    }

    /// The table only arranges the page: gives back the cells of the open row.
    pub fn unfold(&mut self) -> Vec<String> {
        self.in_cell = false;
        self.layout = true;
        std::mem::take(&mut self.cells)
    }
}
