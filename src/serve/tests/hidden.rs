//! M9: context for the model alone never leaves, whatever is asked, in whatever pieces.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::bot::{Bot, Browser, NOW, Setup, input};
use crate::config::AuthMode;
use crate::llm::ChatModel;
use crate::llm::stub::Stub;
use crate::model::item::HiddenContext;
use crate::model::thread::{AssistantMessage, ItemContent, Principal, Thread, ThreadItem, ThreadStatus};

const SECRET: &str = "SECRET";

/// M9, H27: with any mix of hidden items, every page size and both orders, pages hold the visible items, all of them
/// once, in order, and no cursor is a hidden item's. All times are equal, so the order is not theirs.
#[test]
fn pages_hold_what_is_visible_and_nothing_else() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (bot, browser) = runtime.block_on(async {
        let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
        let browser = bot.browser().await;
        (bot, browser)
    });
    let mut runner = TestRunner::new(Config { cases: 16, failure_persistence: None, ..Config::default() });
    let mixes = proptest::collection::vec(prop_oneof![Just('v'), Just('h'), Just('s')], 1..12);
    runner
        .run(&mixes, |mix| {
            runtime.block_on(async {
                let thread = fill(&bot, &mix).await;
                let visible: Vec<String> = ids(&thread.id, &mix, |kind| kind == 'v');
                for (order, limit) in (1..=mix.len() + 1).flat_map(|limit| [("asc", limit), ("desc", limit)]) {
                    let mut seen = walk(&browser, &thread.id, (order, limit)).await;
                    if order == "desc" {
                        seen.reverse();
                    }
                    prop_assert_eq!(&seen, &visible, "{} {} {:?}", order, limit, mix);
                }
                Ok(())
            })
        })
        .unwrap();
    runtime.block_on(bot.stop());
}

#[tokio::test]
async fn no_operation_tells_of_hidden_items() {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
    let browser = bot.browser().await;
    let thread = fill(&bot, &['h', 'v', 's', 'v', 'h']).await;
    let hidden = ids(&thread.id, &['h', 'v', 's', 'v', 'h'], |kind| kind != 'v');
    let whole = browser.call("threads.get_by_id", json!({"thread_id": thread.id})).await;
    assert_eq!(whole["items"]["data"].as_array().unwrap().len(), 2);
    let told = browser.stream("threads.add_user_message", json!({"thread_id": thread.id, "input": input("q")})).await;
    assert_eq!(bot.asked.lock().unwrap()[0].hidden.len(), 3, "the model has them");
    let threads = browser.call("threads.list", json!({})).await;
    let listed = browser.call("items.list", json!({"thread_id": thread.id})).await;
    let citations = browser.get(&format!("/knowledge/threads/{}/citations", thread.id)).await.text().await.unwrap();
    for answer in [whole, json!(told), threads, listed, json!(citations)] {
        tells_nothing(&answer.to_string());
    }
    for item_id in &hidden {
        let with = |extra: Value| {
            let mut params = extra;
            params["thread_id"] = json!(thread.id);
            params
        };
        for (kind, params, status) in [
            ("items.list", with(json!({"after": item_id})), 400),
            ("threads.retry_after_item", with(json!({"item_id": item_id})), 404),
            ("items.feedback", with(json!({"item_ids": [item_id], "kind": "positive"})), 404),
            ("threads.add_structured_input", with(json!({"item_id": item_id, "input": {}})), 404),
            ("threads.custom_action", with(json!({"item_id": item_id, "action": {"type": "a"}})), 404),
            ("threads.sync_custom_action", with(json!({"item_id": item_id, "action": {"type": "a"}})), 404),
        ] {
            let answer = browser.post(&json!({"type": kind, "params": params})).await;
            assert_eq!(answer.status(), status, "{kind}: it is not known to exist");
            tells_nothing(&answer.text().await.unwrap());
        }
        let path = format!("/knowledge/threads/{}/citations?item={item_id}", thread.id);
        assert_eq!(browser.get(&path).await.status(), 404);
    }
    bot.stop().await;
}

/// M9: a hidden item is not told as it comes, and one that stands after a tool's call does not hide that it waits.
#[tokio::test]
async fn hidden_items_come_and_stand_unseen() {
    let model: Arc<dyn ChatModel> = Arc::new(Stub { delta: Duration::ZERO });
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, model: Some(model), ..Setup::default() }).await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("[[hidden]] q").await;
    tells_nothing(&json!(told).to_string());
    let who = Principal { id: "local".to_owned() };
    let kept = bot.store.recent(&who, &thread_id, 10).await.unwrap();
    assert_eq!(kept.iter().filter(|item| item.content.is_hidden()).count(), 2, "they are kept for the model");
    let (thread_id, _) = browser.ask("[[tool]] q").await;
    let created_at = NOW.parse().unwrap();
    let after =
        ThreadItem { id: "msg_after".to_owned(), thread_id: thread_id.clone(), created_at, content: content('h') };
    bot.store.add_item(&who, &after).await.unwrap();
    let told = browser.stream("threads.add_client_tool_output", json!({"thread_id": thread_id, "result": 1})).await;
    assert_eq!(told.last().unwrap()["type"], "thread.item.done");
    bot.stop().await;
}

fn tells_nothing(text: &str) {
    for word in [SECRET, "HIDDEN", "hidden_context"] {
        assert!(!text.contains(word), "{text}");
    }
}

/// The ids of a thread, read page by page.
async fn walk(browser: &Browser, thread_id: &str, (order, limit): (&str, usize)) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let params = json!({"thread_id": thread_id, "order": order, "limit": limit, "after": after});
        let page = browser.call("items.list", params).await;
        tells_nothing(&page.to_string());
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= limit);
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        match page.get("after") {
            Some(cursor) => {
                assert_eq!(Some(cursor.as_str().unwrap()), seen.last().map(String::as_str), "a visible row's id");
                assert_eq!(rows.len(), limit, "a page that goes on is full");
                after = cursor.clone();
            }
            None => return seen,
        }
    }
}

/// A thread of visible items (`v`) and hidden ones of both kinds.
async fn fill(bot: &Bot, mix: &[char]) -> Thread {
    let who = Principal { id: "local".to_owned() };
    let created_at = NOW.parse().unwrap();
    let thread = Thread {
        id: crate::clock::IdSource::new_id(&crate::clock::RandomIds, "thr"),
        created_at,
        title: Some("t".to_owned()),
        title_is_users: true,
        status: ThreadStatus::Active,
    };
    let names = ids(&thread.id, mix, |_| true);
    for (place, (kind, id)) in mix.iter().zip(names).enumerate() {
        let item = ThreadItem { id, thread_id: thread.id.clone(), created_at, content: content(*kind) };
        if place == 0 {
            bot.store.create_thread(&who, &thread, &item).await.unwrap();
        } else {
            bot.store.add_item(&who, &item).await.unwrap();
        }
    }
    thread
}

fn content(kind: char) -> ItemContent {
    let hidden = HiddenContext { content: json!(SECRET) };
    match kind {
        'h' => ItemContent::HiddenContextItem(hidden),
        's' => ItemContent::SdkHiddenContext(hidden),
        _ => ItemContent::AssistantMessage(AssistantMessage { text: "seen".to_owned(), ..AssistantMessage::default() }),
    }
}

fn ids(thread_id: &str, mix: &[char], wanted: fn(char) -> bool) -> Vec<String> {
    let named = mix.iter().enumerate().filter(|(_, kind)| wanted(**kind));
    named.map(|(place, _)| format!("msg_{place}_of_{thread_id}")).collect()
}
