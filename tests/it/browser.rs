//! A real Chromium, driven over WebDriver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The key under which WebDriver names an element (W3C WebDriver, section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE: Duration = Duration::from_secs(20);

/// A headless Chromium behind chromedriver.
pub struct Browser {
    driver: Child,
    session: String,
    pub http: reqwest::Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// None where it is not installed.
    pub async fn start() -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(driver.stdout.take()?).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            line.split_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
        })?;
        std::thread::spawn(move || lines.for_each(drop));
        let http = reqwest::Client::new();
        let profile = tempfile::tempdir().unwrap();
        let url = format!("http://127.0.0.1:{port}/session");
        let answer = http.post(&url).json(&capabilities(profile.path())).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no browser session: {answer}"));
        Some(Self { driver, session: format!("{url}/{id}"), http, _profile: profile })
    }

    pub async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    pub async fn address(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    pub async fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    /// A click by script: also on what shows itself under a pointer, or in a wider window only.
    pub async fn press(&self, selector: &str) {
        let script = "document.querySelector(arguments[0]).click()";
        self.post("/execute/sync", json!({"script": script, "args": [selector]})).await;
    }

    pub async fn evaluate(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// Runs a script with these arguments.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": arguments})).await
    }

    /// Runs a script that may wait, and waits for its end.
    pub async fn run_async(&self, script: &str) {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {script} }})().then(() => done(), (e) => done(`${{e}}`))"
        );
        let failure = self.post("/execute/async", json!({"script": script, "args": []})).await;
        assert_eq!(failure, Value::Null);
    }

    /// Waits until so many elements fit the selector.
    pub async fn wait_for(&self, selector: &str, count: u64) {
        let deadline = Instant::now() + PATIENCE;
        let script = "return document.querySelectorAll(arguments[0]).length";
        loop {
            let found = self.run(script, &[json!(selector)]).await;
            if found == count {
                return;
            }
            assert!(Instant::now() < deadline, "{found} and not {count} elements are {selector}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn resize(&self, width: u32) {
        self.post("/window/rect", json!({"width": width, "height": 800})).await;
    }

    pub async fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.getAttribute(arguments[1]))";
        let found = self.post("/execute/sync", json!({ "script": script, "args": [selector, name] })).await;
        found.as_array().unwrap().iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    pub async fn wait_for_text(&self, selector: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
        loop {
            let found = self.post("/execute/sync", json!({ "script": script, "args": [selector] })).await;
            if found.as_str().unwrap_or_default().contains(text) {
                return;
            }
            assert!(Instant::now() < deadline, "`{text}` does not appear in {selector}: {found}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Errors and refused loads in the browser's console.
    pub async fn complaints(&self) -> Vec<Value> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE").cloned().collect()
    }

    async fn element(&self, selector: &str) -> String {
        let found = self.post("/element", json!({ "using": "css selector", "value": selector })).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.value(self.http.post(format!("{}{path}", self.session)).json(&body)).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.value(self.http.get(format!("{}{path}", self.session))).await
    }

    async fn value(&self, request: reqwest::RequestBuilder) -> Value {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{answer}");
        answer["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // chromedriver ends its browser when it is asked to end.
        let id = self.driver.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.driver.wait();
    }
}

fn capabilities(profile: &std::path::Path) -> Value {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        &format!("--user-data-dir={}", profile.display()),
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    } } })
}
