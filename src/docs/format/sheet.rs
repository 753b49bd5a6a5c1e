//! Rows of a spreadsheet, made readable: which row is the header, what is a title, which columns are empty.
//!
//! A sheet may hold several tables with empty rows between them. Each row says where it stands, and in a table too
//! wide for its header to be repeated every cell carries its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::docs::chunk::MAX_HEADER_BYTES;
use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::text::clean_line;
use crate::model::LineRange;

/// No workbook that people read has more filled cells.
pub const MAX_CELLS: usize = 2_000_000;

/// Labelled rows longer than this go on in another block, which begins with the row's first cell again.
const MAX_LABELLED_BYTES: usize = 800;

/// A longer first cell does not name its row.
const MAX_KEY_BYTES: usize = 100;

/// A filled cell, as a person sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text, not blank.
    pub text: String,
    /// Whether it is words, not a number, a date or a yes.
    pub is_text: bool,
    /// Whether it is set in bold.
    pub is_bold: bool,
}

/// A row with its filled cells by column, from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The cells.
    pub cells: BTreeMap<u32, Cell>,
    /// How many equal rows it stands for: 0 and 1 are one.
    pub repeated: u32,
}

/// The filled rows of a sheet by number, from 1.
pub type Rows = BTreeMap<u32, Row>;

/// Writes a sheet's rows as blocks.
pub fn write(rows: &Rows, blocks: &mut Blocks) {
    let mut header: Option<Header> = None;
    for region in regions(rows) {
        write_region(&region, &mut header, blocks);
    }
}

/// The names of the columns of the last table that had some.
struct Header {
    names: BTreeMap<u32, String>,
    is_wide: bool,
}

type Numbered<'a> = (u32, &'a Row);

/// Runs of rows without an empty row between them.
fn regions(rows: &Rows) -> Vec<Vec<Numbered<'_>>> {
    let mut regions: Vec<Vec<Numbered<'_>>> = Vec::new();
    let mut next = None;
    for (number, row) in rows.iter().filter(|(_, row)| !row.cells.is_empty()) {
        match regions.last_mut() {
            Some(region) if next == Some(*number) => region.push((*number, row)),
            _ => regions.push(vec![(*number, row)]),
        }
        next = number.checked_add(row.repeated.max(1));
    }
    regions
}

fn write_region(region: &[Numbered<'_>], header: &mut Option<Header>, blocks: &mut Blocks) {
    let columns: BTreeSet<u32> = region.iter().flat_map(|(_, row)| row.cells.keys().copied()).collect();
    // A line above a table is its title.
    let titles = region.iter().take_while(|(_, row)| row.cells.len() == 1).count();
    let (above, table) = region.split_at(titles);
    for numbered in above {
        let text = numbered.1.cells.values().map(|cell| cell.text.as_str()).collect::<String>();
        blocks.paragraph(&text, place(*numbered));
    }
    let own = is_header(table, &columns, header.is_none());
    if own {
        *header = Some(Header::of(table[0].1));
    }
    for (at, numbered) in table.iter().enumerate() {
        let place = place(*numbered);
        match header {
            Some(header) if header.is_wide && !(own && at == 0) => write_labelled(numbered.1, header, place, blocks),
            _ => {
                let text = |column| numbered.1.cells.get(column).map_or("", |cell| cell.text.as_str());
                let cells: Vec<&str> = columns.iter().map(text).collect();
                blocks.table_row(own && at == 0, &cells, place);
            }
        }
    }
}

impl Header {
    fn of(row: &Row) -> Self {
        let names: BTreeMap<u32, String> =
            row.cells.iter().map(|(column, cell)| (*column, clean_line(&cell.text))).collect();
        let bytes: usize = names.values().map(|name| name.len() + 3).sum();
        Self { is_wide: bytes > MAX_HEADER_BYTES, names }
    }
}

/// Whether a table begins with a row that names its columns: mostly words, in most columns. A table after the first
/// may as well go on with the same columns, so there the row below must look different.
fn is_header(table: &[Numbered<'_>], columns: &BTreeSet<u32>, is_first: bool) -> bool {
    let [(_, row), (_, below), ..] = table else {
        return false;
    };
    let words = row.cells.values().filter(|cell| cell.is_text).count();
    let is_named = words * 2 > row.cells.len() && row.cells.len() * 2 >= columns.len();
    let all_bold = |row: &Row| row.cells.values().all(|cell| cell.is_bold);
    let differs = row.cells.iter().any(|(column, cell)| {
        let other = below.cells.get(column);
        cell.is_text && other.is_some_and(|other| !other.is_text)
    });
    is_named && (is_first || differs || (all_bold(row) && !all_bold(below)))
}

/// `| Name: Mill | Price: 5 |`, in as many blocks as it takes.
fn write_labelled(row: &Row, header: &Header, place: Place, blocks: &mut Blocks) {
    let cells: Vec<String> = row.cells.iter().map(|(column, cell)| header.labelled(*column, &cell.text)).collect();
    let key = cells.first().filter(|key| key.len() <= MAX_KEY_BYTES);
    let mut part: Vec<&str> = Vec::new();
    let mut bytes = 0;
    for cell in &cells {
        if bytes + cell.len() > MAX_LABELLED_BYTES && part.len() > 1 {
            blocks.table_row(false, &part, place);
            part = key.map(String::as_str).into_iter().collect();
            bytes = part.iter().map(|cell| cell.len()).sum();
        }
        part.push(cell);
        bytes += cell.len();
    }
    blocks.table_row(false, &part, place);
}

impl Header {
    fn labelled(&self, column: u32, text: &str) -> String {
        match self.names.get(&column) {
            Some(name) => format!("{}: {text}", name.trim_end_matches(':')),
            None => text.to_owned(),
        }
    }
}

fn place((number, row): Numbered<'_>) -> Place {
    let last = number.saturating_add(row.repeated.max(1) - 1);
    Place { rows: Some(LineRange(number, last)), ..Place::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Block, BlockKind};

    /// A sheet from a drawing of it: cells between bars, words that are digits are numbers.
    fn sheet(lines: &[&str]) -> Vec<Block> {
        let mut rows = Rows::new();
        for (number, line) in (1..).zip(lines) {
            let cells = (0..).zip(line.split('|').map(str::trim)).filter(|(_, text)| !text.is_empty());
            let cell = |text: &str| Cell {
                text: text.trim_matches('*').to_owned(),
                is_text: text.parse::<f64>().is_err(),
                is_bold: text.starts_with('*'),
            };
            let cells = cells.map(|(column, text)| (column, cell(text))).collect();
            rows.insert(number, Row { cells, repeated: 1 });
        }
        let mut blocks = Blocks::default();
        write(&rows, &mut blocks);
        blocks.finish()
    }

    fn drawn(blocks: &[Block]) -> Vec<String> {
        let mark = |kind| match kind {
            BlockKind::TableRow { header: true } => "H ",
            BlockKind::TableRow { header: false } => "R ",
            _ => "P ",
        };
        blocks.iter().map(|block| format!("{}{}", mark(block.kind), block.text)).collect()
    }

    #[test]
    fn titles_headers_and_empty_columns() {
        let blocks = sheet(&["Prices 2026", "", "||Part||Price", "||Tank||19.9", "||Tray||7.5", "Ask us."]);
        let expected = ["P Prices 2026", "H | Part | Price |", "R | Tank | 19.9 |", "R | Tray | 7.5 |"];
        // The last line stands in a column of its own.
        assert_eq!(drawn(&blocks)[..1], expected[..1]);
        assert_eq!(blocks[1].kind, BlockKind::TableRow { header: true });
        assert_eq!(blocks[2].locator.rows, Some(LineRange(4, 4)));
    }

    #[test]
    fn a_table_goes_on_after_an_empty_row() {
        let blocks = sheet(&["Name|Town", "Ann|Rome", "", "Bob|Bern", "Eve|Bonn", "", "*Item*|*Pieces*", "Tank|3"]);
        let expected = [
            "H | Name | Town |",
            "R | Ann | Rome |",
            "R | Bob | Bern |",
            "R | Eve | Bonn |",
            "H | Item | Pieces |",
            "R | Tank | 3 |",
        ];
        assert_eq!(drawn(&blocks), expected);
    }

    #[test]
    fn numbers_are_no_header_and_one_column_is_no_table() {
        assert_eq!(drawn(&sheet(&["1|2", "3|4"])), ["R | 1 | 2 |", "R | 3 | 4 |"]);
        assert_eq!(drawn(&sheet(&["one", "two"])), ["P one", "P two"]);
    }

    #[test]
    fn cells_of_a_wide_table_carry_their_headers() {
        let header: Vec<String> = (0..60).map(|n| format!("Measure number {n}")).collect();
        let row: Vec<String> = (0..60).map(|n| format!("value {n}")).collect();
        let blocks = sheet(&[&header.join("|"), &row.join("|")]);
        let rows: Vec<&Block> = blocks.iter().skip(1).collect();
        assert!(rows.len() > 1);
        for row in &rows {
            assert!(row.text.starts_with("| Measure number 0: value 0 | "), "{}", row.text);
            assert!(row.text.len() < 900);
            assert_eq!(row.locator.rows, Some(LineRange(2, 2)));
        }
        assert!(rows[rows.len() - 1].text.ends_with("| Measure number 59: value 59 |"));
    }
}
