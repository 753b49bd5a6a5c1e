//! Tables for people.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use crate::ui::term::{clean, table_width};

/// A table without frame, as wide as the terminal or 100 columns. Cells are made safe for terminals.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    table_of_width(header, rows, table_width())
}

/// The same, of a given width.
pub fn table_of_width(header: &[&str], rows: Vec<Vec<String>>, width: u16) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(header.iter().map(|cell| cell.to_uppercase()));
    let first_cells = rows.iter().filter_map(|row| row.first());
    let rows_width = first_cells.map(|cell| console::measure_text_width(cell)).max().unwrap_or(0);
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell).into_owned()));
    }
    let names_fit = rows_width <= usize::from(width / 2);
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
        assert_eq!(table_of_width(&["key", "value"], rows, 80), "KEY   VALUE\na     one\u{fffd}\nbbbb  two");
    }
}
