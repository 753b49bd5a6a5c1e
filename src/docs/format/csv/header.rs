//! Finds the row that names the columns.

use std::collections::HashSet;

/// A longer cell is no name of a column.
const MAX_NAME_CHARS: usize = 100;

/// The index of the header among the first rows, when there is one: the first row that is as wide as the table, if it
/// reads like names. What stands before it is a title or a note.
pub fn find<'a>(rows: impl Iterator<Item = &'a [String]>, max_before: usize) -> Option<usize> {
    let rows: Vec<&[String]> = rows.take(max_before + 20).collect();
    let width = width(&rows)?;
    let wide = rows.iter().take(max_before + 1).position(|row| filled(row) * 2 > width && row.len() >= width)?;
    let follows = rows.len() > wide + 1;
    (follows && width > 1 && names_columns(rows[wide])).then_some(wide)
}

/// How many cells most rows have.
fn width(rows: &[&[String]]) -> Option<usize> {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.len()).collect();
    widths.sort_unstable();
    widths.get(widths.len() / 2).copied()
}

fn filled(row: &[String]) -> usize {
    row.iter().filter(|cell| !cell.trim().is_empty()).count()
}

fn names_columns(row: &[String]) -> bool {
    let names: Vec<&str> = row.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let distinct = names.iter().collect::<HashSet<_>>().len() == names.len();
    // Years are often names of columns, but not of all of them.
    let figures = names.iter().filter(|name| is_figure(name)).count();
    let years = names.iter().filter(|name| is_year(name)).count();
    distinct && figures == years && years < names.len() && names.iter().all(|name| is_name(name))
}

fn is_name(cell: &str) -> bool {
    cell.chars().count() <= MAX_NAME_CHARS && !cell.contains('@') && !cell.contains("://")
}

/// Numbers, amounts, dates and times: more digits than letters.
fn is_figure(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    digits > letters
}

fn is_year(cell: &str) -> bool {
    cell.len() == 4 && cell.parse().is_ok_and(|year: u32| (1900..2100).contains(&year))
}
