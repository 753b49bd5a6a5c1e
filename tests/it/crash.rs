//! kill -9: nothing acknowledged is lost, and the next run needs no help.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chatbotctl::index::SearchQuery;
use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::bot::{Client, TestBot, message};

const KILLS: usize = 10;
const DOCUMENTS: usize = 150;
const SECTIONS: usize = 4;

#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds take five working days.\n").unwrap();
    let flags = ["--model-backend", "stub"];
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for round in 0..KILLS {
        let bot = TestBot::start_with(folder.path(), &flags, &[("STUB_DELTA_MS", "1")]);
        let mut client = bot.client();
        assert_kept(&mut client, &acknowledged).await;
        let kept = write_until_killed(&mut client, bot, round + 3).await;
        assert!(kept.len() >= round + 3, "round {round} acknowledged only {}", kept.len());
        acknowledged.extend(kept);
    }
    let bot = TestBot::start(folder.path(), &flags);
    assert_kept(&mut bot.client(), &acknowledged).await;
}

/// Writes messages; kills the server as soon as `count` items were acknowledged, in the middle of an answer.
async fn write_until_killed(client: &mut Client, bot: TestBot, count: usize) -> Vec<(String, String)> {
    let mut bot = Some(bot);
    let mut acknowledged = Vec::new();
    while bot.is_some() {
        let params = json!({ "input": message("How long do refunds take?") });
        let Ok(response) = client.send("threads.create", params).await else { break };
        let mut events = response.bytes_stream().eventsource();
        while let Some(Ok(event)) = events.next().await {
            let event: Value = serde_json::from_str(&event.data).unwrap();
            if event["type"] == "thread.item.done" {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                acknowledged.push((text(&event["item"]["thread_id"]), text(&event["item"]["id"])));
            }
            if acknowledged.len() >= count
                && let Some(bot) = bot.take()
            {
                bot.kill();
            }
        }
    }
    acknowledged
}

async fn assert_kept(client: &mut Client, acknowledged: &[(String, String)]) {
    for (thread_id, item_id) in acknowledged {
        let page = client.call("items.list", json!({ "thread_id": thread_id })).await;
        let found = page["data"].as_array().unwrap().iter().any(|item| item["id"] == **item_id);
        assert!(found, "{item_id} of {thread_id} was acknowledged and is gone: {page}");
    }
}

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
