//! Tests of the DOCX reader, on a file made by pandoc and on small ones made here.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::docs::format::parse;
use crate::model::{Block, BlockKind};

fn docx(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn blocks(body: &str) -> Vec<Block> {
    let text = format!("<?xml version=\"1.0\"?><w:document xmlns:w=\"x\"><w:body>{body}</w:body></w:document>");
    let bytes = docx(&[("word/document.xml", &text)]);
    parse(Input { path: "a.docx", bytes: &bytes }).unwrap().blocks
}

fn texts(blocks: &[Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn a_document_made_by_pandoc() {
    let bytes = include_bytes!("../../../../tests/fixtures/docs/docx/guide.docx");
    let parsed = parse(Input { path: "guide.docx", bytes }).unwrap();
    assert_eq!(parsed.title.as_deref(), Some("Coffee machine guide"));
    let expected = [
        "Coffee machine guide",
        "Cleaning",
        "Rinse the machine every evening. You need:",
        "- a soft cloth",
        "  1. made of cotton",
        "  2. without lint",
        "- lukewarm water",
        "Spare parts",
        "| Part | Price |",
        "| Water tank | 19.90 EUR |",
        "| Drip tray | 7.50 EUR |",
        "code stays",
        "Never use vinegar.",
    ];
    assert_eq!(texts(&parsed.blocks), expected);
    assert_eq!(parsed.blocks[8].kind, BlockKind::TableRow { header: true });
    assert_eq!(parsed.blocks[9].locator.heading.as_deref(), Some("Spare parts"));
}

#[test]
fn deleted_text_is_gone_and_inserted_text_is_there() {
    let blocks = blocks(
        "<w:p><w:r><w:t xml:space=\"preserve\">Five </w:t></w:r><w:del><w:r><w:delText>old</w:delText></w:r></w:del>\
         <w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:r><w:t> A&amp;B&#228;</w:t></w:r></w:p>",
    );
    assert_eq!(texts(&blocks), ["Five new A&Bä"]);
}

#[test]
fn merged_cells_nested_tables_and_text_boxes() {
    let cell = |text: &str| format!("<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>");
    let inner = format!("<w:tc><w:tbl><w:tr>{}{}</w:tr></w:tbl><w:p/></w:tc>", cell("x"), cell("y"));
    let blocks = blocks(&format!(
        "<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{inner}</w:tr></w:tbl>\
         <w:p><w:r><w:t>out</w:t><w:txbxContent><w:p><w:r><w:t>in the box</w:t></w:r></w:p></w:txbxContent></w:r></w:p>",
        cell("a"),
        cell("b"),
        cell("c")
    ));
    assert_eq!(texts(&blocks), ["| a | b |", "| c | x y |", "in the box", "out"]);
}

#[test]
fn damage_is_named() {
    let code = |bytes: &[u8]| parse(Input { path: "a.docx", bytes }).unwrap_err().code();
    assert_eq!(code(&docx(&[("xl/workbook.xml", "<x/>")])), "document/malformed");
    assert_eq!(code(&docx(&[("word/document.xml", "<w:document><w:p>")])), "document/no-text");
    assert_eq!(code(&docx(&[("word/document.xml", "<w:p></w:q>")])), "document/malformed");
    let whole = include_bytes!("../../../../tests/fixtures/docs/docx/guide.docx");
    for end in (0..whole.len()).step_by(333) {
        let _ = parse(Input { path: "a.docx", bytes: &whole[..end] });
    }
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_refused_early() {
    let part = " ".repeat(20 << 20);
    let text = "<w:document><w:body><w:p><w:t>x</w:t></w:p></w:body></w:document>";
    let bytes = docx(&[("word/styles.xml", &part), ("word/document.xml", text), ("word/footnotes.xml", &part)]);
    let error = parse(Input { path: "a.docx", bytes: &bytes }).unwrap_err();
    assert_eq!(error.code(), "document/too-large");
    assert_eq!(error.to_string(), "it unpacks to more than 32 MB; split it");
}

#[test]
fn tables_nested_without_end_keep_their_text() {
    let open = "<w:tbl><w:tr><w:tc>".repeat(20_000);
    let close = "</w:tc></w:tr></w:tbl>".repeat(20_000);
    let text = "word ".repeat(20_000);
    let blocks = blocks(&format!("{open}<w:p><w:t>{text}</w:t></w:p>{close}<w:p><w:t>after</w:t></w:p>"));
    assert_eq!(texts(&blocks), [text.trim(), "after"]);
}

#[test]
fn sixty_thousand_nested_elements() {
    let deep = "<w:sdt>".repeat(60_000) + "<w:p><w:t>deep</w:t></w:p>" + &"</w:sdt>".repeat(60_000);
    assert_eq!(texts(&blocks(&deep)), ["deep"]);
}
