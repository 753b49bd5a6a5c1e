//! Failures after the first byte: well-formed events, true counters, and nothing of the cause (M8, H20, H21).

use axum::response::Response;
use serde_json::{Value, json};

use super::bot::{Bot, Mood, Setup, Step, counted, events, types};
use super::hangups::asked;
use crate::config::AuthMode;
use crate::llm::LlmError;
use crate::serve::answering;

type Kind = fn(String) -> LlmError;

/// M8: each kind of failure of a model is told as what it is, and its visitor's message stays.
#[tokio::test]
async fn each_failure_of_a_model_has_its_event() {
    let plain = |retry: bool| json!({"type": "error", "code": "stream.error", "allow_retry": retry});
    let custom = |message: &str, retry: bool| json!({"type": "error", "code": "custom", "message": message, "allow_retry": retry});
    let cases: [(Kind, Value, &str); 4] = [
        (LlmError::Temporary, plain(true), "model_failed"),
        (LlmError::Busy, custom("The assistant is very busy. Please try again in a moment.", true), "model_busy"),
        (LlmError::Slow, custom("The assistant took too long to answer. Please try again.", true), "model_slow"),
        (
            LlmError::Refused,
            custom("The assistant cannot answer this. Trying again will not help.", false),
            "model_refused",
        ),
    ];
    for (kind, expected, code) in cases {
        for script in [vec![Step::FailWith(kind)], vec![Step::Text("Within "), Step::Cite, Step::FailWith(kind)]] {
            let (told, counted) = told_by(script, Mood::Fine).await;
            assert_eq!(*told.last().unwrap(), expected);
            assert!(!format!("{told:?}").contains("secret cause"), "H20");
            assert!(counted.contains(&format!(r#"chatbotctl_errors_total{{code="{code}"}} 1"#)), "{counted}");
            assert!(counted.contains(r#"chatbotctl_answers_total{outcome="failed"} 1"#), "{counted}");
        }
    }
}

/// H21, H20: a bug in the engine is one answer's failure, and is counted.
#[tokio::test]
async fn other_failures_have_their_event_too() {
    let cases = [
        (vec![Step::Text("Within "), Step::Panic], Mood::Fine, "panicked", "panicked"),
        (vec![], Mood::Panics, "panicked", "panicked"),
        (vec![], Mood::Fails, "failed", "index_failed"),
        (vec![], Mood::Fine, "failed", "no_answer"),
        (vec![Step::Text(" \n")], Mood::Fine, "failed", "no_answer"),
    ];
    for (script, mood, outcome, code) in cases {
        let (told, counted) = told_by(script, mood).await;
        assert_eq!(*told.last().unwrap(), json!({"type": "error", "code": "stream.error", "allow_retry": true}));
        assert!(counted.contains(&format!(r#"chatbotctl_errors_total{{code="{code}"}} 1"#)), "{counted}");
        assert!(counted.contains(&format!(r#"chatbotctl_answers_total{{outcome="{outcome}"}} 1"#)), "{counted}");
        assert!(counted.contains("chatbotctl_streams 0") && counted.contains("chatbotctl_active_threads 0"));
    }
}

#[tokio::test]
async fn a_good_answer_is_counted_with_its_times() {
    let script = vec![Step::Text("Within "), Step::Text("30 days."), Step::Invent, Step::Cite, Step::Invent];
    let (told, counted) = told_by(script, Mood::Fine).await;
    assert_eq!(types(&told).last(), Some(&"thread.item.done"));
    for line in [
        r#"chatbotctl_answers_total{outcome="done"} 1"#,
        "chatbotctl_dropped_markers_total 2",
        "chatbotctl_first_token_seconds_count 1",
        "chatbotctl_search_duration_seconds_count 1",
        "chatbotctl_model_duration_seconds_count 1",
        "chatbotctl_streams 0",
    ] {
        assert!(counted.contains(line), "{line}: {counted}");
    }
    assert!(!counted.contains("chatbotctl_errors_total{"), "{counted}");
}

/// The events of an answer, and what was counted when it had ended.
async fn told_by(script: Vec<Step>, mood: Mood) -> (Vec<Value>, String) {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, script, ..Setup::default() }).await;
    let state = bot.state();
    let (question, who) = asked(&state).await;
    let thread_id = question.thread.id.clone();
    *bot.index.mood.lock().unwrap() = mood;
    let response: Response = answering::start(&state, question);
    let told = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    // The slot is given back last.
    state.busy.take(&thread_id).await.unwrap();
    let items = state.store.recent(&who, &thread_id, 10).await.unwrap();
    assert!(!items.is_empty(), "the question stays");
    let counted = counted(&state);
    bot.stop().await;
    (events(std::str::from_utf8(&told).unwrap()), counted)
}
