//! How attachments are served: to their owner, never active, under a label of ours.

use reqwest::Method;
use serde_json::json;

use super::{PNG, TEXT, announce, bot, delete, files, get_file, outcome, send_bytes, send_form, upload};
use crate::serve::tests::bot::{Bot, Setup};

const PAGE: &[u8] = b"<!doctype html><script>alert(document.cookie)</script>";

#[tokio::test]
async fn both_ways_of_uploading_end_in_the_same_object() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let (status, _, announced) = outcome(announce(&browser, "Kettle.md", 5).await).await;
    let id = announced["id"].as_str().unwrap().to_owned();
    let url = format!("/knowledge/attachments/{id}/content");
    assert_eq!(status, 200);
    let expected = json!({"id": id, "name": "Kettle.md", "mime_type": "application/x-claimed",
        "upload_descriptor": {"url": url, "method": "PUT", "headers": {}}, "type": "file"});
    assert_eq!(announced, expected);
    assert_eq!(get_file(&browser, &id, &[]).await.status(), 404, "nothing is there yet");
    let (status, _, uploaded) = outcome(send_bytes(&browser, &url, TEXT).await).await;
    assert_eq!(status, 200);
    assert_eq!(uploaded, json!({"id": id, "name": "Kettle.md", "mime_type": "text/markdown", "type": "file"}));
    let (status, code, _) = outcome(send_bytes(&browser, &url, TEXT).await).await;
    assert_eq!((status, code.as_str()), (409, "conflict"), "once");

    let fields: [(&str, Option<&str>, &[u8]); 3] =
        [("note", None, b"x"), ("file", Some("../a\\cat.PNG"), PNG), ("more", None, b"x")];
    let (status, _, direct) = outcome(send_form(&browser, &fields).await).await;
    assert_eq!(status, 200, "{direct}");
    let id = direct["id"].as_str().unwrap();
    let expected = json!({"id": id, "name": "cat.PNG", "mime_type": "image/png", "type": "image",
        "preview_url": format!("/knowledge/attachments/{id}/file")});
    assert_eq!(direct, expected);
    assert_eq!(get_file(&browser, id, &[]).await.bytes().await.unwrap(), PNG);
    bot.stop().await;
}

/// D3, D4: whatever it is, a browser runs nothing of it; the label cannot leave its header.
#[tokio::test]
async fn nothing_is_served_active() {
    let bot = bot().await;
    let browser = bot.browser().await;
    for (name, bytes, media_type, disposition) in [
        ("page.html", PAGE, "text/html; charset=utf-8", "attachment; filename=\"page.html\""),
        ("page.txt", PAGE, "text/plain; charset=utf-8", "attachment; filename=\"page.txt\""),
        ("cat.png", PNG, "image/png", "inline; filename=\"cat.png\""),
        (
            "a\"\r\nSet-Cookie: x=\u{202e}Größe.md",
            TEXT,
            "text/markdown; charset=utf-8",
            "attachment; filename=\"a Set-Cookie: x=Gr__e.md\"; filename*=UTF-8''a%20Set-Cookie%3A%20x%3DGr%C3%B6%C3%9Fe.md",
        ),
    ] {
        let id = upload(&browser, name, bytes).await;
        let answer = get_file(&browser, &id, &[]).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), media_type);
        assert_eq!(header("content-disposition"), disposition);
        assert!(header("content-security-policy").starts_with("sandbox;"), "{name}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "private, no-store");
        assert!(!answer.headers().contains_key("set-cookie"));
        assert_eq!(answer.bytes().await.unwrap(), bytes);
    }
    bot.stop().await;
}

#[tokio::test]
async fn parts_and_versions_are_as_for_documents() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let id = upload(&browser, "a.md", TEXT).await;
    let part = get_file(&browser, &id, &[("range", "bytes=2-9")]).await;
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().as_ref()), (206, &TEXT[2..10]));
    assert_eq!(get_file(&browser, &id, &[("range", "bytes=900-")]).await.status(), 416);
    let etag = get_file(&browser, &id, &[]).await.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(get_file(&browser, &id, &[("if-none-match", &etag)]).await.status(), 304);
    let head = browser.send(Method::HEAD, &format!("/knowledge/attachments/{id}/file"), &[], None).await;
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "63"));
    bot.stop().await;
}

/// A15, A16: another's attachment is an unknown one, whatever is tried with it.
#[tokio::test]
async fn anothers_attachments_are_unknown_ones() {
    let bot = bot().await;
    let (owner, other) = (bot.browser().await, bot.browser().await);
    let id = upload(&owner, "a.md", TEXT).await;
    let (_, _, announced) = outcome(announce(&owner, "b.md", 3).await).await;
    let pending = announced["id"].as_str().unwrap();
    let unknown = "atc_00000000000000000000000000000000";
    let without_id = |(status, code, mut body): (u16, String, serde_json::Value)| {
        body["error"]["request_id"] = json!("");
        (status, code, body)
    };
    let absent = without_id(outcome(get_file(&other, unknown, &[]).await).await);
    assert_eq!((absent.0, absent.1.as_str()), (404, "not_found"));
    assert_eq!(without_id(outcome(get_file(&other, &id, &[]).await).await), absent);
    for foreign in [&id, pending, unknown] {
        let put = send_bytes(&other, &format!("/knowledge/attachments/{foreign}/content"), TEXT).await;
        assert_eq!(without_id(outcome(put).await), absent);
        assert_eq!(delete(&other, foreign).await, (200, String::new(), json!({})));
    }
    assert_eq!(get_file(&owner, &id, &[]).await.bytes().await.unwrap(), TEXT, "nothing happened to it");
    let own = send_bytes(&owner, &format!("/knowledge/attachments/{pending}/content"), TEXT).await;
    assert_eq!(own.status(), 200);
    // D1: an id is looked up, and never part of a path.
    for no_id in ["..%2f..%2f..%2fetc%2fpasswd", "%00", "%2e%2e"] {
        assert_eq!(get_file(&owner, no_id, &[]).await.status(), 404, "{no_id}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn its_text_is_shown_to_its_owner_with_the_quote_marked() {
    let bot = bot().await;
    let (owner, other) = (bot.browser().await, bot.browser().await);
    let (text, picture) = (upload(&owner, "<b>.md", TEXT).await, upload(&owner, "cat.png", PNG).await);
    let path = |id: &str| format!("/knowledge/attachments/{id}/preview?quote=three%20years");
    let shown = owner.get(&path(&text)).await;
    assert_eq!((shown.status().as_u16(), shown.headers()["cache-control"].to_str().unwrap()), (200, "no-store"));
    let page = shown.text().await.unwrap();
    assert!(page.contains(">three years</mark>") && !page.contains("<b>"), "{page}");
    for (browser, id) in [(&other, &text), (&owner, &picture), (&owner, &"atc_x".to_owned())] {
        assert_eq!(browser.get(&path(id)).await.status(), 404, "{id}");
    }
    bot.stop().await;
}

/// D2: what was put in the place of kept bytes is not served.
#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_place_of_bytes_is_not_followed() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let id = upload(&browser, "cat.png", PNG).await;
    let place = files(&bot).pop().unwrap();
    std::fs::remove_file(&place).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &place).unwrap();
    let (status, code, _) = outcome(get_file(&browser, &id, &[]).await).await;
    assert_eq!((status, code.as_str()), (404, "not_found"));
    bot.stop().await;
}

/// H10: where bytes go never depends on what a request calls the server.
#[tokio::test]
async fn addresses_come_from_the_settings() {
    let setup = Setup {
        attachments: Some(super::settings()),
        public_url: Some("https://bot.example/".to_owned()),
        ..Setup::default()
    };
    let bot = Bot::start(setup).await;
    let browser = bot.browser().await;
    let params = json!({"type": "attachments.create", "params": {"name": "a.md", "size": 1, "mime_type": ""}});
    let headers = [("content-type", "application/json"), ("x-forwarded-host", "evil.example"), ("host", "127.0.0.1:1")];
    let answer = browser.send(Method::POST, "/knowledge/chatkit", &headers, Some(params.to_string())).await;
    let (status, _, announced) = outcome(answer).await;
    assert_eq!((status, &announced["mime_type"]), (200, &json!("text/markdown")), "a claim without form is not kept");
    let url = announced["upload_descriptor"]["url"].as_str().unwrap();
    assert!(url.starts_with("https://bot.example/knowledge/attachments/atc_"), "{url}");
    bot.stop().await;
}
