//! The cells of a table row as it is indexed: `| a | b |`.

use std::ops::Range;

/// The cells, as ranges of the text. A part of a long row lacks its outer bars.
pub fn cells(text: &str) -> Vec<Range<usize>> {
    let start = if text.starts_with("| ") { 2 } else { usize::from(text.starts_with('|')) };
    let end = text.strip_suffix(" |").or(text.strip_suffix('|')).map_or(text.len(), str::len).max(start);
    let mut cells = Vec::new();
    let mut from = start;
    for (at, bar) in text[start..end].match_indices(" | ") {
        let at = at + start;
        cells.push(from..at);
        from = at + bar.len();
    }
    cells.push(from..end);
    cells
}

#[cfg(test)]
mod tests {
    use super::cells;

    #[test]
    fn rows_have_cells() {
        for (row, expected) in [
            ("| a | b |", vec!["a", "b"]),
            ("|  | b |", vec!["", "b"]),
            ("| a |  |", vec!["a", ""]),
            ("| a |  | c |", vec!["a", "", "c"]),
            ("rest of a cell | c |", vec!["rest of a cell", "c"]),
            ("| first part", vec!["first part"]),
            ("|", vec![""]),
            ("| |", vec![""]),
            ("", vec![""]),
        ] {
            let found: Vec<&str> = cells(row).into_iter().map(|range| &row[range]).collect();
            assert_eq!(found, expected, "{row:?}");
        }
    }
}
