//! Finds out how a table of text is written: what separates its cells, and how quotes inside quotes look.

use csv::ReaderBuilder;

/// How much of a file is looked at.
const SAMPLE_BYTES: usize = 64 * 1024;

/// Records that agree in their number of cells, in percent, from which a delimiter counts as found.
const CLEAR_PERCENT: usize = 90;

/// Lines from which a text without a name that says so may be a table.
const MIN_TABLE_LINES: usize = 3;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Between cells.
    pub delimiter: u8,
    /// Whether quotes hold cells together.
    pub quoting: bool,
    /// Whether a quote inside a cell is written `\"` rather than `""`.
    pub backslash: bool,
}

impl Dialect {
    /// The dialect of a text with `\n` between its lines, and how many lines before the table say so (`sep=;`).
    pub fn of(text: &str) -> (Self, usize) {
        let sample = sample(text);
        let backslash = sample.matches("\\\"").count() > sample.matches("\"\"").count();
        let dialect = |delimiter| Self { delimiter, quoting: true, backslash };
        match declared(sample) {
            Some(delimiter) => (dialect(delimiter), 1),
            None => (dialect(sniff(sample, backslash)), 0),
        }
    }

    /// The same, for a file whose quotes are only signs.
    pub fn without_quotes(self) -> Self {
        Self { quoting: false, ..self }
    }
}

/// Whole lines from the beginning of a text.
fn sample(text: &str) -> &str {
    let end = text.floor_char_boundary(SAMPLE_BYTES.min(text.len()));
    let cut = &text[..end];
    if end == text.len() { cut } else { cut.rfind('\n').map_or(cut, |last| &cut[..last]) }
}

/// Spreadsheet programs write and read a first line that names the delimiter.
fn declared(text: &str) -> Option<u8> {
    let line = text.lines().next()?.trim_matches(['"', ' ']);
    let value = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP="))?;
    let delimiter = *value.as_bytes().first()?;
    (value.len() == 1 && delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric()).then_some(delimiter)
}

/// How well a delimiter cuts a text.
struct Cut {
    delimiter: u8,
    /// Records with as many cells as most, in percent.
    agreeing: usize,
    columns: usize,
}

impl Cut {
    fn is_clear(&self) -> bool {
        self.columns > 1 && self.agreeing >= CLEAR_PERCENT
    }
}

/// A comma is also in numbers and in sentences, so the others go before it when they cut clearly.
fn sniff(sample: &str, backslash: bool) -> u8 {
    let cuts: Vec<Cut> = [b'\t', b';', b'|', b','].map(|delimiter| cut(sample, delimiter, backslash)).into();
    let comma = cuts.last().map_or(1, |cut| cut.columns);
    let clear = cuts.iter().find(|cut| cut.is_clear() && (cut.delimiter != b'|' || cut.columns >= comma));
    let best = clear.or_else(|| cuts.iter().filter(|cut| cut.columns > 1).max_by_key(|cut| cut.agreeing * cut.columns));
    best.map_or(b',', |cut| cut.delimiter)
}

fn cut(sample: &str, delimiter: u8, backslash: bool) -> Cut {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .double_quote(!backslash)
        .escape(backslash.then_some(b'\\'))
        .from_reader(sample.as_bytes());
    let widths: Vec<usize> = reader.records().map_while(Result::ok).map(|record| record.len()).collect();
    let mut sorted = widths.clone();
    sorted.sort_unstable();
    let (mut columns, mut most) = (1, 0);
    for run in sorted.chunk_by(|a, b| a == b) {
        // A width of one says that the delimiter does not occur.
        if run[0] > 1 && run.len() >= most {
            (columns, most) = (run[0], run.len());
        }
    }
    Cut { delimiter, agreeing: most * 100 / widths.len().max(1), columns }
}

/// See `csv::is_clear_table`.
pub fn is_clear_table(text: &str) -> bool {
    let sample = sample(text);
    let lines = sample.lines().filter(|line| !line.trim().is_empty()).count();
    // Prose has commas too, but with a space after them, and never as many in every line.
    let prose = sample.matches(", ").count() + sample.matches("; ").count();
    let cuts = [b'\t', b';', b'|', b','].map(|delimiter| cut(sample, delimiter, false));
    lines >= MIN_TABLE_LINES
        && cuts.iter().any(|cut| {
            let enough = if cut.delimiter == b'\t' { 2 } else { 3 };
            let clear = cut.agreeing == 100 && cut.columns >= enough;
            clear && (cut.delimiter == b'\t' || prose * 4 < lines * (cut.columns - 1))
        })
}
