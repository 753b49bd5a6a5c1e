//! Questions, answers, and everything that may come between.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::bot::{Bot, Browser, DATABASE, Mood, NOW, Setup, Step, events, input, types};
use crate::config::AuthMode;
use crate::model::thread::{
    AssistantMessage, ItemContent, Order, PageQuery, Principal, Thread, ThreadItem, ThreadStatus,
};
use crate::secret::Secret;
use crate::store;

const ORDER: &[&str] = &[
    "thread.created",
    "thread.item.done",
    "stream_options",
    "progress_update",
    "thread.updated",
    "thread.item.added",
    "assistant_message.content_part.added",
    "assistant_message.content_part.text_delta",
    "assistant_message.content_part.text_delta",
    "assistant_message.content_part.annotation_added",
    "assistant_message.content_part.done",
    "thread.item.done",
];

#[tokio::test]
async fn a_whole_conversation() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("What is the refund policy?").await;
    assert_eq!(types(&told), ORDER);
    let answer = &told.last().unwrap()["item"];
    assert_eq!(answer["content"][0]["text"], "Within 30 days.");
    let again =
        browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": input("And?")})).await;
    let without: Vec<&str> =
        ORDER.iter().copied().filter(|kind| !matches!(*kind, "thread.created" | "thread.updated")).collect();
    assert_eq!(types(&again), without);
    let history = bot.asked.lock().unwrap()[1].history.clone();
    assert_eq!(history.len(), 1);
    assert_eq!(
        (history[0].question.as_str(), history[0].answer.as_str()),
        ("What is the refund policy?", "Within 30 days.")
    );
    let items = browser.items(&thread_id).await;
    assert_eq!(items.len(), 4);
    assert_eq!(&items[1], answer, "what is stored is what was told");

    let renamed = browser.call("threads.update", json!({"thread_id": thread_id, "title": "Refunds ✅"})).await;
    assert_eq!(renamed["title"], "Refunds ✅");
    let listed = browser.call("threads.list", json!({})).await;
    assert_eq!(listed["data"][0], renamed);
    let answer_id = answer["id"].as_str().unwrap();
    let feedback = json!({"thread_id": thread_id, "item_ids": [answer_id], "kind": "positive"});
    assert_eq!(browser.call("items.feedback", feedback).await, json!({}));
    for _ in 0..2 {
        assert_eq!(browser.call("threads.delete", json!({"thread_id": thread_id})).await, json!({}));
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_retry_replaces_the_answer() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("q").await;
    let question_id = told[1]["item"]["id"].as_str().unwrap();
    browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": input("more")})).await;
    let told =
        browser.stream("threads.retry_after_item", json!({"thread_id": thread_id, "item_id": question_id})).await;
    assert_eq!(types(&told)[..2], ["stream_options", "progress_update"]);
    let items = browser.items(&thread_id).await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["id"], question_id);
    assert_eq!(items[1], told.last().unwrap()["item"]);
    assert!(bot.asked.lock().unwrap()[2].history.is_empty(), "a retried question does not see its own answer");
    let of_an_answer = json!({"thread_id": thread_id, "item_id": items[1]["id"]});
    let refused = browser.post(&json!({"type": "threads.retry_after_item", "params": of_an_answer})).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(browser.items(&thread_id).await, items);
    bot.stop().await;
}

#[tokio::test]
async fn pages_in_both_orders() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let (thread_id, _) = browser.ask("one").await;
    for text in ["two", "three"] {
        browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": input(text)})).await;
    }
    let all = browser.items(&thread_id).await;
    for order in ["asc", "desc"] {
        let mut seen = Vec::new();
        let mut after = Value::Null;
        loop {
            let params = json!({"thread_id": thread_id, "limit": 4, "order": order, "after": after});
            let page = browser.call("items.list", params).await;
            seen.extend(page["data"].as_array().unwrap().clone());
            assert_eq!(page["has_more"].as_bool().unwrap(), page.get("after").is_some());
            match page.get("after") {
                Some(cursor) => after = cursor.clone(),
                None => break,
            }
        }
        if order == "desc" {
            seen.reverse();
        }
        assert_eq!(seen, all);
    }
    let unknown = json!({"type": "items.list", "params": {"thread_id": thread_id, "after": "msg_gone"}});
    assert_eq!(browser.post(&unknown).await.status(), 400);
    bot.stop().await;
}

#[tokio::test]
async fn a_hang_up_keeps_what_there_is() {
    let bot = Bot::start(paused()).await;
    let browser = bot.browser().await;
    let (thread_id, response) = ask_until(&browser, "text_delta").await;
    drop(response);
    // The next message waits for the partial answer, so it need not be waited for here.
    let add = json!({"thread_id": thread_id, "input": input("again")});
    let next = browser.post(&json!({"type": "threads.add_user_message", "params": add})).await;
    assert_eq!(next.status(), 200);
    let items = browser.items(&thread_id).await;
    assert_eq!(items[1]["content"][0]["text"], "Within ");
    assert_eq!(items[2]["content"][0]["text"], "again", "the partial answer stands before the next message");
    bot.go_on();
    let told = events(&next.text().await.unwrap());
    assert_eq!(told.last().unwrap()["item"]["content"][0]["text"], "Within 30 days.");
    assert_eq!(bot.asked.lock().unwrap()[1].history[0].answer, "Within ");
    bot.stop().await;
}

#[tokio::test]
async fn one_answer_at_a_time() {
    let bot = Bot::start(paused()).await;
    let browser = bot.browser().await;
    let (thread_id, response) = ask_until(&browser, "text_delta").await;
    let add = json!({"thread_id": thread_id, "input": input("again")});
    let refused = browser.post(&json!({"type": "threads.add_user_message", "params": add})).await;
    assert_eq!(refused.status(), 409);
    let refused: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!(refused["error"]["code"], "conflict");
    assert_eq!(browser.items(&thread_id).await.len(), 1, "a refused message is not stored");
    let stranger = bot.browser().await;
    let foreign = stranger.post(&json!({"type": "threads.add_user_message", "params": add})).await;
    assert_eq!(foreign.status(), 404, "whether it is busy is nobody else's business");
    drop(response);
    bot.stop().await;
}

#[tokio::test]
async fn a_deleted_thread_stays_deleted() {
    let bot = Bot::start(paused()).await;
    let browser = bot.browser().await;
    let (thread_id, mut response) = ask_until(&browser, "text_delta").await;
    browser.call("threads.delete", json!({"thread_id": thread_id})).await;
    bot.go_on();
    let mut rest = String::new();
    while let Some(chunk) = response.next().await {
        rest.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let told = events(&rest);
    assert_eq!(*told.last().unwrap(), json!({"type": "error", "code": "stream.error", "allow_retry": false}));
    assert_eq!(browser.call("threads.list", json!({})).await["data"], json!([]));
    bot.stop().await;
}

#[tokio::test]
async fn failures_tell_nothing_and_store_nothing() {
    let scripts = [
        vec![Step::Fail],
        vec![Step::Text("Within "), Step::Fail],
        vec![],
        vec![Step::Text(" ")],
        vec![Step::Text("Within "), Step::Panic],
    ];
    for script in scripts {
        let bot = Bot::start(Setup { script, ..Setup::default() }).await;
        let browser = bot.browser().await;
        let (thread_id, told) = browser.ask("q").await;
        assert_eq!(*told.last().unwrap(), json!({"type": "error", "code": "stream.error", "allow_retry": true}));
        assert_eq!(browser.items(&thread_id).await.len(), 1);
        bot.stop().await;
    }
    let bot = Bot::usual().await;
    *bot.index.mood.lock().unwrap() = Mood::Fails;
    let (_, told) = bot.browser().await.ask("q").await;
    assert_eq!(types(&told).last(), Some(&"error"));
    assert!(!format!("{told:?}").contains("secret cause"));
    bot.stop().await;
}

#[tokio::test]
async fn a_stop_lets_answers_end() {
    let bot = Bot::start(paused()).await;
    let browser = bot.browser().await;
    let (_, mut response) = ask_until(&browser, "text_delta").await;
    bot.begin_stop();
    bot.go_on();
    let mut rest = String::new();
    while let Some(chunk) = response.next().await {
        rest.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(types(&events(&rest)).last(), Some(&"thread.item.done"));
    bot.stop().await;
}

#[tokio::test]
async fn a_stop_cuts_answers_that_do_not_end_and_keeps_what_there_is() {
    let setup = Setup { auth_mode: AuthMode::Off, grace: Duration::from_millis(50), ..paused() };
    let bot = Bot::start(setup).await;
    let browser = bot.browser().await;
    let (thread_id, mut response) = ask_until(&browser, "text_delta").await;
    bot.begin_stop();
    let mut rest = String::new();
    while let Some(chunk) = response.next().await {
        rest.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(*events(&rest).last().unwrap(), json!({"type": "error", "code": "stream.error", "allow_retry": true}));
    let folder = bot.stop().await;
    let store = store::open(&Secret::new(folder.path().join(DATABASE).to_str().unwrap())).await.unwrap();
    let page = PageQuery::new(None, Order::Desc, None);
    let items = store.items(&Principal { id: "local".to_owned() }, &thread_id, &page).await.unwrap();
    match &items.data[0].content {
        ItemContent::AssistantMessage(message) => assert_eq!(message.text, "Within "),
        _ => panic!("the partial answer is lost"),
    }
}

#[tokio::test]
async fn quoted_words_are_part_of_the_question() {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
    let browser = bot.browser().await;
    assert_eq!(browser.cookie, None, "without sign-in there is no cookie");
    let mut quoting = input("What does this mean?");
    quoting["quoted_text"] = json!("within 30 days");
    browser.stream("threads.create", json!({"input": quoting})).await;
    assert!(bot.asked.lock().unwrap()[0].question.ends_with("within 30 days"));
    bot.stop().await;
}

#[tokio::test]
async fn locked_threads_refuse_messages() {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
    let browser = bot.browser().await;
    let who = Principal { id: "local".to_owned() };
    let created_at = NOW.parse().unwrap();
    let thread = Thread {
        id: "thr_locked".to_owned(),
        created_at,
        title: None,
        title_is_users: false,
        status: ThreadStatus::Locked { reason: Some("paid".to_owned()) },
    };
    let greeting = ThreadItem {
        id: "msg_greeting".to_owned(),
        thread_id: thread.id.clone(),
        created_at,
        content: ItemContent::AssistantMessage(AssistantMessage::default()),
    };
    bot.store.create_thread(&who, &thread, &greeting).await.unwrap();
    let add = json!({"thread_id": thread.id, "input": input("q")});
    let refused = browser.post(&json!({"type": "threads.add_user_message", "params": add})).await;
    assert_eq!(refused.status(), 409);
    let thread = browser.call("threads.get_by_id", json!({"thread_id": "thr_locked"})).await;
    assert_eq!(thread["status"], json!({"type": "locked", "reason": "paid"}));
    bot.stop().await;
}

#[tokio::test]
async fn logs_hold_no_words_of_a_conversation() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With one subscriber alone, tracing takes the word of whichever test's thread meets a log line first.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let bot = Bot::start(Setup { script: vec![Step::Text("ANSWERED"), Step::Fail], ..Setup::default() }).await;
    let browser = bot.browser().await;
    let (thread_id, _) = browser.ask("ASKED").await;
    browser.call("threads.update", json!({"thread_id": thread_id, "title": "TITLED"})).await;
    browser.post(&json!({"type": "WRONG", "params": {}})).await;
    browser.get("/knowledge/threads/PATH/citations?item=QUERY").await;
    let cookie = browser.cookie.clone().unwrap();
    bot.stop().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for told in [
        "request answered",
        "/knowledge/threads/{thread_id}/citations",
        "answer ended",
        "duration_ms",
        "dropped_markers",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    for kept in ["ANSWERED", "ASKED", "TITLED", "WRONG", "PATH", "QUERY", cookie.split('=').next_back().unwrap()] {
        assert!(!log.contains(kept), "{kept}: {log}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A model that says one word and waits.
fn paused() -> Setup {
    Setup { script: vec![Step::Text("Within "), Step::Wait, Step::Text("30 days."), Step::Cite], ..Setup::default() }
}

type Chunks = futures_util::stream::BoxStream<'static, Vec<u8>>;

/// Asks in a new thread and reads until the stream holds `mark`.
async fn ask_until(browser: &Browser, mark: &str) -> (String, Chunks) {
    let request = json!({"type": "threads.create", "params": {"input": input("q")}});
    let response = browser.post(&request).await;
    let mut chunks = response.bytes_stream().map(|chunk| chunk.unwrap().to_vec()).boxed();
    let mut seen = String::new();
    while !seen.contains(mark) {
        seen.push_str(std::str::from_utf8(&chunks.next().await.unwrap()).unwrap());
    }
    let created = events(seen.split_inclusive("\n\n").next().unwrap());
    (created[0]["thread"]["id"].as_str().unwrap().to_owned(), chunks)
}
