//! Tests of the DOCX reader, on a file made by pandoc and on small ones made here.

use super::*;
use crate::docs::format::parse;
use crate::docs::format::testing::{archive, draw};
use crate::model::{Block, BlockKind};

fn blocks(body: &str) -> Vec<Block> {
    let text = format!("<?xml version=\"1.0\"?><w:document xmlns:w=\"x\"><w:body>{body}</w:body></w:document>");
    let bytes = archive(&[("word/document.xml", &text)]);
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
        "Never use vinegar.",
        "Spare parts",
        "| Part | Price |",
        "| Water tank | 19.90 EUR |",
        "| Drip tray | 7.50 EUR |",
        "code stays",
    ];
    assert_eq!(texts(&parsed.blocks), expected);
    assert_eq!(parsed.blocks[9].kind, BlockKind::TableRow { header: true });
    assert_eq!(parsed.blocks[10].locator.heading.as_deref(), Some("Spare parts"));
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
    assert_eq!(code(&archive(&[("xl/workbook.xml", "<x/>")])), "document/malformed");
    assert_eq!(code(&archive(&[("word/document.xml", "<w:document><w:p>")])), "document/no-text");
    assert_eq!(code(&archive(&[("word/document.xml", "<w:p></w:q>")])), "document/malformed");
    let whole = include_bytes!("../../../../tests/fixtures/docs/docx/guide.docx");
    for end in (0..whole.len()).step_by(333) {
        let _ = parse(Input { path: "a.docx", bytes: &whole[..end] });
    }
}

#[test]
fn merged_cells_and_titles_of_tables() {
    let cell = |properties: &str, text: &str| {
        format!("<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>")
    };
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let deleted = "<w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:tc></w:tr>";
    let late = format!("<w:tr><w:trPr><w:gridBefore w:val='1'/></w:trPr>{}</w:tr>", cell("", "late"));
    let blocks = blocks(&format!(
        "<w:tbl>{}{}{}{}{deleted}{late}</w:tbl>",
        row(&[cell("<w:gridSpan w:val='3'/>", "Plan")]),
        row(&[cell("", "Room"), cell("", "Task"), cell("", "Day")]),
        row(&[cell("<w:vMerge w:val='restart'/>", "Kitchen"), cell("<w:gridSpan w:val='2'/>", "Rinse")]),
        row(&[cell("<w:vMerge/>", ""), cell("", "Descale"), cell("", "Friday")]),
    ));
    let expected = [
        "p Plan",
        "H | Room | Task | Day |",
        "r | Kitchen | Rinse |  |",
        "r | Kitchen | Descale | Friday |",
        "r |  | late |",
    ];
    assert_eq!(draw(&blocks), expected);
}

#[test]
fn what_is_not_on_the_page_is_left_out() {
    let blocks = blocks(
        "<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:t>seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr>\
         <w:t>hidden</w:t></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:noBreakHyphen/><w:t>too</w:t>\
         <w:softHyphen/></w:r><w:r><w:sym w:font='Wingdings' w:char='F0FC'/><w:sym w:char='00B0'/></w:r></w:p>\
         <w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>Click here</w:t></w:r></w:p>\
         </w:sdtContent></w:sdt><w:sdt><w:sdtContent><w:p><w:r><w:t>filled in</w:t></w:r></w:p></w:sdtContent></w:sdt>\
         <mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></mc:Choice>\
         <mc:Fallback><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></mc:Fallback>\
         </mc:AlternateContent>",
    );
    assert_eq!(texts(&blocks), ["seen-too°", "filled in", "box"]);
}

#[test]
fn tables_of_contents_numbers_and_notes() {
    let styles = "<w:styles><w:style w:styleId='T1'><w:name w:val='toc 1'/></w:style></w:styles>";
    let numbering = "<w:numbering><w:abstractNum w:abstractNumId='7'><w:lvl w:ilvl='0'><w:start w:val='1'/>\
        <w:numFmt w:val='upperRoman'/></w:lvl></w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num>\
        <w:num w:numId='2'><w:abstractNumId w:val='7'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='4'/>\
        </w:lvlOverride></w:num></w:numbering>";
    let notes = "<w:footnotes><w:footnote w:id='2'><w:p><w:r><w:t>a note</w:t></w:r></w:p></w:footnote>\
        <w:footnote w:id='0'><w:p><w:r><w:t>unused</w:t></w:r></w:p></w:footnote></w:footnotes>";
    let item = |list, text| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='{list}'/></w:numPr></w:pPr><w:r><w:t>{text}</w:t>\
                 <w:footnoteReference w:id='2'/></w:r></w:p>"
        )
    };
    let heading = "<w:p><w:pPr><w:outlineLvl w:val='0'/></w:pPr><w:r><w:t>Next</w:t></w:r></w:p>";
    let contents = "<w:p><w:pPr><w:pStyle w:val='T1'/></w:pPr><w:r><w:t>Next 7</w:t></w:r></w:p>";
    let body = format!("<w:x>{contents}{}{}{}{heading}</w:x>", item(1, "one"), item(1, "two"), item(2, "four"));
    let bytes = archive(&[
        ("word/document.xml", body.as_str()),
        ("word/styles.xml", styles),
        ("word/numbering.xml", numbering),
        ("word/footnotes.xml", notes),
    ]);
    let parsed = parse(Input { path: "a.docx", bytes: &bytes }).unwrap();
    assert_eq!(draw(&parsed.blocks), ["i I. one", "i II. two", "i IV. four", "p a note", "h1 Next"]);
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
