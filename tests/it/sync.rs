//! `docs sync` where it could hurt: renames, ignore rules, removals, full and read-only disks, a server beside it, a
//! watch. Through the real program.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bot::TestBot;
use crate::sandbox::Sandbox;

const DEADLINE: Duration = Duration::from_mins(1);

/// A folder of so many documents, each with its own words.
fn sandbox(documents: usize) -> Sandbox {
    (0..documents).fold(Sandbox::new(), |sandbox, n| {
        sandbox.file(&format!("data/part{}/doc{n}.md", n % 3), format!("# Document {n}\n\nThe text of number {n}.\n"))
    })
}

fn counts(report: &Value) -> [u64; 5] {
    ["added", "updated", "removed", "unchanged", "renamed"].map(|name| report[name].as_u64().unwrap())
}

fn sync(sandbox: &Sandbox, code: i32, flags: &[&str]) -> Value {
    let args = ["docs", "sync", "--format", "json"].iter().chain(flags);
    sandbox.run(args).code(code).json()
}

#[test]
fn a_renamed_folder_is_told_as_such() {
    let sandbox = sandbox(9);
    sync(&sandbox, 0, &[]);
    fs::rename(sandbox.path("data/part1"), sandbox.path("data/moved")).unwrap();
    let plan = sandbox.run(["docs", "plan", "--format", "json"]).code(0).json();
    assert_eq!((&plan["question"], plan["update"].as_array().unwrap().len()), (&Value::Null, 3));
    let first = &plan["update"][0];
    assert_eq!((&first["path"], &first["moved_from"]), (&json!("moved/doc1.md"), &json!("part1/doc1.md")));
    assert_eq!((&first["renamed"], &first["reason"]), (&json!(true), &json!("renamed")));
    sandbox.run(["docs", "plan"]).code(0).says("renamed from part1/doc1.md");
    assert_eq!(counts(&sync(&sandbox, 0, &[])), [0, 3, 0, 6, 3]);
    sandbox.run(["docs", "search", "number 4"]).code(0).says("moved/doc4.md");
}

#[test]
fn rules_take_documents_out_and_a_whole_folder_needs_a_word() {
    let sandbox = sandbox(30);
    sync(&sandbox, 0, &[]);
    let sandbox = sandbox.file("data/.chatbotctlignore", "doc1.md\n{a,b\n");
    let report = sync(&sandbox, 1, &[]);
    assert_eq!(counts(&report), [0, 0, 1, 29, 0]);
    assert_eq!(report["problems"][0]["code"], "ignore/bad-rule");
    assert_eq!(
        report["skipped"],
        json!([{"path": "part1/doc1.md", "code": "ignored", "reason": "ignored by `doc1.md` in .chatbotctlignore"}])
    );
    let sandbox = sandbox.file("data/.chatbotctlignore", "/part2/\n");
    sandbox.run(["docs", "sync", "--yes"]).code(7).warns("10 of 29 documents").warns("--allow-delete");
    let report = sync(&sandbox, 0, &["--allow-delete"]);
    assert_eq!(counts(&report), [1, 0, 10, 19, 0]);
    assert_eq!(
        report["skipped"],
        json!([{"path": "part2", "code": "ignored", "reason": "ignored by `/part2/` in .chatbotctlignore"}])
    );
}

#[test]
fn an_unreadable_document_is_a_problem_and_no_work_to_do() {
    let sandbox = sandbox(2).file("data/broken.pdf", "%PDF-1.4 broken");
    sync(&sandbox, 1, &[]);
    let status = sandbox.run(["docs", "status", "--format", "json"]).code(1).json();
    assert_eq!(status["drift"], json!({"add": 0, "update": 0, "remove": 0}));
    assert_eq!(status["problems"][0]["code"], "document/malformed");
    sandbox.run(["docs", "plan", "--exit-code"]).code(0).says("broken.pdf: ");
    sandbox.run(["docs", "sync", "--retry-failed"]).code(1).warns("1 problem");
    assert_eq!(sync(&sandbox, 1, &[])["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn a_server_removes_nothing_much_by_itself() {
    let sandbox = sandbox(6);
    sync(&sandbox, 0, &[]);
    fs::remove_dir_all(sandbox.path("data/part1")).unwrap();
    let asked = sandbox.run(["ask", "What is the text of number 4?", "--yes"]).code(0);
    asked.warns("2 of 6 documents").warns("--allow-delete").warns("answering from what is indexed");
    let listed = sandbox.run(["docs", "list", "--format", "json"]).code(0).json();
    assert_eq!(listed["documents"].as_array().unwrap().len(), 6);
}

#[cfg(unix)]
#[test]
fn a_read_only_state_folder_can_be_searched_and_not_synced() {
    let sandbox = sandbox(3);
    sync(&sandbox, 0, &[]);
    let script = "mount --bind .chatbotctl .chatbotctl && mount -o remount,ro,bind .chatbotctl || exit 99
        set -x; \"$BOT\" docs search 'number 2'; echo $?; \"$BOT\" docs status; echo $?
        echo more >data/more.md; \"$BOT\" docs sync; echo $?; \"$BOT\" ask 'What is the text of number 2?'; echo $?";
    let Some((stdout, stderr)) = in_namespace(&sandbox, script) else {
        println!("NOT RUN: no mounts are allowed here, so no disk is read-only");
        return;
    };
    let codes: Vec<&str> = stdout.lines().filter(|line| line.parse::<i32>().is_ok()).collect();
    assert_eq!(codes, ["0", "0", "1", "0"], "{stdout}\n{stderr}");
    assert!(stdout.contains("part2/doc2.md") && stdout.contains("The text of number 2"), "{stdout}");
    assert!(stderr.contains("error[docs/state]") && stderr.contains("Read-only file system"), "{stderr}");
    assert_eq!(counts(&sync(&sandbox, 0, &[])), [1, 0, 0, 3, 0]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_ends_in_a_clear_error_and_an_intact_index() {
    let sandbox = sandbox(3);
    let script = "mkdir small && mount -t tmpfs -o size=1500k tmpfs small || exit 99
        \"$BOT\" docs sync --state-dir small -q; echo $?
        i=0; while [ $i -lt 60 ]; do head -c 60000 /dev/urandom | base64 >data/big$i.txt; i=$((i+1)); done
        \"$BOT\" docs sync --state-dir small -q; echo $?
        \"$BOT\" docs search 'number 2' --state-dir small; echo $?
        rm data/big*; df small >&2; \"$BOT\" docs sync --state-dir small; echo $?";
    let Some((stdout, stderr)) = in_namespace(&sandbox, script) else {
        println!("NOT RUN: no mounts are allowed here, so no disk is full");
        return;
    };
    let codes: Vec<&str> = stdout.lines().filter(|line| line.parse::<i32>().is_ok()).collect();
    assert_eq!(codes, ["0", "1", "0", "0"], "{stdout}\n{stderr}");
    assert!(stderr.contains("error[index/disk-full]") && stderr.contains("make room"), "{stderr}");
    assert!(stdout.contains("part2/doc2.md"), "{stdout}");
    assert!(stdout.contains(" removed, 3 unchanged") || stdout.contains("0 removed, 3 unchanged"), "{stdout}");
}

/// Runs a shell script in the sandbox with a file system of its own; none where that is not allowed (it ends with 99).
#[cfg(unix)]
fn in_namespace(sandbox: &Sandbox, script: &str) -> Option<(String, String)> {
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script])
        .current_dir(sandbox.path(""))
        .env("BOT", env!("CARGO_BIN_EXE_chatbotctl"));
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let is_refused = output.status.code() == Some(99) || text(&output.stderr).contains("unshare:");
    (!is_refused).then(|| (text(&output.stdout), text(&output.stderr)))
}

#[tokio::test]
async fn a_server_answers_during_a_sync_and_picks_up_its_result() {
    let sandbox = sandbox(3);
    let bot = TestBot::start(&sandbox.path(""), &[]);
    for n in 0..400 {
        let text = format!("# Tent {n}\n\nThe warranty of tent model{n} lasts {n} years.\n");
        fs::write(sandbox.path(format!("data/tent{n}.md")), text).unwrap();
    }
    let mut syncing = sandbox.command(["docs", "sync", "-q"]).stdout(Stdio::null()).spawn().unwrap();
    let mut client = bot.client();
    let mut answers = 0;
    // Every answer is whole: what was there before is there, and a cited document gives its file.
    loop {
        let ended = syncing.try_wait().unwrap();
        let answer = client.create("What is the text of number 2?").await;
        assert!(answer.text.contains("number 2"), "{answer:?}");
        let documents: Value = client.get("/knowledge/documents").await.json().await.unwrap();
        for document in documents["documents"].as_array().unwrap().iter().rev().take(3) {
            let id = document["id"].as_str().unwrap();
            assert_eq!(client.get(&format!("/knowledge/documents/{id}/file")).await.status(), 200);
        }
        answers += 1;
        if let Some(status) = ended {
            assert!(status.success());
            break;
        }
    }
    assert!(answers > 1, "the sync ended before a question was asked during it");
    let deadline = Instant::now() + DEADLINE;
    while !client.create("How long is the warranty of tent model399?").await.text.contains("399 years") {
        assert!(Instant::now() < deadline, "the result was not picked up");
    }
}

#[tokio::test]
async fn a_watching_server_follows_the_folder() {
    let sandbox = sandbox(3);
    let bot = TestBot::start(&sandbox.path(""), &["--watch"]);
    fs::write(sandbox.path("data/new.md"), "# Opening\n\nThe zebra house opens at nine.\n").unwrap();
    let mut client = bot.client();
    let deadline = Instant::now() + DEADLINE;
    while !client.create("When does the zebra house open?").await.text.contains("nine") {
        assert!(Instant::now() < deadline, "{}", bot.log());
    }
    let (exit, log) = bot.terminate();
    assert_eq!(exit, 0, "{log}");
}

/// A watch under way; its lines come one by one.
struct Watch {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Watch {
    fn start(sandbox: &Sandbox, flags: &[&str]) -> Self {
        let args = ["docs", "sync", "--watch", "--format", "jsonl", "-q"].iter().chain(flags);
        let mut child = sandbox.command(args).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> [u64; 5] {
        let line = self.lines.recv_timeout(DEADLINE).expect("a sync is told in time");
        counts(&serde_json::from_str(&line).unwrap())
    }

    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_watch_syncs_on_every_change_until_it_is_stopped() {
    for flags in [&[][..], &["--poll", "1"]] {
        let sandbox = sandbox(3);
        let watch = Watch::start(&sandbox, flags);
        assert_eq!(watch.next(), [3, 0, 0, 0, 0]);
        fs::create_dir(sandbox.path("data/sub")).unwrap();
        fs::write(sandbox.path("data/sub/new.md"), "New.").unwrap();
        assert_eq!(watch.next(), [1, 0, 0, 3, 0], "{flags:?}");
        fs::rename(sandbox.path("data/sub"), sandbox.path("data/other")).unwrap();
        assert_eq!(watch.next(), [0, 1, 0, 3, 1], "{flags:?}");
        assert_eq!(watch.interrupt(), Some(130));
    }
}

#[test]
fn a_watch_has_no_single_document() {
    let sandbox = sandbox(1);
    sandbox.run(["docs", "sync", "--watch", "--format", "json"]).code(2).warns("--format jsonl");
    sandbox.run(["docs", "sync", "--poll", "5"]).code(2).warns("--watch");
}
