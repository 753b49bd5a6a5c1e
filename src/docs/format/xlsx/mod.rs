//! Workbooks of Excel: XLSX, XLSB and the old XLS. Cells are written as a person sees them, row by row.
//!
//! Sheets are read as a stream of filled cells, never as a rectangle: a sheet with one cell in each of two corners has
//! two cells, not 17 billion. Hidden sheets and errors of formulas are left out. The engine is not ours, so its panics
//! are caught.

mod container;
mod number;
mod workbook;

use crate::docs::format::package::{self, Package};
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff, TEXT_BYTES, kind, xml};

/// The row of the table for workbooks of XML.
pub const FORMAT: Format = Format {
    name: "XLSX",
    extensions: &["xlsx", "xlsm", "xltx", "xltm"],
    media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff: |bytes| sniff_package(bytes, "xl/workbook.xml"),
    read: |input| read_package(input, workbook::xlsx),
};

/// The row of the table for binary workbooks in an archive.
pub const XLSB: Format = Format {
    name: "XLSB",
    extensions: &["xlsb"],
    media_type: "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff: |bytes| sniff_package(bytes, "xl/workbook.bin"),
    read: |input| read_package(input, workbook::xlsb),
};

/// The row of the table for the workbooks of before 2007.
pub const XLS: Format = Format {
    name: "XLS",
    extensions: &["xls", "xlt"],
    media_type: "application/vnd.ms-excel",
    // The engine keeps all of it in memory.
    max_bytes: TEXT_BYTES,
    is_shown: false,
    sniff: sniff_xls,
    read: |input| {
        container::check_chains(input.bytes)?;
        workbook::xls(input.bytes)
    },
};

fn sniff_package(bytes: &[u8], main: &str) -> Sniff {
    match package::has_part(bytes, |name| name.eq_ignore_ascii_case(main)) {
        Some(true) => Sniff::Sure,
        Some(false) => Sniff::No,
        None => Sniff::Possible,
    }
}

fn sniff_xls(bytes: &[u8]) -> Sniff {
    if kind::is_old_workbook(bytes) { Sniff::Sure } else { Sniff::No }
}

fn read_package(input: Input<'_>, read: fn(&[u8]) -> Result<Parsed, FormatError>) -> Result<Parsed, FormatError> {
    let mut package = Package::open(input.bytes)?;
    package.check_unpacked()?;
    check_strings(&mut package)?;
    let core = package.optional("docProps/core.xml")?;
    let parsed = read(input.bytes)?;
    Ok(Parsed { title: xml::text_of(&core, "title"), language: xml::text_of(&core, "language"), ..parsed })
}

/// The engine makes room for as many texts as the workbook claims to have: each takes at least `<si/>`.
fn check_strings(package: &mut Package<'_>) -> Result<(), FormatError> {
    // The engine finds the part in any folder and however its name is written.
    let is_strings = |name: &String| name.to_ascii_lowercase().ends_with("sharedstrings.xml");
    for name in package.names().into_iter().filter(is_strings) {
        let text = package.optional(&name)?;
        let claimed = xml::elements(&text, "sst").first().and_then(|strings| strings.number::<usize>("uniqueCount"));
        if claimed.unwrap_or(0) > text.len() / "<si/>".len() {
            return Err(FormatError::Malformed("it claims to have more texts than it has".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
