//! Tests of RTF.

use proptest::prelude::*;

use super::*;
use crate::model::{Block, BlockKind};

fn parse(text: &str) -> Parsed {
    read(Input { path: "a.rtf", bytes: text.as_bytes() }).unwrap()
}

fn texts(blocks: &[Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn headings_lists_tables_and_what_is_left_out() {
    let bytes = include_bytes!("../../../../tests/fixtures/docs/rtf/guide.rtf");
    let parsed = read(Input { path: "guide.rtf", bytes }).unwrap();
    assert_eq!(
        texts(&parsed.blocks),
        [
            "Coffee machine guide",
            "Cleaning",
            "Rinse the machine every evening – “never” with vinegar: Größe 3,50 €.",
            "Vinegar damages the seals.",
            "- a soft cloth",
            "  1. made of cotton",
            "| Part | Price |",
            "| Water tank | 19.90 EUR |",
            "| Drip tray | 7.50 EUR |",
            "See our shop for more.",
        ]
    );
    let kinds: Vec<BlockKind> = parsed.blocks.iter().map(|block| block.kind).collect();
    assert_eq!(kinds[..2], [BlockKind::Heading { level: 1 }, BlockKind::Heading { level: 2 }]);
    assert_eq!(kinds[6..8], [BlockKind::TableRow { header: true }, BlockKind::TableRow { header: false }]);
    assert_eq!(parsed.title.as_deref(), Some("Coffee machine guide"));
    assert_eq!(parsed.blocks[2].locator.heading.as_deref(), Some("Cleaning"));
}

#[test]
fn letters_of_every_kind() {
    let text = |rtf: &str| texts(&parse(rtf).blocks).join("\n");
    assert_eq!(text(r"{\rtf1\ansi\ansicpg1251 \'c2\'ee\'e7\'e2\'f0\'e0\'f2}"), "Возврат");
    assert_eq!(text(r"{\rtf1\ansi\deff0{\fonttbl{\f0 A;}{\f1\fcharset128 B;}}\f1 \'8f\'a4\'95i {\f0 \'e9}}"), "商品 é");
    assert_eq!(text(r"{\rtf1\mac \'8a}"), "ä");
    assert_eq!(text(r"{\rtf1\uc1 \u8364?\u-10179?\u-8704? \uc0\u955 \uc2\u955 ab.}"), "€😀 λλ.");
    assert_eq!(text(r"{\rtf1\uc1 a\u252\'fcb\~c\_d\-e\{\}\\}"), "aüb c\u{2011}de{}\\");
}

#[test]
fn the_title_of_the_file_is_the_last_resort() {
    let parsed = parse(r"{\rtf1{\info{\title My title}{\author Me}}Text.}");
    assert_eq!(parsed.title.as_deref(), Some("My title"));
    assert_eq!(texts(&parsed.blocks), ["Text."]);
}

#[test]
fn fields_boxes_and_changes() {
    let rtf = r#"{\rtf1 {\field{\*\fldinst HYPERLINK "x"}{\fldrslt Link}} a {\v hidden}{\deleted gone}b\par
        {\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt In a box\par}}{\shprslt old}}{\pict\bin5 }}{{}}{\*\unknown no}end}"#;
    assert_eq!(texts(&parse(rtf).blocks), ["Link a b", "In a box", "end"]);
}

#[test]
fn nesting_and_lengths_are_bounded() {
    let deep = format!("{{\\rtf1 before\\par {}deep{} after}}", "{".repeat(60_000), "}".repeat(60_000));
    assert_eq!(texts(&parse(&deep).blocks), ["before", "deep after"]);
    assert_eq!(texts(&parse(r"{\rtf1 a\bin2147483647 bcd").blocks), ["a"]);
    assert_eq!(texts(&parse(r"{\rtf1 a\bin-5 b\u99999999999 ").blocks), ["ab"]);
    assert_eq!(texts(&parse("}}}{\\rtf1 x").blocks), ["x"]);
}

proptest! {
    #[test]
    fn any_bytes_give_blocks(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(Input { path: "a.rtf", bytes: &bytes });
    }

    #[test]
    fn any_tokens_give_blocks(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "\\*", "\\par ", "\\cell ", "\\row ", "\\trowd", "\\u55357 ", "\\u-8704?", "\\'e9", "\\uc3 ",
                "\\s1 ", "\\stylesheet ", "\\fonttbl ", "\\f1 ", "\\bin3 ", "\\footnote ", "\\listtext ", "text", "\\",
            ]),
            0..60,
        ),
    ) {
        let _ = parse(&format!("{{\\rtf1 {}", words.concat()));
    }
}
