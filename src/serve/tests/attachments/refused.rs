//! What is not taken in, and that nothing of it stays.

use futures_util::stream;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::{MIB, PNG, TEXT, announce, bot, bot_with, files, outcome, send_bytes, send_form, settings, upload};
use crate::serve::tests::bot::{Bot, Browser};

async fn place(browser: &Browser, name: &str) -> String {
    let (_, _, announced) = outcome(announce(browser, name, 1).await).await;
    announced["upload_descriptor"]["url"].as_str().unwrap().to_owned()
}

/// H1: one bound for every way the bytes come, whatever was declared; compressed they do not come at all.
#[tokio::test]
async fn too_much_is_refused_however_it_comes() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let big = vec![b'x'; usize::try_from(MIB).unwrap() + 1];
    assert_eq!(outcome(announce(&browser, "a.md", MIB + 1).await).await.1, "too_large");
    let url = place(&browser, "a.md").await;
    let (status, code, _) = outcome(send_bytes(&browser, &url, big.clone()).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"), "declared");
    let pieces: Vec<_> = big.chunks(10_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let chunked = reqwest::Body::wrap_stream(stream::iter(pieces));
    let (status, code, _) = outcome(send_bytes(&browser, &url, chunked).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"), "chunked");
    let (status, code, _) = outcome(send_form(&browser, &[("file", Some("a.md"), &big)]).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"), "in a form");
    let headers = [("content-encoding", "gzip")];
    let packed = browser.send(reqwest::Method::PUT, &url, &headers, Some("x".to_owned())).await;
    assert_eq!(outcome(packed).await.1, "unsupported_media_type", "compressed");
    assert_eq!(files(&bot).len(), 0, "nothing of it stays");
    let just = &big[1..];
    assert_eq!(send_bytes(&browser, &url, just.to_vec()).await.status(), 200, "the bound itself is fine");
    bot.stop().await;
}

/// D5: extension and contents must agree, and be of a kind that is taken.
#[tokio::test]
async fn what_is_not_what_it_seems_is_refused() {
    let bot = bot().await;
    let browser = bot.browser().await;
    for (name, bytes) in [
        ("a.png", &b"<!doctype html><script>alert(1)</script>"[..]),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.pdf", b"MZ\x90\0\x03\0\0\0"),
        ("a.jpg", PNG),
        ("a.txt", PNG),
        ("a.md", b""),
        // Begins like a package, and is none: its reader says so.
        ("a.docx", b"PK\x03\x04 no archive at all"),
        ("a.pdf", b"%PDF-1.7 and nothing more"),
    ] {
        let url = place(&browser, name).await;
        let (status, code, body) = outcome(send_bytes(&browser, &url, bytes).await).await;
        assert_eq!((status, code.as_str()), (415, "attachment_refused"), "{name}: {body}");
        let (status, code, _) = outcome(send_form(&browser, &[("file", Some(name), bytes)]).await).await;
        assert_eq!((status, code.as_str()), (415, "attachment_refused"), "{name}");
    }
    for name in ["a.svg", "a.exe", "a.xml", "a.js", "a", "a.png.exe"] {
        let (status, code, _) = outcome(announce(&browser, name, 1).await).await;
        assert_eq!((status, code.as_str()), (415, "attachment_refused"), "{name}");
    }
    assert_eq!(files(&bot).len(), 0, "nothing of it stays");
    // A refusal leaves the announcement: the right file may still come.
    let url = place(&browser, "b.png").await;
    assert_eq!(send_bytes(&browser, &url, TEXT).await.status(), 415);
    assert_eq!(send_bytes(&browser, &url, PNG).await.status(), 200);
    bot.stop().await;
}

#[tokio::test]
async fn forms_are_bounded_beside_their_file() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let junk = vec![b'x'; 300_000];
    let (status, code, _) =
        outcome(send_form(&browser, &[("junk", None, &junk), ("file", Some("a.md"), TEXT)]).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"));
    let name = "n".repeat(300_000);
    let (status, code, _) = outcome(send_form(&browser, &[(&name, None, b"x")]).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"), "headers without end");
    let (status, code, _) = outcome(send_form(&browser, &[("other", None, b"x")]).await).await;
    assert_eq!((status, code.as_str()), (400, "invalid_request"));
    let headers = [("content-type", "application/json")];
    let plain = browser.send(reqwest::Method::POST, "/knowledge/attachments", &headers, Some("{}".into())).await;
    assert_eq!(outcome(plain).await.1, "unsupported_media_type");
    let headers = [("content-type", "multipart/form-data; boundary=cut"), ("sec-fetch-site", "cross-site")];
    let foreign = browser.send(reqwest::Method::POST, "/knowledge/attachments", &headers, Some("--cut--".into())).await;
    assert_eq!(outcome(foreign).await.1, "forbidden", "no other site uploads");
    bot.stop().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let url = place(&browser, "a.md").await;
    let mut raw = tokio::net::TcpStream::connect(&bot.address).await.unwrap();
    let head = format!(
        "PUT {url} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\ncontent-length: 500000\r\n\r\n",
        bot.address,
        browser.cookie.as_deref().unwrap()
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    raw.write_all(&vec![b'x'; 300_000]).await.unwrap();
    until("the upload has begun", || files(&bot).len() == 1).await;
    drop(raw);
    until("nothing of it is left", || files(&bot).is_empty()).await;
    assert_eq!(send_bytes(&browser, &url, TEXT).await.status(), 200, "the announcement is still good");
    bot.stop().await;
}

/// D10: a scan that is configured and cannot run means refusal.
#[tokio::test]
async fn without_its_scanner_nothing_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = dir.path().join("clamd.ctl").to_str().unwrap().to_owned();
    let bot = bot_with(crate::config::settings::AttachmentSettings { clamav_socket: Some(nobody), ..settings() }).await;
    let browser = bot.browser().await;
    let url = place(&browser, "a.md").await;
    let answer = send_bytes(&browser, &url, TEXT).await;
    assert!(answer.headers().contains_key("retry-after"));
    let (status, code, body) = outcome(answer).await;
    assert_eq!((status, code.as_str()), (503, "scan_unavailable"));
    assert!(!body.to_string().contains("clamd"), "no words about the inside: {body}");
    assert_eq!(outcome(send_form(&browser, &[("file", Some("a.md"), TEXT)]).await).await.0, 503);
    assert_eq!(files(&bot).len(), 0);
    bot.stop().await;
}

#[tokio::test]
async fn where_attachments_are_off_they_are_not_supported() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let params = json!({"input": super::message("q", &["atc_1"])});
    for answer in [
        announce(&browser, "a.md", 1).await,
        browser.post(&json!({"type": "attachments.delete", "params": {"attachment_id": "atc_1"}})).await,
        browser.post(&json!({"type": "threads.create", "params": params})).await,
        send_bytes(&browser, "/knowledge/attachments/atc_1/content", TEXT).await,
        send_form(&browser, &[("file", Some("a.md"), TEXT)]).await,
    ] {
        let (status, code, _) = outcome(answer).await;
        assert_eq!((status, code.as_str()), (501, "not_supported"));
    }
    bot.stop().await;
    let bot = super::bot().await;
    let browser = bot.browser().await;
    let (_, _, info) = outcome(browser.get("/knowledge/info").await).await;
    assert_eq!((&info["attachments"]["max_bytes"], &info["attachments"]["max_count"]), (&json!(MIB), &json!(10)));
    assert!(info["attachments"]["accept"].as_array().unwrap().contains(&json!(".pdf")));
    upload(&browser, "a.md", TEXT).await;
    bot.stop().await;
}

/// Waits for something, with a deadline.
pub async fn until(what: &str, is: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is() {
        assert!(std::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
