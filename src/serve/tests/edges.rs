//! Wrong requests, headers, origins, cookies and limits.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bot::{Bot, Browser, Mood, Setup, input};
use crate::config::AuthMode;

type Headers<'a> = Vec<(&'a str, &'a str)>;

const CHATKIT: &str = "/knowledge/chatkit";
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn malformed_requests_are_refused_in_one_shape() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let big = format!("{{\"type\":\"{}\"}}", "x".repeat(1024 * 1024));
    let long = json!({"type": "threads.create", "params": {"input": input(&"x".repeat(16_001))}}).to_string();
    let mut many = input("x");
    many["content"] = json!(vec![json!({"type": "input_text", "text": "x"}); 33]);
    let many = json!({"type": "threads.create", "params": {"input": many}}).to_string();
    let good = json!({"type": "threads.list", "params": {}}).to_string();
    let cases: Vec<(Headers<'_>, &str, u16, &str)> = vec![
        (vec![JSON], "", 400, "invalid_request"),
        (vec![JSON], "{", 400, "invalid_request"),
        (vec![JSON], "null", 400, "invalid_request"),
        (vec![JSON], "[]", 400, "invalid_request"),
        (vec![JSON], "{}", 400, "invalid_request"),
        (vec![JSON], r#"{"type":1,"params":{}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"nope","params":{}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.list"}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.list","params":null}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.list","params":{},"metadata":null}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.list","params":{"limit":-1}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.list","params":{"limit":"5"}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.list","params":{"order":"up"}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.list","params":{"after":"thr_gone"}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.get_by_id","params":{}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.get_by_id","params":{"thread_id":"thr_x"}}"#, 404, "not_found"),
        (vec![JSON], r#"{"type":"threads.create","params":{"input":{}}}"#, 400, "invalid_request"),
        (vec![JSON], r#"{"type":"threads.update","params":{"thread_id":"t","title":""}}"#, 400, "invalid_request"),
        (vec![JSON], "{\"type\":\"\u{0}\"}", 400, "invalid_request"),
        (vec![JSON], &long, 400, "invalid_request"),
        (vec![JSON], &many, 400, "message_too_large"),
        (vec![JSON], r#"{"type":"input.transcribe","params":{}}"#, 400, "invalid_request"),
        (
            vec![JSON],
            r#"{"type":"input.transcribe","params":{"audio_base64":"","mime_type":"audio/webm;codecs=opus"}}"#,
            501,
            "not_supported",
        ),
        (vec![JSON], r#"{"type":"threads.custom_action","params":{}}"#, 400, "invalid_request"),
        (vec![JSON], &big, 413, "too_large"),
        (vec![], &good, 415, "unsupported_media_type"),
        (vec![("content-type", "text/plain")], &good, 415, "unsupported_media_type"),
        (vec![("content-type", "application/json; charset=latin1")], &good, 415, "unsupported_media_type"),
        (vec![("content-type", "application/jsonp")], &good, 415, "unsupported_media_type"),
        (vec![JSON, JSON], &good, 415, "unsupported_media_type"),
        (vec![JSON, ("content-encoding", "gzip")], &good, 415, "unsupported_media_type"),
        (vec![JSON, ("origin", "https://evil.example")], &good, 403, "forbidden"),
        (vec![JSON, ("sec-fetch-site", "cross-site")], &good, 403, "forbidden"),
    ];
    for (headers, body, status, code) in cases {
        let answer = browser.send(Method::POST, CHATKIT, &headers, Some(body.to_owned())).await;
        let what = format!("{headers:?} {}", body.chars().take(80).collect::<String>());
        assert_eq!(answer.status(), status, "{what}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{what}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(error["error"]["code"], code, "{what}");
        assert_eq!(error["error"]["request_id"], id.as_str(), "{what}");
        assert!(error["error"]["message"].as_str().unwrap().len() < 400, "{what}");
    }
    for headers in [vec![JSON], vec![("content-type", "Application/JSON; charset=UTF-8")]] {
        let answer = browser.send(Method::POST, CHATKIT, &headers, Some(good.clone())).await;
        assert_eq!(answer.status(), 200, "{headers:?}");
    }
    assert_eq!(browser.call("threads.list", json!({})).await["data"], json!([]), "nothing was stored");
    bot.stop().await;
}

/// H4: JSON of any nesting, number, key count or encoding is refused within a second, and the server goes on.
#[tokio::test]
async fn json_that_is_made_to_hurt_is_refused_at_once() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let keys = (0..60_000).map(|key| format!("\"k{key}\":0")).collect::<Vec<_>>().join(",");
    let bodies: Vec<Vec<u8>> = vec![
        b"[".repeat(1_000_000),
        b"{\"a\":".repeat(150_000),
        format!(r#"{{"type":"threads.list","params":{{"limit":{}}}}}"#, "9".repeat(900_000)).into_bytes(),
        format!(r#"{{"type":"threads.list","params":{{{keys},"limit":-1}}}}"#).into_bytes(),
        br#"{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"\ud800"}]}}}"#.to_vec(),
        b"{\"type\":\"\xff\xfe\"}".to_vec(),
        format!(r#"{{"type":"threads.create","params":{{"input":{{"content":[{}1]}}}}}}"#, "{},".repeat(300_000))
            .into_bytes(),
        format!(
            r#"{{"type":"items.feedback","params":{{"thread_id":"t","kind":"positive","item_ids":[{}""]}}}}"#,
            r#""","#.repeat(300_000)
        )
        .into_bytes(),
        "{\"type\":\"a\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ];
    for body in bodies {
        let began = std::time::Instant::now();
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let request = browser.client.post(format!("{}{CHATKIT}", bot.url)).header(JSON.0, JSON.1).body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{shown}");
        let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(error["error"]["code"], "invalid_request", "{shown}");
        assert!(began.elapsed().as_secs_f32() < 1.0, "{shown}: {:?}", began.elapsed());
    }
    assert_eq!(browser.get("/knowledge/health").await.status(), 200);
    bot.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let bot = Bot::start(Setup { public_url: Some("https://bot.example".into()), ..Setup::default() }).await;
    let browser = Browser { url: bot.url.clone(), client: reqwest::Client::new(), cookie: None };
    let create = json!({"type": "threads.create", "params": {"input": input("q")}}).to_string();
    let cases = [
        (Method::GET, "/", None, 200),
        (Method::GET, "/assets/app.js", None, 200),
        (Method::GET, "/assets/..%2findex.html", None, 404),
        (Method::GET, "/knowledge/health", None, 200),
        (Method::GET, "/knowledge/documents/refund_policy/file", None, 200),
        (Method::GET, "/knowledge/documents/%ff/file", None, 400),
        (Method::GET, "/nowhere", None, 404),
        (Method::GET, CHATKIT, None, 405),
        (Method::DELETE, "/knowledge/health", None, 405),
        (Method::POST, CHATKIT, Some("{".to_owned()), 400),
        (Method::POST, CHATKIT, Some(create), 200),
    ];
    for (method, path, body, status) in cases {
        let answer = browser.send(method.clone(), path, &[JSON], body).await;
        assert_eq!(answer.status(), status, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers()[name], value, "{path}");
        }
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'unsafe"), "{path}");
        for name in ["permissions-policy", "strict-transport-security", "cache-control", "x-request-id"] {
            assert!(answer.headers().contains_key(name), "{path}: {name}");
        }
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000", "{path}: this host alone");
        if status == 405 {
            assert!(answer.headers().contains_key("allow"), "{path}");
        }
        if status >= 400 {
            assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
        }
    }
    bot.stop().await;
}

/// H21: a panic in a handler is one caller's 500.
#[tokio::test]
async fn h21_a_panic_is_one_requests_failure() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    *bot.index.mood.lock().unwrap() = Mood::Panics;
    let failed = browser.get("/knowledge/documents").await;
    assert_eq!(failed.status(), 500);
    assert_eq!(failed.headers()["x-content-type-options"], "nosniff");
    let error: Value = serde_json::from_str(&failed.text().await.unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "internal");
    assert!(!error.to_string().contains("a bug"));
    *bot.index.mood.lock().unwrap() = Mood::Fine;
    assert_eq!(browser.get("/knowledge/documents").await.status(), 200);
    bot.stop().await;
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_hold_up_a_stop() {
    let bot = Bot::usual().await;
    let mut silent = TcpStream::connect(&bot.address).await.unwrap();
    let mut halting = TcpStream::connect(&bot.address).await.unwrap();
    halting.write_all(b"GET /knowledge/health HTTP/1.1\r\nHos").await.unwrap();
    let idle = bot.browser().await;
    idle.get("/knowledge/health").await.bytes().await.unwrap();
    let started = std::time::Instant::now();
    bot.stop().await;
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    assert_eq!(silent.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn streams_are_not_buffered_or_kept() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let answer = browser.post(&json!({"type": "threads.create", "params": {"input": input("q")}})).await;
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache, no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    bot.stop().await;
}

#[tokio::test]
async fn cors_is_for_the_configured_origins_only() {
    let shop = "https://shop.example";
    let bot = Bot::start(Setup { cors_origins: vec![shop.into()], ..Setup::default() }).await;
    let browser = bot.browser().await;
    let preflight = [("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
    for (origin, allowed) in [(shop, true), ("https://evil.example", false), ("null", false)] {
        let mut headers = preflight.to_vec();
        headers.push(("origin", origin));
        let answer = browser.send(Method::OPTIONS, CHATKIT, &headers, None).await;
        assert!(answer.headers()["vary"].to_str().unwrap().contains("origin"), "{origin}");
        let let_in = answer.headers().get("access-control-allow-origin").is_some_and(|value| value == origin);
        assert_eq!(let_in, allowed, "{origin}");
        let read = browser.send(Method::GET, "/knowledge/documents", &[("origin", origin)], None).await;
        assert_eq!(read.headers().contains_key("access-control-allow-origin"), allowed, "{origin}");
        assert!(read.headers()["vary"].to_str().unwrap().contains("origin"), "{origin}");
        let list = json!({"type": "threads.list", "params": {}}).to_string();
        let cross = [JSON, ("origin", origin), ("sec-fetch-site", "cross-site")];
        let write = browser.send(Method::POST, CHATKIT, &cross, Some(list)).await;
        assert_eq!(write.status(), if allowed { 200 } else { 403 }, "{origin}");
    }
    // What a viewer of documents needs to ask for parts, and to know what it got.
    let wanted = "if-none-match,if-range,range";
    let asks = [("access-control-request-method", "GET"), ("access-control-request-headers", wanted), ("origin", shop)];
    let file = "/knowledge/documents/refund_policy/file";
    let names = |answer: &Response, header: &str| answer.headers()[header].to_str().unwrap().to_lowercase();
    let preflight = browser.send(Method::OPTIONS, file, &asks, None).await;
    let may_ask = names(&preflight, "access-control-allow-headers");
    let part = browser.send(Method::GET, file, &[("origin", shop), ("range", "bytes=0-1")], None).await;
    let may_read = names(&part, "access-control-expose-headers");
    assert!(wanted.split(',').all(|name| may_ask.split(',').any(|each| each == name)), "{may_ask}");
    for name in ["x-request-id", "etag", "content-range", "accept-ranges", "content-disposition"] {
        assert!(may_read.split(',').any(|each| each == name), "{name} is not in {may_read}");
        assert!(part.headers().contains_key(name), "{name}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn cookies_are_given_once_and_only_ours_count() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let cookie = browser.cookie.clone().unwrap();
    assert!(cookie.starts_with("chatbot_visitor="), "{cookie}");
    let list = json!({"type": "threads.list", "params": {}});
    assert!(!browser.post(&list).await.headers().contains_key("set-cookie"), "a known visitor keeps its cookie");
    let again = browser.get("/").await;
    let renewed = again.headers()["set-cookie"].to_str().unwrap();
    assert!(renewed.starts_with(&format!("{cookie};")) && renewed.contains("Max-Age"), "the page renews it: {renewed}");
    for odd in ["chatbot_visitor=vis_1", "chatbot_visitor=", "a=b; ;;=", "chatbot_visitor=%00"] {
        let answer = browser.client.get(format!("{}/", bot.url)).header("cookie", odd).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{odd}");
        assert!(answer.headers().contains_key("set-cookie"), "{odd}");
    }
    let both = format!("chatbot_visitor=planted; {cookie}");
    let asked = browser.client.post(format!("{}{CHATKIT}", bot.url)).header("cookie", both).header(JSON.0, JSON.1);
    let answer = asked.body(list.to_string()).send().await.unwrap();
    assert!(!answer.headers().contains_key("set-cookie"), "a planted cookie does not hide the good one");
    bot.stop().await;
}

#[tokio::test]
async fn request_ids_are_kept_when_harmless() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let long = "x".repeat(65);
    for (given, kept) in
        [("abc-DEF_123", true), ("", false), ("a b", false), ("a\u{9}b", false), (long.as_str(), false)]
    {
        let answer = browser.send(Method::GET, "/knowledge/info", &[("x-request-id", given)], None).await;
        let id = answer.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(id == given, kept, "{given}");
        assert!(kept || id.len() == 36, "{id}: 128 random bits");
    }
    bot.stop().await;
}

#[tokio::test]
async fn raw_requests_meet_the_limits_of_http() {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    let chunked = format!(
        "POST {CHATKIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n{chunk}{chunk}0\r\n\r\n"
    );
    let cases = [
        ("GET /knowledge/health HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /knowledge/health HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /knowledge/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".to_owned(), "200"),
        (chunked, "413"),
    ];
    for (request, status) in cases {
        let mut connection = TcpStream::connect(&bot.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("x-content-type-options: nosniff"), "{answer}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_body_that_declares_too_much_is_refused_before_it_comes() {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
    let mut connection = TcpStream::connect(&bot.address).await.unwrap();
    let request = format!(
        "POST {CHATKIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{{"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0_u8; 12];
    let read = connection.read_exact(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(4), read).await.expect("an answer at once").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(connection);
    bot.stop().await;
}

#[tokio::test]
async fn a_name_that_was_made_to_point_here_reads_nothing() {
    let bot = Bot::start(Setup { auth_mode: AuthMode::Off, ..Setup::default() }).await;
    let browser = bot.browser().await;
    let list = json!({"type": "threads.list", "params": {}}).to_string();
    let rebound = [JSON, ("host", "rebound.example")];
    for (method, path, body) in [
        (Method::GET, "/", None),
        (Method::GET, "/assets/app.js", None),
        (Method::GET, "/knowledge/documents", None),
        (Method::GET, "/knowledge/documents/refund_policy/file", None),
        (Method::GET, "/knowledge/health", None),
        (Method::GET, "/nowhere", None),
        (Method::OPTIONS, CHATKIT, None),
        (Method::POST, CHATKIT, Some(list.clone())),
    ] {
        let answer = browser.send(method, path, &rebound, body).await;
        assert_eq!(answer.status(), 421, "{path}");
        let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(error["error"]["code"], "misdirected_request", "{path}");
    }
    assert_eq!(browser.send(Method::POST, CHATKIT, &[JSON, ("host", "localhost")], Some(list)).await.status(), 200);
    bot.stop().await;
}
