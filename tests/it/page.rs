//! The page in a real Chromium: ask, read, open the source, come back later.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bot::TestBot;

/// The key under which WebDriver names an element (W3C WebDriver, section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_visitor_asks_reads_and_finds_the_conversation_again() {
    let Some(browser) = Browser::start().await else {
        println!("NOT RUN: the page in a browser (install chromium and chromedriver)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds reach your card in five working days.\n")
        .unwrap();
    let bot = TestBot::start(folder.path(), &[]);
    browser.open(&bot.url).await;
    browser.write("#question", "How long do refunds to my card need?").await;
    browser.click("#send").await;
    browser.wait_for_text("main", "five working days").await;
    browser.wait_for_text("main", "Returns").await;
    let links = browser.attributes("main a[href*='/knowledge/documents/']", "href").await;
    assert!(!links.is_empty(), "the answer links its source");
    let id = browser.address().await.split('#').nth(1).map(str::to_owned).unwrap_or_default();
    assert!(id.starts_with("thr_"), "the address names the thread: {id}");
    browser.open(&format!("{}/#{id}", bot.url)).await;
    browser.wait_for_text("main", "five working days").await;
    browser.wait_for_text("#thread-list", "How long").await;
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "the console complains: {complaints:?}");
}

#[tokio::test]
async fn older_conversations_are_listed_after_the_last_listed_one_is_deleted() {
    let Some(browser) = Browser::start().await else {
        println!("NOT RUN: the page in a browser (install chromium and chromedriver)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds reach your card in five days.\n").unwrap();
    let bot = TestBot::start(folder.path(), &[]);
    // One more than the page lists at first.
    for place in 0..31 {
        let content = json!([{"type": "input_text", "text": format!("question number {place}")}]);
        let input = json!({"content": content, "attachments": [], "inference_options": {}});
        let body = json!({"type": "threads.create", "params": {"input": input}}).to_string();
        let url = format!("{}/knowledge/chatkit", bot.url);
        let asked = browser.http.post(url).header("content-type", "application/json").body(body);
        asked.send().await.unwrap().bytes().await.unwrap();
    }
    browser.open(&bot.url).await;
    browser.wait_for_text("#thread-list li:last-child", "question number 1").await;
    browser.press("#thread-list li:last-child button[aria-label^='Delete']").await;
    browser.press("#delete-dialog [type=submit]").await;
    browser.wait_for_text("#thread-list li:last-child", "question number 2").await;
    browser.press("#threads-more").await;
    browser.wait_for_text("#thread-list li:last-child", "question number 0").await;
}

#[tokio::test]
async fn a_source_leads_to_its_passage_and_to_its_file() {
    let Some(browser) = Browser::start().await else {
        println!("NOT RUN: the passage in a browser (install chromium and chromedriver)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let filler = "Nothing of interest stands in this line.\n\n".repeat(200);
    let table = "| Country | Time |\n|---|---|\n| Ireland | seven days |\n| Spain | <b>five</b> days |\n";
    fs::write(folder.path().join("data/delivery.md"), format!("# Delivery\n\n{filler}\n## By country\n\n{table}"))
        .unwrap();
    let bot = TestBot::start(folder.path(), &[]);
    browser.open(&bot.url).await;
    browser.write("#question", "How long does delivery to Ireland take?").await;
    browser.click("#send").await;
    browser.wait_for_text(".source .quote", "Ireland · seven days").await;
    let links = browser.attributes(".source:first-child .source-link", "href").await;
    assert_eq!(links.len(), 2, "{links:?}");
    for width in [1200, 360] {
        browser.resize(width).await;
        browser.open(&format!("{}{}", bot.url, links[0])).await;
        browser.wait_for_text("mark", "Ireland").await;
        let script = "const box = document.querySelector('#quote').getBoundingClientRect();
            return box.top >= 0 && box.bottom <= innerHeight && scrollY > 0
                && document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(browser.evaluate(script).await, json!(true), "the passage is in view at {width} pixels");
    }
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "the console complains: {complaints:?}");
    browser.open(&format!("{}{}", bot.url, links[1])).await;
    browser.wait_for_text("body", "Nothing of interest").await;
}

#[tokio::test]
async fn the_script_of_a_document_does_not_run() {
    let Some(browser) = Browser::start().await else {
        println!("NOT RUN: the script of a document in a browser (install chromium and chromedriver)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let page = "<!doctype html><title>still</title><h1>Returns</h1><p>Refunds take five days.</p>\
                <script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">";
    let file = folder.path().join("data/returns.html");
    fs::write(&file, page).unwrap();
    // Alone, the browser runs it: the test can fail.
    browser.open(&format!("file://{}", file.display())).await;
    browser.wait_for_text("title", "ran").await;
    let bot = TestBot::start(folder.path(), &[]);
    for path in ["file", "preview", "preview?quote=Refunds+take%3Cscript%3E"] {
        browser.open(&format!("{}/knowledge/documents/returns/{path}", bot.url)).await;
        browser.wait_for_text("body", "Refunds").await;
        assert_ne!(browser.get("/title").await, "ran", "{path}");
    }
}

/// A headless Chromium behind chromedriver.
struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// None where it is not installed.
    async fn start() -> Option<Self> {
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

    async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    async fn address(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    async fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    /// A click by script: also on what shows itself under a pointer, or in a wider window only.
    async fn press(&self, selector: &str) {
        let script = "document.querySelector(arguments[0]).click()";
        self.post("/execute/sync", json!({"script": script, "args": [selector]})).await;
    }

    async fn evaluate(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    async fn resize(&self, width: u32) {
        self.post("/window/rect", json!({"width": width, "height": 800})).await;
    }

    async fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.getAttribute(arguments[1]))";
        let found = self.post("/execute/sync", json!({ "script": script, "args": [selector, name] })).await;
        found.as_array().unwrap().iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    async fn wait_for_text(&self, selector: &str, text: &str) {
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
    async fn complaints(&self) -> Vec<Value> {
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

    async fn get(&self, path: &str) -> Value {
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
