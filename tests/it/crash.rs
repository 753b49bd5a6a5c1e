//! kill -9: nothing acknowledged is lost, and the next run needs no help.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::bot::{Client, TestBot, message};

const KILLS: usize = 10;

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

#[test]
fn a_killed_sync_leaves_whole_documents_and_the_next_finishes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    for round in 0..KILLS {
        write_documents(&data, round);
        let mut child = start_sync(folder.path());
        kill_after_commits(&mut child, &folder.path().join(".chatbotctl"), round % 4);
        assert_whole_documents(folder.path(), round);
    }
    let report = run_json(folder.path(), &["docs", "sync", "--yes"]);
    assert_eq!(report["problems"].as_array().unwrap().len(), 0, "{report}");
    assert_eq!(indexed(folder.path()), on_disk(&data));
    let again = run_json(folder.path(), &["docs", "sync"]);
    assert_eq!((&again["added"], &again["updated"], &again["removed"]), (&json!(0), &json!(0), &json!(0)));
}

/// Every round changes every document and adds and removes some.
fn write_documents(data: &Path, round: usize) {
    for number in 0..150 {
        let text = format!("# Document {number}\n\nThe marker of document{number} is round{round}.\n");
        fs::write(data.join(format!("document-{number}.md")), text).unwrap();
    }
    fs::write(data.join(format!("extra-{round}.md")), format!("# Extra {round}\n\nMore of round{round}.\n")).unwrap();
    if round > 0 {
        fs::remove_file(data.join(format!("extra-{}.md", round - 1))).unwrap();
    }
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

/// Each document is wholly of one round, this one or an earlier one.
fn assert_whole_documents(folder: &Path, round: usize) {
    let hits = run_json(folder, &["docs", "search", "marker of a document", "--top-k", "200"]);
    for hit in hits["hits"].as_array().unwrap() {
        let text = hit["text"].as_str().unwrap();
        assert!((0..=round).any(|round| text.contains(&format!("round{round}."))), "{hit}");
    }
    let paths: Vec<String> = indexed(folder).into_iter().collect();
    let unique: BTreeSet<&String> = paths.iter().collect();
    assert_eq!(paths.len(), unique.len());
}

fn indexed(folder: &Path) -> BTreeSet<String> {
    let list = run_json(folder, &["docs", "list"]);
    list["documents"].as_array().unwrap().iter().map(|document| document["path"].as_str().unwrap().to_owned()).collect()
}

fn on_disk(data: &Path) -> BTreeSet<String> {
    fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn run_json(folder: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatbotctl"));
    let output = command.env_clear().current_dir(folder).args(arguments).args(["--format", "json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{arguments:?} printed no JSON ({error}): {}", String::from_utf8_lossy(&output.stderr))
    })
}
