//! Tables for people.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use crate::ui::term::{clean, table_width};

/// A table without frame, as wide as the terminal; where there is none, each row is one line. Cells are made safe for
/// terminals.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    table_of_width(header, rows, table_width())
}

/// The same, of a given width, or as wide as it is.
pub fn table_of_width(header: &[&str], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header.iter().map(|cell| cell.to_uppercase()));
    let first_cells = rows.iter().filter_map(|row| row.first());
    let rows_width = first_cells.map(|cell| console::measure_text_width(cell)).max().unwrap_or(0);
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell).into_owned()));
    }
    let names_fit = width.is_some_and(|width| rows_width <= usize::from(width / 2));
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
        // What a row is about stays in one piece where there is room for it.
        if names_fit {
            first.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_lines_end_with_text() {
        let rows = vec![vec!["a".into(), "one\u{1b}".into()], vec!["bbbb".into(), "two".into()]];
        assert_eq!(table_of_width(&["key", "value"], rows, Some(80)), "KEY   VALUE\na     one\u{fffd}\nbbbb  two");
    }
}
