//! A15, A16: operation by operation, another's thread is no thread.

use serde_json::{Value, json};

use super::bot::{Bot, Browser, input};
use crate::chatkit;

/// Operations that name no thread.
const WITHOUT_A_THREAD: [&str; 5] =
    ["threads.create", "threads.list", "attachments.create", "attachments.delete", "input.transcribe"];

#[test]
fn every_operation_on_a_thread_is_in_the_matrix() {
    let tried: Vec<&str> = operations("").into_iter().map(|(kind, _)| kind).collect();
    for kind in chatkit::operations().filter(|kind| !WITHOUT_A_THREAD.contains(kind)) {
        assert!(tried.contains(&kind), "{kind}");
    }
}

#[tokio::test]
async fn anothers_threads_are_unknown_threads() {
    let bot = Bot::usual().await;
    let (owner, other) = (bot.browser().await, bot.browser().await);
    let (thread_id, told) = owner.ask("mine").await;
    let question_id = told[1]["item"]["id"].as_str().unwrap();
    let before = owner.items(&thread_id).await;
    let unknown = "thr_00000000000000000000000000000000";
    let forged =
        Browser { cookie: owner.cookie.clone().map(|cookie| cookie.replace('=', "=A")), ..bot.browser().await };
    for intruder in [&other, &forged] {
        for (kind, params) in operations(question_id) {
            let (foreign, absent) =
                (attempt(intruder, kind, &params, &thread_id).await, attempt(&owner, kind, &params, unknown).await);
            assert_eq!(foreign, absent, "{kind}");
            let expected = if kind == "threads.delete" { 200 } else { 404 };
            assert_eq!(foreign.0, expected, "{kind}");
        }
        let path = format!("/knowledge/threads/{thread_id}/citations");
        let citations = intruder.get(&path).await;
        assert_eq!(citations.status(), 404);
        assert_eq!(citations.text().await.unwrap(), r#"{"detail":"Thread not found"}"#);
        assert_eq!(intruder.call("threads.list", json!({})).await["data"], json!([]));
        let cursor = json!({"type": "threads.list", "params": {"after": thread_id}});
        assert_eq!(intruder.post(&cursor).await.status(), 400);
    }
    assert_eq!(owner.items(&thread_id).await, before, "nothing happened to it");
    bot.stop().await;
}

fn operations(item_id: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("threads.add_user_message", json!({"input": input("intruding")})),
        ("threads.add_client_tool_output", json!({"result": null})),
        ("threads.add_structured_input", json!({"item_id": item_id, "input": {}})),
        ("threads.custom_action", json!({"item_id": item_id, "action": {"type": "a"}})),
        ("threads.custom_action", json!({"action": {"type": "a"}})),
        ("threads.sync_custom_action", json!({"item_id": item_id, "action": {"type": "a"}})),
        ("threads.sync_custom_action", json!({"action": {"type": "a"}})),
        ("threads.retry_after_item", json!({"item_id": item_id})),
        ("threads.get_by_id", json!({})),
        ("threads.update", json!({"title": "stolen"})),
        ("threads.delete", json!({})),
        ("items.list", json!({})),
        ("items.list", json!({"after": item_id})),
        ("items.feedback", json!({"item_ids": [item_id], "kind": "negative"})),
        ("items.feedback", json!({"item_ids": [], "kind": "negative"})),
    ]
}

/// Status and body, the request's own id aside.
async fn attempt(browser: &Browser, kind: &str, params: &Value, thread_id: &str) -> (u16, Value) {
    let mut params = params.clone();
    params["thread_id"] = json!(thread_id);
    let response = browser.post(&json!({"type": kind, "params": params})).await;
    let status = response.status().as_u16();
    let mut body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    if let Some(error) = body.get_mut("error") {
        error["request_id"] = json!("");
    }
    (status, body)
}
