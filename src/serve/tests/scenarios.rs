//! The stub's scenarios over a real connection: what is told is what is kept, in the same order.

use serde_json::{Value, json};

use super::bot::{Bot, Browser, input, types};
use crate::llm::stub::SCENARIOS;

/// A client that only listens knows in the end what one that reads the thread knows.
#[tokio::test]
async fn what_was_told_is_what_is_kept() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    // The slow answer is slow; nothing else about it is its own.
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.word != "slow") {
        let word = scenario.word;
        let (thread_id, told) = browser.ask(&format!("[[{word}]] How long?")).await;
        assert_eq!(types(&told).contains(&"error"), word == "error", "{word}");
        let kept = everything(&browser, &thread_id).await;
        assert_eq!(heard(&told), kept, "{word}");
        assert!(!json!(told).to_string().contains("HIDDEN"), "{word}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn items_are_added_updated_and_done_in_order() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    let (_, told) = browser.ask("[[workflow]] q").await;
    let own: Vec<&Value> = told.iter().filter(|event| id_of(event).starts_with("wf_")).collect();
    assert_eq!(
        own.iter().map(|event| &event["type"]).collect::<Vec<_>>(),
        ["thread.item.added", "thread.item.updated", "thread.item.done"]
    );
    assert_eq!(own[0]["item"]["created_at"], own[2]["item"]["created_at"]);
    let (_, told) = browser.ask("[[image]] q").await;
    assert_eq!(types(&told)[5..], ["thread.item.added", "generated_image.updated", "thread.item.done"]);
    let (_, told) = browser.ask("[[end]] q").await;
    assert_eq!(told.last().unwrap()["item"]["type"], "end_of_turn", "after the message");
    bot.stop().await;
}

#[tokio::test]
async fn marks_of_all_kinds_are_numbered_together() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    for (word, kinds) in [("links", &["url", "file", "entity"][..]), ("emoji", &["file"])] {
        let (_, told) = browser.ask(&format!("[[{word}]] q")).await;
        let marks: Vec<&Value> = told.iter().filter(|event| !event["update"]["annotation"].is_null()).collect();
        let places: Vec<u64> = marks.iter().map(|mark| mark["update"]["annotation_index"].as_u64().unwrap()).collect();
        assert_eq!(places, (0..kinds.len() as u64).collect::<Vec<_>>(), "{word}");
        let announced: Vec<&Value> = marks.iter().map(|mark| &mark["update"]["annotation"]).collect();
        let content = &told.last().unwrap()["item"]["content"][0];
        assert_eq!(content["annotations"].as_array().unwrap().iter().collect::<Vec<_>>(), announced, "{word}");
        assert_eq!(announced.iter().map(|mark| mark["source"]["type"].as_str().unwrap()).collect::<Vec<_>>(), kinds);
        let before_the_mark: String = texts_before_the_mark(&told);
        assert_eq!(announced[0]["index"], before_the_mark.chars().count(), "{word}: code points");
    }
    bot.stop().await;
}

#[tokio::test]
async fn notices_and_effects_are_told_and_not_kept() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("[[notice]] q").await;
    let notice = json!({"type": "notice", "level": "info", "message": "The shop is closed on **Monday**.",
        "title": "Opening hours"});
    assert!(told.contains(&notice), "{told:?}");
    assert_eq!(browser.items(&thread_id).await.len(), 2);
    let (_, told) = browser.ask("[[effect]] q").await;
    assert!(
        told.contains(&json!({"type": "client_effect", "name": "set_theme", "data": {"theme": "dark", "until": null}}))
    );
    bot.stop().await;
}

#[tokio::test]
async fn a_bots_title_replaces_its_own_and_never_a_visitors() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("[[title]] q").await;
    let titles: Vec<&Value> =
        told.iter().map(|event| &event["thread"]["title"]).filter(|title| !title.is_null()).collect();
    assert_eq!(titles, ["[[title]] q", "A title by the stub"]);
    browser.call("threads.update", json!({"thread_id": thread_id, "title": "Mine"})).await;
    let told =
        browser.stream("threads.add_user_message", json!({"thread_id": thread_id, "input": input("[[title]]")})).await;
    assert!(!types(&told).contains(&"thread.updated"), "{told:?}");
    let thread = browser.call("threads.get_by_id", json!({"thread_id": thread_id})).await;
    assert_eq!(thread["title"], "Mine");
    bot.stop().await;
}

#[tokio::test]
async fn a_thread_that_an_answer_locked_or_closed_takes_no_more() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    for (word, status) in [("lock", "locked"), ("close", "closed")] {
        let (thread_id, told) = browser.ask("[[widget]]").await;
        let widget_id = told.last().unwrap()["item"]["id"].clone();
        let question_id = told[1]["item"]["id"].clone();
        let message = json!({"thread_id": thread_id, "input": input(&format!("[[{word}]] q"))});
        let told = browser.stream("threads.add_user_message", message.clone()).await;
        let updated = told.iter().find(|event| event["type"] == "thread.updated").expect("it is told");
        assert_eq!(updated["thread"]["status"]["type"], status);
        assert_eq!(told.last().unwrap()["type"], "thread.item.done", "the answer is told to its end");
        let before = browser.items(&thread_id).await;
        let action = json!({"thread_id": thread_id, "item_id": widget_id, "action": {"type": "update"}});
        for (kind, params) in [
            ("threads.add_user_message", message),
            ("threads.retry_after_item", json!({"thread_id": thread_id, "item_id": question_id})),
            ("threads.add_client_tool_output", json!({"thread_id": thread_id, "result": 1})),
            ("threads.custom_action", action.clone()),
            ("threads.sync_custom_action", action),
        ] {
            assert_eq!(browser.post(&json!({"type": kind, "params": params})).await.status(), 409, "{word}: {kind}");
        }
        assert_eq!(browser.items(&thread_id).await, before);
        browser.call("threads.update", json!({"thread_id": thread_id, "title": "still mine"})).await;
    }
    bot.stop().await;
}

/// All items of a thread, oldest first, by pages.
pub async fn everything(browser: &Browser, thread_id: &str) -> Vec<Value> {
    let page = browser.call("items.list", json!({"thread_id": thread_id, "order": "asc", "limit": 100})).await;
    assert_eq!(page["has_more"], false);
    page["data"].as_array().unwrap().clone()
}

/// The items that a client has after these events.
fn heard(told: &[Value]) -> Vec<Value> {
    let mut items: Vec<Value> = Vec::new();
    for event in told {
        let place = items.iter().position(|item| item["id"] == id_of(event));
        match (event["type"].as_str().unwrap(), place) {
            ("thread.item.done", None) => items.push(event["item"].clone()),
            ("thread.item.replaced", Some(place)) => items[place] = event["item"].clone(),
            ("thread.item.removed", Some(place)) => drop(items.remove(place)),
            ("thread.item.done" | "thread.item.replaced" | "thread.item.removed", _) => panic!("{event} does not fit"),
            _ => {}
        }
    }
    items
}

fn id_of(event: &Value) -> &str {
    event["item_id"].as_str().or(event["item"]["id"].as_str()).unwrap_or_default()
}

fn texts_before_the_mark(told: &[Value]) -> String {
    told.iter()
        .take_while(|event| event["update"]["annotation"].is_null())
        .filter_map(|event| event["update"]["delta"].as_str())
        .collect()
}
