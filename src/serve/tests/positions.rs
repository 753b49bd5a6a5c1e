//! Where marks stand: `index` counts Unicode code points, whatever the text is made of.

use serde_json::{Value, json};

use super::bot::{Bot, Setup, Step};
use crate::config::AuthMode;

/// A family and a flag (many code points, one picture), a letter with its accent apart, right-to-left text, and a
/// letter beyond the Basic Multilingual Plane.
const TEXTS: [&str; 4] = ["Familie 👨‍👩‍👧‍👦 🇪🇺 ", "cafe\u{301} ", "החזרות תוך 30 יום ", "𝔘nused 返品"];

#[tokio::test]
async fn marks_count_code_points_wherever_they_are_told() {
    let script = TEXTS.into_iter().flat_map(|text| [Step::Text(text), Step::Cite]).collect();
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, script, ..Setup::default() }).await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("q").await;
    let whole: String = TEXTS.concat();
    let mut counted = 0;
    let expected: Vec<usize> = TEXTS
        .iter()
        .map(|text| {
            counted += text.chars().count();
            counted
        })
        .collect();
    assert_ne!(expected[3], whole.encode_utf16().count(), "the texts tell the units apart");
    assert_ne!(expected[3], whole.len());

    let added: Vec<&Value> =
        told.iter().map(|event| &event["update"]).filter(|one| !one["annotation"].is_null()).collect();
    assert_eq!(indices(added.iter().map(|one| &one["annotation"]["index"])), expected, "while streaming");
    assert_eq!(indices(added.iter().map(|one| &one["annotation_index"])), [0, 1, 2, 3]);
    let done = &told.last().unwrap()["item"]["content"][0];
    assert_eq!(done["text"], whole.as_str());
    let annotations = done["annotations"].as_array().unwrap();
    assert_eq!(indices(annotations.iter().map(|one| &one["index"])), expected, "when done");
    let stored = &browser.items(&thread_id).await[1]["content"][0];
    assert_eq!(stored, done, "when read again");
    let cited = browser.get(&format!("/knowledge/threads/{thread_id}/citations")).await.text().await.unwrap();
    let cited: Value = serde_json::from_str(&cited).unwrap();
    let cited = cited["citations"].as_array().unwrap();
    assert_eq!(indices(cited.iter().map(|one| &one["annotation_index"])), expected, "on the route of citations");
    assert_eq!(json!(whole.chars().count()), json!(expected[3]));
    bot.stop().await;
}

fn indices<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<usize> {
    values.map(|value| usize::try_from(value.as_u64().unwrap()).unwrap()).collect()
}
