//! Search quality on sets with relevance judgements: a long gate, run by `tests/run --slow`.
//!
//! `CHATBOTCTL_RETRIEVAL_SETS` names a folder with one folder a set: `corpus.jsonl` (`id`, `title`, `text`),
//! `queries.jsonl` (`id`, `text`) and `qrels.tsv` (query, document, gain; one header line).

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The sets that have a floor, and nDCG@10 that must be reached.
const FLOORS: [(&str, f64); 3] = [("product-docs", 0.765), ("cranfield", 0.393), ("xquad-en", 0.971)];

#[test]
fn search_reaches_its_floors() {
    let slow = variable("CHATBOTCTL_SLOW").is_some();
    let sets = variable("CHATBOTCTL_RETRIEVAL_SETS").filter(|_| slow);
    let Some(sets) = sets else {
        println!("NOT RUN: search quality (tests/run --slow with CHATBOTCTL_RETRIEVAL_SETS=FOLDER)");
        return;
    };
    for (name, floor) in FLOORS {
        let reached = measure(&Path::new(&sets).join(name));
        println!("{name}: nDCG@10 {reached:.4}, floor {floor}");
        assert!(reached >= floor, "{name}: nDCG@10 is {reached:.4}, below {floor}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the run tells the test binary by variables what is at hand")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn measure(set: &Path) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    for document in lines(&set.join("corpus.jsonl")) {
        let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        let page = format!("# {}\n\n{}\n", text("title"), text("text"));
        fs::write(data.join(format!("{}.md", text("id"))), page).unwrap();
    }
    // A set may hold an empty document, which is a named problem; the others are indexed.
    run(folder.path(), &["docs", "sync", "--yes", "--quiet"]);
    let queries = set.join("queries.jsonl");
    let search = ["docs", "search", "--queries", queries.to_str().unwrap(), "--top-k", "10", "--format", "jsonl"];
    let ranked: HashMap<String, Vec<String>> = run(folder.path(), &search).lines().map(ranking).collect();
    let judged = judgements(&set.join("qrels.tsv"));
    let total: f64 =
        judged.iter().map(|(query, gains)| ndcg(gains, ranked.get(query).map_or(&[], Vec::as_slice))).sum();
    total / f64::from(u32::try_from(judged.len()).unwrap())
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatbotctl"));
    let output = command.env_clear().current_dir(folder).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn ranking(line: &str) -> (String, Vec<String>) {
    let line: Value = serde_json::from_str(line).unwrap();
    let path = |hit: &Value| hit["path"].as_str().unwrap().trim_end_matches(".md").to_owned();
    (line["query_id"].as_str().unwrap().to_owned(), line["hits"].as_array().unwrap().iter().map(path).collect())
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn judgements(path: &Path) -> HashMap<String, HashMap<String, f64>> {
    let mut judged: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for line in fs::read_to_string(path).unwrap().lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        judged.entry(cells[0].to_owned()).or_default().insert(cells[1].to_owned(), cells[2].parse().unwrap());
    }
    judged.retain(|_, gains| gains.values().any(|gain| *gain > 0.0));
    judged
}

/// Normalised discounted cumulative gain of the first ten, with linear gain.
fn ndcg(gains: &HashMap<String, f64>, ranked: &[String]) -> f64 {
    let discount = |rank: u32| f64::from(rank + 2).log2();
    let at = |ranks: &mut dyn Iterator<Item = f64>| -> f64 {
        (0_u32..10).zip(ranks).map(|(rank, gain)| gain / discount(rank)).sum()
    };
    let found = at(&mut ranked.iter().map(|id| gains.get(id).copied().unwrap_or(0.0)));
    let mut best: Vec<f64> = gains.values().copied().filter(|gain| *gain > 0.0).collect();
    best.sort_by(|one, other| other.total_cmp(one));
    found / at(&mut best.into_iter())
}
