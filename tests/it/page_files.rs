//! Files on the page: chosen, dropped, pasted, refused, sent, cited and opened.

use std::fs;

use serde_json::{Value, json};

use crate::bot::TestBot;
use crate::browser::Browser;
use crate::page_events::{Page, answer, created};

/// Chooses these files: an object of names and contents.
const CHOOSE: &str = "const chosen = new DataTransfer();
    for (const [name, text] of Object.entries(arguments[0])) chosen.items.add(new File([text], name));
    const input = document.querySelector('#attach-input');
    input.files = chosen.files;
    input.dispatchEvent(new Event('change'));";

/// Lets fall a file there; tells whether the page took the event from the browser.
const DROP: &str = "const carried = new DataTransfer();
    carried.items.add(new File(['dropped'], 'dropped.txt'));
    const event = new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true });
    document.querySelector(arguments[0]).dispatchEvent(event);
    return event.defaultPrevented";

/// Pastes a picture, with these texts beside it by their types; tells whether the page took the event.
const PASTE: &str = "const copied = new DataTransfer();
    for (const [type, text] of Object.entries(arguments[0])) copied.setData(type, text);
    copied.items.add(new File(['no picture'], 'pasted.txt', { type: 'image/png' }));
    const event = new ClipboardEvent('paste', { clipboardData: copied, bubbles: true, cancelable: true });
    document.querySelector('#question').dispatchEvent(event);
    return event.defaultPrevented";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds take five days.\n").unwrap();
    folder
}

/// What the server tells about a file that it expects.
fn attachment(id: &str, kind: &str, name: &str) -> Value {
    let place = json!({
        "url": format!("https://elsewhere.example/knowledge/attachments/{id}/content"), "method": "PUT", "headers": {},
    });
    json!({
        "type": kind, "id": id, "name": name, "mime_type": "text/plain", "upload_descriptor": place,
        "preview_url": "https://evil.example/p.png",
    })
}

#[tokio::test]
async fn files_are_attached_removed_and_sent() {
    let limited = json!({"error": {"code": "rate_limited", "message": "Too many requests."}});
    let answers = json!({
        "attachments.create": [
            {"status": 429, "headers": {"Retry-After": "1"}, "body": limited},
            {"body": attachment("atc_1", "file", "one.txt")},
            {"body": attachment("atc_2", "image", "two.png")},
        ],
        "attachments.delete": [{"body": {}}],
        "threads.create": [created(&[answer("msg_a", "Seen.", &json!([]))])],
    });
    let Some(page) = Page::open("attachments", answers).await else { return };
    page.browser.wait_for("#attach:not([hidden])", 1).await;
    let big = "x".repeat(10 * 1024 * 1024 + 1);
    let chosen = json!({"big.txt": big, "odd.exe": "MZ", "one.txt": "12345", "two.png": "12345"});
    page.browser.run(CHOOSE, &[chosen]).await;
    page.browser.wait_for_text(".tray li:nth-child(1)", "too large; 10 MB are allowed").await;
    page.browser.wait_for_text(".tray li:nth-child(2)", "Files of this kind cannot be attached").await;
    // The server asked to wait; the page did, with both.
    page.browser.wait_for_text(".tray li:nth-child(4):not([aria-busy='true'])", "5 B").await;
    assert_eq!(page.count(".tray img").await, 0, "a picture of another host is not shown");
    let uploads = page.browser.evaluate("return window.uploads").await;
    let first = json!({"to": "PUT /knowledge/attachments/atc_1/content", "name": "one.txt", "size": 5});
    assert_eq!((&uploads[0], uploads.as_array().unwrap().len()), (&first, 2), "this server only");
    page.browser.write("#question", "q").await;
    assert_eq!(page.count("#send:disabled").await, 1, "what could not be attached is not left out silently");
    for left in [3, 2] {
        page.browser.press(".tray li.is-failed button").await;
        page.browser.wait_for(".tray li", left).await;
    }
    page.browser.click(".tray li:nth-child(1) button").await;
    page.browser.wait_for(".tray li", 1).await;
    let asked = page.asked().await;
    assert_eq!(asked.last().unwrap()["params"], json!({"attachment_id": "atc_1"}));
    page.browser.click("#send").await;
    page.browser.wait_for_text(".message-answer .answer", "Seen.").await;
    let asked = page.asked().await;
    assert_eq!(asked.last().unwrap()["params"]["input"]["attachments"], json!(["atc_2"]));
    page.browser.wait_for_text(".message-user .attachment-name", "two.png").await;
    page.has_no_complaints().await;
}

#[tokio::test]
async fn a_file_joins_the_conversation_and_is_cited() {
    let Some(browser) = Browser::start().await else {
        println!("NOT RUN: an attached file in a browser (install chromium and chromedriver)");
        return;
    };
    let folder = folder();
    let bot = TestBot::start(folder.path(), &[]);
    browser.open(&bot.url).await;
    browser.wait_for("#attach:not([hidden])", 1).await;
    let text = "# Stripes\n\nThe zebra warranty lasts seventeen years. <script>document.title = 'ran'</script>\n";
    browser.run(CHOOSE, &[json!({ "<b>zebra.md": text })]).await;
    assert_eq!(browser.run(DROP, &[json!("#main")]).await, json!(true));
    browser.wait_for(".tray li:not([aria-busy='true']):not(.is-failed)", 2).await;
    browser.write("#question", "How long does the zebra warranty last?").await;
    browser.wait_for("#send:disabled", 0).await;
    browser.click("#send").await;
    browser.wait_for_text(".source-title", "<b>zebra.md").await;
    let address = browser.address().await;
    browser.wait_for(".attachment", 2).await;
    let links = browser.attributes(".source:first-child .source-link", "href").await;
    assert!(links.iter().all(|link| link.starts_with("/knowledge/attachments/atc_")), "{links:?}");
    browser.open(&format!("{}{}", bot.url, links[0])).await;
    browser.wait_for_text("mark", "seventeen years").await;
    assert_ne!(browser.get("/title").await, "ran");
    browser.open(&address).await;
    browser.wait_for(".message-user .attachment", 2).await;
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "the console complains: {complaints:?}");
}

#[tokio::test]
async fn what_is_pasted_or_dropped_goes_where_it_belongs() {
    let Some(browser) = Browser::start().await else {
        println!("NOT RUN: pasting and dropping in a browser (install chromium and chromedriver)");
        return;
    };
    let folder = folder();
    let bot = TestBot::start(folder.path(), &[]);
    browser.open(&bot.url).await;
    browser.wait_for("#attach:not([hidden])", 1).await;
    let copied = json!({"text/plain": "some words", "text/html": "<p>some words</p>"});
    assert_eq!(browser.run(PASTE, &[copied]).await, json!(false), "text of an office program is pasted as text");
    assert_eq!(browser.run(DROP, &[json!("#sidebar")]).await, json!(true), "the browser does not leave for the file");
    browser.wait_for(".tray li", 0).await;
    assert_eq!(browser.run(PASTE, &[json!({"text/plain": "pasted.txt"})]).await, json!(true), "a copied file");
    browser.wait_for_text(".tray li", "pasted.txt").await;
    // A closed conversation has no question box.
    browser.evaluate("document.querySelector('#composer').hidden = true").await;
    assert_eq!(browser.run(DROP, &[json!("#main")]).await, json!(true));
    browser.wait_for(".tray li", 1).await;
}

#[tokio::test]
async fn a_server_that_takes_no_files_is_offered_none() {
    let Some(browser) = Browser::start().await else {
        println!("NOT RUN: no files in a browser (install chromium and chromedriver)");
        return;
    };
    let folder = folder();
    let bot = TestBot::start_with(folder.path(), &[], &[("ATTACHMENTS", "off"), ("ASSISTANT_NAME", "Ada")]);
    browser.open(&bot.url).await;
    browser.wait_for_text("#title", "Ada").await;
    browser.wait_for("#attach:not([hidden])", 0).await;
    assert_eq!(browser.run(PASTE, &[json!({})]).await, json!(false));
    assert_eq!(browser.run(DROP, &[json!("#main")]).await, json!(true), "the browser does not leave for the file");
    browser.wait_for(".tray li", 0).await;
}
