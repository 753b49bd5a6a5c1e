//! Tests of the PPTX reader, on a file made by python-pptx and on small ones made here.

use crate::docs::format::testing::{archive, draw, read};

const GUIDE: &[u8] = include_bytes!("../../../../tests/fixtures/docs/pptx/guide.pptx");

/// A presentation of slides, each the contents of a `spTree`.
fn slides(trees: &[&str]) -> Vec<u8> {
    let numbers = 1..=trees.len();
    let ids: Vec<String> = numbers.clone().map(|n| format!("<p:sldId id='{n}' r:id='r{n}'/>")).collect();
    let relation = |n| format!("<Relationship Id='r{n}' Type='x/slide' Target='slides/s{n}.xml'/>");
    let relations: Vec<String> = numbers.clone().rev().map(relation).collect();
    let (ids, relations) = (ids.concat(), relations.concat());
    let mut parts = vec![
        ("ppt/presentation.xml".to_owned(), format!("<p:presentation><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>")),
        ("ppt/_rels/presentation.xml.rels".to_owned(), format!("<Relationships>{relations}</Relationships>")),
    ];
    let slide = |(n, tree): (usize, &&str)| (format!("ppt/slides/s{n}.xml"), format!("<p:sld>{tree}</p:sld>"));
    parts.extend(numbers.zip(trees).map(slide));
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    archive(&parts)
}

fn drawn(trees: &[&str]) -> Vec<String> {
    draw(&read("a.pptx", &slides(trees)).unwrap().blocks)
}

#[test]
fn a_presentation_made_by_python_pptx() {
    let parsed = read("guide.pptx", GUIDE).unwrap();
    let expected = [
        "1 h1 Coffee machine guide",
        "1 p For every kitchen",
        "2 h1 Cleaning",
        "2 i - Rinse the machine every evening",
        "2 i   - with a soft cloth",
        "2 i - Never use vinegar",
        "2 p Say that vinegar damages the seals.",
        "4 h1 Spare parts",
        "4 H | Part | Price |",
        "4 r | Water tank | 19.90 EUR |",
        "4 r | Drip tray | 7.50 EUR |",
        "5 p Call us when the red lamp is on.",
        "5 p What people drink",
        "5 H |  | Cups a day |",
        "5 r | Espresso | 12 |",
        "5 r | Lungo | 7 |",
    ];
    assert_eq!(draw(&parsed.blocks), expected);
    assert_eq!((parsed.title.as_deref(), parsed.pages), (Some("Coffee machine guide"), Some(5)));
    assert_eq!(parsed.blocks[6].locator.heading.as_deref(), Some("Cleaning"));
    // A slide without a title is not below that of the one before.
    assert_eq!(parsed.blocks[11].locator.heading, None);
}

#[test]
fn titles_come_first_and_what_repeats_is_left_out() {
    let shape = |kind: &str, text: &str| {
        format!(
            "<p:sp><p:nvPr><p:ph type='{kind}'/></p:nvPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        )
    };
    let tree = [shape("ftr", "Confidential"), shape("body", "Text"), shape("title", "Title"), shape("sldNum", "7")];
    assert_eq!(drawn(&[&tree.concat()]), ["1 h1 Title", "1 i - Text"]);
}

#[test]
fn numbers_levels_fields_groups_and_fallbacks() {
    let item = |properties: &str, text: &str| format!("<a:p><a:pPr {properties}</a:pPr><a:t>{text}</a:t></a:p>");
    let lists = [
        item("><a:buAutoNum type='arabicPeriod'/>", "one"),
        item("lvl='1'><a:buAutoNum type='alphaLcParenR'/>", "inner"),
        item("lvl='1'><a:buAutoNum type='alphaLcParenR'/>", "inner"),
        item("><a:buAutoNum type='arabicPeriod'/>", "two"),
        item("><a:buNone/>", "plain"),
        "<a:p><a:fld type='slidenum'><a:t>7</a:t></a:fld></a:p>".to_owned(),
    ];
    let tree = format!(
        "<p:grpSp><p:sp><p:txBody>{}</p:txBody></p:sp></p:grpSp><mc:AlternateContent><mc:Choice><p:sp><a:p><a:t>new</a:t>\
         </a:p></p:sp></mc:Choice><mc:Fallback><p:sp><a:p><a:t>old</a:t></a:p></p:sp></mc:Fallback></mc:AlternateContent>\
         <p:sp><p:cNvPr hidden='1'/><a:p><a:t>hidden</a:t></a:p></p:sp>",
        lists.concat()
    );
    assert_eq!(
        drawn(&[&tree]),
        ["1 i 1. one", "1 i   a. inner", "1 i   b. inner", "1 i 2. two", "1 p plain", "1 p new"]
    );
}

#[test]
fn merged_cells_of_a_table() {
    let cell = |attributes: &str, text: &str| format!("<a:tc {attributes}><a:p><a:t>{text}</a:t></a:p></a:tc>");
    let row = |cells: &[String]| format!("<a:tr>{}</a:tr>", cells.concat());
    let tree = format!(
        "<p:graphicFrame><a:tbl><a:tblPr firstRow='1'/>{}{}{}</a:tbl></p:graphicFrame>",
        row(&[cell("", "Room"), cell("", "Task"), cell("", "Day")]),
        row(&[cell("rowSpan='2'", "Kitchen"), cell("gridSpan='2'", "Rinse"), cell("hMerge='1'", "")]),
        row(&[cell("vMerge='1'", ""), cell("", "Descale"), cell("", "Friday")]),
    );
    let expected = ["1 H | Room | Task | Day |", "1 r | Kitchen | Rinse |  |", "1 r | Kitchen | Descale | Friday |"];
    assert_eq!(drawn(&[&tree]), expected);
}

#[test]
fn one_broken_slide_does_not_hide_the_others() {
    let text = "<p:sp><a:p><a:t>whole</a:t></a:p></p:sp>";
    assert_eq!(drawn(&["<p:sp></p:x>", text]), ["2 p whole"]);
    assert_eq!(read("a.pptx", &slides(&["<p:sp></p:x>"])).unwrap_err().code(), "document/malformed");
    assert_eq!(read("a.pptx", &slides(&[""])).unwrap_err().code(), "document/no-text");
    assert_eq!(read("a.pptx", &GUIDE[..20_000]).unwrap_err().code(), "document/malformed");
}

#[test]
fn sixty_thousand_nested_groups() {
    let deep = format!("{}<a:p><a:t>deep</a:t></a:p>{}", "<p:grpSp>".repeat(60_000), "</p:grpSp>".repeat(60_000));
    assert_eq!(drawn(&[&deep]), ["1 p deep"]);
}
