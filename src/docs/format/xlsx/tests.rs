//! Tests of the workbook readers, on files made by openpyxl and xlwt and on small ones made here.

use crate::docs::format::testing::{archive, draw, parts, read};

const GUIDE: &[u8] = include_bytes!("../../../../tests/fixtures/docs/xlsx/guide.xlsx");
const OLD: &[u8] = include_bytes!("../../../../tests/fixtures/docs/xlsx/guide.xls");

/// The guide with one part replaced or added.
fn with_part(name: &str, text: &str) -> Vec<u8> {
    let mut changed = parts(GUIDE);
    changed.retain(|(part, _)| part != name);
    changed.push((name.to_owned(), text.into()));
    let changed: Vec<(&str, &[u8])> = changed.iter().map(|(name, part)| (name.as_str(), part.as_slice())).collect();
    archive(&changed)
}

fn sheet(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let empty = "<worksheet><sheetData></sheetData></worksheet>";
    let mut changed = parts(&with_part("xl/worksheets/sheet1.xml", &sheet));
    changed.iter_mut().filter(|(name, _)| name.ends_with("sheet2.xml")).for_each(|(_, part)| *part = empty.into());
    let changed: Vec<(&str, &[u8])> = changed.iter().map(|(name, part)| (name.as_str(), part.as_slice())).collect();
    archive(&changed)
}

#[test]
fn a_workbook_made_by_openpyxl() {
    let parsed = read("guide.xlsx", GUIDE).unwrap();
    let expected = [
        "Spare parts 1-1 p Coffee machine guide",
        "Spare parts 2-2 H | Part | Price | Discount | Since | In stock |",
        "Spare parts 3-3 r | Water tank | 19.90 EUR | 10% | 2024-03-01 | TRUE |",
        "Spare parts 4-4 r | Drip tray | 7.00 EUR |  | 2025-11-24 | FALSE |",
        "Spare parts 5-5 r | Seal |  | 26% | 2025-01-02 07:30 | TRUE |",
        "Spare parts 6-6 r |  |  | corner note |  |  |",
        "Cleaning 1-1 H | Room | Task | Day |",
        "Cleaning 2-2 r | Kitchen | Rinse | Monday |",
        "Cleaning 3-3 r | Kitchen | Descale | Friday |",
        "Cleaning 4-4 r | Office | Wipe | Sunday |",
    ];
    assert_eq!(draw(&parsed.blocks), expected);
    assert_eq!((parsed.title.as_deref(), parsed.pages), (Some("Coffee machine parts"), Some(2)));
}

#[test]
fn a_workbook_of_before_2007_made_by_xlwt() {
    let parsed = read("guide.xls", OLD).unwrap();
    let expected = [
        "Spare parts 1-1 H | Part | Price | Since |",
        "Spare parts 2-2 r | Water tank | 19.9 | 2024-03-01 |",
        "Spare parts 3-3 r | Drip tray | 7 | 2025-11-24 |",
    ];
    assert_eq!(draw(&parsed.blocks), expected);
    // Programs give the new format the old extension.
    assert_eq!(read("guide.xls", GUIDE).unwrap().blocks.len(), 10);
}

#[test]
fn a_sheet_of_seventeen_billion_cells_has_two() {
    let bytes = sheet(
        "<row r='1'><c r='A1' t='inlineStr'><is><t>first</t></is></c></row>\
         <row r='1048576'><c r='XFD1048576' t='inlineStr'><is><t>last</t></is></c></row>",
    );
    let expected = ["Spare parts 1-1 p first", "Spare parts 1048576-1048576 p last"];
    assert_eq!(draw(&read("a.xlsx", &bytes).unwrap().blocks), expected);
}

#[test]
fn a_merged_area_as_large_as_a_sheet_costs_nothing() {
    let sheet = "<worksheet><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>first</t></is></c></row></sheetData>\
                 <mergeCells><mergeCell ref='A1:XFD1048576'/></mergeCells></worksheet>";
    let blocks = read("a.xlsx", &with_part("xl/worksheets/sheet1.xml", sheet)).unwrap().blocks;
    assert_eq!(draw(&blocks)[0], "Spare parts 1-1 p first");
}

#[test]
fn the_sheet_with_the_damage_is_named() {
    for place in ["ZZZZZZ99999999999", "A1048577", "XFE1", "?"] {
        let bytes = sheet(&format!("<row><c r='{place}' t='inlineStr'><is><t>x</t></is></c></row>"));
        let message = read("a.xlsx", &bytes).unwrap_err().to_string();
        assert!(message.contains("(its sheet `Spare parts`); open it in a"), "{place}: {message}");
        assert_eq!(message.matches("save it anew").count(), 1, "{message}");
    }
}

#[test]
fn damage_is_named() {
    let code = |bytes: &[u8]| read("a.xlsx", bytes).unwrap_err().code();
    assert_eq!(code(&sheet("")), "document/no-text");
    assert_eq!(code(&with_part("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row>")), "document/malformed");
    assert_eq!(code(&GUIDE[..GUIDE.len() / 2]), "document/malformed");
    assert_eq!(code(&archive(&[("xl/workbook.xml", "<workbook/>")])), "document/malformed");
    // The engine would make room for this many texts, and the process would end.
    let claims = "<sst uniqueCount='99999999999999'><si><t>x</t></si></sst>";
    assert_eq!(code(&with_part("xl/sharedStrings.xml", claims)), "document/malformed");
    assert_eq!(code(&with_part("XL/SharedStrings.XML", claims)), "document/malformed");
    assert_eq!(code(&with_part("xl/sharedStrings.xml", &" ".repeat(9 << 20))), "document/too-large");
    let container =
        [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"];
    assert_eq!(code(&container.concat()), "document/encrypted");
    assert_eq!(read("a.xls", &container.concat()).unwrap_err().code(), "document/encrypted");
    assert_eq!(read("a.xls", &OLD[..3000]).unwrap_err().code(), "document/malformed");
}
