//! Tables in plain text: lines cut into the same number of columns by tabs or by gaps.

use crate::docs::text::list_marker;

/// Fewer lines are an address or a pair of words.
const MIN_LINES: usize = 3;

/// A longer cell is a sentence.
const MAX_CELL_CHARS: usize = 80;

/// A row of such a table.
pub struct Row<'a> {
    /// Its line, from 0.
    pub line: usize,
    /// Its cells.
    pub cells: Vec<&'a str>,
    /// Whether it names the columns.
    pub is_header: bool,
}

/// The rows of a group of lines, if all of them are cut alike.
pub fn table<'a>(lines: &[&'a str]) -> Option<Vec<Row<'a>>> {
    let has_columns = |line: &&str| line.trim().contains('\t') || line.trim().contains("  ");
    if lines.len() < MIN_LINES || !has_columns(lines.first()?) {
        return None;
    }
    let rule = lines.iter().position(|line| is_rule(line));
    let rows: Vec<Row<'a>> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !is_rule(line))
        .map(|(line, text)| Row { line, cells: cells(text), is_header: false })
        .collect();
    let columns = rows.first()?.cells.len();
    let is_cut_alike = rows
        .iter()
        .all(|row| row.cells.len() == columns && row.cells.iter().all(|cell| cell.chars().count() <= MAX_CELL_CHARS));
    let enough = rows.len() + usize::from(rule == Some(1)) >= MIN_LINES;
    let is_list = rows.iter().all(|row| list_marker(lines[row.line]).is_some());
    if columns < 2 || !is_cut_alike || !enough || is_list {
        return None;
    }
    Some(with_header(rows, rule == Some(1)))
}

/// The first row names the columns when a rule says so, or when only the others have figures.
fn with_header(mut rows: Vec<Row<'_>>, has_rule: bool) -> Vec<Row<'_>> {
    let has_figures = |row: &Row<'_>| row.cells.iter().any(|cell| cell.contains(|c: char| c.is_ascii_digit()));
    let stands_out = !has_figures(&rows[0]) && rows[1..].iter().all(has_figures);
    rows[0].is_header = has_rule || stands_out;
    rows
}

/// A line of dashes, with gaps or crosses between the columns.
fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| matches!(c, '-' | '+' | '|' | ' ' | '\t'))
        || line.contains("==") && line.chars().all(|c| matches!(c, '=' | ' ' | '\t'))
}

fn cells(line: &str) -> Vec<&str> {
    let line = line.trim();
    let cut: Box<dyn Iterator<Item = &str>> =
        if line.contains('\t') { Box::new(line.split('\t')) } else { Box::new(line.split("  ")) };
    let by_gap = !line.contains('\t');
    // A gap of many spaces is one gap; an empty cell between two tabs is a cell.
    cut.map(str::trim).filter(|cell| !by_gap || !cell.is_empty()).collect()
}
