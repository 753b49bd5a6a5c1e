//! The sample help centre answers its golden questions, over the real server.
//!
//! Half of the questions use other words than the documents, as visitors do; a search for words cannot answer all of
//! them. The bounds lie a little below what is measured, so that a step back is seen.

use std::fs;
use std::path::{Path, PathBuf};

use chatbotctl::docs::format;
use serde::Deserialize;
use serde_json::Value;

use crate::bot::{Client, TestBot};

/// Right document among the first three, of all answerable questions.
const MIN_DOCUMENT: f64 = 0.91;
/// The phrase shown in the answer, of all answerable questions.
const MIN_PHRASE: f64 = 0.7;
/// Refused, of the unanswerable ones.
const MIN_REFUSED: f64 = 1.0;
/// Refused, of the answerable ones, at most.
const MAX_REFUSED_WRONGLY: f64 = 0.13;

/// A question and what a good answer to it has.
#[derive(Deserialize)]
pub struct Golden {
    id: String,
    /// As a visitor asks it.
    pub question: String,
    /// Paths of the documents that answer it.
    pub documents: Vec<String>,
    /// Keys of a citation with the values that they should have.
    pub place: Value,
    phrase: String,
    unanswerable: bool,
}

#[derive(Default)]
struct Tally {
    answerable: u32,
    document: u32,
    phrase: u32,
    refused_wrongly: u32,
    unanswerable: u32,
    refused: u32,
}

#[tokio::test]
async fn the_sample_answers_its_golden_questions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let state = tempfile::tempdir().unwrap();
    let docs = root.join("data");
    let flags = ["--docs-dir", docs.to_str().unwrap(), "--state-dir", state.path().to_str().unwrap()];
    let bot = TestBot::start(state.path(), &flags);
    let mut client = bot.client();
    let golden = load(&root.join("tests/golden/sample.jsonl"));
    let ranking = ranking(&golden, &flags, state.path());
    let mut tally = Tally::default();
    for question in &golden {
        let citations = ask(&mut client, question, &mut tally).await;
        assert_quotes_stand_in_their_files(&citations, &docs);
        let found = question.documents.iter().any(|path| ranking(&question.id).contains(path));
        tally.document += u32::from(found && !question.unanswerable);
    }
    report(&tally);
}

/// Asks; returns the citations' JSON.
async fn ask(client: &mut Client, golden: &Golden, tally: &mut Tally) -> Vec<Value> {
    let answer = client.create(&golden.question).await;
    let refused = answer.annotations.is_empty();
    if golden.unanswerable {
        tally.unanswerable += 1;
        tally.refused += u32::from(refused);
    } else {
        tally.answerable += 1;
        tally.refused_wrongly += u32::from(refused);
        let shown = squeezed(&answer.text).contains(&squeezed(&golden.phrase));
        tally.phrase += u32::from(shown);
        if !shown {
            println!("{}: `{}` does not show `{}`", golden.id, golden.question, golden.phrase);
        }
    }
    let path = format!("/knowledge/threads/{}/citations", answer.thread_id);
    let body: Value = client.get(&path).await.json().await.unwrap();
    let citations = body["citations"].as_array().unwrap().clone();
    assert_eq!(citations.len(), answer.annotations.len(), "{body}");
    citations
}

/// Text files can be searched byte by byte; what readers make of the others has tests of its own.
fn assert_quotes_stand_in_their_files(citations: &[Value], docs: &Path) {
    for citation in citations {
        let name = citation["filename"].as_str().unwrap();
        if Path::new(name).extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let file = find(docs, name).unwrap_or_else(|| panic!("{name} is cited and not in {}", docs.display()));
        let text = letters(&fs::read_to_string(file).unwrap());
        let quote = letters(citation["quote"].as_str().unwrap());
        assert!(text.contains(&quote), "{name} does not say `{quote}`");
    }
}

/// The file of this name in a folder.
pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    files(folder).into_iter().find(|path| path.ends_with(name))
}

/// All files of a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The first three documents for every question, by `docs search`.
fn ranking(golden: &[Golden], flags: &[&str], folder: &Path) -> impl Fn(&str) -> Vec<String> + use<> {
    let query = |golden: &Golden| serde_json::json!({ "id": golden.id, "text": golden.question }).to_string();
    let queries: Vec<String> = golden.iter().map(query).collect();
    fs::write(folder.join("queries.jsonl"), queries.join("\n")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_chatbotctl"))
        .env_clear()
        .current_dir(folder)
        .args(["docs", "search", "--queries", "queries.jsonl", "--top-k", "3", "--format", "jsonl"])
        .args(flags)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), golden.len());
    move |id| {
        let line = lines.iter().find(|line| line["query_id"] == id).unwrap();
        line["hits"].as_array().unwrap().iter().map(|hit| hit["path"].as_str().unwrap().to_owned()).collect()
    }
}

/// The questions about documents that can be read.
pub fn load(path: &Path) -> Vec<Golden> {
    let golden: Vec<Golden> =
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(golden.len() >= 80 && golden.iter().filter(|golden| golden.unanswerable).count() >= 8);
    let is_read = |golden: &Golden| golden.documents.iter().all(|path| format::by_extension(path).is_some());
    golden.into_iter().filter(is_read).collect()
}

fn report(tally: &Tally) {
    let of = |count: u32, all: u32| f64::from(count) / f64::from(all);
    println!(
        "sample: document in the first three {}/{}, phrase shown {}/{}, refused {}/{} unanswerable, {}/{} answerable",
        tally.document,
        tally.answerable,
        tally.phrase,
        tally.answerable,
        tally.refused,
        tally.unanswerable,
        tally.refused_wrongly,
        tally.answerable
    );
    assert!(of(tally.document, tally.answerable) >= MIN_DOCUMENT);
    assert!(of(tally.phrase, tally.answerable) >= MIN_PHRASE);
    assert!(of(tally.refused, tally.unanswerable) >= MIN_REFUSED);
    assert!(of(tally.refused_wrongly, tally.answerable) <= MAX_REFUSED_WRONGLY);
}

/// White space, table bars and letter case do not count.
fn squeezed(text: &str) -> String {
    let text = text.replace(['|', '*', '`'], " ").replace('’', "'").to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters and digits alone: a file's markup is not part of its words.
fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
