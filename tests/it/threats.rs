//! Every threat that concerns what exists is named by a test that guards it.
//!
//! The ids are those of the project's list of threats. A test names the ones it guards in its name (`h7_…`) or in the
//! comment above it (`H7: …`). What a test is worth nobody counts here: that is for whoever breaks the code once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The families, and which of their numbers concern what exists.
const GUARDED: [(&str, &[u8]); 7] = [
    ("H", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]),
    ("A", &[12, 15, 16, 17, 18, 19, 20]),
    ("D", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
    ("M", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("S", &[1, 2, 3, 4, 5, 8, 9, 11]),
    ("B", &[1, 2, 3, 4, 8]),
    ("C", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
];

#[test]
fn every_threat_is_named_by_a_test() {
    let tests = tests();
    assert!(tests.len() > 500, "only {} tests were found", tests.len());
    let mut guards = BTreeMap::<String, Vec<&str>>::new();
    for (family, numbers) in GUARDED {
        for number in numbers {
            let id = format!("{family}{number}");
            let found = tests.iter().filter(|test| test.names(&id)).map(|test| test.name.as_str()).collect();
            guards.insert(id, found);
        }
    }
    for (id, tests) in &guards {
        println!("{id}: {}", tests.join(", "));
    }
    let unguarded: Vec<&String> = guards.iter().filter(|(_, tests)| tests.is_empty()).map(|(id, _)| id).collect();
    assert!(unguarded.is_empty(), "no test names these threats: {unguarded:?}");
}

/// A test, and the comments and attributes above it.
struct Test {
    name: String,
    above: String,
}

impl Test {
    fn names(&self, id: &str) -> bool {
        let in_name = self.name.split('_').any(|word| word.eq_ignore_ascii_case(id));
        let in_comment = self.above.match_indices(id).any(|(at, _)| {
            let is_word = |text: Option<char>| text.is_some_and(char::is_alphanumeric);
            !is_word(self.above[..at].chars().next_back()) && !is_word(self.above[at + id.len()..].chars().next())
        });
        in_name || in_comment
    }
}

fn tests() -> Vec<Test> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    collect(&root.join("tests"), &mut files);
    files.iter().flat_map(|file| tests_of(&fs::read_to_string(file).unwrap())).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// Functions under an attribute that makes them tests, also those within `proptest!`; trials of `tests/hostile` are
/// functions of a table, so every function with a comment counts there.
fn tests_of(source: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut above = String::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("//") || line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            above.push_str(line);
            above.push('\n');
            continue;
        }
        let function = line.trim_start_matches("pub ").trim_start_matches("async ").strip_prefix("fn ");
        if let Some(name) = function.and_then(|rest| rest.split(['(', '<']).next())
            && is_test
        {
            tests.push(Test { name: name.to_owned(), above: std::mem::take(&mut above) });
        }
        if !line.is_empty() {
            above.clear();
            is_test = false;
        }
    }
    tests
}
