//! Where words stand: any window of a rendition, other extractions, and texts that stand nowhere.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::docs::chunk::chunks;
use crate::docs::format::Parsed;
use crate::docs::rendition;
use crate::model::{Block, BlockKind, Locator};

const WORDS: [&str; 24] = [
    "return",
    "lamp",
    "delivery",
    "five",
    "days",
    "refund",
    "the",
    "order",
    "paid",
    "card",
    "Über",
    "efficient",
    "shop",
    "warranty",
    "of",
    "bulb",
    "2027",
    "please",
    "write",
    "us",
    "cancel",
    "after",
    "porcelain",
    "parcel",
];

/// A word that is mostly this document's and this place's alone, as the run of words in a true text is.
fn word(seed: u64) -> String {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    match mixed % 3 {
        0 => WORDS[(mixed >> 9) as usize % WORDS.len()].to_owned(),
        _ => format!("{}{}", WORDS[(mixed >> 9) as usize % WORDS.len()], (mixed >> 20) % 997),
    }
}

fn document(seed: u64, blocks: u64) -> Parsed {
    let block = |at: u64| {
        let text: Vec<String> =
            (0..8 + (seed + at) % 40).map(|each| word(seed * 1_000_003 + at * 101 + each)).collect();
        let (kind, text) = match (seed + at) % 9 {
            0 => (BlockKind::Heading { level: 2 }, text[..4].join(" ")),
            1 => (BlockKind::ListItem, format!("- {}", text.join(" "))),
            2 | 3 => (BlockKind::TableRow { header: false }, format!("| {} |", text.join(" | "))),
            4 => (BlockKind::Code, text.join("\n")),
            _ => (BlockKind::Paragraph, format!("{}.", text.join(" "))),
        };
        let page = u32::try_from(1 + at / 7).ok();
        Block { kind, text, locator: Locator { page, ..Locator::default() } }
    };
    Parsed { blocks: (0..blocks).map(block).collect(), ..Parsed::default() }
}

fn letters(text: &str) -> String {
    let mut folded = Folded::default();
    folded.read(text);
    folded.letters.into_iter().collect()
}

fn cut(text: &str, start: usize, bytes: usize) -> &str {
    &text[text.floor_char_boundary(start)..text.floor_char_boundary((start + bytes).min(text.len()))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Wherever the service cuts our rendition, the quote is words of the window, in a chunk that has them.
    #[test]
    fn any_window_of_a_rendition_is_located(seed in 0_u64..1_000, at in 0.0_f64..1.0, bytes in 200_usize..4_000) {
        let parsed = document(seed, 60);
        let made = String::from_utf8(rendition::to_bytes(&parsed)).unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let start = (at * made.len().saturating_sub(bytes) as f64) as usize;
        let window = cut(&made, start, bytes);
        let chunks = chunks("d", &parsed.blocks);
        let place = locate(window, &chunks).expect("it is of this document");
        let quote = &chunks[place.chunk].text[place.range.clone()];
        let (window, _) = Folded::without_marks(window);
        let window: String = window.letters.into_iter().collect();
        prop_assert!(!quote.trim().is_empty());
        prop_assert!(place.range.len() >= bytes.min(chunks[place.chunk].text.len()) / 8, "{quote}");
        prop_assert!(window.contains(&letters(quote)) || place.share > 0.5, "{quote}");
    }

    /// Text of another document has no place here.
    #[test]
    fn text_of_another_document_is_not_located(seed in 0_u64..1_000, other in 1_000_u64..2_000, at in 0_usize..4_000) {
        let made = String::from_utf8(rendition::to_bytes(&document(other, 60))).unwrap();
        prop_assert_eq!(locate(cut(&made, at, 1_500), &chunks("d", &document(seed, 60).blocks)), None);
    }

    /// H19: no text that a service sends breaks it.
    #[test]
    fn any_text_gives_a_place_or_none(found in any::<String>(), texts in proptest::collection::vec("\\PC{0,80}", 0..6)) {
        let blocks: Vec<Block> = texts.iter().filter(|text| !text.trim().is_empty()).map(|text| {
            Block { kind: BlockKind::Paragraph, text: text.clone(), locator: Locator::default() }
        }).collect();
        let chunks = chunks("d", &blocks);
        for found in texts.iter().chain([&found]) {
            if let Some(place) = locate(found, &chunks) {
                prop_assert!(!chunks[place.chunk].text[place.range].is_empty());
            }
        }
    }
}

fn paragraph(text: &str, page: u32) -> Block {
    let locator = Locator { page: Some(page), ..Locator::default() };
    Block { kind: BlockKind::Paragraph, text: text.to_owned(), locator }
}

fn heading(text: &str, page: u32) -> Block {
    Block { kind: BlockKind::Heading { level: 1 }, ..paragraph(text, page) }
}

fn quoted(found: &str, chunks: &[Chunk]) -> Option<(usize, String, bool)> {
    locate(found, chunks).map(|place| (place.chunk, chunks[place.chunk].text[place.range].to_owned(), place.exact))
}

#[test]
fn other_extractions_of_the_same_words_are_found() {
    let blocks = [
        heading("Returns", 1),
        paragraph("You may return a lamp within thirty days. The refund is paid in five days.", 1),
        heading("Delivery", 2),
        paragraph("A parcel is delivered after three days, and is free of charge.", 2),
    ];
    let chunks = chunks("d", &blocks);
    let all = Some((0, "The refund is paid in five days.".to_owned(), true));
    assert_eq!(quoted("The refund is paid in five days.", &chunks), all);
    let wrapped = "**The re-\nfund** is   paid in\nﬁve days";
    assert_eq!(quoted(wrapped, &chunks), Some((0, "The refund is paid in five days.".to_owned(), false)));
    let window = "rcel is delivered after three days, and is fr";
    let whole = "is delivered after three days, and is".to_owned();
    assert_eq!(quoted(window, &chunks), Some((1, whole, true)));
    assert_eq!(quoted("Somebody else writes about lamps and refunds of the order.", &chunks), None);
    assert_eq!(quoted("five", &chunks), None);
    assert_eq!(quoted("", &chunks), None);
    assert_eq!(quoted("The refund is paid in five days.", &[]), None);
}

#[test]
fn a_mark_decides_between_equal_places() {
    let warning = "Unplug the lamp before the bulb is changed, and let it cool down.";
    let blocks = [heading("A", 1), paragraph(warning, 1), heading("B", 7), paragraph(warning, 7)];
    let chunks = chunks("d", &blocks);
    assert_eq!(locate(warning, &chunks).map(|place| place.chunk), Some(0));
    assert_eq!(locate(&format!("[page 7: B]\n\n{warning}\n"), &chunks).map(|place| place.chunk), Some(1));
}

#[test]
fn scripts_without_blanks_are_located() {
    let blocks =
        [heading("返品", 1), paragraph("商品は到着後三十日以内に返品できます。返金は五日以内に行われます。", 1)];
    let chunks = chunks("d", &blocks);
    assert_eq!(quoted("返金は五日以内\nに行われ", &chunks), Some((0, "返金は五日以内に行われ".to_owned(), false)));
}

/// H19: a large document, and one that repeats itself, take no longer than their size.
#[test]
fn large_documents_are_looked_through_once() {
    let parsed = document(5, 6_000);
    let mut many = chunks("d", &parsed.blocks);
    let same = "a".repeat(1_300);
    many.extend(chunks("d", &vec![paragraph(&same, 1); 6_000]));
    let begun = Instant::now();
    assert!(locate(&same.repeat(40), &many).is_some());
    let found = many[4_000].text.clone();
    assert_eq!(locate(&found, &many).map(|place| many[place.chunk].text == found), Some(true));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
