//! Tests of the table, and of the text formats on the fixture files.

use super::*;
use crate::model::LineRange;

fn texts(parsed: &Parsed) -> Vec<&str> {
    parsed.blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn contents_count_more_than_names() {
    let code = |path, bytes| parse(Input { path, bytes }).unwrap_err().code();
    assert_eq!(code("a.md", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "document/malformed");
    assert_eq!(code("a.txt", b"%PDF-1.4 broken"), "document/malformed");
    assert_eq!(code("a.docx", b"PK\x03\x04 broken"), "document/malformed");
    assert_eq!(code("a.md", b""), "document/no-text");
    let blank = parse(Input { path: "a.txt", bytes: b"\n\n" }).unwrap_err();
    assert_eq!((blank.code(), blank.to_string().as_str()), ("document/no-text", "it holds no text"));
    assert_eq!(code("a.xyz", b"hello"), "document/unsupported");
    assert_eq!(code("a.html", b"<p></p>"), "document/no-text");
}

/// A file with the beginning of the old container and a stream of this name.
fn compound(stream: &str) -> Vec<u8> {
    let name = stream.encode_utf16().flat_map(u16::to_le_bytes);
    [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1].into_iter().chain([0; 600]).chain(name).collect()
}

#[test]
fn a_wrong_extension_does_not_hide_a_known_format() {
    let eml = include_bytes!("../../../tests/fixtures/docs/eml/returns.eml");
    let rtf = include_bytes!("../../../tests/fixtures/docs/rtf/guide.rtf");
    let html = include_bytes!("../../../tests/fixtures/docs/html/mediawiki.html");
    let docx = include_bytes!("../../../tests/fixtures/docs/docx/guide.docx");
    let pdf = include_bytes!("../../../tests/fixtures/docs/pdf/guide.pdf");
    let files: [(&[u8], &str); 5] = [(eml, "EML"), (rtf, "RTF"), (html, "HTML"), (docx, "DOCX"), (pdf, "PDF")];
    for (bytes, name) in files {
        for path in ["a.txt", "a.md", "a.pdf", "a.doc", "a"] {
            assert_eq!(detect(Input { path, bytes }).unwrap().name, name, "{path}");
        }
        assert!(parse(Input { path: "a.txt", bytes }).is_ok(), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let error = |path, bytes: &[u8]| {
        let error = parse(Input { path, bytes }).unwrap_err();
        format!("{}: {error}", error.code())
    };
    assert_eq!(
        error("a.docx", &compound("WordDocument")),
        "document/unsupported: it is an old binary Word document (.doc); save it as .docx"
    );
    assert!(error("a.txt", &compound("Workbook")).starts_with("document/malformed"));
    assert!(error("a.ppt", &compound("PowerPoint Document")).ends_with("(.ppt); save it as .pptx"));
    assert!(error("a.docx", &compound("EncryptedPackage")).starts_with("document/encrypted"));
    let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0";
    assert_eq!(
        error("a.md", elf),
        "document/malformed: it is damaged: its name says Markdown, its contents are ELF program"
    );
    assert!(error("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").ends_with("its contents are image/png"));
    assert!(error("a.rtf", b"no RTF at all").ends_with("its name says RTF, its contents are plain text"));
}

#[test]
fn kinds_are_told_by_contents() {
    let is_executable = |bytes: &[u8]| matches!(kind_of(bytes), Kind::Executable(_));
    assert!(is_executable(b"#!/bin/sh\nrm -r x\n"));
    let mut program = b"MZ".to_vec();
    program.resize(0x3c, 0);
    program.extend([0x40, 0, 0, 0, b'P', b'E', 0, 0]);
    assert!(is_executable(&program));
    assert!(!is_executable(b"MZ is how this text begins, and it goes on for more than sixty-four bytes, as texts do."));
    assert!(matches!(kind_of(b"# Heading"), Kind::Text));
    assert!(matches!(kind_of(&[1, 2, 3, 0, 0, 0, 7]), Kind::Unknown));
    assert!(matches!(kind_of(b"%PDF-1.7"), Kind::Format(format) if format.name == "PDF"));
}

#[test]
fn extensions_are_distinct() {
    let mut all: Vec<&str> = FORMATS.iter().flat_map(|format| format.extensions).copied().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    assert_eq!(by_extension("a/B.PDF").map(|format| format.media_type), Some("application/pdf"));
}

#[test]
fn the_same_guide_in_markdown_and_html() {
    let expected = [
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
    let bytes = include_bytes!("../../../tests/fixtures/docs/markdown/guide.md");
    let markdown = parse(Input { path: "guide.md", bytes }).unwrap();
    assert_eq!(texts(&markdown), expected);
    assert_eq!(markdown.title.as_deref(), Some("Coffee machine guide"));
    assert_eq!(markdown.blocks[8].locator.lines, Some(LineRange(18, 18)));
    let bytes = include_bytes!("../../../tests/fixtures/docs/html/guide.html");
    let html = parse(Input { path: "guide.html", bytes }).unwrap();
    // A footnote is an item of a list there.
    for text in &expected[..expected.len() - 1] {
        assert!(texts(&html).contains(text), "{text} not in {:#?}", texts(&html));
    }
}

#[test]
fn a_text_in_an_old_encoding() {
    let bytes = include_bytes!("../../../tests/fixtures/docs/plain/guide.txt");
    let parsed = parse(Input { path: "guide.txt", bytes }).unwrap();
    let expected = [
        "COFFEE MACHINE GUIDE",
        "Rinse the machine every evening with lukewarm water, and never with vinegar: it damages the seals. \
         Größere Schäden zahlt niemand.",
        "Spare parts",
        "- a water tank, which costs 19.90 EUR",
        "- a drip tray",
    ];
    assert_eq!(texts(&parsed), expected);
    assert_eq!(parsed.blocks[3].locator.heading.as_deref(), Some("Spare parts"));
}

#[test]
fn a_document_made_to_cost_time_is_refused() {
    let error = |path, text: &str| parse(Input { path, bytes: text.as_bytes() }).unwrap_err();
    let items = error("a.txt", &"- a\n".repeat(MAX_BLOCKS + 1));
    assert_eq!(items.code(), "document/too-large");
    assert!(items.to_string().starts_with("it has more than 100000 paragraphs"), "{items}");
    let text = error("a.txt", &"x".repeat(2 * MAX_TEXT_BYTES + 1));
    assert_eq!(text.to_string(), "it has more than 16 MB of text; split it");
    let mut blocks = blocks::Blocks::default();
    for _ in 0..40 {
        blocks.code(&"x".repeat(1 << 20), blocks::Place::default());
    }
    assert_eq!(blocks.finish().len(), 17);
}

#[test]
fn a_page_of_text_is_no_heading() {
    let text = format!("# {}\n\nBelow.\n", "word ".repeat(100));
    let parsed = parse(Input { path: "a.md", bytes: text.as_bytes() }).unwrap();
    assert_eq!(parsed.blocks[0].kind, crate::model::BlockKind::Paragraph);
    assert_eq!(parsed.blocks[1].locator.heading, None);
}
