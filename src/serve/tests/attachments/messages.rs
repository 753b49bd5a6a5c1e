//! Attachments of messages: whose, in which state, how many, and what the answer's reader is told.

use serde_json::json;

use super::{PNG, TEXT, announce, bot, delete, files, get_file, message, outcome, upload};
use crate::serve::attachments::text;
use crate::serve::tests::bot::{Bot, Browser, Setup, Step, until};

async fn create(browser: &Browser, ids: &[&str]) -> (u16, String) {
    let body = json!({"type": "threads.create", "params": {"input": message("q", ids)}});
    let response = browser.post(&body).await;
    if response.status() == 200 {
        assert!(response.text().await.unwrap().contains("thread.item.done"));
        return (200, String::new());
    }
    let (status, code, _) = outcome(response).await;
    (status, code)
}

/// A15, A16: only the caller's own, uploaded and unused attachments; a refusal comes before anything is made.
#[tokio::test]
async fn a_message_takes_only_what_is_the_callers_and_free() {
    let bot = bot().await;
    let (owner, other) = (bot.browser().await, bot.browser().await);
    let mine = upload(&owner, "a.md", TEXT).await;
    let foreign = upload(&other, "a.md", TEXT).await;
    let (_, _, announced) = outcome(announce(&owner, "b.md", 3).await).await;
    let pending = announced["id"].as_str().unwrap();
    let unknown = "atc_00000000000000000000000000000000";
    let many: Vec<String> = (0..11).map(|at| format!("atc_{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (ids, expected) in [
        (vec![unknown], (404, "not_found")),
        (vec![foreign.as_str()], (404, "not_found")),
        (vec![mine.as_str(), foreign.as_str()], (404, "not_found")),
        (vec![pending], (409, "conflict")),
        (vec![mine.as_str(), mine.as_str()], (400, "invalid_request")),
        (vec!["../../etc/passwd"], (404, "not_found")),
    ] {
        let (status, code) = create(&owner, &ids).await;
        assert_eq!((status, code.as_str()), expected, "{ids:?}");
    }
    assert_eq!(create(&owner, &many).await.0, 400, "too many");
    assert_eq!(owner.call("threads.list", json!({})).await["data"], json!([]), "no thread was left behind");
    assert_eq!(create(&owner, &[&mine]).await.0, 200);
    assert_eq!(create(&owner, &[&mine]).await, (409, "conflict".to_owned()), "it is that message's now");
    let (status, code, _) = delete(&owner, &mine).await;
    assert_eq!((status, code.as_str()), (409, "conflict"), "what a message has stays");
    assert_eq!(get_file(&owner, &mine, &[]).await.status(), 200);
    bot.stop().await;
}

/// S3: with a thread its files go, their text too; those of another visitor stay, though the bytes are the same.
#[tokio::test]
async fn files_go_with_their_thread() {
    let bot = bot().await;
    let (owner, other) = (bot.browser().await, bot.browser().await);
    let (mine, own_too) = (upload(&owner, "a.md", TEXT).await, upload(&owner, "b.png", PNG).await);
    let kept = upload(&other, "c.md", TEXT).await;
    assert_eq!(files(&bot).len(), 3, "two files and the text of one: {:?}", files(&bot));
    let told = owner.stream("threads.create", json!({"input": message("q", &[&mine, &own_too])})).await;
    let thread_id = told[0]["thread"]["id"].as_str().unwrap().to_owned();
    other.call("threads.delete", json!({"thread_id": thread_id})).await;
    assert_eq!(get_file(&owner, &own_too, &[]).await.status(), 200, "nobody else deletes them");
    owner.call("threads.delete", json!({"thread_id": thread_id})).await;
    assert_eq!(get_file(&owner, &mine, &[]).await.status(), 404);
    assert_eq!(get_file(&owner, &own_too, &[]).await.status(), 404);
    assert_eq!(get_file(&other, &kept, &[]).await.text().await.unwrap().as_bytes(), TEXT);
    assert_eq!(files(&bot).len(), 2, "the shared bytes and their text: {:?}", files(&bot));
    let (status, _, body) = delete(&other, &kept).await;
    assert_eq!((status, body), (200, json!({})));
    assert_eq!(files(&bot), Vec::<std::path::PathBuf>::new());
    bot.stop().await;
}

/// H19: an answer holds the text of its thread's files while it looks for something, not while it is told.
#[tokio::test]
async fn answers_that_are_being_told_keep_no_other_from_the_text() {
    let setup = Setup {
        attachments: Some(super::settings()),
        script: vec![Step::Text("Well "), Step::Wait],
        ..Setup::default()
    };
    let bot = Bot::start(setup).await;
    let browser = bot.browser().await;
    let mut running = Vec::new();
    for at in 1..=text::AT_ONCE + 1 {
        let id = upload(&browser, "a.md", TEXT).await;
        let create = json!({"type": "threads.create", "params": {"input": message("q", &[&id])}});
        running.push(browser.post(&create).await);
        until("an answer that is being told", || bot.watch.running() == at).await;
    }
    drop(running);
    bot.stop().await;
}

/// S3: what a retry removes goes with its files; those of the message that is answered again stay.
#[tokio::test]
async fn files_go_with_the_messages_that_a_retry_removes() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let (kept, removed) = (upload(&browser, "a.png", PNG).await, upload(&browser, "b.md", TEXT).await);
    let told = browser.stream("threads.create", json!({"input": message("q", &[&kept])})).await;
    let (thread_id, item_id) = (&told[0]["thread"]["id"], &told[1]["item"]["id"]);
    let add = json!({"thread_id": thread_id, "input": message("r", &[&removed])});
    browser.stream("threads.add_user_message", add).await;
    assert_eq!(files(&bot).len(), 3);
    browser.stream("threads.retry_after_item", json!({"thread_id": thread_id, "item_id": item_id})).await;
    assert_eq!(get_file(&browser, &removed, &[]).await.status(), 404);
    assert_eq!(get_file(&browser, &kept, &[]).await.status(), 200);
    assert_eq!(files(&bot).len(), 1, "its bytes and its text are gone: {:?}", files(&bot));
    bot.stop().await;
}

#[tokio::test]
async fn what_has_no_text_is_taken_and_told() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let (text, picture) = (upload(&browser, "a.md", TEXT).await, upload(&browser, "cat_[1].png", PNG).await);
    let told = browser.stream("threads.create", json!({"input": message("q", &[&text, &picture])})).await;
    let notices: Vec<_> = told.iter().filter(|event| event["type"] == "notice").collect();
    assert_eq!(notices.len(), 1, "{told:?}");
    assert_eq!(notices[0]["level"], "warning");
    assert!(notices[0]["message"].as_str().unwrap().starts_with("cat\\_\\[1\\].png: "), "{}", notices[0]);
    let asked = bot.asked.lock().unwrap().last().unwrap().hidden.clone();
    assert!(asked.len() == 1 && asked[0].contains("cat_[1].png"), "the model is told too: {asked:?}");
    let thread_id = told[0]["thread"]["id"].as_str().unwrap();
    let more =
        browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": message("r", &[])})).await;
    assert!(more.iter().all(|event| event["type"] != "notice"), "told once: {more:?}");
    bot.stop().await;
}
