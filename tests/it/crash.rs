//! kill -9: nothing acknowledged is lost, and the next run needs no help.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chatbotctl::index::SearchQuery;
use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::bot::{Client, TestBot, message};
use crate::retrieval::variable;

const KILLS: usize = 10;
/// Kills of a server under load, and with `CHATBOTCTL_SLOW`.
const SERVER_KILLS: usize = 50;
const MANY_SERVER_KILLS: usize = 300;
const VISITORS: usize = 6;
/// A server is killed at a random moment after its first acknowledgement, this late at the most.
const LATEST_KILL_MS: u64 = 300;
/// S2: how long a start after a kill may take.
const READY_WITHIN: Duration = Duration::from_secs(5);
const DOCUMENTS: usize = 150;
const SECTIONS: usize = 4;

/// S1, S2, S3: after a kill at any moment, all that was acknowledged is there, once, whole and in order; what was deleted
/// stays deleted; the next start is quick and needs no help.
#[tokio::test(flavor = "multi_thread")]
async fn s1_s2_s3_a_killed_server_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds take five working days.\n").unwrap();
    let slow = variable("CHATBOTCTL_SLOW").is_some();
    let kills = if slow { MANY_SERVER_KILLS } else { SERVER_KILLS };
    let (mut all, mut latest) = (Kept::default(), Kept::default());
    let mut slowest = Duration::ZERO;
    for round in 0..kills {
        let started = Instant::now();
        let bot = start(folder.path());
        assert_eq!(bot.client().get("/knowledge/health").await.status(), 200);
        slowest = slowest.max(started.elapsed());
        latest.check(&mut bot.client()).await;
        check_integrity(folder.path());
        all.take(latest);
        latest = load_until_killed(bot, round).await;
    }
    assert!(slowest < READY_WITHIN, "{slowest:?} until it was ready");
    all.take(latest);
    let (threads, items) = (all.threads.len(), all.threads.values().map(Vec::len).sum::<usize>());
    println!("{kills} kills: {threads} threads, {items} items, {} deleted; ready in {slowest:?}", all.deleted.len());
    assert!(items > kills && all.deleted.len() > kills / 5, "there was hardly any load");
    let bot = start(folder.path());
    all.check(&mut bot.client()).await;
    check_integrity(folder.path());
}

fn start(folder: &Path) -> TestBot {
    TestBot::start_with(folder, &["--model-backend", "stub"], &[("RATE_LIMIT", "off")])
}

/// What was acknowledged.
#[derive(Default)]
struct Kept {
    /// Items (id and text) by thread, in the order of their acknowledgement.
    threads: BTreeMap<String, Vec<(String, String)>>,
    deleted: BTreeSet<String>,
}

impl Kept {
    fn take(&mut self, other: Self) {
        self.threads.extend(other.threads);
        self.deleted.extend(other.deleted);
    }

    /// Holds it against what a server says.
    async fn check(&self, client: &mut Client) {
        for (thread_id, acknowledged) in &self.threads {
            let page = client.call("items.list", json!({ "thread_id": thread_id, "order": "asc", "limit": 100 })).await;
            let found: Vec<(String, String)> = page["data"].as_array().unwrap().iter().map(id_and_text).collect();
            let kept: Vec<_> = found.iter().filter(|item| acknowledged.contains(item)).cloned().collect();
            assert_eq!(kept, *acknowledged, "{thread_id}: lost, torn, doubled or out of order; there is {found:?}");
            let questions: Vec<&str> =
                found.iter().map(|(_, text)| text.as_str()).filter(|text| text.starts_with("Question")).collect();
            assert_eq!(questions.iter().collect::<BTreeSet<_>>().len(), questions.len(), "{thread_id}: {questions:?}");
        }
        for thread_id in &self.deleted {
            let response = client.send("items.list", json!({ "thread_id": thread_id })).await.unwrap();
            assert_eq!(response.status(), 404, "{thread_id} was deleted and is back");
        }
    }
}

fn id_and_text(item: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&item["id"]), text(&item["content"][0]["text"]))
}

/// Some visitors write and delete until the server is killed; tells what was acknowledged to them.
async fn load_until_killed(bot: TestBot, round: usize) -> Kept {
    let (began, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let visitors: Vec<_> = (0..VISITORS)
        .map(|visitor| Visitor {
            client: bot.client(),
            round,
            number: visitor,
            kept: Kept::default(),
            began: began.clone(),
        })
        .map(|visitor| tokio::spawn(visitor.write_until_killed()))
        .collect();
    drop(began);
    has_begun.recv().await.unwrap();
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    // The moment is meant to be any: nothing is waited for.
    tokio::time::sleep(Duration::from_millis(u64::from_le_bytes(random) % LATEST_KILL_MS)).await;
    tokio::task::spawn_blocking(|| bot.kill()).await.unwrap();
    let mut kept = Kept::default();
    for visitor in visitors {
        kept.take(visitor.await.unwrap());
    }
    kept
}

/// Writes and deletes, and takes down what is acknowledged.
struct Visitor {
    client: Client,
    round: usize,
    number: usize,
    kept: Kept,
    began: tokio::sync::mpsc::UnboundedSender<()>,
}

impl Visitor {
    /// Threads of two exchanges each; every third is deleted after the first.
    async fn write_until_killed(mut self) -> Kept {
        for thread in self.number.. {
            if self.converse(thread).await.is_none() {
                break;
            }
        }
        self.kept
    }

    /// `None` when the server was killed meanwhile.
    async fn converse(&mut self, thread: usize) -> Option<()> {
        let Self { round, number, .. } = *self;
        let input = |part| message(&format!("Question {round}.{number}.{thread}.{part}: how long do refunds take?"));
        let thread_id = self.exchange("threads.create", json!({ "input": input(0) })).await?;
        if thread % 3 != 2 {
            let params = json!({ "thread_id": thread_id, "input": input(1) });
            return self.exchange("threads.add_user_message", params).await.map(drop);
        }
        // Without an answer it may be deleted or not: nothing was said.
        self.kept.threads.remove(&thread_id);
        let response = self.client.send("threads.delete", json!({ "thread_id": thread_id })).await.ok()?;
        assert_eq!(response.status(), 200);
        self.kept.deleted.insert(thread_id);
        Some(())
    }

    /// Asks and takes down what is acknowledged; `None` when the stream broke off.
    async fn exchange(&mut self, kind: &str, params: Value) -> Option<String> {
        let response = self.client.send(kind, params).await.ok()?;
        assert_eq!(response.status(), 200);
        let mut events = response.bytes_stream().eventsource();
        let mut answered = None;
        while let Some(event) = events.next().await {
            let event: Value = serde_json::from_str(&event.ok()?.data).unwrap();
            assert_ne!(event["type"], "error", "{event}");
            if event["type"] == "thread.item.done" {
                let thread_id = event["item"]["thread_id"].as_str().unwrap();
                self.kept.threads.entry(thread_id.to_owned()).or_default().push(id_and_text(&event["item"]));
                answered = (event["item"]["type"] == "assistant_message").then(|| thread_id.to_owned());
                // Nobody listens any more when the kill is under way.
                let _ = self.began.send(());
            }
        }
        answered
    }
}

/// By a connection of its own, while the server runs.
fn check_integrity(folder: &Path) {
    let path = folder.join(".chatbotctl/chatbotctl.db");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    for (pragma, wanted) in [("PRAGMA integrity_check", Some("ok")), ("PRAGMA foreign_key_check", None)] {
        let mut statement = database.prepare(pragma).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(rows.map(Result::unwrap).collect::<Vec<_>>(), Vec::from_iter(wanted), "{pragma}");
    }
}

/// D12: each document is old or new, never half.
#[tokio::test]
async fn a_killed_sync_leaves_whole_documents_and_the_next_finishes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    for round in 0..KILLS {
        write_documents(&data, round);
        let mut child = start_sync(folder.path());
        kill_after_commits(&mut child, &folder.path().join(".chatbotctl"), round % 4);
        assert_whole_documents(folder.path(), round).await;
    }
    let report = run_json(folder.path(), &["docs", "sync", "--yes"]);
    assert_eq!(report["problems"].as_array().unwrap().len(), 0, "{report}");
    assert_whole_documents(folder.path(), KILLS - 1).await;
    assert_eq!(paths(&indexed(folder.path())), on_disk(&data));
    let again = run_json(folder.path(), &["docs", "sync"]);
    assert_eq!((&again["added"], &again["updated"], &again["removed"]), (&json!(0), &json!(0), &json!(0)));
}

/// Every round changes every document and adds and removes some.
fn write_documents(data: &Path, round: usize) {
    for number in 0..DOCUMENTS {
        fs::write(data.join(format!("document-{number}.md")), document(&format!("document{number}"), round)).unwrap();
    }
    fs::write(data.join(format!("extra-{round}.md")), document(&format!("extra{round}"), round)).unwrap();
    if round > 0 {
        fs::remove_file(data.join(format!("extra-{}.md", round - 1))).unwrap();
    }
}

/// Sections enough for several chunks, each with the document's word and the round's marker.
fn document(word: &str, round: usize) -> String {
    let section =
        |section| format!("## Section {section}\n\nThe marker of {word} in part {section} is round{round}.\n");
    let sections: Vec<String> = (0..SECTIONS).map(section).collect();
    format!("# {word}\n\n{}", sections.join("\n"))
}

fn start_sync(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatbotctl"));
    command.env_clear().current_dir(folder).args(["docs", "sync", "--yes", "--quiet"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills the sync when it has committed so often, or lets it end when it does not commit that often.
fn kill_after_commits(child: &mut Child, state: &Path, commits: usize) {
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut seen = meta(state);
    let mut count = 0;
    while count < commits && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the sync goes on for ever");
        let now = meta(state);
        if now != seen {
            seen = now;
            count += 1;
        }
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();
}

/// The index's list of segments: another one is another commit.
fn meta(state: &Path) -> Option<Vec<u8>> {
    let folders = fs::read_dir(state).ok()?;
    let metas: Vec<PathBuf> = folders.flatten().map(|entry| entry.path().join("meta.json")).collect();
    metas.into_iter().find_map(|meta| fs::read(meta).ok())
}

/// Each document stands there once, with all its chunks, and wholly of one round: this one or an earlier one.
async fn assert_whole_documents(folder: &Path, round: usize) {
    let documents = indexed(folder);
    let mut seen = paths(&documents);
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count, "a document stands there twice: {documents:?}");
    let index = chatbotctl::index::open(&folder.join(".chatbotctl")).unwrap();
    for document in documents {
        let word = document["path"].as_str().unwrap().trim_end_matches(".md").replace('-', "");
        let query = SearchQuery { text: word, limit: 100, distinct_documents: false };
        let mut hits = index.search(&query).await.unwrap();
        hits.retain(|hit| document["document_id"] == *hit.chunk.document_id);
        let rounds: BTreeSet<&str> = hits.iter().map(|hit| round_of(&hit.chunk.text)).collect();
        assert_eq!(rounds.len(), 1, "{document} is of several rounds: {rounds:?}");
        let known: Vec<String> = (0..=round).map(|round| format!("round{round}.")).collect();
        assert!(rounds.iter().all(|round| known.iter().any(|known| known == round)), "{document}: {rounds:?}");
        let ordinals: BTreeSet<u32> = hits.iter().map(|hit| hit.chunk.ordinal).collect();
        assert_eq!((hits.len(), ordinals.len()), (SECTIONS, SECTIONS), "{document} lacks chunks or has too many");
        assert_eq!(document["chunks"], SECTIONS, "{document}");
    }
}

/// The marker in a chunk's text.
fn round_of(text: &str) -> &str {
    text.split_whitespace().find(|word| word.starts_with("round")).unwrap_or_else(|| panic!("no marker in `{text}`"))
}

fn indexed(folder: &Path) -> Vec<Value> {
    run_json(folder, &["docs", "list"])["documents"].as_array().unwrap().clone()
}

/// The paths of documents, sorted; one that is there twice stands there twice.
fn paths(documents: &[Value]) -> Vec<String> {
    let mut paths: Vec<String> =
        documents.iter().map(|document| document["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

fn on_disk(data: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn run_json(folder: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatbotctl"));
    let output = command.env_clear().current_dir(folder).args(arguments).args(["--format", "json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{arguments:?} printed no JSON ({error}): {}", String::from_utf8_lossy(&output.stderr))
    })
}
