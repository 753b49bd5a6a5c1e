//! `serve` as an operator runs it: the address, the settings it refuses, logs, a clean stop.

use std::fs;

use serde_json::{Value, json};

use crate::bot::TestBot;
use crate::sandbox::Sandbox;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let text = "# Returns\n\nRefunds reach your card within five working days. Gift cards take one day.\n";
    fs::write(folder.path().join("data/returns.md"), text).unwrap();
    folder
}

#[tokio::test]
async fn a_conversation_survives_a_clean_restart() {
    let folder = folder();
    let bot = TestBot::start(folder.path(), &[]);
    let mut client = bot.client();
    let first = client.create("When do refunds reach my card?").await;
    assert!(first.text.contains("five working days"), "{first:?}");
    assert_eq!(first.annotations.len(), 1);
    let second = client.add(&first.thread_id, "And gift cards?").await;
    assert!(second.text.contains("one day"), "{second:?}");
    let body: Value =
        client.get(&format!("/knowledge/threads/{}/citations", first.thread_id)).await.json().await.unwrap();
    assert_eq!(body["documentIds"], json!(["returns"]));
    assert_eq!(body["citations"][0]["heading"], "Returns");
    bot.logged(|line| line["http.route"] == "/knowledge/chatkit").await;
    assert!(!bot.log().contains("gift cards?"), "{}", bot.log());
    let (exit, log) = bot.terminate();
    assert_eq!(exit, 0);
    assert!(log.contains("\"serving\"") && log.contains("\"stopped\""), "{log}");
    let bot = TestBot::start(folder.path(), &[]);
    let thread = bot.client().call("threads.get_by_id", json!({ "thread_id": first.thread_id })).await;
    assert_eq!(thread["items"]["data"].as_array().unwrap().len(), 4);
    assert_eq!(thread["items"]["data"][1]["id"], *first.item_id);
}

#[tokio::test]
async fn visitors_see_their_own_threads_alone() {
    let folder = folder();
    let bot = TestBot::start_with(folder.path(), &[], &[("AUTH_MODE", "visitor")]);
    let (mut one, mut other) = (bot.client(), bot.client());
    let thread = one.create("When do refunds reach my card?").await.thread_id;
    other.create("What about gift cards?").await;
    let response = other.send("threads.get_by_id", json!({ "thread_id": thread })).await.unwrap();
    assert_eq!(response.status(), 404);
    let list = other.call("threads.list", json!({})).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_ne!(list["data"][0]["id"], *thread);
}

#[tokio::test]
async fn a_sync_beside_the_server_is_picked_up() {
    let folder = folder();
    let bot = TestBot::start(folder.path(), &[]);
    fs::write(folder.path().join("data/warranty.md"), "# Warranty\n\nTents have a warranty of seven years.\n").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_chatbotctl"))
        .env_clear()
        .current_dir(folder.path())
        .args(["docs", "sync"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut client = bot.client();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let answer = client.create("How long is the warranty of tents?").await;
        if answer.text.contains("seven years") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{answer:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[test]
fn what_may_not_be_served_is_refused_by_name() {
    let cases: [(&[&str], &str); 6] = [
        (&["MODEL_BACKEND=openai"], "openai"),
        (&["DATABASE_URL=postgresql://bot:hunter22@db/bot"], "postgresql"),
        (&["CHATBOTCTL_PROFILE=prod", "MODEL_BACKEND=stub"], "stub"),
        (&["CHATBOTCTL_PROFILE=prod", "RATE_LIMIT=off"], "RATE_LIMIT"),
        (&["CHATBOTCTL_PROFILE=prod", "AUTH_MODE=off"], "AUTH_MODE"),
        (&["CHATBOTCTL_PROFILE=prod", "CORS_ORIGINS=*"], "CORS_ORIGINS"),
    ];
    for (variables, name) in cases {
        let sandbox = variables.iter().fold(Sandbox::new(), |sandbox, variable| {
            let (key, value) = variable.split_once('=').unwrap();
            sandbox.env(key, value)
        });
        let run = sandbox.run(["serve", "--port", "0"]).code(3);
        assert!(run.stderr().contains(name), "{variables:?}: {}", run.stderr());
        assert!(!run.stderr().contains("hunter22"), "a password is shown");
        assert_eq!(run.stdout(), "");
    }
}

#[test]
fn a_taken_port_is_told_before_anything_else() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = Sandbox::new().run(["serve", "--port", &port]).code(5);
    assert!(run.stderr().contains(&port), "{}", run.stderr());
}
