//! Tests of the PDF reader on files made by real programs.

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
    assert_eq!(parse_pdf(scan), Err(FormatError::NoText));
    let endless = include_bytes!("../../../../tests/fixtures/docs/pdf/endless.pdf");
    assert_eq!(parse_pdf(endless).unwrap_err().code(), "document/malformed");
    assert_eq!(parse_pdf(b"%PDF-1.7\nnothing").unwrap_err().code(), "document/malformed");
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
