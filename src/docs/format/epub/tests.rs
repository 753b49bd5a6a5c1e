//! Tests of the EPUB reader, on a book made by EbookLib and on small ones made here.

use super::*;
use crate::docs::format::testing::{archive, draw, read};

const GUIDE: &[u8] = include_bytes!("../../../../tests/fixtures/docs/epub/guide.epub");

const CONTAINER_XML: &str = "<container><rootfiles><rootfile full-path='book/list.opf'/></rootfiles></container>";

fn book(opf: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut parts = vec![(CONTAINER, CONTAINER_XML), ("book/list.opf", opf)];
    parts.extend(more);
    archive(&parts)
}

const OPF: &str = "<package><metadata><dc:title>Guide</dc:title><dc:language>de</dc:language></metadata><manifest>\
    <item id='b' href='b.xhtml' media-type='application/xhtml+xml'/><item id='a' href='a%20one.xhtml#x' \
    media-type='application/xhtml+xml'/><item id='n' href='nav.xhtml' media-type='application/xhtml+xml' \
    properties='nav'/><item id='i' href='b.png' media-type='image/png'/></manifest><spine><itemref idref='n'/>\
    <itemref idref='a'/><itemref idref='b'/><itemref idref='b'/><itemref idref='i'/></spine></package>";

#[test]
fn a_book_made_by_ebooklib() {
    let parsed = read("guide.epub", GUIDE).unwrap();
    let expected = [
        "h1 Cleaning",
        "p Rinse the machine every evening. Never use vinegar.",
        "i - a soft cloth",
        "i - lukewarm water",
        "h1 Spare parts",
        "H | Part | Price |",
        "r | Water tank | 19.90 EUR |",
    ];
    assert_eq!(draw(&parsed.blocks), expected);
    assert_eq!((parsed.title.as_deref(), parsed.language.as_deref()), (Some("Coffee machine guide"), Some("en")));
    assert_eq!(parsed.blocks[1].locator.heading.as_deref(), Some("Cleaning"));
}

#[test]
fn chapters_stand_in_the_order_of_the_spine_and_once() {
    let parts = [
        ("book/a one.xhtml", "<html><head><title/></head><body><h1>A</h1><script src='x'/><p>one</p></body></html>"),
        ("book/b.xhtml", "<html><body><h1>B</h1><p>two</p></body></html>"),
        ("book/nav.xhtml", "<html><body><nav>B 7</nav></body></html>"),
    ];
    let parsed = read("a.epub", &book(OPF, &parts)).unwrap();
    assert_eq!(draw(&parsed.blocks), ["h1 A", "p one", "h1 B", "p two"]);
    assert_eq!(parsed.language.as_deref(), Some("de"));
}

#[test]
fn encrypted_chapters_and_hidden_fonts() {
    let encrypted =
        |part: &str| format!("<encryption><EncryptedData><CipherReference URI='{part}'/></EncryptedData></encryption>");
    let chapter = ("book/b.xhtml", "<p>two</p>");
    let font = encrypted("book/font.otf");
    let read_with = |encryption: &str| read("a.epub", &book(OPF, &[chapter, ("META-INF/encryption.xml", encryption)]));
    assert_eq!(draw(&read_with(&font).unwrap().blocks), ["p two"]);
    assert_eq!(read_with(&encrypted("book/a%20one.xhtml")).unwrap_err().code(), "document/encrypted");
}

#[test]
fn damage_is_named() {
    let code = |bytes: &[u8]| read("a.epub", bytes).unwrap_err().code();
    assert_eq!(code(&archive(&[(CONTAINER, "<container/>")])), "document/malformed");
    assert_eq!(code(&archive(&[(CONTAINER, CONTAINER_XML)])), "document/malformed");
    assert_eq!(code(&book(OPF, &[])), "document/no-text");
    assert_eq!(code(&GUIDE[..2000]), "document/malformed");
}

#[test]
fn empty_elements_are_written_out() {
    let cases = [
        ("a<title/>b", "a<title></title>b"),
        ("<br/><img src='x'/>", "<br/><img src='x'/>"),
        ("<a id='1' />x", "<a id='1' ></a>x"),
        ("1 /> 2 <p>/></p>", "1 /> 2 <p>/></p>"),
        ("<?xml v/><!-- -/>", "<?xml v/><!-- -/>"),
    ];
    for (text, expected) in cases {
        assert_eq!(without_empty_elements(text), expected);
    }
}
