//! A known secret never appears: not in output, logs, errors or files, whatever is run.

use std::fs;
use std::path::Path;

use chatbotctl::cli;
use chatbotctl::config::keys::KEYS;
use openai_stand_in::StandIn;

use crate::bot::TestBot;
use crate::sandbox::Sandbox;
use crate::vector_store::Account;

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

/// Runs of every command that need no account.
const LOCAL: [&[&str]; 26] = [
    &["env", "show"],
    &["env", "show", "--format", "json"],
    &["-vv", "docs", "sync", "--yes"],
    &["docs", "plan", "--format", "json"],
    &["docs", "status"],
    &["docs", "list", "--format", "jsonl"],
    &["docs", "search", "refund"],
    &["docs", "show", "returns.md"],
    &["docs", "show", "returns.md", "--rendition"],
    &["docs", "scan"],
    &["docs", "lint"],
    &["docs", "inventory"],
    &["docs", "measure", "questions.jsonl"],
    &["docs", "remove", "nothing.md"],
    &["-vv", "ask", "When do refunds come?"],
    &["-vv", "chat"],
    &["-vv", "serve", "--port", "0", "--model-backend", "openai"],
    &["-vv", "serve", "--port", "not-a-port"],
    &["conformance", "--url", "http://127.0.0.1:9"],
    &["usage", "--format", "json"],
    &["init", "other"],
    &["secret", "where", "OPENAI_API_KEY"],
    &["secret", "where", "VISITOR_KEY", "--format", "json"],
    &["completions", "bash"],
    &["man"],
    &["help", "exit-codes"],
];

/// Runs that ask the account, or the keyring that is not there. `STORE` stands for a store that is.
const OF_THE_ACCOUNT: [&[&str]; 22] = [
    &["-vv", "vector-store", "create", "another"],
    &["-vv", "vector-store", "list"],
    &["vector-store", "list", "--format", "json"],
    &["-vv", "vector-store", "show"],
    &["-vv", "vector-store", "update", "--metadata", "team=help"],
    &["-vv", "docs", "plan", "--to", "openai"],
    &["-vv", "docs", "sync", "--to", "openai", "--yes"],
    &["-vv", "docs", "sync", "--to", "openai", "--yes", "--format", "json"],
    &["-vv", "docs", "verify"],
    &["docs", "verify", "--format", "sarif"],
    &["-vv", "vector-store", "search", "refund"],
    &["-vv", "vector-store", "prune", "--yes"],
    &["-vv", "vector-store", "use", "STORE"],
    &["-vv", "vector-store", "use", "vs_nothing"],
    &["-vv", "ask", "When do refunds come?"],
    &["-vv", "init", "bot", "--import", "template", "--yes"],
    &["-vv", "vector-store", "delete", "--yes"],
    &["-vv", "vector-store", "delete", "--confirm", "docs", "--files"],
    &["-vv", "secret", "set", "OPENAI_API_KEY"],
    &["-vv", "secret", "get", "OPENAI_API_KEY"],
    &["-vv", "secret", "list"],
    &["-vv", "secret", "remove", "OPENAI_API_KEY", "--yes"],
];

#[test]
fn every_command_is_searched_for_secrets() {
    fn leaves(command: &clap::Command, words: &[String], found: &mut Vec<Vec<String>>) {
        if command.get_subcommands().next().is_none() {
            found.push(words.to_vec());
        }
        for sub in command.get_subcommands() {
            leaves(sub, &[words, &[sub.get_name().to_owned()]].concat(), found);
        }
    }
    let mut commands = Vec::new();
    leaves(&cli::command(), &[], &mut commands);
    assert!(commands.len() > 30, "{commands:?}");
    for words in commands {
        let runs_it = |run: &&&[&str]| run.iter().skip_while(|word| word.starts_with('-')).take(words.len()).eq(&words);
        assert!(LOCAL.iter().chain(&OF_THE_ACCOUNT).any(|run| runs_it(&run)), "{words:?} is not run here");
    }
}

/// C2: neither settings nor errors.
#[test]
fn commands_show_no_secret() {
    // A database that cannot be opened is an error of its own, which would keep the commands from running.
    for without in ["DATABASE_URL", ""] {
        let mut sandbox = Sandbox::new().file("data/returns.md", "# Returns\n\nRefunds take five working days.\n");
        for key in secrets().into_iter().filter(|key| *key != without) {
            sandbox = sandbox.env(key, value(key));
        }
        for arguments in LOCAL {
            let run = sandbox.run(arguments);
            assert!(!run.text().contains("5ca1ab1e"), "{arguments:?} shows a secret: {}", run.text());
        }
        let is_able = sandbox.run(["docs", "status"]).text().contains("settings/invalid");
        assert_eq!(is_able, without.is_empty(), "the settings must not keep the commands from running");
    }
}

/// C2: what is run here gets through with its key, is refused with a wrong one, and cannot get through a proxy that is not
/// there: none of the keys, and nothing of the proxy's address but its host, is ever told.
#[tokio::test]
async fn commands_of_an_account_show_no_secret() {
    let service = StandIn::start().await;
    let store = Account::new(&service).create("docs").await;
    let proxy = format!("http://bot:{SENTINEL}@127.0.0.1:9");
    for (key, proxy) in [(service.key(), ""), (SENTINEL, ""), (service.key(), proxy.as_str())] {
        let mut sandbox = Sandbox::new()
            .file("data/returns.md", "# Returns\n\nRefunds take five working days.\n")
            .file("template/backend/data/returns.md", "# Returns\n\nRefunds take five working days.\n")
            .file("template/backend/.env", format!("OPENAI_API_KEY={key}\nREDIS_URL=redis://:{SENTINEL}@x\n"));
        for name in secrets().into_iter().filter(|name| !matches!(*name, "OPENAI_API_KEY" | "DATABASE_URL")) {
            sandbox = sandbox.env(name, value(name));
        }
        let nowhere = format!("unix:path={}", sandbox.path("nowhere").display());
        let sandbox = sandbox
            .env("OPENAI_BASE_URL", service.base_url())
            .env("OPENAI_API_KEY", key)
            .env("OPENAI_PROXY", proxy)
            .env("VECTOR_STORE_ID", &store)
            .env("DBUS_SESSION_BUS_ADDRESS", nowhere);
        for arguments in OF_THE_ACCOUNT {
            let run = sandbox.run(arguments.iter().map(|word| if *word == "STORE" { store.as_str() } else { word }));
            let shows = run.text().contains("5ca1ab1e") || run.text().contains(service.key());
            assert!(!shows, "{arguments:?} shows a secret: {}", run.text());
            assert!(!run.text().contains("settings/invalid"), "{arguments:?} does not run: {}", run.text());
        }
        // The env file of the project is where the template's key belongs; nothing else has it.
        let taken = sandbox.path("bot/.env");
        if taken.exists() {
            fs::remove_file(taken).unwrap();
        }
        fs::remove_dir_all(sandbox.path("template")).unwrap();
        assert_no_file_holds(&sandbox.path(""), &["5ca1ab1e", service.key()]);
    }
    assert!(service.state().stores.iter().all(|left| left.id != store), "the runs with the right key got through");
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
    assert_no_file_holds(folder.path(), &["5ca1ab1e"]);
}

fn assert_no_file_holds(folder: &Path, secrets: &[&str]) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            assert_no_file_holds(&entry.path(), secrets);
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            let has = |secret: &&str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!secrets.iter().any(has), "{} holds a secret", entry.path().display());
        }
    }
}
