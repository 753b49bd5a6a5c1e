//! What the server says is kept, is kept: a sync before every acknowledgement, honest words when the disk is full, and
//! one server on one database.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::bot::{Client, TestBot, message};
use crate::retrieval::variable;

const VISITORS: usize = 64;
const THREADS_EACH: usize = 5;
/// What one created thread writes, each on its own: the thread with its message, the title, the answer.
const WRITES_OF_A_THREAD: usize = 3;
const STUB: [&str; 2] = ["--model-backend", "stub"];
const UNLIMITED: [(&str, &str); 1] = [("RATE_LIMIT", "off")];

/// When something began and ended, since 1970.
#[derive(Debug, Clone, Copy)]
struct Span {
    began: Duration,
    ended: Duration,
}

/// S1: between the moment a request is sent and each of its acknowledgements, at least one sync of the log begins and
/// ends; and many requests share one.
#[tokio::test(flavor = "multi_thread")]
async fn s1_a_sync_covers_every_acknowledgement_and_many_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("syncs.txt");
    let Some(strace) = strace(&trace) else {
        println!("NOT RUN: syncs are not counted (strace is missing or may not trace; install strace)");
        return;
    };
    let bot = TestBot::start_by(strace, folder.path(), &STUB, &UNLIMITED);
    let visitors: Vec<_> = (0..VISITORS).map(|_| tokio::spawn(create_threads(bot.client()))).collect();
    let mut acknowledged = Vec::new();
    for visitor in visitors {
        acknowledged.extend(visitor.await.unwrap());
    }
    tokio::task::spawn_blocking(|| stop(bot)).await.unwrap();
    let syncs = syncs_of(&trace);
    assert_eq!(acknowledged.len(), VISITORS * THREADS_EACH * 2, "a message and an answer for each thread");
    for span in &acknowledged {
        let covers = |sync: &&Span| sync.began >= span.began && sync.ended <= span.ended;
        assert!(syncs.iter().any(|sync| covers(&sync)), "no sync within {span:?} of {} syncs", syncs.len());
    }
    let writes = VISITORS * THREADS_EACH * WRITES_OF_A_THREAD;
    println!("{} syncs of the log for {writes} writes at concurrency {VISITORS}", syncs.len());
    // How many depends on how fast they come; the store's own tests make them come at once.
    assert!(syncs.len() * 2 < writes, "{} syncs for {writes} writes", syncs.len());
}

/// The program under strace, which is no parent of it: signals reach the program itself. Each sync takes as long as on
/// a disk that turns: on one that takes no time nobody would wait, and nothing could be shared.
fn strace(trace: &Path) -> Option<Command> {
    let slow = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=10000"];
    let arguments = [&["-D", "-f", "--seccomp-bpf", "-ttt", "-T", "-y"], &slow[..], &["-o"]].concat();
    let can_trace = Command::new("strace")
        .args(["-f", "--seccomp-bpf"])
        .args(slow)
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    if !can_trace.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new(which("strace"));
    command.args(arguments).arg(trace).arg(env!("CARGO_BIN_EXE_chatbotctl"));
    Some(command)
}

/// Where a program is: the environment of what is started is empty.
fn which(program: &str) -> PathBuf {
    let paths = variable("PATH").unwrap_or_default();
    std::env::split_paths(&paths).map(|folder| folder.join(program)).find(|path| path.exists()).unwrap()
}

/// Creates threads one after the other; tells for each acknowledgement when its request was sent and when it came.
async fn create_threads(mut client: Client) -> Vec<Span> {
    let mut spans = Vec::new();
    for _ in 0..THREADS_EACH {
        let mut began = now();
        let response = client.send("threads.create", json!({ "input": message("How long?") })).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut events = response.bytes_stream().eventsource();
        while let Some(event) = events.next().await {
            let event: Value = serde_json::from_str(&event.unwrap().data).unwrap();
            if event["type"] == "thread.item.done" {
                spans.push(Span { began, ended: now() });
                // The answer is written after its message was acknowledged.
                began = now();
            }
        }
    }
    spans
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// The syncs of the database's log in a trace that has come to its end.
fn syncs_of(trace: &Path) -> Vec<Span> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut text = fs::read_to_string(trace).unwrap();
    while !text.lines().last().is_some_and(|line| line.contains("+++ exited")) {
        assert!(Instant::now() < deadline, "the trace does not end: {text}");
        std::thread::yield_now();
        text = fs::read_to_string(trace).unwrap();
    }
    let mut begun: Vec<(&str, Duration)> = Vec::new();
    let mut spans = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [thread, at, ..] = words[..] else { continue };
        let Ok(at) = at.parse().map(Duration::from_secs_f64) else { continue };
        if line.contains("-wal>") && line.contains("<unfinished") {
            begun.push((thread, at));
        } else if line.contains("resumed>") {
            if let Some(place) = begun.iter().position(|(who, _)| *who == thread) {
                spans.push(Span { began: begun.remove(place).1, ended: at });
            }
        } else if line.contains("-wal>") && line.contains("= 0 ") {
            let took = line.rsplit_once('<').and_then(|(_, rest)| rest.trim_end_matches('>').parse().ok());
            spans.push(Span { began: at, ended: at + Duration::from_secs_f64(took.unwrap()) });
        }
    }
    spans
}

/// S4: a server that may write no more says so, goes on reading, and goes on writing once it may again.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn s4_at_a_limit_of_file_size_it_reads_on_and_recovers() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let folder = tempfile::tempdir().unwrap();
    let bot = TestBot::start_with(folder.path(), &STUB, &UNLIMITED);
    let mut client = bot.client();
    let kept = client.create("How long do refunds take?").await;
    let log = folder.path().join(".chatbotctl/chatbotctl.db-wal");
    let limit = |bytes| {
        let pid = i32::try_from(bot.process_id()).ok().and_then(Pid::from_raw);
        let now = prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None });
        now.unwrap();
    };
    limit(Some(fs::metadata(log).unwrap().len()));
    assert_storage_trouble_and_reading(&mut client, &kept.thread_id).await;
    limit(None);
    let after = client.create("And now?").await;
    assert!(!after.item_id.is_empty(), "{:?}", after.events);
    assert_kept_after_restart(folder.path(), bot, &[&kept.thread_id, &after.thread_id]).await;
}

/// S4: the same on a disk that is really full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn s4_on_a_full_disk_it_reads_on_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=16m tmpfs \"$0\" && exec \"$@\"";
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let in_a_namespace = |last: &str| {
        let mut command = Command::new(which("unshare"));
        command.args(["--mount", "--map-root-user", "/bin/sh", "-c", mount]).arg(&disk).arg(last);
        command
    };
    if !in_a_namespace("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("NOT RUN: a full disk (no small file system can be mounted here); a limit of file size stands for it");
        return;
    }
    let state = disk.join("state");
    let flags = [&STUB[..], &["--state-dir", state.to_str().unwrap()]].concat();
    let path = variable("PATH").unwrap();
    let variables = [UNLIMITED[0], ("PATH", &path)];
    let program = in_a_namespace(env!("CARGO_BIN_EXE_chatbotctl"));
    let bot = TestBot::start_by(program, folder.path(), &flags, &variables);
    let mut client = bot.client();
    let kept = client.create("How long do refunds take?").await;
    let inside = PathBuf::from(format!("/proc/{}/root{}", bot.process_id(), disk.display()));
    let filler = inside.join("filler");
    fill(&filler);
    // What is free in pages that are begun already is used up first.
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.send("threads.create", json!({ "input": message("Still?") })).await.unwrap().status() == 200 {
        assert!(Instant::now() < deadline, "the disk does not become full");
    }
    assert_storage_trouble_and_reading(&mut client, &kept.thread_id).await;
    fs::remove_file(&filler).unwrap();
    let after = client.create("And now?").await;
    assert!(!after.item_id.is_empty(), "{:?}", after.events);
    let page = client.call("items.list", json!({ "thread_id": after.thread_id })).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    stop(bot);
}

/// Writes until no byte more can be written.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [64 * 1024, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

async fn assert_storage_trouble_and_reading(client: &mut Client, thread_id: &str) {
    for _ in 0..3 {
        let response = client.send("threads.create", json!({ "input": message("Now?") })).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["error"]["code"], "storage", "{body}");
        let page = client.call("items.list", json!({ "thread_id": thread_id })).await;
        assert_eq!(page["data"].as_array().unwrap().len(), 2, "{page}");
        assert_eq!(client.get("/knowledge/health").await.status(), 200, "it can still be read from");
    }
}

/// It stops by itself when told to, also after trouble.
fn stop(bot: TestBot) {
    let (_, log) = bot.terminate();
    assert!(log.lines().last().is_some_and(|line| line.contains("\"stopped\"")), "{log}");
}

async fn assert_kept_after_restart(folder: &Path, bot: TestBot, thread_ids: &[&str]) {
    stop(bot);
    let bot = TestBot::start_with(folder, &STUB, &UNLIMITED);
    for thread_id in thread_ids {
        let page = bot.client().call("items.list", json!({ "thread_id": thread_id })).await;
        assert_eq!(page["data"].as_array().unwrap().len(), 2, "{page}");
    }
}

/// S4: a server whose database is taken away says that it is not healthy, and does not pretend to keep anything.
#[tokio::test]
async fn s4_without_its_database_it_is_not_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let bot = TestBot::start_with(folder.path(), &STUB, &UNLIMITED);
    let mut client = bot.client();
    let kept = client.create("How long do refunds take?").await;
    let database = folder.path().join(".chatbotctl/chatbotctl.db");
    let away = folder.path().join("away.db");
    fs::rename(&database, &away).unwrap();
    let response = client.send("threads.create", json!({ "input": message("Now?") })).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(client.get("/knowledge/health").await.status(), 503);
    assert!(!database.exists(), "it makes no other one");
    fs::rename(&away, &database).unwrap();
    assert_eq!(client.get("/knowledge/health").await.status(), 200);
    let after = client.create("And now?").await;
    assert_kept_after_restart(folder.path(), bot, &[&kept.thread_id, &after.thread_id]).await;
}

/// S9: two servers with folders of their own and one database.
#[tokio::test]
async fn s9_a_second_server_on_one_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("shared.db").display());
    let variables = [("DATABASE_URL", url.as_str())];
    let bot = TestBot::start_with(folder.path(), &STUB, &variables);
    let second = Command::new(env!("CARGO_BIN_EXE_chatbotctl"))
        .env_clear()
        .envs(variables)
        .current_dir(folder.path())
        .args(["serve", "--port", "0", "--state-dir", "other"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(5), "{said}");
    assert!(said.contains("in use by another server"), "{said}");
    bot.client().create("Are you well?").await;
    bot.kill();
    let next = TestBot::start_with(folder.path(), &[&STUB[..], &["--state-dir", "other"]].concat(), &variables);
    next.client().create("And you?").await;
}
