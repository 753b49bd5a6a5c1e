//! What answers took is kept once, however they end.

use serde_json::json;

use super::bot::{Bot, DATABASE, Setup, Step, until};
use super::test_index::CHUNK;
use crate::config::AuthMode;
use crate::config::settings::DailyTokens;
use crate::llm::ModelEvent;
use crate::model::usage::{Grouping, Usage, UsageQuery, UsageSum};

/// 1,000 and 100 tokens: 100 and 50 microdollars, and a search at 2,500.
const NANOS: u64 = 2_650_000;

fn used() -> Step {
    Step::Tell(Box::new(ModelEvent::Used(Usage {
        model: "gpt-6-luna".to_owned(),
        requests: 1,
        input_tokens: 1_000,
        output_tokens: 100,
        searches: 1,
        ..Usage::default()
    })))
}

/// Told before: what is told later replaces it.
fn used_less() -> Step {
    Step::Tell(Box::new(ModelEvent::Used(Usage { model: "gpt-6-luna".to_owned(), requests: 1, ..Usage::default() })))
}

async fn start(script: Vec<Step>) -> Bot {
    Bot::start(Setup { auth_mode: AuthMode::Off, script, ..Setup::default() }).await
}

async fn total(bot: &Bot) -> UsageSum {
    let query = UsageQuery { by: Grouping::Model, since: None, until: None };
    UsageSum::total(&bot.store.usage(&query).await.unwrap())
}

async fn recorded(bot: &Bot) -> UsageSum {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let total = total(bot).await;
        if total.answers > 0 {
            return total;
        }
        assert!(std::time::Instant::now() < deadline, "nothing is recorded");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

/// Item, thread and outcome of each row.
fn rows(folder: &tempfile::TempDir) -> Vec<(bool, bool, String)> {
    let database = rusqlite::Connection::open(folder.path().join(DATABASE)).unwrap();
    let statement = "SELECT u.item_id IN (SELECT id FROM items), u.thread_seq IS NOT NULL, u.outcome FROM usage u";
    let mut statement = database.prepare(statement).unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, Option<bool>>(0)?.unwrap_or_default(), row.get(1)?, row.get(2)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn an_answer_is_kept_with_its_figures() {
    let bot = start(vec![used_less(), Step::Text("Within 30 days."), Step::Cite, used()]).await;
    bot.browser().await.ask("q").await;
    let total = recorded(&bot).await;
    assert_eq!((total.answers, total.unpriced, total.nano_dollars), (1, 0, NANOS));
    assert_eq!((total.input_tokens, total.output_tokens, total.searches), (1_000, 100, 1));
    assert_eq!(rows(&bot.stop().await), [(true, true, "done".to_owned())]);
}

#[tokio::test]
async fn an_answer_without_figures_leaves_none() {
    let bot = start(super::bot::usual_script()).await;
    bot.browser().await.ask("q").await;
    assert_eq!(rows(&bot.stop().await), []);
}

/// What failed was paid all the same.
#[tokio::test]
async fn answers_that_fail_are_counted_without_an_item() {
    for (last, outcome) in [(Step::Fail, "failed"), (Step::Panic, "panicked")] {
        let bot = start(vec![used(), Step::Text("Within "), last]).await;
        bot.browser().await.ask("q").await;
        assert_eq!(recorded(&bot).await.nano_dollars, NANOS, "{outcome}");
        assert_eq!(rows(&bot.stop().await), [(false, true, outcome.to_owned())]);
    }
}

/// H19: who hangs up before the model has counted leaves an answer of unknown cost, and no free one.
#[tokio::test]
async fn h19_an_answer_that_nobody_waited_for_is_recorded_with_what_is_known() {
    let bot = start(vec![used_less(), Step::Text("Within "), Step::Wait, used()]).await;
    let browser = bot.browser().await;
    let body = json!({"type": "threads.create", "params": {"input": super::bot::input("q")}});
    let mut response = browser.post(&body).await;
    let mut seen = String::new();
    while !seen.contains("text_delta") {
        seen.push_str(std::str::from_utf8(&response.chunk().await.unwrap().expect("more")).unwrap());
    }
    drop(response);
    let total = recorded(&bot).await;
    assert_eq!((total.answers, total.unpriced, total.requests, total.nano_dollars), (1, 1, 1, 0));
    assert_eq!(rows(&bot.stop().await), [(true, true, "hung_up".to_owned())]);
}

/// M7: what all answers of a day may take is bounded. Who meets the bound is told when the next day begins, nothing of
/// theirs is stored, and the operator sees it in the metrics.
#[tokio::test]
async fn m7_a_day_that_is_spent_gives_no_further_answer() {
    let daily_tokens = Some(DailyTokens { all: 1_100, of_an_answer: 9_000 });
    let script = vec![Step::Text("Within 30 days."), Step::Cite, used()];
    let setup = Setup { auth_mode: AuthMode::Off, has_operators: true, script, daily_tokens, ..Setup::default() };
    let bot = Bot::start(setup).await;
    let browser = bot.browser().await;
    browser.ask("q").await;
    recorded(&bot).await;
    let body = json!({"type": "threads.create", "params": {"input": super::bot::input("q")}});
    let refused = browser.post(&body).await;
    assert_eq!(refused.status(), 503);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait), "{wait}");
    let error: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(error["error"]["code"], "spent");
    assert!(error["error"]["message"].as_str().unwrap().contains("tomorrow"), "{error}");
    let threads = browser.call("threads.list", json!({})).await;
    assert_eq!(threads["data"].as_array().unwrap().len(), 1);
    let metrics =
        reqwest::get(format!("{}/metrics", bot.ops_url.as_ref().unwrap())).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("chatbotctl_refused_requests_total{limit=\"daily_tokens\"} 1"), "{metrics}");
    bot.stop().await;
}

/// M7: to hang up before the model has counted is not free.
#[tokio::test]
async fn m7_an_answer_that_nobody_counted_counts_as_a_whole_one() {
    let daily_tokens = Some(DailyTokens { all: 9_000, of_an_answer: 9_000 });
    let script = vec![used_less(), Step::Text("Within "), Step::Wait, used()];
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, script, daily_tokens, ..Setup::default() }).await;
    let browser = bot.browser().await;
    let body = json!({"type": "threads.create", "params": {"input": super::bot::input("q")}});
    let mut response = browser.post(&body).await;
    while !std::str::from_utf8(&response.chunk().await.unwrap().expect("more")).unwrap().contains("text_delta") {}
    drop(response);
    assert_eq!(recorded(&bot).await.uncounted, 1);
    assert_eq!(browser.post(&body).await.status(), 503);
    bot.stop().await;
}

/// A thread that is deleted in the middle of its answer: the figures stay, and lead nowhere.
#[tokio::test]
async fn the_answer_of_a_deleted_thread_leaves_figures_alone() {
    let bot = start(vec![used(), Step::Text("Within "), Step::Wait]).await;
    let (asking, deleting) = (bot.browser().await, bot.browser().await);
    let (_, ()) = tokio::join!(asking.ask("q"), async {
        until("an answer", || bot.watch.steps() >= 3).await;
        let threads = deleting.call("threads.list", json!({})).await;
        let thread_id = threads["data"][0]["id"].as_str().unwrap();
        deleting.call("threads.delete", json!({"thread_id": thread_id})).await;
    });
    assert_eq!(recorded(&bot).await.nano_dollars, NANOS);
    let folder = bot.stop().await;
    assert_eq!(rows(&folder), [(false, false, "thread_deleted".to_owned())]);
    let database = std::fs::read(folder.path().join(DATABASE)).unwrap();
    assert!(!database.windows(CHUNK.len()).any(|window| window == CHUNK.as_bytes()), "no words are kept");
}
