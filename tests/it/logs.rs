//! What the logs of a running server hold: one event a line, nothing that steers a terminal, no word of a visitor.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reqwest::Client;
use serde_json::{Value, json};

use crate::bot::{TestBot, message};

/// Whatever a visitor or a program sends holds this word; no log may.
const SENTINEL: &str = "zanzibarsentinel";

fn folder(document: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data").join(document), "# Returns\n\nRefunds take five days.\n").unwrap();
    folder
}

async fn post(bot: &TestBot, headers: &[(&str, &str)], body: &Value) -> String {
    let mut request = Client::new().post(format!("{}/knowledge/chatkit", bot.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("content-type", "application/json").body(body.to_string());
    request.send().await.unwrap().text().await.unwrap()
}

/// S11: at the finest level, nothing that was sent is in the log: messages, quotes, tags, titles, names of attached
/// files, results of tools, tokens, cookies, queries, paths, or bodies that are no requests at all.
#[tokio::test]
async fn no_word_of_a_visitor_reaches_the_log() {
    let folder = folder("returns.md");
    let settings = [
        ("LOG_LEVEL", "trace"),
        ("AUTH_MODE", "visitor"),
        ("MODEL_BACKEND", "stub"),
        ("STUB_DELTA_MS", "0"),
        ("OPS_ADDR", "127.0.0.1:0"),
        ("OPENAI_API_KEY", "sk-zanzibarsentinel"),
        ("VISITOR_KEY", "zanzibarsentinel-0123456789abcdef"),
        ("ADMIN_TOKEN", "zanzibarsentinel-0123456789abcdef"),
    ];
    let bot = TestBot::start_with(folder.path(), &["--format", "json"], &settings);
    let token = format!("Bearer {SENTINEL}");
    let cookie = format!("chatbot_visitor={SENTINEL}; other={SENTINEL}");
    let headers = [("authorization", token.as_str()), ("cookie", &cookie), ("x-request-id", "sentinel is no id")];
    let mut input = message(&format!("What is {SENTINEL}?"));
    input["quoted_text"] = json!(SENTINEL);
    input["content"].as_array_mut().unwrap().push(json!(
        {"type": "input_tag", "id": SENTINEL, "text": SENTINEL, "data": {SENTINEL: SENTINEL}}
    ));
    let answer = post(&bot, &headers, &json!({"type": "threads.create", "params": {"input": input}})).await;
    let thread = answer.split("\"thr_").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let thread_id = format!("thr_{thread}");
    let mut with_file = message(SENTINEL);
    with_file["attachments"] = json!([SENTINEL]);
    let requests = [
        json!({"type": "threads.update", "params": {"thread_id": thread_id, "title": SENTINEL}}),
        json!({"type": "threads.add_user_message", "params": {"thread_id": SENTINEL, "input": with_file}}),
        json!({"type": "threads.add_client_tool_output", "params": {"thread_id": thread_id, "result": SENTINEL}}),
        json!({"type": "threads.custom_action", "params": {"thread_id": thread_id, "action": {"type": SENTINEL, "payload": SENTINEL}}}),
        json!({"type": "attachments.create", "params": {"name": SENTINEL, "size": 1, "mime_type": SENTINEL}}),
        json!({"type": "input.transcribe", "params": {"audio_base64": SENTINEL, "mime_type": SENTINEL}}),
        json!({"type": SENTINEL, "params": SENTINEL}),
        json!(SENTINEL),
    ];
    for request in &requests {
        post(&bot, &headers, request).await;
    }
    let ops = bot.ops_url.clone().unwrap();
    for path in [
        "/knowledge/documents/zanzibarsentinel/file?zanzibarsentinel",
        "/zanzibarsentinel",
        "/knowledge/threads/zanzibarsentinel/citations?item=zanzibarsentinel",
    ] {
        for base in [&bot.url, &ops] {
            let request = Client::new().get(format!("{base}{path}")).header("authorization", &token);
            request.header("user-agent", SENTINEL).header("referer", SENTINEL).send().await.unwrap();
        }
    }
    let (_, log) = bot.terminate();
    assert!(log.contains("answer ended") && log.contains("wrong token") && log.contains("\"stopped\""), "{log}");
    assert!(!log.to_lowercase().contains(SENTINEL), "{log}");
    let mut lines = log.lines().skip_while(|line| !line.contains("\"serving\""));
    assert!(lines.all(|line| serde_json::from_str::<Value>(line).is_ok()), "one event a line: {log}");
}

/// M4, S11: what strangers choose (request ids, hosts, user agents, paths, methods, names of documents) makes no line
/// of its own and steers nothing.
#[cfg(unix)]
#[tokio::test]
async fn nothing_injects_into_the_log() {
    let name = "gift\n{\"level\":\"ERROR\",\"forged\":true}\u{1b}[31m\u{202e}\u{9b}2J.pdf";
    let requests: [&[u8]; 2] = [
        b"GET /%0a%7b%22level%22%1b%5b31m%e2%80%ae?%0d%e2%80%ae HTTP/1.1\r\nHost: \xe2\x80\xae\x9b\r\n\
          User-Agent: \xe2\x80\xae\x9b31m\r\nX-Request-Id: \x9b31m\xe2\x80\xae\r\nConnection: close\r\n\r\n",
        b"X!ERROR /%0aERROR%1b%e2%80%ae HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xe2\x80\xa8\r\n\
          X-Request-Id: a\tb\r\nConnection: close\r\n\r\n",
    ];
    for form in ["json", "text"] {
        let folder = folder("returns.md");
        // Told by its path at each sync.
        fs::write(folder.path().join("data").join(name), "%PDF-1.7\nbroken").unwrap();
        let settings = [("LOG_LEVEL", "trace"), ("LOG_FORMAT", form), ("OPS_ADDR", "127.0.0.1:0")];
        let bot = TestBot::start_with(folder.path(), &["--format", "json", "--watch"], &settings);
        for base in [bot.url.clone(), bot.ops_url.clone().unwrap()] {
            for request in requests {
                let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
                stream.write_all(request).unwrap();
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).unwrap();
                assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
            }
        }
        bot.wait_for(|log| log.contains("a document is not taken in").then_some(())).await;
        let (_, log) = bot.terminate();
        assert_eq!(log.matches("request answered").count(), 2, "{log}");
        assert_eq!(log.matches("operator answered").count(), 2, "{log}");
        let steers = |each: char| each != '\n' && (each.is_control() || "\u{202e}\u{2028}".contains(each));
        // Warnings to the terminal, before there is a server, are not the log; they are clean all the same.
        assert_eq!(log.chars().find(|&each| steers(each)), None, "{form}: {log}");
        let forged = |line: &str| line.starts_with("{\"level\":\"ERROR\",\"forged\"") || line.starts_with("ERROR");
        assert!(!log.lines().any(forged), "{form}: {log}");
    }
}

/// S11, C3: a log file is its owner's alone; nothing of the log goes to standard error then.
#[cfg(unix)]
#[tokio::test]
async fn a_log_file_has_the_lines_and_nobody_else_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder("returns.md");
    let bot = TestBot::start_with(folder.path(), &[], &[("LOG_FILE", "bot.log"), ("LOG_FORMAT", "text")]);
    reqwest::get(format!("{}/knowledge/info", bot.url)).await.unwrap();
    let (_, stderr) = bot.terminate();
    assert!(!stderr.contains("request answered"), "{stderr}");
    let path = folder.path().join("bot.log");
    let log = fs::read_to_string(&path).unwrap();
    assert!(log.contains("request answered") && log.ends_with("stopped\n"), "{log}");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// S4: a full disk under the log is no reason to stop answering; lost lines are counted.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_under_the_log_stops_nothing() {
    let folder = folder("returns.md");
    let settings = [("LOG_FILE", "/dev/full"), ("OPS_ADDR", "127.0.0.1:0")];
    let bot = TestBot::start_with(folder.path(), &["--format", "json"], &settings);
    for _ in 0..20 {
        let info = reqwest::get(format!("{}/knowledge/info", bot.url)).await.unwrap();
        assert_eq!(info.status(), 200);
    }
    let metrics = format!("{}/metrics", bot.ops_url.as_ref().unwrap());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        let lost = text.lines().find_map(|line| line.strip_prefix("chatbotctl_log_lines_lost_total "));
        if lost.is_some_and(|lost| lost.parse::<u64>().unwrap() >= 20) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{text}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    bot.terminate();
}
