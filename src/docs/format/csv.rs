//! Tables of text: CSV and TSV, in the dialect that is found in the file itself.
//!
//! Every record is a row of a table; the header comes first. Rows are counted as a spreadsheet shows them.

mod dialect;
mod header;

use csv::{ReaderBuilder, StringRecord};

use crate::docs::format::blocks::{Blocks, MAX_BLOCKS, MAX_TEXT_BYTES, Place};
use crate::docs::format::csv::dialect::Dialect;
use crate::docs::format::{Format, FormatError, Input, Parsed, TEXT_BYTES, encoding, too_much_text};
use crate::model::LineRange;

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "CSV",
    extensions: &["csv", "tsv", "tab"],
    media_type: "text/csv; charset=utf-8",
    max_bytes: TEXT_BYTES,
    is_shown: false,
    sniff: encoding::sniff_text,
    read,
};

/// No spreadsheet has more columns.
const MAX_COLUMNS: usize = 16_384;

/// A cell with more line breaks was opened by a quote that is no quote.
const MAX_CELL_LINES: usize = 500;

/// What a file has before its header at most: a title, a date, a note.
const MAX_PREAMBLE: usize = 10;

/// A record and where it stands.
struct Row {
    cells: Vec<String>,
    /// As a spreadsheet counts.
    number: u32,
    lines: LineRange,
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    // Refused before the work: nearly all of such a file is text.
    if input.bytes.len() > 2 * MAX_TEXT_BYTES {
        return Err(too_much_text());
    }
    let text = encoding::decode(input.bytes, encoding::declared(input.bytes));
    let mut blocks = Blocks::default();
    read_text(&text, &mut blocks)?;
    Ok(Parsed { blocks: blocks.finish(), ..Parsed::default() })
}

/// Reads a table.
fn read_text(text: &str, blocks: &mut Blocks) -> Result<(), FormatError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (dialect, skipped_lines) = Dialect::of(&text);
    let body = text.split_inclusive('\n').skip(skipped_lines).collect::<String>();
    let rows = match rows(&body, dialect, skipped_lines)? {
        rows if swallowed(&rows) => self::rows(&body, dialect.without_quotes(), skipped_lines)?,
        rows => rows,
    };
    push(&rows, blocks);
    Ok(())
}

/// Whether a text is a table beyond doubt: many lines, cut by one delimiter into the same number of cells.
pub fn is_clear_table(text: &str) -> bool {
    dialect::is_clear_table(text)
}

/// The blocks of a text that is a table beyond doubt.
pub fn blocks_of(text: &str) -> Result<Blocks, FormatError> {
    let mut blocks = Blocks::default();
    read_text(text, &mut blocks)?;
    Ok(blocks)
}

fn rows(text: &str, dialect: Dialect, lines_before: usize) -> Result<Vec<Row>, FormatError> {
    let mut reader = builder(dialect).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut rows: Vec<Row> = Vec::new();
    let mut line = lines_before + 1;
    let mut number = 0_usize;
    let mut at = 0_usize;
    // Text in memory cannot fail to be read, and is UTF-8: an error only ends it.
    while reader.read_record(&mut record).unwrap_or(false) {
        if record.len() > MAX_COLUMNS {
            return Err(FormatError::TooMuch(format!("it has more than {MAX_COLUMNS} columns")));
        }
        // The reader passes over blank lines in silence; a spreadsheet shows them as rows.
        let end = usize::try_from(reader.position().byte()).unwrap_or(text.len()).min(text.len());
        let source = &text[at..end];
        let blank = source.len() - source.trim_start_matches('\n').len();
        let height = source[blank..].trim_end_matches('\n').matches('\n').count() + 1;
        line += blank;
        number += blank + 1;
        let cells = record.iter().map(str::to_owned).collect();
        rows.push(Row { cells, number: small(number), lines: LineRange(small(line), small(line + height - 1)) });
        line += height;
        at = end;
        if rows.len() > MAX_BLOCKS {
            break;
        }
    }
    Ok(rows)
}

fn builder(dialect: Dialect) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.delimiter)
        .quoting(dialect.quoting)
        .double_quote(!dialect.backslash)
        .escape(dialect.backslash.then_some(b'\\'));
    builder
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether a stray quote took what follows it into one cell.
fn swallowed(rows: &[Row]) -> bool {
    let height = |row: &Row| (row.lines.1 - row.lines.0) as usize;
    let runs_out = |last: &Row| {
        let width = rows.first().map_or(0, |row| row.cells.len());
        height(last) > 1 && last.cells.len() < width
    };
    rows.iter().any(|row| height(row) > MAX_CELL_LINES) || rows.last().is_some_and(runs_out)
}

fn push(rows: &[Row], blocks: &mut Blocks) {
    let header = header::find(rows.iter().map(|row| row.cells.as_slice()), MAX_PREAMBLE);
    let filled = |row: &Row| row.cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
    let width = header.and_then(|header| rows.get(header)).map_or(0, filled);
    for (index, row) in rows.iter().enumerate() {
        let place = Place { rows: Some(LineRange(row.number, row.number)), lines: Some(row.lines), ..Place::default() };
        let before = header.is_some_and(|header| index < header);
        // Empty cells below the header stay, so that every row has its columns.
        let kept = if before || filled(row) == 0 { filled(row) } else { filled(row).max(width.min(row.cells.len())) };
        match &row.cells[..kept] {
            [only] if before => blocks.paragraph(only, place),
            cells => blocks.table_row(header == Some(index), cells, place),
        }
    }
}

#[cfg(test)]
mod tests;
