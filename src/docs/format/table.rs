//! Rows of a table with merged cells, for formats that give a table cell by cell.
//!
//! Every row has a text for each of its columns, so that it stands below its header. A cell that goes on from the row
//! above has that row's text: a row is read and cited alone. Cells merged within a row are written once.

/// A longer text that goes on over many rows is written in the first one only.
const MAX_REPEATED_BYTES: usize = 200;

/// A table has fewer columns. The cells after these are left out.
const MAX_COLUMNS: usize = 4096;

/// The row that is being read, and the one above.
#[derive(Debug, Default)]
pub struct Grid {
    row: Vec<String>,
    above: Vec<String>,
    cells: usize,
    rows: usize,
}

/// A row that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRow {
    /// The text of each column.
    pub cells: Vec<String>,
    /// It is the first with several cells: the header, unless the document says otherwise.
    pub is_first: bool,
    /// It is one cell as wide as the table, and no row of several stands above: a title, or a frame around text.
    pub is_title: bool,
}

impl Grid {
    /// A cell that covers `columns` columns.
    pub fn cell(&mut self, text: String, columns: usize) {
        self.cells += 1;
        self.push(text);
        self.gap(columns.saturating_sub(1));
    }

    /// A cell that goes on from the row above.
    pub fn joined_cell(&mut self, columns: usize) {
        let text = self.above.get(self.row.len()).filter(|text| text.len() <= MAX_REPEATED_BYTES);
        self.cell(text.cloned().unwrap_or_default(), columns);
    }

    /// Columns that the cell before goes on into.
    pub fn gap(&mut self, columns: usize) {
        for _ in 0..columns.min(MAX_COLUMNS) {
            self.push(String::new());
        }
    }

    /// In which column the next cell stands, from 0.
    pub fn column(&self) -> usize {
        self.row.len()
    }

    /// Ends the row.
    pub fn end_row(&mut self) -> EndedRow {
        let is_single = std::mem::take(&mut self.cells) < 2;
        let (is_first, is_title) = (self.rows == 0 && !is_single, self.rows == 0 && is_single);
        self.rows += usize::from(!is_single);
        let cells = std::mem::take(&mut self.row);
        self.above.clone_from(&cells);
        EndedRow { cells, is_first, is_title }
    }

    fn push(&mut self, text: String) {
        if self.row.len() < MAX_COLUMNS {
            self.row.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_cells_stand_below_their_header() {
        let mut grid = Grid::default();
        grid.cell("Prices of parts".to_owned(), 3);
        let title = grid.end_row();
        assert_eq!((title.is_title, title.is_first), (true, false));
        for text in ["Part", "Size", "Price"] {
            grid.cell(text.to_owned(), 1);
        }
        let cells = ["Part", "Size", "Price"].map(str::to_owned).to_vec();
        assert_eq!(grid.end_row(), EndedRow { cells, is_first: true, is_title: false });
        grid.cell("Tank".to_owned(), 2);
        grid.cell("19".to_owned(), 1);
        assert_eq!(grid.end_row().cells, ["Tank", "", "19"]);
        grid.joined_cell(2);
        grid.cell("20".to_owned(), 1);
        assert_eq!(grid.end_row().cells, ["Tank", "", "20"]);
        grid.cell("Above all".to_owned(), 3);
        let row = grid.end_row();
        assert_eq!((row.is_title, row.is_first), (false, false));
    }

    #[test]
    fn a_cell_that_claims_all_columns_of_the_world() {
        let mut grid = Grid::default();
        grid.cell("x".to_owned(), usize::MAX);
        grid.joined_cell(usize::MAX);
        assert_eq!(grid.end_row().cells.len(), MAX_COLUMNS);
    }
}
