//! Keeps the house in order: which module of the library may use which, and what stands only in its place.
//!
//! The matrix below is the one of `ARCHITECTURE.md`; a module is a file or folder directly under `src/`.
//! What the reader cannot see (an alias of a module, say) is for review.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use source::{code_only, functions, line_of, occurrences, references, without_tests};

/// The layers, lowest first. A module uses modules of lower layers only. Some rows wait for their modules.
const LAYERS: [&[&str]; 7] = [
    &["model", "event", "error", "exit", "secret", "clock", "text", "yaml"],
    &["config"],
    &["docs", "index", "llm", "openai", "store", "blobs", "chatkit"],
    &["answer", "ingest", "lint", "hosted", "probe", "checklist", "smoke", "golden", "load", "serve"],
    &["report", "ui"],
    &["app"],
    &["cli", "cmd"],
];

/// The only edges inside a layer, user first.
const WITHIN_A_LAYER: [(&str, &str); 9] = [
    ("index", "llm"),
    ("error", "exit"),
    ("event", "error"),
    ("serve", "answer"),
    ("lint", "ingest"),
    ("hosted", "ingest"),
    ("llm", "openai"),
    ("checklist", "probe"),
    ("cli", "cmd"),
];

/// Modules that use the lowest layer and nothing else.
const LEAVES_ONLY: [&str; 2] = ["report", "ui"];

/// Modules with named users, and the users.
const RESERVED: [(&str, &[&str]); 1] = [("app", &["cmd"])];

/// Text that stands in some modules only (none: nowhere), and why. Code under `#[cfg(test)]` is free of these.
const PLACES: [(&str, &[&str], &str); 13] = [
    ("println!", &["ui"], "only `ui` prints"),
    ("print!", &["ui"], "only `ui` prints"),
    ("eprintln!", &["ui"], "only `ui` prints"),
    ("eprint!", &["ui"], "only `ui` prints"),
    ("danger_accept", &[], "certificates are checked everywhere (C7)"),
    ("dbg!", &[], "it is for a moment at the desk"),
    ("env::var", &["main"], "`main` takes the one snapshot of the environment"),
    ("process::exit", &["lib"], "the exit code is returned; only a second signal may end the process at once"),
    ("todo!", &[], "unfinished work is an issue"),
    ("unimplemented!", &[], "unfinished work is an issue"),
    ("#[allow(", &[], "`#[expect(lint, reason)]` says why and ends when it is no longer needed"),
    ("#![allow(", &[], "`#[expect(lint, reason)]` says why and ends when it is no longer needed"),
    ("use super::", &[], "`use crate::x` shows the layer"),
];

#[test]
fn every_import_goes_down() {
    let files = rust_files("src");
    assert!(!files.is_empty(), "no source found");
    let mut findings = Vec::new();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| !is_root(&file.module)) {
        for (line, target) in references(&code_only(&file.text)) {
            graph.entry(file.module.clone()).or_default().insert(target.clone());
            if let Err(why) = judge(&file.module, &target) {
                findings.push(format!("{}:{line}: {why}", file.path));
            }
        }
    }
    let circular = circular(&graph);
    if !circular.is_empty() {
        findings.push(format!("a circle among {circular:?}"));
    }
    assert!(findings.is_empty(), "forbidden imports:\n{}", findings.join("\n"));
}

/// C7: nowhere are certificates left unchecked.
#[test]
fn everything_stands_in_its_place() {
    let findings: Vec<String> = rust_files("src").iter().flat_map(misplaced).collect();
    assert!(findings.is_empty(), "misplaced:\n{}", findings.join("\n"));
}

#[test]
fn no_test_is_ignored() {
    let findings: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|file| code_only(&file.text).contains("#[ignore"))
        .map(|file| file.path)
        .collect();
    assert!(findings.is_empty(), "ignored tests in {findings:?}: a test runs, or says why it could not");
}

#[test]
fn growth_is_seen() {
    let files = rust_files("src");
    let mut sizes: Vec<(usize, String)> =
        files.iter().map(|file| (file.text.lines().count(), file.path.clone())).collect();
    let mut functions: Vec<(usize, String)> = files
        .iter()
        .flat_map(|file| {
            functions(&code_only(&file.text))
                .into_iter()
                .map(|(line, name, lines)| (lines, format!("{name} ({}:{line})", file.path)))
        })
        .collect();
    println!("{}", top_ten("largest files, in lines", &mut sizes));
    println!("{}", top_ten("longest functions, in lines", &mut functions));
}

/// A source file, read.
struct SourceFile {
    /// Relative to the project, with `/`.
    path: String,
    /// The top-level module it belongs to.
    module: String,
    text: String,
}

/// All `.rs` files under a folder of the project, ordered by path.
fn rust_files(folder: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect_rust_files(&root.join(folder), &mut paths);
    paths.sort();
    paths.iter().map(|path| read_source(root, folder, path)).collect()
}

fn collect_rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder can be listed") {
        let path = entry.expect("a folder's entry can be read").path();
        if path.is_dir() {
            collect_rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn read_source(root: &Path, folder: &str, path: &Path) -> SourceFile {
    let relative = path.strip_prefix(root).expect("the file lies in the project");
    let path_text = relative.to_string_lossy().replace('\\', "/");
    let inside = path_text.strip_prefix(folder).unwrap_or(&path_text).trim_start_matches('/');
    let first = inside.split('/').next().unwrap_or(inside);
    SourceFile {
        module: first.strip_suffix(".rs").unwrap_or(first).to_owned(),
        text: fs::read_to_string(path).expect("a source file is UTF-8"),
        path: path_text,
    }
}

/// Whether module `from` may use module `to`; if not, why.
fn judge(from: &str, to: &str) -> Result<(), String> {
    if from == to {
        return Ok(());
    }
    let (Some(lower), Some(upper)) = (layer_of(to), layer_of(from)) else {
        return Err(format!("`{from}` uses `{to}`, and one of them is in no layer: give it a place in LAYERS"));
    };
    let reserved = RESERVED.iter().any(|(module, users)| *module == to && !users.contains(&from));
    let leaves_only = LEAVES_ONLY.contains(&from) && lower > 0;
    let goes_up = lower > upper || (lower == upper && !WITHIN_A_LAYER.contains(&(from, to)));
    if reserved || leaves_only || goes_up {
        return Err(format!("`{from}` (layer {upper}) may not use `{to}` (layer {lower})"));
    }
    Ok(())
}

/// Whether this is the top of the tree, which may use everything.
fn is_root(module: &str) -> bool {
    matches!(module, "main" | "lib")
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The modules that stand on a circle or lead to one: what is left when modules that use none of the others are
/// taken away again and again.
fn circular(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut left: BTreeSet<String> = graph.keys().cloned().collect();
    loop {
        let still: BTreeSet<String> =
            left.iter().filter(|&from| graph[from].iter().any(|to| to != from && left.contains(to))).cloned().collect();
        if still.len() == left.len() {
            return left;
        }
        left = still;
    }
}

/// What a file has that does not belong there.
fn misplaced(file: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        findings.push(format!("{}:1: begins without `//!`: say what the module is for", file.path));
    }
    if file.path.ends_with("/tests.rs") || file.path.contains("/tests/") {
        return findings;
    }
    let code = without_tests(&code_only(&file.text));
    for (text, places, why) in PLACES {
        if places.contains(&file.module.as_str()) {
            continue;
        }
        for at in occurrences(&code, text) {
            findings.push(format!("{}:{}: `{text}`: {why}", file.path, line_of(&code, at)));
        }
    }
    findings
}

fn top_ten(title: &str, rows: &mut [(usize, String)]) -> String {
    rows.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
    rows.iter().take(10).fold(format!("{title}:"), |mut text, (lines, name)| {
        let _ = write!(text, "\n{lines:>6}  {name}");
        text
    })
}

fn file(module: &str, text: &str) -> SourceFile {
    SourceFile { path: format!("src/{module}/x.rs"), module: module.to_owned(), text: text.to_owned() }
}

#[test]
fn edges_go_down_only() {
    for (from, to) in [("answer", "index"), ("serve", "answer"), ("cmd", "app"), ("ui", "event"), ("cli", "cmd")] {
        assert_eq!(judge(from, to), Ok(()), "{from} -> {to}");
    }
    for (from, to) in [
        ("model", "config"),
        ("index", "docs"),
        ("ingest", "answer"),
        ("answer", "serve"),
        ("answer", "ui"),
        ("ui", "config"),
        ("report", "ui"),
        ("cli", "app"),
        ("cmd", "cli"),
        ("cmd", "lib"),
        ("cmd", "utils"),
    ] {
        assert!(judge(from, to).is_err(), "{from} -> {to}");
    }
}

#[test]
fn a_circle_is_found() {
    let edge = |to: &str| BTreeSet::from([to.to_owned()]);
    let mut graph = BTreeMap::from([("a".to_owned(), edge("b")), ("b".to_owned(), edge("c"))]);
    assert!(circular(&graph).is_empty());
    graph.insert("c".to_owned(), edge("a"));
    assert_eq!(circular(&graph).len(), 3);
}

#[test]
fn misplaced_things_are_found() {
    for text in ["println!(\"x\")", "std::env::var(\"A\")", "std::process::exit(1)", "todo!()", "#[allow(dead_code)]"] {
        assert_eq!(misplaced(&file("answer", &format!("//! Doc.\n{text}"))).len(), 1, "{text}");
    }
    assert_eq!(misplaced(&file("answer", "fn f() {}")).len(), 1);
    assert_eq!(misplaced(&file("ui", "//! Doc.\neprintln!(\"x\")")), Vec::<String>::new());
    let in_a_test = "//! Doc.\n#[cfg(test)]\nmod tests { use super::x; fn f() { println!(\"x\") } }";
    assert_eq!(misplaced(&file("answer", in_a_test)), Vec::<String>::new());
}
