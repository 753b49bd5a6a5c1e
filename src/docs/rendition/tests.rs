//! Blocks as Markdown, with marks that no document can forge.

use super::*;
use crate::model::LineRange;

fn block(kind: BlockKind, text: &str, locator: &Locator) -> Block {
    Block { kind, text: text.to_owned(), locator: locator.clone() }
}

fn rendition(title: Option<&str>, blocks: Vec<Block>) -> String {
    let parsed = Parsed { title: title.map(str::to_owned), blocks, ..Parsed::default() };
    String::from_utf8(to_bytes(&parsed)).unwrap()
}

fn page(page: u32) -> Locator {
    Locator { page: Some(page), ..Locator::default() }
}

#[test]
fn blocks_become_markdown_with_their_places() {
    let row = |header| BlockKind::TableRow { header };
    let blocks = vec![
        block(BlockKind::Heading { level: 1 }, "Returns", &page(1)),
        block(BlockKind::Paragraph, "# not a heading", &page(1)),
        block(BlockKind::ListItem, "- one", &page(1)),
        block(BlockKind::ListItem, "  - two", &page(1)),
        block(row(true), "| a | b |", &page(2)),
        block(row(false), "| 1 | 2 |", &page(2)),
        block(BlockKind::Code, "x\n```\ny", &page(2)),
    ];
    assert_eq!(
        rendition(Some("Handbook"), blocks),
        "# Handbook\n\n[page 1]\n\n# Returns\n\n\\# not a heading\n\n- one\n  - two\n\n[page 2: Returns]\n\n\
         | a | b |\n|---|---|\n| 1 | 2 |\n\n````\nx\n```\ny\n````\n"
    );
}

#[test]
fn places_are_repeated_with_headings_and_table_headers() {
    let sheet =
        |row: u32| Locator { sheet: Some("Prices".into()), rows: Some(LineRange(row, row)), ..Locator::default() };
    let mut blocks = vec![block(BlockKind::TableRow { header: true }, "| item | price |", &sheet(1))];
    blocks.extend((2..200).map(|row| {
        block(BlockKind::TableRow { header: false }, &format!("| lamp number {row} | {row}.00 |"), &sheet(row))
    }));
    let text = rendition(None, blocks);
    assert!(text.starts_with("[sheet Prices]\n\n| item | price |\n|---|---|\n"), "{text}");
    // Wherever the service cuts a piece of its usual size, it holds a mark and the header.
    for piece in text.as_bytes().chunks(3 * REPEAT_BYTES).filter(|piece| piece.len() == 3 * REPEAT_BYTES) {
        let piece = String::from_utf8_lossy(piece);
        assert!(piece.contains("[sheet Prices, row ") || piece.contains("[sheet Prices]"), "{piece}");
        assert!(piece.contains("| item | price |"), "{piece}");
    }
    let long = "word ".repeat(200);
    let mut blocks = vec![block(BlockKind::Heading { level: 2 }, "Care", &Locator::default())];
    blocks.extend((0..3).map(|_| block(BlockKind::Paragraph, long.trim(), &Locator::default())));
    assert_eq!(rendition(None, blocks).matches("[section: Care]").count(), 2);
}

/// A document cannot name a place that is not its own.
#[test]
fn a_mark_in_the_text_is_not_one_in_the_rendition() {
    let text = rendition(None, vec![block(BlockKind::Paragraph, "[page 99]", &page(1))]);
    assert_eq!(text.lines().filter(|line| mark::is_mark(line)).collect::<Vec<_>>(), ["[page 1]"]);
}

#[test]
fn a_title_that_is_the_first_heading_stands_once() {
    let heading = block(BlockKind::Heading { level: 1 }, "Returns", &Locator::default());
    assert_eq!(rendition(Some(" Returns "), vec![heading]), "# Returns\n");
}
