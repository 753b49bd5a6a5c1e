//! What a turn may do to its thread: retries, two at once, threads that are deleted, locked or closed meanwhile.

use futures_util::StreamExt as _;
use futures_util::future::join;
use serde_json::{Value, json};

use super::bot::{Bot, Browser, Setup, Step, events, input, types, until};
use crate::config::AuthMode;
use crate::model::thread::{Principal, ThreadStatus};
use crate::store::StoreError;

/// A model with a stop before each of its words.
fn halting() -> Vec<Step> {
    vec![Step::Wait, Step::Text("Within "), Step::Wait, Step::Text("30 days."), Step::Wait, Step::Cite, Step::Wait]
}

const HALTS: usize = 4;

async fn local(script: Vec<Step>) -> Bot {
    Bot::start(Setup { auth_mode: AuthMode::Off, script, ..Setup::default() }).await
}

fn owner() -> Principal {
    Principal { id: "local".to_owned() }
}

#[tokio::test]
async fn a_retry_removes_what_follows_and_nothing_else() {
    let bot = local(super::bot::usual_script()).await;
    let browser = bot.browser().await;
    let (thread_id, _) = browser.ask("first question").await;
    let (other_id, _) = browser.ask("another thread").await;
    for text in ["second question", "third question"] {
        browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": input(text)})).await;
    }
    let before = browser.items(&thread_id).await;
    let other = browser.items(&other_id).await;
    let params = json!({"thread_id": thread_id, "item_id": before[2]["id"]});
    let told = browser.stream("threads.retry_after_item", params).await;
    let after = browser.items(&thread_id).await;
    assert_eq!(after[..3], before[..3], "all up to the retried question stays as it was");
    assert_eq!(after[3..], [told.last().unwrap()["item"].clone()], "then comes the new answer alone");
    assert_eq!(browser.items(&other_id).await, other);
    let question = bot.asked.lock().unwrap().last().unwrap().clone();
    assert_eq!((question.question.as_str(), question.history.len()), ("second question", 1));
    bot.stop().await;
}

#[tokio::test]
async fn a_refused_retry_removes_nothing() {
    let bot = local(super::bot::usual_script()).await;
    let browser = bot.browser().await;
    let (thread_id, _) = browser.ask("first question").await;
    browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": input("second")})).await;
    let before = browser.items(&thread_id).await;
    *bot.script.lock().unwrap() = halting();
    let add = json!({"thread_id": thread_id, "input": input("third")});
    let running = post(&browser, "threads.add_user_message", add).await;
    let retry = json!({"thread_id": thread_id, "item_id": before[0]["id"]});
    assert_eq!(post(&browser, "threads.retry_after_item", retry).await.status(), 409);
    let unknown = json!({"thread_id": thread_id, "item_id": "msg_00000000000000000000000000000000"});
    assert_eq!(post(&browser, "threads.retry_after_item", unknown).await.status(), 404);
    assert_eq!(browser.items(&thread_id).await[..4], before[..]);
    drop(running);
    bot.stop().await;
}

#[tokio::test]
async fn of_two_at_once_exactly_one_wins() {
    let bot = local(super::bot::usual_script()).await;
    let browser = bot.browser().await;
    let (thread_id, _) = browser.ask("first question").await;
    let question_id = browser.items(&thread_id).await[0]["id"].clone();
    *bot.script.lock().unwrap() = halting();
    let retry = ("threads.retry_after_item", json!({"thread_id": thread_id, "item_id": question_id}));
    let add = ("threads.add_user_message", json!({"thread_id": thread_id, "input": input("more")}));
    for (one, other) in [(&retry, &retry), (&add, &add), (&retry, &add), (&add, &retry)] {
        let before = browser.items(&thread_id).await.len();
        let answers = join(post(&browser, one.0, one.1.clone()), post(&browser, other.0, other.1.clone())).await;
        let mut statuses = [answers.0.status().as_u16(), answers.1.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} and {}", one.0, other.0);
        let during = browser.items(&thread_id).await.len();
        assert!(during == 1 || during == before + 1, "the refused one did nothing: {before}, then {during}");
        for _ in 0..HALTS {
            bot.go_on();
        }
        for answer in [answers.0, answers.1].into_iter().filter(|answer| answer.status() == 200) {
            assert_eq!(types(&events(&answer.text().await.unwrap())).last(), Some(&"thread.item.done"));
        }
    }
    bot.stop().await;
}

/// S3: a thread that was deleted stays deleted, at whatever stage its answer is and whoever still reads it.
#[tokio::test]
async fn a_thread_deleted_at_any_stage_stays_deleted() {
    let bot = local(halting()).await;
    let browser = bot.browser().await;
    for stage in 0..=HALTS {
        for leaves in [None, Some("before"), Some("after")] {
            let create = json!({"input": input("delete this")});
            let running = post(&browser, "threads.create", create).await;
            let mut chunks = running.bytes_stream().boxed();
            let mut seen = String::new();
            while !seen.contains("\n\n") {
                seen.push_str(std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap());
            }
            let created = events(seen.split_inclusive("\n\n").next().unwrap());
            let thread_id = created[0]["thread"]["id"].as_str().unwrap().to_owned();
            for _ in 0..stage {
                bot.go_on();
            }
            let mut chunks = Some(chunks);
            if leaves == Some("before") {
                drop(chunks.take());
            }
            assert_eq!(browser.call("threads.delete", json!({"thread_id": thread_id})).await, json!({}));
            if leaves == Some("after") {
                drop(chunks.take());
            }
            for _ in stage..HALTS {
                bot.go_on();
            }
            if let Some(mut chunks) = chunks {
                while let Some(chunk) = chunks.next().await {
                    seen.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
                }
                let told = events(&seen);
                let last = told.last().unwrap();
                let gone = json!({"type": "error", "code": "stream.error", "allow_retry": false});
                assert!(*last == gone || last["type"] == "thread.item.done", "stage {stage}: {last}");
            }
            until("the end of the answer", || bot.watch.running() == 0).await;
            let state = format!("stage {stage}, leaves {leaves:?}");
            assert_eq!(browser.call("threads.list", json!({})).await["data"], json!([]), "{state}");
            let left = bot.store.recent(&owner(), &thread_id, 10).await;
            assert!(matches!(left, Err(StoreError::NoSuchThread)), "{state}: {left:?}");
            bot.drain();
        }
    }
    bot.stop().await;
}

/// S3, M7: a model stops working for a thread that is gone, though it says nothing and its reader stays.
#[tokio::test]
async fn deleting_a_thread_ends_its_answer_at_once() {
    let script = vec![Step::Text("Within "), Step::Wait];
    let bot = Bot::start(Setup { script, ..Setup::default() }).await;
    let (browser, stranger) = (bot.browser().await, bot.browser().await);
    let running = post(&browser, "threads.create", json!({"input": input("delete this")})).await;
    until("a model at work", || bot.watch.running() == 1).await;
    let listed = browser.call("threads.list", json!({})).await;
    let thread_id = listed["data"][0]["id"].as_str().unwrap();
    stranger.call("threads.delete", json!({"thread_id": thread_id})).await;
    assert_eq!(browser.items(thread_id).await.len(), 1, "nobody else ends it");
    assert_eq!(bot.watch.running(), 1);
    browser.call("threads.delete", json!({"thread_id": thread_id})).await;
    // Nobody lets the model go on.
    until("the end of the model's work", || bot.watch.running() == 0).await;
    let told = events(&running.text().await.unwrap());
    assert_eq!(told.last().unwrap(), &json!({"type": "error", "code": "stream.error", "allow_retry": false}));
    assert_eq!(browser.call("threads.list", json!({})).await["data"], json!([]));
    bot.stop().await;
}

#[tokio::test]
async fn locked_and_closed_threads_take_no_turns_and_everything_else() {
    let bot = local(super::bot::usual_script()).await;
    let browser = bot.browser().await;
    let reason = || Some("paid".to_owned());
    let statuses =
        [("locked", ThreadStatus::Locked { reason: reason() }), ("closed", ThreadStatus::Closed { reason: reason() })];
    for (name, status) in statuses {
        let (thread_id, _) = browser.ask("first question").await;
        bot.store.set_status(&owner(), &thread_id, &status).await.unwrap();
        let items = browser.items(&thread_id).await;
        for (kind, params) in [
            ("threads.add_user_message", json!({"thread_id": thread_id, "input": input("more")})),
            ("threads.retry_after_item", json!({"thread_id": thread_id, "item_id": items[0]["id"]})),
        ] {
            let refused = post(&browser, kind, params).await;
            assert_eq!(refused.status(), 409, "{name}: {kind}");
            let refused: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
            assert_eq!(refused["error"]["code"], "conflict");
        }
        assert_eq!(browser.items(&thread_id).await, items, "{name}: nothing happened to it");
        let thread = browser.call("threads.get_by_id", json!({"thread_id": thread_id})).await;
        assert_eq!(thread["status"], json!({"type": name, "reason": "paid"}));
        browser.call("items.list", json!({"thread_id": thread_id})).await;
        let feedback = json!({"thread_id": thread_id, "item_ids": [items[1]["id"]], "kind": "positive"});
        browser.call("items.feedback", feedback).await;
        let renamed = browser.call("threads.update", json!({"thread_id": thread_id, "title": "Mine"})).await;
        assert_eq!(renamed["title"], "Mine");
        bot.store.set_status(&owner(), &thread_id, &ThreadStatus::Active).await.unwrap();
        browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": input("more")})).await;
        browser.call("threads.delete", json!({"thread_id": thread_id})).await;
        assert_eq!(post(&browser, "threads.get_by_id", json!({"thread_id": thread_id})).await.status(), 404);
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_first_exchange_gives_the_title_once() {
    let bot = local(super::bot::usual_script()).await;
    let browser = bot.browser().await;
    let titles = |told: &[Value]| -> Vec<Value> {
        let updates = told.iter().filter(|event| event["type"] == "thread.updated");
        updates.map(|event| event["thread"]["title"].clone()).collect()
    };
    let (thread_id, told) = browser.ask("Can I return this?").await;
    assert_eq!(titles(&told), ["Can I return this?"]);
    let again = json!({"thread_id": thread_id, "input": input("And that?")});
    assert!(titles(&browser.stream("threads.add_user_message", again).await).is_empty());

    // A greeting says nothing; the document that the answer cites does, after the answer.
    let (_, told) = browser.ask("Hello, I have a question").await;
    assert_eq!(titles(&told), ["Refund Policy"]);
    assert_eq!(types(&told)[types(&told).len() - 2..], ["thread.item.done", "thread.updated"]);

    // Without an answer there is nothing to name it after yet; the next question does it.
    *bot.script.lock().unwrap() = vec![Step::Text("The documents do not say."), Step::Refuse];
    let (thread_id, told) = browser.ask("hi").await;
    assert!(titles(&told).is_empty());
    let next = json!({"thread_id": thread_id, "input": input("Where is my parcel?")});
    assert_eq!(titles(&browser.stream("threads.add_user_message", next).await), ["Where is my parcel?"]);
    bot.stop().await;
}

#[tokio::test]
async fn a_visitors_title_stays() {
    let bot = local(halting()).await;
    let browser = bot.browser().await;
    let running = post(&browser, "threads.create", json!({"input": input("hello")})).await;
    let listed = browser.call("threads.list", json!({})).await;
    let thread_id = listed["data"][0]["id"].clone();
    browser.call("threads.update", json!({"thread_id": thread_id, "title": "My own"})).await;
    for _ in 0..HALTS {
        bot.go_on();
    }
    let told = events(&running.text().await.unwrap());
    assert!(!types(&told).contains(&"thread.updated"), "{told:?}");
    let thread = browser.call("threads.get_by_id", json!({"thread_id": thread_id})).await;
    assert_eq!(thread["title"], "My own");

    bot.stop().await;
}

async fn post(browser: &Browser, kind: &str, params: Value) -> reqwest::Response {
    browser.post(&json!({"type": kind, "params": params})).await
}
