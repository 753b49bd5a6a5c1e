//! Tests of the chunker.

use proptest::prelude::*;

use super::*;
use crate::model::Locator;

fn block(kind: BlockKind, text: &str) -> Block {
    Block { kind, text: text.to_owned(), locator: Locator::default() }
}

fn heading(level: u8, text: &str) -> Block {
    block(BlockKind::Heading { level }, text)
}

fn paragraph(text: &str) -> Block {
    block(BlockKind::Paragraph, text)
}

#[test]
fn headings_open_sections_and_are_not_repeated() {
    let blocks =
        [heading(1, "A"), paragraph("Intro."), heading(2, "B"), heading(2, "C"), paragraph("x"), heading(1, "D")];
    let chunks = chunks("d", &blocks);
    let seen: Vec<(String, String)> =
        chunks.iter().map(|chunk| (chunk.heading_path.join("/"), chunk.text.clone())).collect();
    let expected = [("A", "Intro."), ("A", "B"), ("A/C", "x"), ("", "D")];
    assert_eq!(seen, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn a_chunk_holds_as_many_letters_in_every_script() {
    let longest = |sentence: &str| {
        let text = sentence.repeat(200);
        let chunks = chunks("d", &[block(BlockKind::Paragraph, text.trim())]);
        chunks.iter().map(|chunk| chunk.text.chars().count()).max().unwrap()
    };
    let latin = longest("The parcel is on its way to you. ");
    for sentence in ["Посылка уже в пути к вашему дому. ", "الطرد في طريقه إليك الآن من المتجر. "]
    {
        assert!(longest(sentence).abs_diff(latin) * 4 < latin, "{sentence}: {} and {latin}", longest(sentence));
    }
}

#[test]
fn ids_depend_on_text_not_on_place() {
    let one = chunks("d", &[paragraph("same"), heading(1, "H"), paragraph("same")]);
    let two = chunks("d", &[heading(1, "New"), paragraph("new"), heading(1, "H"), paragraph("same")]);
    assert_ne!(one[0].chunk_id, one[1].chunk_id);
    assert_eq!(one[0].chunk_id, two[1].chunk_id);
    assert_eq!(one[0].chunk_id.len(), 32);
}

#[test]
fn a_list_stays_with_its_lead() {
    let filler = "Words and more words. ".repeat(40);
    let mut blocks = vec![paragraph(filler.trim()), paragraph("You need:")];
    blocks.extend((0..5).map(|n| block(BlockKind::ListItem, &format!("- thing {n}"))));
    let chunks = chunks("d", &blocks);
    assert_eq!(chunks.len(), 2);
    assert!(chunks[1].text.starts_with("You need:\n- thing 0"));
}

#[test]
fn every_part_of_a_table_has_the_header() {
    let mut blocks = vec![block(BlockKind::TableRow { header: true }, "| name | price |")];
    blocks
        .extend((0..100).map(|n| block(BlockKind::TableRow { header: false }, &format!("| product {n} | {n} EUR |"))));
    let chunks = chunks("d", &blocks);
    assert!(chunks.len() > 2);
    for chunk in &chunks {
        assert!(chunk.text.starts_with("| name | price |\n| product"));
        assert_eq!(chunk.spans[0].kind, BlockKind::TableRow { header: true });
    }
}

#[test]
fn long_paragraphs_are_cut_at_sentences() {
    let text = "This is a sentence of some length, number 1. ".repeat(100);
    let chunks = chunks("d", &[paragraph(text.trim())]);
    assert!(chunks.iter().all(|chunk| chunk.text.ends_with('.') && chunk.text.len() <= TARGET_BYTES));
}

fn any_block() -> impl Strategy<Value = Block> {
    let kind = prop_oneof![
        (1_u8..4).prop_map(|level| BlockKind::Heading { level }),
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        any::<bool>().prop_map(|header| BlockKind::TableRow { header }),
        Just(BlockKind::Code),
    ];
    let text = prop_oneof!["[a-zé語]{1,8}", "([a-zé]{1,9}[ .]{1,2}){1,60}z:?", "[x語]{1500,3000}", "(ab cd\n){1,400}z"];
    (kind, text).prop_map(|(kind, text)| {
        let text = if kind == BlockKind::Code { text } else { text.replace('\n', " ") };
        block(kind, text.trim())
    })
}

proptest! {
    #[test]
    fn nothing_is_lost_and_spans_fit(blocks in proptest::collection::vec(any_block(), 0..20)) {
        let chunks = chunks("d", &blocks);
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        let mut all = String::new();
        for (at, chunk) in chunks.iter().enumerate() {
            prop_assert_eq!(chunk.ordinal as usize, at);
            prop_assert!(chunk.text.len() <= MAX_BYTES || chunk.spans.len() == 1);
            prop_assert!(!chunk.text.trim().is_empty());
            let joined: Vec<&str> = chunk.spans.iter().map(|span| &chunk.text[span.start..span.end]).collect();
            prop_assert_eq!(joined.join("\n"), chunk.text.clone());
            all.push_str(&squeeze(&chunk.heading_path.concat()));
            all.push_str(&squeeze(&chunk.text));
        }
        for block in &blocks {
            // A block that was cut is still there, piece after piece, when no table header comes between.
            if block.text.len() < 400 || matches!(block.kind, BlockKind::Paragraph | BlockKind::Code) {
                prop_assert!(all.contains(&squeeze(&block.text)) || block.text.len() > MAX_BYTES, "{}", block.text);
            }
        }
        let ids: std::collections::HashSet<&String> = chunks.iter().map(|chunk| &chunk.chunk_id).collect();
        prop_assert_eq!(ids.len(), chunks.len());
    }
}

/// Without cuts before the search for sentences, and with a look at the whole run from each row, this takes minutes.
#[test]
fn long_paragraphs_and_many_tables_take_time_in_proportion() {
    let text = "Dr. ".repeat(500_000);
    let chunks = super::chunks("d", &[paragraph(text.trim())]);
    assert!(chunks.iter().all(|chunk| chunk.text.len() <= MAX_BYTES));
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    assert_eq!(chunks.iter().map(|chunk| letters(&chunk.text)).sum::<usize>(), letters(&text));
    let rows: Vec<Block> =
        (0..60_000).map(|n| block(BlockKind::TableRow { header: n % 2 == 0 }, "| a | b |")).collect();
    assert!(!super::chunks("d", &rows).is_empty());
}
