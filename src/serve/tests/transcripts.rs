//! Conversations replayed: the same bytes after ids and times are normalised.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use regex::{Captures, Regex};
use reqwest::Method;
use serde_json::Value;

use super::bot::{Bot, Browser, Setup, Step};
use crate::config::AuthMode;
use crate::llm::ChatModel;
use crate::llm::stub::Stub;

#[tokio::test]
async fn conversations_replay_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/conversations");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let fixture: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let script = if fixture["model"] == "fails" { vec![Step::Fail] } else { super::bot::usual_script() };
        let stub: Arc<dyn ChatModel> = Arc::new(Stub { delta: Duration::ZERO });
        let model = (fixture["model"] == "stub").then_some(stub);
        let bot = Bot::start(Setup { auth_mode: AuthMode::Off, script, model, ..Setup::default() }).await;
        let browser = bot.browser().await;
        let mut ids = Ids::default();
        for exchange in fixture["exchanges"].as_array().unwrap() {
            replay(&browser, exchange, &mut ids, &path).await;
        }
        bot.stop().await;
    }
}

async fn replay(browser: &Browser, exchange: &Value, ids: &mut Ids, path: &Path) {
    let request = &exchange["request"];
    let method: Method = request["method"].as_str().unwrap().parse().unwrap();
    let body = request.get("body").map(|body| ids.restore(&body.to_string()));
    let target = ids.restore(request["path"].as_str().unwrap());
    let answer = browser.send(method, &target, &[("content-type", "application/json")], body).await;
    let expected = &exchange["response"];
    assert_eq!(answer.status().as_u16(), expected["status"], "{}: {target}", path.display());
    assert_eq!(answer.headers()["content-type"], expected["content_type"].as_str().unwrap());
    let told = ids.normalise(&answer.text().await.unwrap());
    match expected.get("sse_frames") {
        Some(frames) => {
            let told: Vec<&str> = told.split_inclusive("\n\n").collect();
            let frames: Vec<&str> = frames.as_array().unwrap().iter().map(|frame| frame.as_str().unwrap()).collect();
            assert_eq!(told, frames, "{}", path.display());
        }
        None => assert_eq!(told, expected["body_text"].as_str().unwrap(), "{}", path.display()),
    }
}

/// Ids by order of appearance, and back.
#[derive(Default)]
struct Ids {
    names: HashMap<String, String>,
    originals: HashMap<String, String>,
}

impl Ids {
    fn normalise(&mut self, text: &str) -> String {
        let id = Regex::new("(thr|msg|tc|wf|tsk|req)_[0-9a-f]{32}").unwrap();
        let time = Regex::new(r#""created_at":"[0-9T:.Z-]+""#).unwrap();
        let named = id.replace_all(text, |found: &Captures<'_>| self.name(&found[0], &found[1]));
        time.replace_all(&named, r#""created_at":"TIME""#).into_owned()
    }

    fn name(&mut self, id: &str, prefix: &str) -> String {
        if let Some(name) = self.names.get(id) {
            return name.clone();
        }
        let name = format!("{prefix}_{}", self.names.len() + 1);
        self.names.insert(id.to_owned(), name.clone());
        self.originals.insert(name.clone(), id.to_owned());
        name
    }

    fn restore(&self, text: &str) -> String {
        let name = Regex::new("(thr|msg|tc|wf|tsk)_[0-9]+").unwrap();
        name.replace_all(text, |found: &Captures<'_>| {
            self.originals.get(&found[0]).cloned().unwrap_or_else(|| found[0].to_owned())
        })
        .into_owned()
    }
}
