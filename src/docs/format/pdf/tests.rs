//! Tests of the PDF reader on files made by real programs.

use pdf_extract::{Dictionary, Stream, dictionary};

use super::*;
use crate::docs::format::parse;
use crate::model::{Block, BlockKind};

const GUIDE: &[u8] = include_bytes!("../../../../tests/fixtures/docs/pdf/guide.pdf");

fn parse_pdf(bytes: &[u8]) -> Result<Parsed, FormatError> {
    parse(Input { path: "a.pdf", bytes })
}

fn find<'a>(blocks: &'a [Block], text: &str) -> &'a Block {
    blocks.iter().find(|block| block.text.contains(text)).unwrap_or_else(|| panic!("no block with {text}: {blocks:#?}"))
}

#[test]
fn blocks_have_pages_and_headings() {
    let blocks = parse_pdf(GUIDE).unwrap().blocks;
    assert_eq!(blocks[0].kind, BlockKind::Heading { level: 1 });
    assert_eq!(blocks[0].text, "Coffee machine guide");
    let vinegar = find(&blocks, "Never use vinegar.");
    assert!(vinegar.text.ends_with("by vinegar or by other acids."), "{}", vinegar.text);
    assert_eq!(vinegar.locator.page, Some(1));
    assert_eq!(vinegar.locator.heading.as_deref(), Some("Cleaning"));
    let descale = find(&blocks, "every 90 days");
    assert_eq!(descale.locator.page, Some(2));
    assert_eq!(descale.locator.heading.as_deref(), Some("Descaling"));
    let cloth = find(&blocks, "soft cloth");
    assert_eq!(cloth.kind, BlockKind::ListItem);
    assert!(cloth.text.starts_with("- a soft cloth") && cloth.text.ends_with("does not scratch"), "{}", cloth.text);
    assert_eq!(find(&blocks, "Fill the tank").text, "1. Fill the tank with descaler.");
    assert_eq!(find(&blocks, "Drip tray").text, "| Drip tray | 7.50 EUR |");
}

#[test]
fn failures_have_their_codes() {
    let encrypted = include_bytes!("../../../../tests/fixtures/docs/pdf/encrypted.pdf");
    let scan = include_bytes!("../../../../tests/fixtures/docs/pdf/scan.pdf");
    assert_eq!(parse_pdf(encrypted), Err(FormatError::Encrypted));
    assert_eq!(parse_pdf(scan), Err(FormatError::Scan));
    let endless = include_bytes!("../../../../tests/fixtures/docs/pdf/endless.pdf");
    assert_eq!(parse_pdf(endless).unwrap_err().code(), "document/malformed");
    assert_eq!(parse_pdf(b"%PDF-1.7\nnothing").unwrap_err().code(), "document/malformed");
}

/// A PDF of pages with these instructions.
fn of_pages(contents: &[&str]) -> Vec<u8> {
    let mut document = Document::with_version("1.5");
    let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" };
    let font = document.add_object(font);
    let loops = document.new_object_id();
    let resources = dictionary! {
        "Font" => dictionary! { "F" => font },
        "XObject" => dictionary! { "Loop" => loops },
    };
    let form = dictionary! { "Subtype" => "Form", "Resources" => resources.clone() };
    document.objects.insert(loops, Stream::new(form, b"/Loop Do".to_vec()).into());
    let tree = document.new_object_id();
    let mut kids = Vec::new();
    for content in contents {
        let content = document.add_object(Stream::new(Dictionary::new(), content.as_bytes().to_vec()));
        let page = dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources.clone(),
        };
        kids.push(Object::Reference(document.add_object(page)));
    }
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

const WORDS: &str = "BT /F 12 Tf 72 700 Td (Words on a page) Tj ET";

#[test]
fn a_bad_page_is_left_out_and_named() {
    let parsed = parse_pdf(&of_pages(&[WORDS, "/Loop Do"])).unwrap();
    assert_eq!((parsed.pages, find(&parsed.blocks, "Words").locator.page), (Some(2), Some(1)));
    assert_eq!(parsed.notes.len(), 1);
    assert!(parsed.notes[0].ends_with("page 2: its drawings contain themselves"), "{:?}", parsed.notes);
    for most_are_bad in [&[WORDS, "/Loop Do", "/Loop Do"][..], &["", "/Loop Do"]] {
        assert_eq!(parse_pdf(&of_pages(most_are_bad)).unwrap_err().code(), "document/malformed");
    }
    assert!(parse_pdf(&of_pages(&[WORDS])).unwrap().notes.is_empty());
}

#[test]
fn files_with_a_wrong_table_are_read_by_their_objects() {
    let whole = of_pages(&[WORDS, "BT /F 12 Tf 72 500 Td (Other text) Tj ET"]);
    let mut shifted = whole.clone();
    shifted.splice(9..9, *b"%x\n");
    let tail = String::from_utf8_lossy(&whole).rsplit_once("startxref\n").unwrap().1.to_owned();
    let table: usize = tail.lines().next().unwrap().parse().unwrap();
    for bytes in [shifted.as_slice(), &whole[..table - 3]] {
        let parsed = parse_pdf(bytes).unwrap();
        assert_eq!((parsed.pages, find(&parsed.blocks, "Words").locator.page), (Some(2), Some(1)));
    }
}

#[test]
fn damaged_files_never_panic() {
    for step in 0..60 {
        let mut bytes = GUIDE.to_vec();
        let at = bytes.len() * step / 60;
        for byte in bytes.iter_mut().skip(at).step_by(97).take(12) {
            *byte = byte.wrapping_add(17);
        }
        let _ = parse_pdf(&bytes);
        let _ = parse_pdf(&GUIDE[..at]);
    }
}

const COLUMNS: &[u8] = include_bytes!("../../../../tests/fixtures/docs/pdf/columns.pdf");

/// Kind, page and text of each block.
fn outline_of(blocks: &[Block]) -> Vec<(BlockKind, u32, &str)> {
    blocks.iter().map(|block| (block.kind, block.locator.page.unwrap(), block.text.as_str())).collect()
}

#[test]
fn columns_are_read_one_after_another() {
    let blocks = parse_pdf(COLUMNS).unwrap().blocks;
    let title = "How to look after a kettle in regions with very hard water";
    assert_eq!(outline_of(&blocks)[0], (BlockKind::Heading { level: 1 }, 1, title));
    let text = &blocks[1].text;
    assert!(text.starts_with("Kettles boil water quickly. A clean kettle uses less power than"), "{text}");
    // A word that the line, the column or the page cut is whole.
    assert!(text.contains("Use a mild descaler once") && text.contains("brush, because it scratches"), "{text}");
    assert!(find(&blocks, "Parts are kept").text.ends_with("true of all our models"));
    assert_eq!(find(&blocks, "since the year 2015").locator.page, Some(2));
    assert!(blocks.iter().all(|block| !block.text.contains("Quarterly")));
}

#[test]
fn tables_keep_rows_and_headers() {
    let blocks = parse_pdf(COLUMNS).unwrap().blocks;
    let rows: Vec<(bool, &str)> = blocks
        .iter()
        .filter_map(|block| match block.kind {
            BlockKind::TableRow { header } => Some((header, block.text.as_str())),
            _ => None,
        })
        .collect();
    let expected = [
        (true, "| Part | Number | Price |"),
        (false, "| Filter, pack of three | K-1101 | 6.90 |"),
        (false, "| Lid with hinge | K-1102 | 11.50 |"),
        (false, "| Base with cable, one metre long | K-1103 | 18.00 |"),
        (false, "| Heating plate | K-1104 | 24.75 |"),
    ];
    assert_eq!(rows, expected);
    assert_eq!(find(&blocks, "Lid with").locator.heading.as_deref(), Some("Spare parts"));
}

#[test]
fn outline_and_numbers_make_headings_where_type_does_not() {
    let blocks = parse_pdf(COLUMNS).unwrap().blocks;
    let headings: Vec<(BlockKind, u32, &str)> =
        outline_of(&blocks).into_iter().filter(|(kind, ..)| matches!(kind, BlockKind::Heading { .. })).collect();
    let heading = |level: u8, page: u32, text: &'static str| (BlockKind::Heading { level }, page, text);
    let expected = [heading(2, 1, "Spare parts"), heading(2, 2, "Warranty"), heading(2, 2, "1.1 What it covers")];
    assert_eq!(headings[1..], expected);
    let repairs = find(&blocks, "nine days");
    assert_eq!((repairs.locator.page, parse_pdf(COLUMNS).unwrap().pages), (Some(3), Some(3)));
}

#[test]
fn turned_pages_are_upright_and_double_strokes_single() {
    let blocks = parse_pdf(include_bytes!("../../../../tests/fixtures/docs/pdf/turned.pdf")).unwrap().blocks;
    assert_eq!(outline_of(&blocks), [(BlockKind::Paragraph, 1, "This page is read from the side.")]);
}

/// A file of one page, with a font `A`.
fn one_page(mut document: Document, font: Dictionary, content: &str) -> Vec<u8> {
    let font = document.add_object(font);
    let contents = document.add_object(Stream::new(Dictionary::new(), content.into()));
    let tree = document.new_object_id();
    let page = document.add_object(dictionary! {
        "Type" => "Page",
        "Parent" => tree,
        "MediaBox" => vec![0.into(), 0.into(), 400.into(), 300.into()],
        "Resources" => dictionary! { "Font" => dictionary! { "A" => font } },
        "Contents" => contents,
    });
    let kids = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(tree, kids.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn ligatures_that_the_map_does_not_know_are_letters() {
    let mut document = Document::with_version("1.5");
    let map = "begincmap\n1 begincodespacerange\n<00><ff>\nendcodespacerange\n\
               2 beginbfrange\n<21><21><0000>\n<61><7a><0061>\nendbfrange\nendcmap end end";
    let map = document.add_object(Stream::new(Dictionary::new(), map.into()));
    let font = dictionary! {
        "Type" => "Font",
        "Subtype" => "Type1",
        "BaseFont" => "Helvetica",
        "Encoding" => dictionary! { "Differences" => vec![33.into(), Object::Name(b"ffi".to_vec())] },
        "ToUnicode" => map,
        "FirstChar" => 33,
        "Widths" => vec![Object::Integer(500); 94],
    };
    let bytes = one_page(document, font, "BT /A 10 Tf 20 200 Td (many di!culties were met) Tj ET");
    assert_eq!(
        outline_of(&parse_pdf(&bytes).unwrap().blocks),
        [(BlockKind::Paragraph, 1, "many difficulties were met")]
    );
}

#[test]
fn bold_heads_name_the_columns_below() {
    let blocks = parse_pdf(include_bytes!("../../../../tests/fixtures/docs/pdf/prices.pdf")).unwrap().blocks;
    let rows: Vec<(bool, &str)> = blocks
        .iter()
        .filter_map(|block| match block.kind {
            BlockKind::TableRow { header } => Some((header, block.text.as_str())),
            _ => None,
        })
        .collect();
    let expected = [
        (true, "| Item | Price | Stock |"),
        (false, "| Lamp 12 | 13 | 104 |"),
        (false, "| 1 Bulb | 2 | 9 |"),
        (false, "| Cable of two metres | 1,250 | 17 |"),
        (false, "| Shade | 8 | 3 |"),
        (true, "| Item | Price Net | Price Gross | Stock Pieces |"),
        (false, "| Lamp 12 | 13 | 15 | 104 |"),
        (false, "| 1 Bulb | 2 | 3 | 9 |"),
        (false, "| Cable of two metres | 1,250 | 1,400 | 17 |"),
    ];
    assert_eq!(rows[..9], expected);
    let headings = blocks.iter().filter(|block| matches!(block.kind, BlockKind::Heading { .. })).count();
    assert_eq!(headings, 1);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(48))]

    /// Whatever happens to a file, it gives blocks or an error: a panic would pass the guard and fail here.
    #[test]
    fn changed_files_give_blocks_or_an_error(
        changes in proptest::collection::vec((0..COLUMNS.len(), proptest::prelude::any::<u8>()), 1..24),
        cut in 0..COLUMNS.len(),
    ) {
        let mut bytes = COLUMNS.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let _ = parse_pdf(&bytes);
        bytes.truncate(cut);
        let _ = parse_pdf(&bytes);
    }
}
