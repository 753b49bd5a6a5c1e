//! What operators see of a server that fares badly, and what strangers do not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bot::{Bot, Mood, Setup, Step};

async fn started(script: Vec<Step>) -> (Bot, String) {
    let bot = Bot::start(Setup { has_operators: true, script, ..Setup::default() }).await;
    let ops = bot.ops_url.clone().unwrap();
    (bot, ops)
}

async fn get(url: &str) -> (u16, Value) {
    let response = reqwest::get(url).await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

/// H22: a stranger learns only whether it works; an operator, which part does not.
#[tokio::test]
async fn health_tells_a_stranger_only_whether_it_works() {
    let (bot, ops) = started(Vec::new()).await;
    assert_eq!(get(&format!("{}/knowledge/health", bot.url)).await, (200, json!({"status": "healthy"})));
    let ready = json!({"status": "ready", "store": "ok", "index": "ok"});
    assert_eq!(get(&format!("{ops}/ready")).await, (200, ready));
    *bot.index.mood.lock().unwrap() = Mood::Fails;
    assert_eq!(get(&format!("{}/knowledge/health", bot.url)).await, (503, json!({"status": "unhealthy"})));
    let unready = json!({"status": "unready", "store": "ok", "index": "failed"});
    assert_eq!(get(&format!("{ops}/ready")).await, (503, unready));
    *bot.index.mood.lock().unwrap() = Mood::Fine;
    bot.store.close().await;
    assert_eq!(get(&format!("{}/knowledge/health", bot.url)).await, (503, json!({"status": "unhealthy"})));
    let unready = json!({"status": "unready", "store": "failed", "index": "ok"});
    assert_eq!(get(&format!("{ops}/ready")).await, (503, unready));
}

/// H22: none of the operators' pages is on the public side.
#[tokio::test]
async fn the_public_side_has_nothing_of_the_operators() {
    let (bot, ops) = started(Vec::new()).await;
    for path in ["/metrics", "/version", "/ready", "/openapi.json", "/reload", "/log-level"] {
        assert_eq!(get(&format!("{}{path}", bot.url)).await.0, 404, "{path}");
    }
    assert_eq!(get(&format!("{ops}/knowledge/info")).await.0, 404);
}

/// A balancer must see that a server stops while its last answers are still going out.
#[tokio::test]
async fn a_server_that_drains_says_so_until_the_end() {
    let (bot, ops) = started(vec![Step::Text("Within "), Step::Wait, Step::Text("30 days."), Step::Cite]).await;
    let browser = bot.browser().await;
    let message = json!({"type": "threads.create", "params": {"input": super::bot::input("When?")}});
    let mut answer = browser.post(&message).await;
    let mut seen = String::new();
    while !seen.contains("Within") {
        seen += &String::from_utf8_lossy(&answer.chunk().await.unwrap().unwrap());
    }
    bot.begin_stop();
    let deadline = Instant::now() + Duration::from_secs(10);
    while get(&format!("{ops}/ready")).await.1["status"] != "draining" {
        assert!(Instant::now() < deadline);
    }
    let (status, _) = get(&format!("{ops}/ready")).await;
    assert_eq!(status, 503);
    let metrics = reqwest::get(format!("{ops}/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("chatbotctl_http_requests_total"), "{metrics}");
    bot.go_on();
    while let Some(more) = answer.chunk().await.unwrap() {
        seen += &String::from_utf8_lossy(&more);
    }
    assert!(seen.contains("30 days."), "{seen}");
    bot.stop().await;
    assert!(reqwest::get(format!("{ops}/ready")).await.is_err(), "nothing listens any more");
}

/// H22: documents are counted without a name of any.
#[tokio::test]
async fn metrics_count_documents_and_requests_by_template() {
    let (bot, ops) = started(Vec::new()).await;
    reqwest::get(format!("{}/knowledge/documents/refund_policy/preview", bot.url)).await.unwrap();
    let metrics = reqwest::get(format!("{ops}/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nchatbotctl_documents 1\n"), "{metrics}");
    assert!(metrics.contains("route=\"/knowledge/documents/{document_id}/preview\""), "{metrics}");
    assert!(!metrics.contains("refund_policy"), "{metrics}");
}
