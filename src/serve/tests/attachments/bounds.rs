//! How much attachments may take, of one visitor and of all.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::refused::until;
use super::{MIB, TEXT, announce, bot, bot_with, delete, files, outcome, send_bytes, send_form, settings, upload};
use crate::config::settings::AttachmentSettings;
use crate::serve::tests::bot::Browser;

#[tokio::test]
async fn a_visitor_and_all_visitors_have_bounds() {
    let limits = AttachmentSettings { visitor_bytes: 2 * MIB, total_bytes: 3 * MIB, ..settings() };
    let bot = bot_with(limits).await;
    let (one, two) = (bot.browser().await, bot.browser().await);
    let mib = vec![b'x'; usize::try_from(MIB).unwrap()];
    let first = upload(&one, "a.txt", &mib).await;
    // What is announced counts already.
    let (_, _, second) = outcome(announce(&one, "b.txt", MIB).await).await;
    let (status, code, _) = outcome(announce(&one, "c.txt", 1).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"));
    assert_eq!(outcome(send_form(&one, &[("file", Some("c.txt"), b"x")]).await).await.0, 413);
    upload(&two, "a.txt", &mib).await;
    let (_, _, late) = outcome(announce(&two, "b.txt", MIB).await).await;
    let third = bot.browser().await;
    let of_third = upload(&third, "a.txt", &mib).await;
    assert_eq!(announce(&third, "b.txt", 1).await.status(), 413, "all together have no room");
    let url = late["upload_descriptor"]["url"].as_str().unwrap();
    assert_eq!(send_bytes(&two, url, mib.clone()).await.status(), 413, "though it was announced when there was");
    assert_eq!(files(&bot).len(), 2, "equal bytes lie there once, with their text");
    delete(&third, &of_third).await;
    // What was announced small counts by what comes.
    let second_id = second["id"].as_str().unwrap();
    delete(&one, second_id).await;
    let (_, _, small) = outcome(announce(&one, "d.txt", 1).await).await;
    let url = small["upload_descriptor"]["url"].as_str().unwrap();
    assert_eq!(send_bytes(&one, url, mib.clone()).await.status(), 200);
    delete(&one, &first).await;
    assert_eq!(announce(&one, "e.txt", 1).await.status(), 200, "what is deleted gives room");
    assert_eq!(announce(&one, "f.txt", MIB).await.status(), 413);
    bot.stop().await;
}

#[tokio::test]
async fn a_visitor_uploads_a_few_files_at_a_time() {
    let bot = bot().await;
    let browser = bot.browser().await;
    let (_, _, announced) = outcome(announce(&browser, "a.md", 1).await).await;
    let url = announced["upload_descriptor"]["url"].as_str().unwrap();
    let mut open = Vec::new();
    for _ in 0..10 {
        let mut raw = tokio::net::TcpStream::connect(&bot.address).await.unwrap();
        let head = format!(
            "PUT {url} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\ncontent-length: 9\r\n\r\nx",
            bot.address,
            browser.cookie.as_deref().unwrap()
        );
        raw.write_all(head.as_bytes()).await.unwrap();
        open.push(raw);
    }
    until("all of them have begun", || files(&bot).len() == 10).await;
    let refused = send_bytes(&browser, url, TEXT).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(outcome(refused).await.1, "busy");
    let other = bot.browser().await;
    upload(&other, "a.md", TEXT).await;
    drop(open);
    until("all of them are gone", || files(&bot).len() == 2).await;
    assert_eq!(send_bytes(&browser, url, TEXT).await.status(), 200);
    bot.stop().await;
}

/// H23: one address does not take the uploads of others, however many visitors it makes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_uploads_some_files_at_a_time() {
    let bot = bot().await;
    let begin = async |from: &str| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let mut raw = socket.connect(bot.address.parse().unwrap()).await.unwrap();
        let head = format!(
            "POST /knowledge/attachments HTTP/1.1\r\nhost: {}\r\ncontent-length: 900\r\n\
             content-type: multipart/form-data; boundary=cut\r\n\r\n\
             --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.md\"\r\n\r\nx",
            bot.address
        );
        raw.write_all(head.as_bytes()).await.unwrap();
        raw
    };
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(begin("127.0.0.1").await);
    }
    until("all of them have begun", || files(&bot).len() == 32).await;
    let stranger = Browser { url: bot.url.clone(), client: reqwest::Client::new(), cookie: None };
    assert_eq!(outcome(send_form(&stranger, &[("file", Some("a.md"), TEXT)]).await).await.1, "busy");
    open.push(begin("127.0.0.2").await);
    until("the other one has begun", || files(&bot).len() == 33).await;
    drop(open);
    bot.stop().await;
}

#[tokio::test]
async fn a_visitor_has_a_bounded_number() {
    let bot = bot().await;
    let browser = bot.browser().await;
    for at in 0..1_000 {
        assert_eq!(announce(&browser, "a.md", 0).await.status(), 200, "{at}");
    }
    let (status, code, _) = outcome(announce(&browser, "a.md", 0).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"));
    assert_eq!(announce(&bot.browser().await, "a.md", 0).await.status(), 200);
    assert_eq!(browser.call("threads.list", json!({})).await["data"], json!([]));
    bot.stop().await;
}
