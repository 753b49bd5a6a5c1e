//! Reads the sheets of a workbook through the engine.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{
    Data, DataRef, Dimensions, Reader, Sheet, SheetType, SheetVisible, Style, Xls, XlsError, Xlsb, XlsbError, Xlsx,
    XlsxError,
};

use crate::docs::format::blocks::{Blocks, MAX_TEXT_BYTES};
use crate::docs::format::quiet;
use crate::docs::format::sheet::{self, Cell, MAX_CELLS, Rows};
use crate::docs::format::xlsx::number;
use crate::docs::format::{FormatError, Parsed};

/// Reads a workbook of XML.
pub fn xlsx(bytes: &[u8]) -> Result<Parsed, FormatError> {
    guard("its list of sheets", || {
        let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| xlsx_error(&error))?;
        each_sheet(workbook.sheets_metadata().to_vec(), |name, rows| {
            read_xlsx_sheet(&mut workbook, name, rows)?;
            let merged = workbook.merge_cells_by_sheet_name(name).unwrap_or_default();
            rows.repeat_merged(&merged);
            Ok(())
        })
    })
}

fn read_xlsx_sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str, rows: &mut SheetRows) -> Result<(), FormatError> {
    let mut reader = match workbook.worksheet_cells_reader(name) {
        Ok(reader) => reader,
        Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
        Err(error) => return Err(xlsx_error(&error)),
    };
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(|error| xlsx_error(&error))? {
        let made = text_cell(cell.get_value(), reader.styles().get(style));
        rows.add(cell.get_position(), made)?;
    }
    Ok(())
}

/// Reads a binary workbook.
pub fn xlsb(bytes: &[u8]) -> Result<Parsed, FormatError> {
    guard("its list of sheets", || {
        let mut workbook = Xlsb::new(Cursor::new(bytes)).map_err(|error| xlsb_error(&error))?;
        each_sheet(workbook.sheets_metadata().to_vec(), |name, rows| {
            let mut reader = workbook.worksheet_cells_reader(name).map_err(|error| xlsb_error(&error))?;
            while let Some(cell) = reader.next_cell().map_err(|error| xlsb_error(&error))? {
                rows.add(cell.get_position(), text_cell(cell.get_value(), None))?;
            }
            Ok(())
        })
    })
}

/// Reads a workbook of before 2007. The engine makes a rectangle of each sheet, which has at most 65,536 rows of 256.
pub fn xls(bytes: &[u8]) -> Result<Parsed, FormatError> {
    guard("its list of sheets", || {
        let mut workbook = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
            XlsError::Password => FormatError::Encrypted,
            error => FormatError::Malformed(error.to_string()),
        })?;
        each_sheet(workbook.sheets_metadata().to_vec(), |name, rows| {
            let range = workbook.worksheet_range(name).map_err(|error| FormatError::Malformed(error.to_string()))?;
            let (first_row, first_column) = range.start().unwrap_or_default();
            for (row, column, value) in range.used_cells() {
                let at = |first: u32, more: usize| first.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
                rows.add((at(first_row, row), at(first_column, column)), text_cell(&as_ref(value), None))?;
            }
            Ok(())
        })
    })
}

/// The filled cells of a sheet, and how many more the workbook may have.
struct SheetRows {
    rows: Rows,
    cells_left: usize,
    bytes_left: usize,
}

impl SheetRows {
    fn add(&mut self, (row, column): (u32, u32), cell: Option<Cell>) -> Result<(), FormatError> {
        let Some(cell) = cell else {
            return Ok(());
        };
        if row >= MAX_ROWS || column >= MAX_COLUMNS {
            return Err(FormatError::Malformed("a cell has a place that no sheet has".to_owned()));
        }
        let too_much = || FormatError::TooMuch(format!("it has more than {MAX_CELLS} filled cells"));
        self.cells_left = self.cells_left.checked_sub(1).ok_or_else(too_much)?;
        let limit = MAX_TEXT_BYTES / (1024 * 1024);
        let too_long = || FormatError::TooMuch(format!("it has more than {limit} MB of text"));
        self.bytes_left = self.bytes_left.checked_sub(cell.text.len()).ok_or_else(too_long)?;
        self.rows.entry(row.saturating_add(1)).or_default().cells.insert(column, cell);
        Ok(())
    }

    /// A cell merged over several rows belongs to each of them that has something else in it.
    fn repeat_merged(&mut self, merged: &[Dimensions]) {
        for area in merged {
            let ((first, column), (last, _)) = (area.start, area.end);
            let top = self.rows.get(&first.saturating_add(1)).and_then(|row| row.cells.get(&column)).cloned();
            let Some(cell) = top.filter(|cell| cell.text.len() <= MAX_REPEATED_BYTES) else {
                continue;
            };
            for (_, row) in self.rows.range_mut(first.saturating_add(2)..=last.saturating_add(1).max(first + 2)) {
                if self.cells_left == 0 {
                    return;
                }
                self.cells_left -= 1;
                row.cells.entry(column).or_insert_with(|| cell.clone());
            }
        }
    }
}

/// No program knows larger sheets.
const MAX_ROWS: u32 = 1_048_576;
const MAX_COLUMNS: u32 = 16_384;

/// A longer text that goes on over many rows is written in the first one only.
const MAX_REPEATED_BYTES: usize = 200;

fn each_sheet(
    sheets: Vec<Sheet>,
    mut read: impl FnMut(&str, &mut SheetRows) -> Result<(), FormatError>,
) -> Result<Parsed, FormatError> {
    let mut blocks = Blocks::default();
    let mut all = SheetRows { rows: Rows::new(), cells_left: MAX_CELLS, bytes_left: MAX_TEXT_BYTES };
    let mut pages = 0;
    for sheet in sheets {
        if sheet.visible != SheetVisible::Visible || sheet.typ != SheetType::WorkSheet {
            continue;
        }
        pages += 1;
        // A sheet that breaks the engine is named; reading stops there, so nothing half-done is looked at.
        guard(&format!("its sheet `{}`", sheet.name), || read(&sheet.name, &mut all))?;
        blocks.sheet(&sheet.name);
        sheet::write(&std::mem::take(&mut all.rows), &mut blocks);
    }
    Ok(Parsed { pages: Some(pages), blocks: blocks.finish(), ..Parsed::default() })
}

fn text_cell(value: &DataRef<'_>, style: Option<&Style>) -> Option<Cell> {
    let format = style.and_then(|style| style.number_format.as_ref()).map_or("", |format| format.format_code.as_str());
    let (text, is_text) = match value {
        DataRef::String(text) => (text.clone(), true),
        DataRef::SharedString(text) => ((*text).to_owned(), true),
        DataRef::Int(number) => (number::with_format(*number as f64, format), false),
        DataRef::Float(number) => (number::with_format(*number, format), false),
        DataRef::Bool(yes) => (if *yes { "TRUE" } else { "FALSE" }.to_owned(), false),
        DataRef::DateTime(time) => (number::date_time(*time), false),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => (text.replace('T', " "), false),
        DataRef::Error(_) | DataRef::Empty => return None,
    };
    let is_bold = style.and_then(|style| style.font.as_ref()).is_some_and(calamine::Font::is_bold);
    (!text.trim().is_empty()).then_some(Cell { text, is_text, is_bold })
}

fn as_ref(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(yes) => DataRef::Bool(*yes),
        Data::DateTime(time) => DataRef::DateTime(*time),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

fn xlsx_error(error: &XlsxError) -> FormatError {
    match error {
        XlsxError::Password => FormatError::Encrypted,
        error => FormatError::Malformed(error.to_string()),
    }
}

fn xlsb_error(error: &XlsbError) -> FormatError {
    match error {
        XlsbError::Password => FormatError::Encrypted,
        error => FormatError::Malformed(error.to_string()),
    }
}

/// What to do about damage; said once, of the innermost part.
const SAVE_ANEW: &str = "open it in a spreadsheet program and save it anew";

/// Runs the engine; a panic becomes an error, and damage is said of `part`. Nothing outlives a panic: the workbook is
/// dropped with the outermost closure.
fn guard<T>(part: &str, work: impl FnOnce() -> Result<T, FormatError>) -> Result<T, FormatError> {
    let damaged = |what: &str| FormatError::Malformed(format!("{what} ({part}); {SAVE_ANEW}"));
    match quiet::without_report(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(Err(FormatError::Malformed(what))) if !what.ends_with(SAVE_ANEW) => Err(damaged(&what)),
        Ok(result) => result,
        Err(_) => Err(damaged("something is not as it should be")),
    }
}
