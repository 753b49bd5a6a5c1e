//! Tests of plain text.

use proptest::prelude::*;

use super::*;
use crate::model::{Block, BlockKind};

fn blocks(text: &str) -> Vec<Block> {
    read(Input { path: "a.txt", bytes: text.as_bytes() }).unwrap().blocks
}

fn texts(blocks: &[Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn wrapped_lines_are_joined_and_short_ones_are_not() {
    let blocks = blocks(
        "This paragraph was wrapped by hand at some forty\ncharacters, so that the lines belong\ntogether.\n\n\
         Shop\n12 Long Street\nBerlin\n",
    );
    assert_eq!(
        texts(&blocks),
        [
            "This paragraph was wrapped by hand at some forty characters, so that the lines belong together.",
            "Shop",
            "12 Long Street",
            "Berlin"
        ]
    );
    assert_eq!(blocks[0].locator.lines, Some(LineRange(1, 3)));
    assert_eq!(blocks[3].locator.lines, Some(LineRange(7, 7)));
}

#[test]
fn headings_are_found_cautiously() {
    let blocks =
        blocks("Title\n=====\nText.\n\nOPENING HOURS\n\nDaily.\n\n2.1 Late fees\n\nNone.\n\n1. Go.\n\n2. Stop.\n");
    let kinds: Vec<BlockKind> = blocks.iter().map(|block| block.kind).collect();
    let heading = |level| BlockKind::Heading { level };
    assert_eq!(
        kinds,
        [
            heading(1),
            BlockKind::Paragraph,
            heading(2),
            BlockKind::Paragraph,
            heading(3),
            BlockKind::Paragraph,
            BlockKind::ListItem,
            BlockKind::ListItem
        ]
    );
    assert_eq!(blocks[3].locator.heading.as_deref(), Some("OPENING HOURS"));
}

#[test]
fn lists_keep_their_items() {
    let blocks = blocks("Bring:\n- a coat that keeps you warm and dry even when\n  it rains\n- a hat\n   1. felt\n");
    assert_eq!(
        texts(&blocks),
        ["Bring:", "- a coat that keeps you warm and dry even when it rains", "- a hat", "  1. felt"]
    );
}

#[test]
fn columns_are_rows() {
    let parsed = blocks(
        "Prices\n\nPart          Price\n------------  -----\nWater tank    19.90\nDrip tray      7.50\n\n\
         Day\tOpens\tCloses\nMonday\t9:00\t18:00\nSunday\t10:00\t14:00\n",
    );
    assert_eq!(
        texts(&parsed),
        [
            "Prices",
            "| Part | Price |",
            "| Water tank | 19.90 |",
            "| Drip tray | 7.50 |",
            "| Day | Opens | Closes |",
            "| Monday | 9:00 | 18:00 |",
            "| Sunday | 10:00 | 14:00 |"
        ]
    );
    assert_eq!(parsed[1].kind, BlockKind::TableRow { header: true });
    assert_eq!(parsed[2].locator.lines, Some(LineRange(5, 5)));
    assert_eq!(parsed[4].kind, BlockKind::TableRow { header: true });
}

#[test]
fn what_only_has_gaps_is_no_table() {
    for text in ["One  two\nthree  four\n", "a  b\nc\nd  e\n", "- one  two\n- three  four\n- five  six\n"] {
        assert!(!blocks(text).iter().any(|block| matches!(block.kind, BlockKind::TableRow { .. })), "{text:?}");
    }
}

#[test]
fn a_table_that_is_called_text() {
    let parsed = blocks("Part;Price;Unit\nTank;19,90;1\nTray;7,50;2\n");
    assert_eq!(texts(&parsed), ["| Part | Price | Unit |", "| Tank | 19,90 | 1 |", "| Tray | 7,50 | 2 |"]);
    assert_eq!(parsed[1].locator.rows, Some(LineRange(2, 2)));
}

#[test]
fn numbered_sections() {
    let parsed = blocks("4. Instalments and interest\n\nYou may pay in parts.\n\n4.1 Rates\n\nNone.\n");
    assert_eq!(parsed[0].kind, BlockKind::Heading { level: 2 });
    assert_eq!(parsed[2].kind, BlockKind::Heading { level: 3 });
    assert_eq!(parsed[3].locator.heading.as_deref(), Some("4.1 Rates"));
}

proptest! {
    #[test]
    fn any_bytes_give_blocks_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(Input { path: "a.txt", bytes: &bytes });
    }

    #[test]
    fn any_lines_give_blocks(
        lines in prop::collection::vec(
            prop::sample::select(vec!["", "===", "---", "Title", "- a", "1. b", "a  b", "a\tb", "---  --", "  x", "É"]),
            0..40,
        ),
    ) {
        let _ = blocks_of(&lines.join("\n"));
    }
}
