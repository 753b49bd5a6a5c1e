//! Who may change things, and what never does.

use serde_json::{Value, json};

use super::raw::{one, request};
use super::{CHATKIT, READ, create, folder, post, start};

/// A visitor: its cookie, and its one thread.
fn visitor(url: &str) -> (String, String) {
    let answer = one(url, &post(&[], &create("When do refunds reach my card?")));
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let first = answer.text().split("\n\n").next().unwrap().strip_prefix("data: ").unwrap().to_owned();
    let event: Value = serde_json::from_str(&first).unwrap();
    (cookie, event["thread"]["id"].as_str().unwrap().to_owned())
}

/// All that the visitor has: its threads and what is in them.
fn everything(url: &str, cookie: &str, thread_id: &str) -> String {
    let get = json!({ "type": "threads.get_by_id", "params": { "thread_id": thread_id } }).to_string();
    let all = [super::list(), get].map(|body| one(url, &post(&[("Cookie", cookie)], &body)).text());
    assert!(all[1].contains("five working days"), "{all:?}");
    all.concat()
}

/// A12: a cookie alone changes nothing; the page that sends it must be ours.
#[test]
fn a12_a_cookie_alone_changes_nothing() {
    let folder = folder();
    let bot = start(&folder, &[("CORS_ORIGINS", "https://shop.example")]);
    let (cookie, thread_id) = visitor(&bot.url);
    let before = everything(&bot.url, &cookie, &thread_id);
    let foreign: &[&[(&str, &str)]] = &[
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "")],
        &[("Origin", "http://localhost.evil.example")],
        &[("Origin", "https://shop.example.evil.example")],
        &[("Origin", "http://localhost"), ("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
    ];
    let changes = [
        json!({ "type": "threads.delete", "params": { "thread_id": thread_id } }),
        json!({ "type": "threads.update", "params": { "thread_id": thread_id, "title": "changed" } }),
        json!({ "type": "threads.add_user_message",
                "params": { "thread_id": thread_id, "input": crate::bot::message("x") } }),
        json!({ "type": "threads.create", "params": { "input": crate::bot::message("x") } }),
    ];
    for headers in foreign {
        for change in &changes {
            let headers = [&[("Cookie", cookie.as_str())], *headers].concat();
            let answer = one(&bot.url, &post(&headers, &change.to_string()));
            assert_eq!(answer.status, 403, "{headers:?}: {answer:?}");
        }
    }
    assert_eq!(everything(&bot.url, &cookie, &thread_id), before);
    let own = [("Cookie", cookie.as_str()), ("Origin", "http://localhost"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(one(&bot.url, &post(&own, &changes[1].to_string())).status, 200);
    assert_ne!(everything(&bot.url, &cookie, &thread_id), before);
}

/// A12: what is only read changes nothing, whatever it is asked with.
#[test]
fn a12_reading_changes_nothing() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let (cookie, thread_id) = visitor(&bot.url);
    let before = everything(&bot.url, &cookie, &thread_id);
    let body = json!({ "type": "threads.delete", "params": { "thread_id": thread_id } }).to_string();
    let length = body.len().to_string();
    let headers = [
        ("Cookie", cookie.as_str()),
        ("Content-Type", "application/json"),
        ("Content-Length", length.as_str()),
        ("X-HTTP-Method-Override", "POST"),
    ];
    let citations = format!("/knowledge/threads/{thread_id}/citations");
    for path in READ.into_iter().chain([CHATKIT, citations.as_str()]) {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let bytes = [request(method, path, &headers), body.clone().into_bytes()].concat();
            if method == "HEAD" {
                // An answer to HEAD has a length and no body.
                assert_eq!(super::raw::exchange(&bot.url, &bytes).len(), 1, "{method} {path}");
            } else {
                one(&bot.url, &bytes);
            }
        }
    }
    assert_eq!(everything(&bot.url, &cookie, &thread_id), before);
}

/// A19: ids which grant anything have at least 96 random bits, and tell no order.
#[test]
fn a19_ids_cannot_be_guessed() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let mut seen = Vec::new();
    for _ in 0..20 {
        let (cookie, thread_id) = visitor(&bot.url);
        let id = cookie.split("vis_").nth(1).expect("an id in the cookie");
        let visitor: String = id.chars().take_while(char::is_ascii_hexdigit).collect();
        let thread = thread_id.strip_prefix("thr_").expect("the prefix of threads").to_owned();
        for id in [visitor, thread] {
            assert!(id.len() * 4 >= 96 && id.chars().all(|each| each.is_ascii_hexdigit()), "{id}");
            seen.push(id);
        }
    }
    let mut distinct = seen.clone();
    distinct.sort();
    assert_ne!(distinct, seen, "they do not grow");
    // In no place do all of them have the same digit: no part is a prefix, a clock or a counter's leading zeros.
    for place in 0..24 {
        assert!(seen.iter().any(|id| id.as_bytes()[place] != seen[0].as_bytes()[place]), "place {place}: {seen:?}");
    }
    distinct.dedup();
    assert_eq!(distinct.len(), seen.len());
}
