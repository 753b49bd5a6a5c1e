//! What ships: dependencies, their versions, and the bounds around parsers of hostile input (threats B1 to B4).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// B1: below these versions holes are known. Only what is used must reach them.
const AT_LEAST: [(&str, [u64; 3]); 7] = [
    ("h2", [0, 4, 16]),
    ("tracing-subscriber", [0, 3, 20]),
    ("quick-xml", [0, 41, 0]),
    ("lopdf", [0, 42, 0]),
    ("zip", [2, 3, 0]),
    ("sqlx", [0, 8, 1]),
    ("tokio-postgres", [0, 7, 18]),
];

/// B3: what parses bytes of strangers, as the words of a crate's name tell. Each must stand in the table of parsers.
const PARSER_WORDS: [&str; 16] = [
    "yaml",
    "xml",
    "html",
    "zip",
    "pdf",
    "csv",
    "mail",
    "calamine",
    "flate",
    "weezl",
    "infer",
    "chardet",
    "cmark",
    "image",
    "rtf",
    "eventsource",
];

/// B4: code of ours that decodes what strangers send, and so needs a property test beside it.
const DECODERS: [&str; 13] = [
    "src/chatkit",
    "src/config/dotenv.rs",
    "src/config/envfile.rs",
    "src/openai/list.rs",
    "src/openai/pace/rates.rs",
    "src/openai/responses",
    "src/docs/format",
    "src/docs/worker/protocol.rs",
    "src/docs/chunk",
    "src/serve/file/range.rs",
    "src/serve/preview",
    "src/index/hybrid/file.rs",
    "src/text",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every locked crate: its versions, and where it comes from.
fn locked() -> BTreeMap<String, Vec<(String, Option<String>)>> {
    let lock = read("Cargo.lock");
    let mut crates = BTreeMap::<String, Vec<_>>::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")))?;
            Some(line.trim_end_matches('"').to_owned())
        };
        crates.entry(value("name").unwrap()).or_default().push((value("version").unwrap(), value("source")));
    }
    crates
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// B1: no version with a known hole; each exception says why it stands and until when.
#[test]
fn b1_versions_with_known_holes_are_not_locked() {
    let locked = locked();
    for (name, least) in AT_LEAST {
        for (version, _) in locked.get(name).into_iter().flatten() {
            assert!(numbers(version) >= least.to_vec(), "{name} {version} is older than {least:?}");
        }
    }
    assert!(numbers("0.41.0") >= vec![0, 41, 0] && numbers("0.40.9") < vec![0, 41, 0]);
    let rules = read("deny.toml");
    for exception in rules.lines().filter(|line| line.contains("RUSTSEC-") && line.contains("id =")) {
        let date = exception.split_once("until ").map(|(_, rest)| &rest[..10]);
        let is_date = date.is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok());
        assert!(is_date && exception.contains("reason ="), "an exception without reason or end: {exception}");
    }
}

/// B2: one registry, a lock file that builds use unchanged, licences of a list.
#[test]
fn b2_everything_comes_locked_from_one_registry() {
    for (name, versions) in locked() {
        for (version, source) in versions {
            let is_ours = ["chatbotctl", "openai-stand-in"].contains(&name.as_str());
            let is_registry = source.as_deref() == Some("registry+https://github.com/rust-lang/crates.io-index");
            assert!(is_ours || is_registry, "{name} {version} comes from {source:?}");
        }
    }
    let run = read("tests/run");
    let unlocked = run.lines().filter(|line| {
        ["cargo clippy", "cargo test", "cargo build", "cargo nextest", "cargo doc"]
            .iter()
            .any(|command| line.contains(&format!(" {command}")))
            && !line.trim_start().starts_with('#')
            && !line.contains("--version")
            && !line.contains("--locked")
    });
    assert_eq!(unlocked.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(read("deny.toml").contains("[licenses]\n"));
}

/// B3: every parser of hostile input stands in ARCHITECTURE.md, with who answers for it and what bounds it.
#[test]
fn b3_parsers_of_hostile_input_have_an_owner_and_bounds() {
    let manifest = read("Cargo.toml");
    let direct = manifest.split_once("[dependencies]").unwrap().1.split_once("[dev-dependencies]").unwrap().0;
    let architecture = read("ARCHITECTURE.md");
    let table = architecture.split_once("## Parsers of hostile input").expect("the table of parsers").1;
    let parsers: Vec<&str> = direct
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.trim())
        .filter(|name| PARSER_WORDS.iter().any(|word| name.contains(word)))
        .collect();
    assert!(parsers.len() > 8, "{parsers:?}");
    for parser in parsers {
        let row = table.lines().find(|line| line.contains(&format!("`{parser}`")));
        let row = row.unwrap_or_else(|| panic!("`{parser}` has no row"));
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
    }
}

/// B4: no unsafe code of ours, and a property test beside every decoder.
#[test]
fn b4_no_unsafe_code_and_a_property_test_beside_every_decoder() {
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for decoder in DECODERS {
        let sources = sources(&root.join(decoder));
        assert!(!sources.is_empty(), "{decoder} is not there");
        let is_tested = sources.iter().any(|source| source.contains("proptest"));
        assert!(is_tested, "{decoder} has no property test");
    }
}

/// B8: whoever finds a hole can see where to report it, and what is supported.
#[test]
fn b8_security_says_where_to_report_and_what_is_supported() {
    let security = read("SECURITY.md");
    for heading in ["## Supported versions", "## Reporting"] {
        let text = security.split_once(heading).unwrap_or_else(|| panic!("no `{heading}`")).1.trim_start();
        assert!(text.split("\n## ").next().is_some_and(|text| text.len() > 50), "`{heading}` says nothing");
    }
}

/// The texts of a file, or of all Rust files of a folder.
fn sources(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![fs::read_to_string(path).unwrap()];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "rs"))
        .flat_map(|path| sources(&path))
        .collect()
}
