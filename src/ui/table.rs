//! Tables for people.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use console::measure_text_width;

use crate::ui::term::{clean, table_width};

/// Space between two columns.
const GAP: usize = GAP_COLUMNS as usize;
const GAP_COLUMNS: u16 = 2;
/// The longest word that is kept in one piece: numbers, states and dates are shorter, paths and URLs are not.
const MAX_WORD: usize = 20;
/// The same for the first column, which says what a row is about: ids of stores and threads are shorter.
const MAX_NAME: usize = 40;

/// A table without frame, as wide as the terminal; where there is none, each row is one line. Cells are made safe for
/// terminals.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    table_of_width(header, rows, table_width())
}

/// The same, of a given width, or as wide as it is. Where not even the words fit side by side, each row becomes a
/// block of lines: a number or an id that is broken over lines is neither read nor copied.
pub fn table_of_width(header: &[&str], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let header: Vec<String> = header.iter().map(|cell| cell.to_uppercase()).collect();
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.iter().map(|cell| clean(cell).into_owned()).collect()).collect();
    let words = words_width(&header, &rows);
    let gaps = GAP * header.len().saturating_sub(1);
    match width {
        Some(width) if words.iter().sum::<usize>() + gaps > usize::from(width) => blocks(&header, &rows),
        _ => side_by_side(header, rows, &words, width),
    }
}

fn side_by_side(header: Vec<String>, rows: Vec<Vec<String>>, words: &[usize], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header);
    let first_cells = rows.iter().filter_map(|row| row.first());
    let rows_width = first_cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0);
    table.add_rows(rows);
    for (column, words) in table.column_iter_mut().zip(words) {
        // The gap counts too.
        let columns = u16::try_from(words + GAP).unwrap_or(u16::MAX);
        column.set_padding((0, GAP_COLUMNS)).set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(columns)));
    }
    let names_fit = width.is_some_and(|width| rows_width <= usize::from(width / 2));
    if let Some(first) = table.column_mut(0).filter(|_| names_fit) {
        // What a row is about stays in one piece where there is room for it.
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.trim_fmt()
}

/// How wide each column must be so that no word of it is broken. A word that is longer than any is a text, and may be.
fn words_width(header: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |text: &String| text.split_whitespace().map(measure_text_width).max().unwrap_or(0);
    let column = |(at, title): (usize, &String)| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(widest);
        cells.chain([widest(title)]).max().unwrap_or(0).min(if at == 0 { MAX_NAME } else { MAX_WORD })
    };
    header.iter().enumerate().map(column).collect()
}

/// Each row as lines of title and cell, empty cells left out.
fn blocks(header: &[String], rows: &[Vec<String>]) -> String {
    let titles = header.iter().map(|title| measure_text_width(title)).max().unwrap_or(0);
    let block = |row: &Vec<String>| {
        let lines = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        lines.map(|(title, cell)| format!("{title:<titles$}  {cell}")).collect::<Vec<_>>().join("\n")
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_lines_end_with_text() {
        let rows = vec![vec!["a".into(), "one\u{1b}".into()], vec!["bbbb".into(), "two".into()]];
        assert_eq!(table_of_width(&["key", "value"], rows, Some(80)), "KEY   VALUE\na     one\u{fffd}\nbbbb  two");
    }

    #[test]
    fn words_stay_whole_and_texts_wrap() {
        let rows = vec![vec!["id-1".into(), "some words that wrap".into(), "12345678".into()]];
        let told = table_of_width(&["key", "text", "tokens"], rows, Some(30));
        assert!(told.lines().count() > 2 && told.lines().all(|line| line.len() <= 30), "{told}");
        for word in ["id-1", "some", "words", "wrap", "12345678", "TOKENS"] {
            assert!(told.contains(word), "`{word}` is broken:\n{told}");
        }
    }

    #[test]
    fn rows_whose_words_do_not_fit_become_blocks() {
        let rows =
            vec![vec!["id-1".into(), String::new(), "12345678".into()], vec!["id-2".into(), "b".into(), "9".into()]];
        let told = table_of_width(&["key", "text", "tokens"], rows, Some(16));
        assert_eq!(told, "KEY     id-1\nTOKENS  12345678\n\nKEY     id-2\nTEXT    b\nTOKENS  9");
    }
}
