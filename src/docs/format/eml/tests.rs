//! Tests of mails.

use proptest::prelude::*;

use super::*;
use crate::model::{Block, BlockKind};

fn parse(text: &str) -> Parsed {
    read(Input { path: "a.eml", bytes: text.as_bytes() }).unwrap()
}

fn texts(blocks: &[Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn header_text_quotes_and_attachments() {
    let bytes = include_bytes!("../../../../tests/fixtures/docs/eml/returns.eml");
    let parsed = read(Input { path: "returns.eml", bytes }).unwrap();
    assert_eq!(
        texts(&parsed.blocks),
        [
            "Rücksendung der Kaffeemaschine",
            "From: Jörg Müller <joerg@shop.example>",
            "To: Anna <anna@example.org>, bert@example.org",
            "Date: 2024-05-02 09:30:00+02:00",
            "Dear Anna, please send the machine back within fourteen days; we pay the postage of 6,90 €.",
            "Yours, Jörg",
            "Tel. 030 1234567",
            "Anna wrote on 1 May:",
            "My machine drips. May I return it?",
            "Attached: label.pdf",
        ]
    );
    assert_eq!(parsed.title.as_deref(), Some("Rücksendung der Kaffeemaschine"));
    assert_eq!(parsed.blocks[0].kind, BlockKind::Heading { level: 1 });
    assert_eq!(parsed.blocks[4].locator.heading.as_deref(), Some("Rücksendung der Kaffeemaschine"));
}

#[test]
fn html_is_read_when_there_is_nothing_better() {
    let only = parse("From: a@b.example\nSubject: S\nContent-Type: text/html\n\n<h1>Offer</h1><p>Ten <b>per cent</b>.");
    assert_eq!(texts(&only.blocks), ["S", "From: a@b.example", "Offer", "Ten per cent."]);
    assert_eq!(only.blocks[2].kind, BlockKind::Heading { level: 2 });
    let both = |plain: &str| {
        parse(&format!(
            "From: a@b.example\nSubject: S\nContent-Type: multipart/alternative; boundary=x\n\n--x\n\
             Content-Type: text/plain\n\n{plain}\n--x\nContent-Type: text/html\n\n\
             <p>Ten per cent off all spare parts until the end of May.</p>\n--x--\n"
        ))
    };
    let last = |parsed: Parsed| parsed.blocks.last().unwrap().text.clone();
    assert_eq!(last(both("See HTML")), "Ten per cent off all spare parts until the end of May.");
    assert_eq!(last(both("Ten per cent off until the end of May")), "Ten per cent off until the end of May");
}

#[test]
fn the_line_before_a_mail_of_a_mailbox_is_skipped() {
    let mail = "From: a@b.example\nSubject: S\n\nTen per cent.\n";
    let in_mailbox = format!("From a@b.example Thu May  2 09:30:00 2024\r\n{mail}");
    assert_eq!(parse(&in_mailbox), parse(mail));
    assert!(read(Input { path: "a.eml", bytes: b"From here on it is no mail." }).is_err());
}

#[test]
fn flowed_lines_are_joined() {
    let text = "From: a@b.example\nSubject: S\nContent-Type: text/plain; format=flowed\n\nOne \nline.\nTwo\n> quoted \n> too\n";
    assert_eq!(texts(&parse(text).blocks)[2..], ["One line.", "Two", "quoted too"]);
}

#[test]
fn what_is_quoted_is_not_joined_to_the_answer() {
    let (question, answer) =
        ("May I return the machine that I bought in May,", "Yes, you may send it back within fourteen days,");
    let text = format!("From: a@b.example\nSubject: S\n\n> {question}\n{answer}\n>> {question}\n> {answer}\n");
    assert_eq!(texts(&parse(&text).blocks)[2..], [question, answer, question, answer]);
}

#[test]
fn letters_as_they_come() {
    let raw = "From: J\u{f6}rg <j@b.example>\nSubject: R\u{fc}cksendung\n\nGr\u{fc}\u{df}e aus K\u{f6}ln\n";
    let bytes = encoding_rs::WINDOWS_1252.encode(raw).0;
    let parsed = read(Input { path: "a.eml", bytes: &bytes }).unwrap();
    assert_eq!(texts(&parsed.blocks), ["Rücksendung", "From: Jörg <j@b.example>", "Grüße aus Köln"]);
    let japanese = [
        &b"From: a@b.example\nSubject: =?ISO-2022-JP?B?GyRCSlZJShsoQg==?=\nContent-Type: text/plain; charset=Shift_JIS\n\n"[..],
        &encoding_rs::SHIFT_JIS.encode("商品の到着後").0,
    ]
    .concat();
    let parsed = read(Input { path: "a.eml", bytes: &japanese }).unwrap();
    assert_eq!(texts(&parsed.blocks), ["返品", "From: a@b.example", "商品の到着後"]);
}

#[test]
fn attached_messages_are_read_to_a_depth() {
    let mut text = "From: last@b.example\nSubject: Innermost\n\nDeep.\n".to_owned();
    for depth in 0..20 {
        text = format!("From: a@b.example\nSubject: Level {depth}\nContent-Type: message/rfc822\n\n{text}");
    }
    let parsed = parse(&text);
    assert_eq!(parsed.blocks[0].text, "Level 19");
    assert!(texts(&parsed.blocks).contains(&"Level 18"));
    assert!(!texts(&parsed.blocks).contains(&"Deep."));
    let deep = "Content-Type: message/rfc822\n\n".repeat(60_000);
    let error = read(Input { path: "a.eml", bytes: format!("From: a@b.example\n{deep}").as_bytes() }).unwrap_err();
    assert_eq!(error.code(), "document/too-large");
}

#[test]
fn what_is_no_mail_and_what_is_locked() {
    let code = |text: &str| read(Input { path: "a.eml", bytes: text.as_bytes() }).unwrap_err().code();
    assert_eq!(code("Just some words.\n"), "document/malformed");
    let locked = "From: a@b.example\nContent-Type: multipart/encrypted; boundary=x\n\n--x\n\nabc\n--x--\n";
    assert_eq!(code(locked), "document/encrypted");
    assert_eq!(sniff(b"From: a@b.example\nMessage-ID: <1@b>\n\nx"), Sniff::Sure);
    assert_eq!(sniff(b"From: the board\nTo: all\nSubject: x\n\nA memo."), Sniff::Possible);
}

proptest! {
    #[test]
    fn any_bytes_give_blocks_or_an_error(
        head in "(From: [a-z@<>,;:\" ]{0,12}\n)?(Content-Type: (text/html|multipart/mixed; boundary=x|message/rfc822)\n)?\n",
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [head.as_bytes(), &bytes, b"\n--x\n\n", &bytes].concat();
        let _ = sniff(&bytes);
        let _ = read(Input { path: "a.eml", bytes: &bytes });
    }
}
