//! The place that a citation names is where the quote stands in the real file, looked up by other programs than ours.
//!
//! `places/check.py` reads the files with Python's own modules and pdftotext and knows nothing of our readers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chatbotctl::docs::format;
use serde_json::{Value, json};

use crate::bot::TestBot;
use crate::golden::{self, Golden};

/// Of the answers that cite the right document, those that name the expected place.
const MIN_PLACE: f64 = 0.9;

#[tokio::test]
async fn every_quote_stands_where_its_citation_says() {
    if let Some(missing) = ["python3", "pdftotext"].into_iter().find(|program| !is_installed(program)) {
        println!("NOT RUN: quotes in the real files ({missing} is missing; install python3 and poppler-utils)");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = root.join("data");
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--docs-dir", docs.to_str().unwrap(), "--state-dir", folder.path().to_str().unwrap()];
    let bot = TestBot::start(folder.path(), &flags);
    let mut client = bot.client();
    let mut checks = Vec::new();
    let mut places = Places::default();
    for question in golden::load(&root.join("tests/golden/sample.jsonl")) {
        let answer = client.create(&question.question).await;
        let path = format!("/knowledge/threads/{}/citations", answer.thread_id);
        let body: Value = client.get(&path).await.json().await.unwrap();
        let citations = body["citations"].as_array().unwrap();
        places.take(&question, citations);
        checks.extend(citations.iter().map(|citation| to_check(citation, &docs)));
    }
    assert!(checks.len() > 60, "{} citations", checks.len());
    let answers = look_up(root, folder.path(), &checks);
    let wrong: Vec<String> = checks.iter().zip(&answers).filter_map(complaint).collect();
    assert!(wrong.is_empty(), "{} of {} quotes are elsewhere:\n{}", wrong.len(), checks.len(), wrong.join("\n"));
    assert_lookup_can_fail(root, folder.path(), &checks);
    report(&checks, &docs, &places);
}

/// Whether the expected places of the golden questions are named.
#[derive(Default)]
struct Places {
    right_document: u32,
    right_place: u32,
}

impl Places {
    fn take(&mut self, question: &Golden, citations: &[Value]) {
        let names: Vec<&str> = question.documents.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
        let mut from_it = citations.iter().filter(|citation| names.contains(&citation["filename"].as_str().unwrap()));
        let expected = question.place.as_object().unwrap();
        if expected.is_empty() || from_it.clone().next().is_none() {
            return;
        }
        self.right_document += 1;
        let fits = |citation: &Value| expected.iter().all(|(name, value)| citation[name] == *value);
        self.right_place += u32::from(from_it.any(fits));
    }
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("-h").output().is_ok()
}

fn to_check(citation: &Value, docs: &Path) -> Value {
    let mut check = citation.clone();
    let name = citation["filename"].as_str().unwrap();
    let file: PathBuf = golden::find(docs, name).unwrap_or_else(|| panic!("{name} is cited and not in the folder"));
    check["file"] = json!(file.to_str().unwrap());
    check
}

fn look_up(root: &Path, folder: &Path, checks: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = checks.iter().map(Value::to_string).collect();
    let list = folder.join("checks.jsonl");
    fs::write(&list, lines.join("\n")).unwrap();
    let script = root.join("tests/it/places/check.py");
    let output = Command::new("python3").arg("-I").arg(script).arg(&list).env("PYTHONUTF8", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), checks.len());
    answers
}

fn complaint((check, answer): (&Value, &Value)) -> Option<String> {
    let why = answer["why"].as_str()?;
    Some(format!("{}: {why}", check["filename"].as_str().unwrap()))
}

/// Words that are not there, and places that are not there, are refused for every single citation.
fn assert_lookup_can_fail(root: &Path, folder: &Path, checks: &[Value]) {
    let spoil = |check: &Value| {
        let quote = check["quote"].as_str().unwrap();
        let other_words = json!({ "quote": format!("{quote} xyzzy") });
        let other_place = if check["page"].is_u64() {
            json!({ "page": 999 })
        } else if check["slide"].is_u64() {
            json!({ "slide": 999 })
        } else if check["sheet"].is_string() {
            json!({ "sheet": "No such sheet" })
        } else if check["rows"].is_array() {
            json!({ "rows": [998, 999] })
        } else {
            json!({ "heading": "No such heading" })
        };
        [other_words, other_place].map(|change| {
            let mut spoiled = check.clone();
            spoiled.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            spoiled
        })
    };
    let spoiled: Vec<Value> = checks.iter().flat_map(spoil).collect();
    let answers = look_up(root, folder, &spoiled);
    let passed = spoiled.iter().zip(&answers).filter(|(_, answer)| answer["ok"] == true);
    let passed: Vec<&Value> = passed.map(|(check, _)| check).collect();
    assert!(passed.is_empty(), "these are false and were not noticed: {passed:#?}");
}

fn report(checks: &[Value], docs: &Path, places: &Places) {
    let extension =
        |name: &str| name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for check in checks {
        *counts.entry(extension(check["filename"].as_str().unwrap())).or_default() += 1;
    }
    println!("quotes found at their places: {counts:?}");
    println!(
        "expected place named in {} of {} answers that cite the document",
        places.right_place, places.right_document
    );
    for path in golden::files(docs) {
        let name = path.to_string_lossy();
        if format::by_extension(&name).is_some() {
            assert!(counts.contains_key(&extension(&name)), "no citation of a .{} file was checked", extension(&name));
        }
    }
    assert!(f64::from(places.right_place) >= MIN_PLACE * f64::from(places.right_document));
}
