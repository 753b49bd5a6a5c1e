//! H27: lists have a page cap, and cursors tell and move nothing that is not the caller's.

use serde_json::{Value, json};

use super::bot::{Bot, Browser, NOW, Setup};
use crate::config::AuthMode;
use crate::model::thread::{AssistantMessage, ItemContent, PageQuery, Principal, Thread, ThreadItem, ThreadStatus};

/// H27: a page has 100 rows at the most, whatever is asked for; the rest follows.
#[tokio::test]
async fn pages_are_capped() {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
    let browser = bot.browser().await;
    let who = Principal { id: "local".to_owned() };
    let cap = PageQuery::MAX_LIMIT as usize;
    for number in 0..=cap {
        let thread_id = format!("thr_{number}");
        bot.store.create_thread(&who, &thread(&thread_id), &item(&thread_id, number)).await.unwrap();
    }
    for number in 1..=cap {
        bot.store.add_item(&who, &item("thr_0", 1_000 + number)).await.unwrap();
    }
    for (kind, params) in [("threads.list", json!({})), ("items.list", json!({"thread_id": "thr_0"}))] {
        for limit in [json!(101), json!(9999), json!(4_294_967_296_u64), json!(u64::MAX)] {
            let mut params = params.clone();
            params["limit"] = limit.clone();
            let page = browser.call(kind, params.clone()).await;
            assert_eq!(page["data"].as_array().unwrap().len(), cap, "{kind} {limit}");
            params["after"] = page["after"].clone();
            let rest = browser.call(kind, params).await;
            assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (1, &json!(false)), "{kind}");
        }
        let mut small = params;
        small["limit"] = json!(0);
        assert_eq!(browser.call(kind, small).await["data"].as_array().unwrap().len(), 20, "{kind}");
    }
    bot.stop().await;
}

/// H27, A16: another visitor's cursor is refused like one that never was, and so is that of a deleted item.
#[tokio::test]
async fn cursors_of_others_and_of_the_deleted_are_refused_alike() {
    let bot = Bot::usual().await;
    let (owner, other) = (bot.browser().await, bot.browser().await);
    let (theirs, told) = owner.ask("q").await;
    let (own, mine) = other.ask("q").await;
    let (gone, _) = other.ask("gone").await;
    other.call("threads.delete", json!({"thread_id": gone})).await;
    for after in [&theirs, &gone] {
        assert_eq!(
            refusal(&other, "threads.list", json!({"after": after})).await,
            refusal(&other, "threads.list", json!({"after": "thr_never"})).await
        );
    }
    let question = mine[1]["item"]["id"].clone();
    let answer = mine.last().unwrap()["item"]["id"].clone();
    other.stream("threads.retry_after_item", json!({"thread_id": own, "item_id": question})).await;
    let items = other.items(&own).await;
    for after in [&told[1]["item"]["id"], &answer] {
        for order in ["asc", "desc"] {
            let with = |after: &Value| json!({"thread_id": own, "after": after, "order": order});
            assert_eq!(
                refusal(&other, "items.list", with(after)).await,
                refusal(&other, "items.list", with(&json!("msg_never"))).await
            );
        }
    }
    assert_eq!(other.items(&own).await, items);
    let threads = other.call("threads.list", json!({"order": "asc"})).await;
    assert_eq!(threads["data"].as_array().unwrap().len(), 1);
    bot.stop().await;
}

/// What a request is refused with.
async fn refusal(browser: &Browser, kind: &str, params: Value) -> Value {
    let response = browser.post(&json!({"type": kind, "params": params})).await;
    assert_eq!(response.status(), 400, "{kind} {params}");
    let mut body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    body["error"]["request_id"] = json!("");
    body
}

fn thread(id: &str) -> Thread {
    Thread {
        id: id.to_owned(),
        created_at: NOW.parse().unwrap(),
        title: None,
        title_is_users: false,
        status: ThreadStatus::Active,
    }
}

fn item(thread_id: &str, number: usize) -> ThreadItem {
    ThreadItem {
        id: format!("msg_{number}"),
        thread_id: thread_id.to_owned(),
        created_at: NOW.parse().unwrap(),
        content: ItemContent::AssistantMessage(AssistantMessage::default()),
    }
}
