//! Too much to do, and bugs: what it costs the one who meets it, and nobody else.

use serde_json::json;

use super::bot::{Bot, Mood, Setup, Step, events, input, types, usual_script};
use crate::serve::connections::Bounds;

/// Beyond the bound of connections health goes on, and everything else is told at once to come again.
#[tokio::test]
async fn beyond_the_bound_health_answers_and_the_rest_is_busy() {
    let bounds = Bounds { open: 0, ..Bounds::default() };
    let bot = Bot::start(Setup { bounds, ..Setup::default() }).await;
    let browser = bot.browser().await;
    for _ in 0..3 {
        let health = browser.get("/knowledge/health").await;
        assert_eq!((health.status().as_u16(), &health.headers()["connection"]), (200, &"close".parse().unwrap()));
        let create = json!({"type": "threads.create", "params": {"input": input("q")}});
        for answer in [browser.get("/").await, browser.get("/nowhere").await, browser.post(&create).await] {
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["connection"], "close");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
            assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
            assert!(answer.text().await.unwrap().contains(r#""code":"busy""#));
        }
    }
    bot.stop().await;
}

/// H21: panics in the model and in the index end one answer; the thread, the store and all others go on.
#[tokio::test]
async fn h21_panics_end_one_answer_and_nothing_else() {
    let bot = Bot::start(Setup { script: vec![Step::Text("Within "), Step::Panic], ..Setup::default() }).await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("q").await;
    assert_eq!(types(&told).last(), Some(&"error"), "{told:?}");
    assert!(!told.last().unwrap().to_string().contains("a bug"), "{told:?}");
    *bot.script.lock().unwrap() = usual_script();
    for mood in [Mood::Panics, Mood::Fine] {
        *bot.index.mood.lock().unwrap() = mood;
        let params = json!({"thread_id": thread_id, "input": input("again")});
        let body = json!({"type": "threads.add_user_message", "params": params});
        let answer = browser.post(&body).await;
        assert_eq!(answer.status(), 200, "the thread is free after a panic");
        let told = events(&answer.text().await.unwrap());
        let is_well = matches!(mood, Mood::Fine);
        assert_eq!(types(&told).last() == Some(&"thread.item.done"), is_well, "{told:?}");
    }
    assert!(!bot.browser().await.ask("q").await.1.is_empty(), "others go on");
    bot.stop().await;
}
