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
    assert_eq!(code("a.xyz", b"hello"), "document/unsupported");
    assert_eq!(code("a.html", b"<p></p>"), "document/no-text");
}

#[test]
fn extensions_are_distinct() {
    let mut all: Vec<&str> = FORMATS.iter().flat_map(|format| format.extensions).copied().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    assert_eq!(media_type("a/B.PDF"), "application/pdf");
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
