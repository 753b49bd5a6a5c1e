//! A known secret never appears: not in output, logs, errors or files, whatever is run.

use std::fs;
use std::path::Path;

use chatbotctl::config::keys::KEYS;

use crate::bot::TestBot;
use crate::sandbox::Sandbox;

/// Long enough for every rule about secrets.
const SENTINEL: &str = "sentinel-5ca1ab1e-0123456789abcdef0123456789abcdef";

fn secrets() -> Vec<&'static str> {
    let mut secrets: Vec<&str> = KEYS.iter().filter(|key| key.secret).map(|key| key.name).collect();
    // Its password is one.
    secrets.push("OPENAI_PROXY");
    assert!(secrets.len() >= 5, "{secrets:?}");
    secrets
}

/// A value that the key takes, with the sentinel where the secret is.
fn value(key: &str) -> String {
    match key {
        "DATABASE_URL" => format!("postgresql://bot:{SENTINEL}@db.example.com/bot"),
        "SENTRY_DSN" => format!("https://{SENTINEL}@sentry.example.com/1"),
        "OPENAI_PROXY" => format!("http://bot:{SENTINEL}@127.0.0.1:1"),
        _ => SENTINEL.to_owned(),
    }
}

/// C2: neither settings nor errors.
#[test]
fn commands_show_no_secret() {
    let runs: [&[&str]; 12] = [
        &["env", "show"],
        &["env", "show", "--format", "json"],
        &["-vv", "docs", "sync", "--yes"],
        &["docs", "plan", "--format", "json"],
        &["docs", "status"],
        &["docs", "list", "--format", "jsonl"],
        &["docs", "search", "refund"],
        &["docs", "show", "returns.md"],
        &["-vv", "ask", "When do refunds come?"],
        &["-vv", "serve", "--port", "0", "--model-backend", "openai"],
        &["-vv", "serve", "--port", "not-a-port"],
        &["help", "exit-codes"],
    ];
    // A database that cannot be opened is an error of its own, which would keep the commands from running.
    for without in ["DATABASE_URL", ""] {
        let mut sandbox = Sandbox::new().file("data/returns.md", "# Returns\n\nRefunds take five working days.\n");
        for key in secrets().into_iter().filter(|key| *key != without) {
            sandbox = sandbox.env(key, value(key));
        }
        for arguments in runs {
            let run = sandbox.run(arguments);
            assert!(!run.text().contains("5ca1ab1e"), "{arguments:?} shows a secret: {}", run.text());
        }
    }
}

/// C2: a service behind a proxy that is not there is told without the proxy's password and without the keys.
#[test]
fn commands_that_ask_the_service_show_no_secret() {
    let file = "# Returns\n\nRefunds take five working days.\n";
    let mut sandbox = Sandbox::new().file("data/returns.md", file).env("VECTOR_STORE_ID", "vs_1");
    for key in secrets().into_iter().filter(|key| *key != "DATABASE_URL") {
        sandbox = sandbox.env(key, value(key));
    }
    for arguments in [&["-vv", "vector-store", "list"], &["-vv", "ask", "When do refunds come?"]] {
        let run = sandbox.run(arguments);
        assert!(run.text().contains("proxy") || run.text().contains("connection"), "{}", run.text());
        assert!(!run.text().contains("5ca1ab1e"), "{arguments:?} shows a secret: {}", run.text());
    }
}

#[tokio::test]
async fn a_server_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds take five working days.\n").unwrap();
    let values: Vec<(&str, String)> =
        secrets().into_iter().filter(|key| *key != "DATABASE_URL").map(|key| (key, value(key))).collect();
    let mut variables: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
    variables.extend([("AUTH_MODE", "visitor"), ("LOG_LEVEL", "trace")]);
    let bot = TestBot::start_with(folder.path(), &[], &variables);
    let mut client = bot.client();
    let answer = client.create("When do refunds come?").await;
    let mut seen = format!("{answer:?}");
    for path in [
        "/",
        "/knowledge/health",
        "/knowledge/info",
        "/knowledge/documents",
        "/nothing",
        "/knowledge/threads/x/citations",
    ] {
        let response = client.get(path).await;
        seen.extend(response.headers().values().filter_map(|value| value.to_str().ok()));
        seen += &response.text().await.unwrap();
    }
    let (exit, log) = bot.terminate();
    assert_eq!(exit, 0);
    seen += &log;
    assert!(!seen.contains("5ca1ab1e"), "{seen}");
    assert_no_file_holds_it(folder.path());
}

fn assert_no_file_holds_it(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            assert_no_file_holds_it(&entry.path());
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            let found = bytes.windows(8).any(|window| window == b"5ca1ab1e");
            assert!(!found, "{} holds a secret", entry.path().display());
        }
    }
}
