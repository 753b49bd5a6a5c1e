//! The page in a real Chromium: ask, read, open the source, come back later.

use std::fs;

use serde_json::json;

use crate::bot::TestBot;
use crate::browser::Browser;

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
