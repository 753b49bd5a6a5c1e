//! Hostile files through the real program: one row each.
//!
//! Each file lies between good documents. The sync ends in time, the good documents are indexed, and the hostile one
//! is text, or a problem with one of the expected codes and exit code 1.

use std::fmt::Write as _;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::formats;
use crate::office::{archive, document, docx, package, paragraph};
use crate::pdf;
use crate::program::Project;

/// What a file may come to. The codes are named without `document/`.
enum Expect {
    /// This stands in its text.
    Text(&'static str),
    /// One of these codes.
    Problem(&'static [&'static str]),
}

use Expect::{Problem, Text};

/// A hostile file.
struct Case {
    name: &'static str,
    make: fn() -> Vec<u8>,
    expect: Expect,
}

const DEPTH: usize = 60_000;

/// A sync with a hostile file takes a few seconds. This is as generous as a machine with much other work needs, and a
/// program that is not optimised takes some times as long.
const MOST_TIME: Duration = Duration::from_mins(if cfg!(debug_assertions) { 3 } else { 1 });

const CASES: &[Case] = &[
    // D6: archives are bounded before they unpack, and the paths of their entries lead nowhere.
    Case { name: "flat-bomb.docx", make: flat_bomb, expect: Problem(&["too-large"]) },
    Case { name: "bomb-of-parts.docx", make: bomb_of_parts, expect: Problem(&["too-large"]) },
    Case { name: "nested-bomb.docx", make: nested_bomb, expect: Problem(&["malformed"]) },
    // D7: XML expands no entity, fetches nothing, and may nest as it likes.
    Case { name: "entities.docx", make: entities, expect: Text("before") },
    Case { name: "outside-entity.docx", make: outside_entity, expect: Text("before") },
    Case { name: "outside-entity.html", make: outside_entity_html, expect: Text("before") },
    // D6, again.
    Case { name: "way-out.docx", make: way_out, expect: Text("A way out") },
    Case { name: "way-out-main.docx", make: way_out_main, expect: Problem(&["malformed"]) },
    // D7, D8: depth and length cost nothing but the document.
    Case { name: "deep.docx", make: deep_docx, expect: Text("deep down") },
    Case { name: "deep.html", make: deep_html, expect: Text("deep down") },
    Case { name: "deep-tables.html", make: deep_tables, expect: Text("deep down") },
    Case { name: "deep-quotes.md", make: deep_quotes, expect: Text("deep down") },
    Case { name: "deep-lists.md", make: deep_lists, expect: Text("deep down") },
    Case { name: "deep-emphasis.md", make: deep_emphasis, expect: Text("deep down") },
    Case { name: "long-line-refused.txt", make: || line(50 * 1024 * 1024 - 1), expect: Problem(&["too-large"]) },
    Case { name: "long-line.txt", make: || line(4 * 1024 * 1024), expect: Text("word word") },
    Case { name: "long-word.txt", make: || vec![b'x'; 4 * 1024 * 1024], expect: Text("xxxx") },
    Case { name: "long-line.md", make: || line(4 * 1024 * 1024), expect: Text("word word") },
    Case { name: "long-line.html", make: || line(4 * 1024 * 1024), expect: Text("word word") },
    Case { name: "no-lines.txt", make: || vec![b'\n'; 16 * 1024 * 1024], expect: Problem(&["no-text"]) },
    // D8: so do cycles, broken ends and streams that unpack without end.
    Case { name: "cycle.pdf", make: pdf::page_tree_cycle, expect: Problem(&["malformed"]) },
    Case { name: "self.pdf", make: pdf::self_references, expect: Problem(&["no-text"]) },
    Case { name: "deep.pdf", make: || pdf::with_nesting(DEPTH), expect: Text("Seen below the arrays") },
    Case { name: "truncated.pdf", make: || half(&pdf::page("Half of it")), expect: Problem(&["no-text"]) },
    Case { name: "truncated.docx", make: || half(&docx("Half of it")), expect: Problem(&["malformed"]) },
    Case { name: "is-docx.pdf", make: || docx("An office text"), expect: Text("An office text") },
    Case { name: "is-pdf.docx", make: || pdf::page("A portable text"), expect: Text("portable") },
    Case { name: "noise.pdf", make: || [b"%PDF-1.7\n".as_slice(), &noise()].concat(), expect: Problem(&["malformed"]) },
    Case {
        name: "noise.docx",
        make: || [b"PK\x03\x04".as_slice(), &noise()].concat(),
        expect: Problem(&["malformed"]),
    },
    Case { name: "sparse.xlsx", make: formats::sparse_xlsx, expect: Text("the last cell") },
    Case { name: "stream-bomb.pdf", make: pdf::stream_bomb, expect: Problem(&["too-large"]) },
    Case { name: "deep.eml", make: || formats::nested_mail(DEPTH), expect: Problem(&["too-large"]) },
    Case { name: "nested.eml", make: || formats::nested_mail(90), expect: Text("one in the other") },
    Case { name: "parts.eml", make: || formats::nested_parts(DEPTH), expect: Problem(&["too-large"]) },
    Case { name: "nested-parts.eml", make: || formats::nested_parts(1_000), expect: Text("one in the other") },
    Case { name: "deep.rtf", make: || formats::nested_rtf(DEPTH), expect: Text("deep down") },
    Case { name: "binary.rtf", make: formats::rtf_binary, expect: Text("before the bomb") },
    Case { name: "bomb.epub", make: formats::epub_bomb, expect: Problem(&["too-large"]) },
    Case { name: "bomb.ods", make: formats::ods_bomb, expect: Problem(&["too-large"]) },
    Case { name: "repeats.ods", make: formats::ods_repeats, expect: Text("again") },
    Case { name: "attributes.html", make: attributes, expect: Problem(&["malformed"]) },
    Case { name: "noise.md", make: noise, expect: Problem(&["malformed"]) },
];

/// Stands in no document's text.
const SECRET: &str = "root:";

/// A trial for each row.
pub fn trials() -> Vec<Trial> {
    CASES.iter().map(|case| Trial::test(format!("files::{}", case.name), || check(case))).collect()
}

fn check(case: &Case) -> Result<(), Failed> {
    let project = Project::new();
    project.document("a-good.md", b"# Parcels\n\nA parcel may weigh 30 kg.\n");
    project.document(case.name, &(case.make)());
    project.document("z-good.docx", &docx("The shop opens at nine."));
    let before = project.around();
    let run = project.run(&["docs", "sync", "--format", "json"]);
    let report = run.json();
    println!("{}: {:.1} s, {}", case.name, run.took.as_secs_f32(), report["problems"]);
    assert!(run.took < MOST_TIME, "{} takes {:?}", case.name, run.took);
    let problem = problem(&report, case.name)?;
    let added = report["added"].as_u64();
    match &problem {
        Some(_) => assert_eq!((run.code, added), (Some(1), Some(2)), "{report}"),
        None => assert_eq!((run.code, added), (Some(0), Some(3)), "{report}"),
    }
    judge(case, problem.as_deref(), &project)?;
    let after: Vec<String> = project.around().into_iter().filter(|name| name != ".chatbotctl").collect();
    assert_eq!(after, before, "files were made");
    Ok(())
}

/// The code of the file's problem. No other file has one.
fn problem(report: &Value, name: &str) -> Result<Option<String>, Failed> {
    let problems = report["problems"].as_array().ok_or("no list of problems")?;
    match problems.as_slice() {
        [] => Ok(None),
        [one] if one["path"] == name => Ok(one["code"].as_str().map(str::to_owned)),
        _ => Err(format!("other documents have problems: {problems:?}").into()),
    }
}

fn judge(case: &Case, problem: Option<&str>, project: &Project) -> Result<(), Failed> {
    let expected = |codes: &[&str], code: &str| codes.iter().any(|expected| code == format!("document/{expected}"));
    match (&case.expect, problem) {
        (Problem(codes), Some(code)) if expected(codes, code) => Ok(()),
        (Text(text), None) => {
            let shown = project.run(&["docs", "show", &format!("data/{}", case.name)]);
            assert!(shown.stdout.contains(text), "its text is missing from:\n{:.2000}", shown.stdout);
            assert!(!shown.stdout.contains(SECRET), "another file's text in:\n{:.2000}", shown.stdout);
            Ok(())
        }
        (_, problem) => Err(format!("unexpected: {problem:?}").into()),
    }
}

fn half(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() / 2].to_vec()
}

fn line(bytes: usize) -> Vec<u8> {
    let mut line = b"word ".repeat(bytes / 5 + 1);
    line.truncate(bytes);
    line
}

/// A fixed sequence of any bytes.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(200_000).collect()
}

/// A main part of 64 MB that packs to some ten thousand bytes.
fn flat_bomb() -> Vec<u8> {
    let text = " ".repeat(64 * 1024 * 1024);
    package(document("", &paragraph(&text)).as_bytes(), &[])
}

/// Many parts, each within bounds.
fn bomb_of_parts() -> Vec<u8> {
    let part = document("", &paragraph(&" ".repeat(8 * 1024 * 1024))).into_bytes();
    let names = ["styles", "numbering", "footnotes", "endnotes", "comments", "settings"];
    let names: Vec<String> = names.iter().map(|name| format!("word/{name}.xml")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), part.as_slice())).collect();
    package(document("", &paragraph("In the middle of much.")).as_bytes(), &parts)
}

/// An archive in an archive in an archive: nothing unpacks what it finds.
fn nested_bomb() -> Vec<u8> {
    let inner = archive(&[("word/document.xml", &vec![b' '; 8 * 1024 * 1024])]);
    let middle = archive(&[("a.zip", &inner), ("b.zip", &inner), ("c.zip", &inner)]);
    package(&middle, &[("word/embeddings/more.docx", &middle)])
}

/// Entities that double and double.
fn entities() -> Vec<u8> {
    let mut declared = String::from("<!ENTITY e0 \"laugh \">");
    for level in 1..=30 {
        let inner = format!("&e{};", level - 1).repeat(10);
        let _ = write!(declared, "<!ENTITY e{level} \"{inner}\">");
    }
    let prologue = format!("<!DOCTYPE d [{declared}]>");
    package(document(&prologue, &paragraph("before &e30; after")).as_bytes(), &[])
}

fn outside_entity() -> Vec<u8> {
    let prologue = "<!DOCTYPE d [<!ENTITY out SYSTEM \"file:///etc/passwd\"><!ENTITY % more SYSTEM \
                    \"http://127.0.0.1:9/more.dtd\">]>";
    package(document(prologue, &paragraph("before &out; after")).as_bytes(), &[])
}

fn outside_entity_html() -> Vec<u8> {
    b"<!DOCTYPE html [<!ENTITY out SYSTEM \"file:///etc/passwd\">]><html><body><p>before &out; after</p>\
      <iframe src=\"file:///etc/passwd\"></iframe></body></html>"
        .to_vec()
}

fn way_out() -> Vec<u8> {
    let names = ["../out.txt", "../../out.txt", "/tmp/out.txt", "..\\out.txt", "word/../../../out.txt"];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, b"out".as_slice())).collect();
    package(document("", &paragraph("A way out?")).as_bytes(), &files)
}

/// The relations name a file outside the archive.
fn way_out_main() -> Vec<u8> {
    let relations = "<Relationships><Relationship Type=\"http://x/officeDocument\" \
                     Target=\"../../../../../../../../etc/passwd\"/></Relationships>";
    archive(&[("_rels/.rels", relations.as_bytes()), ("word/other.xml", b"<x/>"), ("[Content_Types].xml", b"<Types/>")])
}

fn deep_docx() -> Vec<u8> {
    let open = "<w:tbl><w:tr><w:tc>".repeat(DEPTH / 3);
    let close = "</w:tc></w:tr></w:tbl>".repeat(DEPTH / 3);
    package(document("", &format!("{open}{}{close}", paragraph("deep down"))).as_bytes(), &[])
}

fn deep_html() -> Vec<u8> {
    format!("<html><body>{}deep down{}</body></html>", "<div><b>".repeat(DEPTH / 2), "</b></div>".repeat(DEPTH / 2))
        .into_bytes()
}

/// One element with 300,000 attributes.
fn attributes() -> Vec<u8> {
    let attributes = (0..300_000).map(|number| format!(" a{number}")).collect::<Vec<_>>().concat();
    format!("<html><body><div{attributes}>behind all of them</div></body></html>").into_bytes()
}

fn deep_tables() -> Vec<u8> {
    format!("<html><body>{}deep down</body></html>", "<table><tr><td>".repeat(DEPTH / 3)).into_bytes()
}

fn deep_quotes() -> Vec<u8> {
    format!("{}deep down\n", "> ".repeat(DEPTH)).into_bytes()
}

fn deep_lists() -> Vec<u8> {
    format!("{}deep down\n", "- ".repeat(DEPTH)).into_bytes()
}

fn deep_emphasis() -> Vec<u8> {
    format!("{}deep down{}\n", "*a _b ".repeat(DEPTH / 2), "_ *".repeat(DEPTH / 2)).into_bytes()
}
