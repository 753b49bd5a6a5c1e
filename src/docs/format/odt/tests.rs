//! Tests of the OpenDocument readers, on files made by odfpy and on small ones made here.

use crate::docs::format::testing::{archive, draw, parts, read};

const TEXT: &[u8] = include_bytes!("../../../../tests/fixtures/docs/odt/guide.odt");
const SHEETS: &[u8] = include_bytes!("../../../../tests/fixtures/docs/odt/guide.ods");
const SLIDES: &[u8] = include_bytes!("../../../../tests/fixtures/docs/odt/guide.odp");

fn drawn(body: &str) -> Vec<String> {
    let content = format!("<office:document-content><office:body>{body}</office:body></office:document-content>");
    draw(&read("a.odt", &archive(&[("content.xml", &content)])).unwrap().blocks)
}

#[test]
fn a_text_made_by_odfpy() {
    let parsed = read("guide.odt", TEXT).unwrap();
    let expected = [
        "h1 Coffee machine guide",
        "h1 Cleaning",
        "p Rinse the machine every evening. You need:",
        "i - a soft cloth",
        "i   1. made of cotton",
        "i   2. without lint",
        "i - lukewarm water",
        "p Never use vinegar.",
        "h1 Spare parts",
        "H | Part | Price |",
        "r | Water tank | 19.90 EUR |",
        "r | Drip tray | 7.50 EUR |",
    ];
    assert_eq!(draw(&parsed.blocks), expected);
    assert_eq!(parsed.title.as_deref(), Some("Coffee machine guide"));
    assert_eq!(parsed.blocks[7].locator.heading.as_deref(), Some("Cleaning"));
}

#[test]
fn a_spreadsheet_made_by_odfpy() {
    let parsed = read("guide.ods", SHEETS).unwrap();
    let expected = [
        "Spare parts 1-1 H | Part | Price | Discount |",
        "Spare parts 2-2 r | Water tank | 19.90 € | 10% |",
        "Spare parts 3-3 r | Drip tray | 7.00 € |  |",
        "Cleaning 1-1 H | Room | Task |",
        "Cleaning 2-2 r | Kitchen | Rinse |",
        "Cleaning 3-3 r | Kitchen | Descale |",
    ];
    assert_eq!(draw(&parsed.blocks), expected);
    assert_eq!(parsed.pages, Some(2));
}

#[test]
fn a_presentation_made_by_odfpy() {
    let parsed = read("guide.odp", SLIDES).unwrap();
    let expected = [
        "1 h1 Cleaning",
        "1 i - Rinse every evening",
        "1 i - Never use vinegar",
        "1 p Vinegar damages the seals.",
        "3 p Call us when the red lamp is on.",
    ];
    assert_eq!(draw(&parsed.blocks), expected);
    assert_eq!((parsed.pages, parsed.title.as_deref()), (Some(3), Some("Cleaning")));
}

#[test]
fn what_is_not_on_the_page_is_left_out() {
    let body = "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>\
                <text:table-of-content><text:p>Cleaning 7</text:p></text:table-of-content>\
                <text:p>a<text:tab/>b<text:line-break/>c<text:s text:c='999999999'/>d<draw:frame><draw:text-box>\
                <text:p>in the box</text:p></draw:text-box><svg:desc>a picture</svg:desc></draw:frame></text:p>";
    assert_eq!(drawn(body), ["p in the box", "p a b c d"]);
}

#[test]
fn lists_go_on_and_begin_anew() {
    let item = |text: &str| format!("<text:list-item><text:p>{text}</text:p></text:list-item>");
    let body = format!(
        "<text:list-style style:name='L'><text:list-level-style-number text:level='1' style:num-format='1'/>\
         </text:list-style><text:list text:style-name='L'>{}</text:list><text:p>between</text:p>\
         <text:list text:style-name='L' text:continue-numbering='true'>{}</text:list>\
         <text:list text:style-name='L'>{}</text:list>",
        item("one"),
        item("two"),
        item("first"),
    );
    assert_eq!(drawn(&body), ["i 1. one", "p between", "i 2. two", "i 1. first"]);
}

#[test]
fn a_billion_repeated_cells_cost_nothing() {
    let row = "<table:table-row table:number-rows-repeated='1000000'><table:table-cell \
               table:number-columns-repeated='4294967295'><text:p>x</text:p></table:table-cell></table:table-row>";
    let body =
        format!("<office:spreadsheet><table:table table:name='S'>{}</table:table></office:spreadsheet>", row.repeat(3));
    let blocks = drawn(&body);
    // The first of equal rows may be a header; the columns of the others carry it.
    let last = &blocks[blocks.len() - 1];
    assert!(last.starts_with("S 2000001-3000000 r | x: x | x: x |"), "{}", &last[..40]);
    assert!(blocks.len() < 10);
}

#[test]
fn a_packed_type_is_no_damage() {
    let mut packed = parts(TEXT);
    packed.sort_by_key(|(name, _)| name != "mimetype");
    // The helper packs every part.
    let bytes = archive(&packed.iter().map(|(name, part)| (name.as_str(), part)).collect::<Vec<_>>());
    assert_eq!((&bytes[30..38], bytes[8]), (&b"mimetype"[..], 8));
    assert_eq!(read("guide.odt", &bytes).unwrap().blocks, read("guide.odt", TEXT).unwrap().blocks);
}

#[test]
fn damage_is_named() {
    let code = |parts: &[(&str, &str)]| read("a.odt", &archive(parts)).unwrap_err().code();
    assert_eq!(code(&[("content.xml", "<a></b>")]), "document/malformed");
    assert_eq!(code(&[("content.xml", "<a/>")]), "document/no-text");
    assert_eq!(code(&[("other.xml", "<a/>")]), "document/malformed");
    let manifest =
        "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    assert_eq!(code(&[("META-INF/manifest.xml", manifest), ("content.xml", "?")]), "document/encrypted");
    assert_eq!(read("a.odt", &TEXT[..1500]).unwrap_err().code(), "document/malformed");
}

#[test]
fn sixty_thousand_nested_elements() {
    for name in ["text:section", "text:list", "table:table", "text:span", "text:p", "draw:frame"] {
        let deep = format!(
            "{}<text:p>deep</text:p>{}",
            format!("<{name}>").repeat(60_000),
            format!("</{name}>").repeat(60_000)
        );
        let content = format!("<x>{deep}<text:p>after</text:p></x>");
        let parsed = read("a.odt", &archive(&[("content.xml", &content)])).unwrap();
        assert_eq!(parsed.blocks[parsed.blocks.len() - 1].text, "after", "{name}");
    }
}
