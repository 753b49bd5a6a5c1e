//! What the reference server (openai-chatkit behind FastAPI) said, replayed against this one.
//!
//! The transcripts of `tests/fixtures/conversations/reference` are one long run. The model says what the reference's
//! said; ids are matched as they appear, times are left out (ours end in `Z`), and the rest is the same bytes but for
//! [`DEVIATIONS`].

use std::collections::{HashMap, HashSet};
use std::path::Path;

use regex::Regex;
use reqwest::Method;
use serde_json::Value;

use super::bot::{Bot, Browser, Setup, Step, record};
use crate::config::AuthMode;

/// Where we differ on purpose: the transcript's number (none: all), its text, ours.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    // A source is named by its title and description, not twice by its file's name.
    (
        "",
        r#""source":{"title":"refund_policy.md","type":"file","#,
        r#""source":{"title":"Refund Policy","description":"When and how customers are refunded.","type":"file","#,
    ),
    // The mark stands after what it supports; the reference's model set it before the full stop.
    ("", r#""index":111"#, r#""index":112"#),
    (
        "16",
        r#""annotation_index":111"#,
        r#""annotation_index":112,"page":2,"slide":null,"sheet":null,"rows":null,"heading":"Returns","quote":"within 30 days""#,
    ),
    // No error tells a visitor more than that it may be tried again.
    (
        "10",
        r#"{"type":"error","code":"custom","message":"The knowledge base is being updated.","allow_retry":true}"#,
        r#"{"type":"error","code":"stream.error","allow_retry":true}"#,
    ),
];

/// Answers that differ as a whole: the transcript's number, the exchange's place, our status and body.
const OTHER_ANSWERS: &[(&str, usize, u16, &str)] = &[
    // Another's thread and none are the same answer, and it is not an empty list.
    ("16", 5, 404, r#"{"detail":"Thread not found"}"#),
];

/// Threads that were there before a transcript: its number, the question, the id if the transcript names it first.
const BEFORE: &[(&str, &str, Option<&str>)] = &[
    ("01", "older", None),
    ("01", "[[slow]] q", None),
    ("05", "filler 0", None),
    ("05", "filler 1", None),
    ("09", "to be deleted", Some("thr_b39791e26eca49febb72655667479cea")),
];

#[tokio::test]
async fn the_reference_is_replayed() {
    let bot = reference_bot().await;
    let browser = bot.browser().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/conversations/reference");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 12);
    let mut seen = Seen::default();
    for path in paths {
        let transcript: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = transcript["name"].as_str().unwrap();
        let number = &name[..2];
        for (_, question, id) in BEFORE.iter().filter(|(before, ..)| *before == number) {
            let (ours, _) = browser.ask(question).await;
            if let Some(theirs) = id {
                seen.pair(theirs, &ours);
            }
        }
        for (place, exchange) in transcript["exchanges"].as_array().unwrap().iter().enumerate() {
            let asks_for_error = exchange["request"].to_string().contains("error]]");
            *bot.script.lock().unwrap() = if asks_for_error { failing_script() } else { reference_script() };
            replay(&browser, exchange, (number, place), &mut seen).await;
        }
    }
    assert_eq!(seen.deviations.len(), DEVIATIONS.len(), "a deviation that is none any more");
    bot.stop().await;
}

async fn replay(browser: &Browser, exchange: &Value, at: (&str, usize), seen: &mut Seen) {
    let (number, place) = at;
    let request = &exchange["request"];
    let method: Method = request["method"].as_str().unwrap().parse().unwrap();
    let target = seen.translate(request["path"].as_str().unwrap());
    let body = request.get("body").map(|body| seen.translate(&body.to_string()));
    let answer = browser.send(method, &target, &[("content-type", "application/json")], body).await;
    let theirs = &exchange["response"];
    let other = OTHER_ANSWERS.iter().find(|other| (other.0, other.1) == at);
    let status = other.map_or_else(|| theirs["status"].as_u64().unwrap(), |other| other.2.into());
    assert_eq!(u64::from(answer.status().as_u16()), status, "{number}, exchange {place}");
    assert_eq!(answer.headers()["content-type"], theirs["content_type"].as_str().unwrap(), "{number}");
    if let Some(disposition) = theirs.get("content_disposition") {
        assert_eq!(answer.headers()["content-disposition"], disposition.as_str().unwrap());
    }
    let told = without_times(&answer.text().await.unwrap());
    let mut expected = match (other, theirs.get("sse_frames")) {
        (Some(other), _) => other.3.to_owned(),
        (None, Some(frames)) => frames.as_array().unwrap().iter().map(|frame| frame.as_str().unwrap()).collect(),
        (None, None) => theirs["body_text"].as_str().unwrap().to_owned(),
    };
    for (place, (only, from, to)) in DEVIATIONS.iter().enumerate() {
        if (only.is_empty() || *only == number) && expected.contains(from) {
            expected = expected.replace(from, to);
            seen.deviations.insert(place);
        }
    }
    seen.match_up(&expected, &told);
    let expected = without_times(&seen.translate(&expected));
    for (told, expected) in told.split_inclusive("\n\n").zip(expected.split_inclusive("\n\n")) {
        assert_eq!(told, expected, "{number}, exchange {place}");
    }
    assert_eq!(told, expected, "{number}, exchange {place}");
}

async fn reference_bot() -> Bot {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, script: reference_script(), ..Setup::default() }).await;
    let mut refunds = record("refund_policy", "refund_policy.md");
    refunds.description = Some("When and how customers are refunded.".to_owned());
    let mut shipping = record("shipping_guide", "shipping_guide.md");
    shipping.title = "Shipping Guide".to_owned();
    shipping.description = Some("Delivery times and carriers.".to_owned());
    bot.index.description.lock().unwrap().clone_from(&refunds.description);
    *bot.index.records.lock().unwrap() = vec![refunds, shipping];
    bot
}

fn reference_script() -> Vec<Step> {
    let deltas = [
        "You can return ",
        "an unused item ",
        "within 30 days ",
        "of delivery, ",
        "and the refund ",
        "reaches your card ",
        "in five working ",
        "days.",
    ];
    deltas.into_iter().map(Step::Text).chain([Step::Cite]).collect()
}

fn failing_script() -> Vec<Step> {
    vec![Step::Text("You can return "), Step::Text("an unused item "), Step::Fail]
}

fn without_times(text: &str) -> String {
    let time = Regex::new(r#""created_at":"[0-9T:.Z-]+""#).unwrap();
    time.replace_all(text, r#""created_at":"TIME""#).into_owned()
}

/// The reference's ids and ours for the same things, and what else was met.
#[derive(Default)]
struct Seen {
    /// Places of the deviations that were seen.
    deviations: HashSet<usize>,
    ours: HashMap<String, String>,
    theirs: HashMap<String, String>,
}

impl Seen {
    /// Pairs ids by their places in two texts that are to be the same.
    fn match_up(&mut self, theirs: &str, ours: &str) {
        for (theirs, ours) in id().find_iter(theirs).zip(id().find_iter(ours)) {
            self.pair(theirs.as_str(), ours.as_str());
        }
    }

    fn pair(&mut self, theirs: &str, ours: &str) {
        let paired = self.ours.entry(theirs.to_owned()).or_insert_with(|| ours.to_owned());
        assert_eq!(paired, ours, "{theirs} is another thing");
        let paired = self.theirs.entry(ours.to_owned()).or_insert_with(|| theirs.to_owned());
        assert_eq!(paired, theirs, "{ours} is another thing");
    }

    fn translate(&self, text: &str) -> String {
        let ours = |found: &regex::Captures<'_>| self.ours.get(&found[0]).unwrap_or(&found[0].to_owned()).clone();
        id().replace_all(text, ours).into_owned()
    }
}

fn id() -> Regex {
    Regex::new("(thr|msg)_[0-9a-f]{32}").unwrap()
}
