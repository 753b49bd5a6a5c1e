//! Heads, hosts, methods and paths that are not as they should be.

use std::io::{Read as _, Write as _};

use super::raw::{connect, exchange, one, request};
use super::{CHATKIT, READ, create, error_code, folder, list, post, start};

/// H7: large heads and targets get 431 and 414, in our form.
#[test]
fn h7_large_heads_are_refused() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let value = "v".repeat(33 * 1024);
    let fields: Vec<_> = (0..101).map(|_| ("X-Field", "x")).collect();
    let target = format!("/{}", "t".repeat(8 * 1024));
    for (bytes, status) in [
        (request("GET", "/", &[("X-Large", &value)]), 431),
        (request("GET", "/", &fields), 431),
        (request("GET", &target, &[]), 414),
        (request("GET", &target.repeat(8), &[]), 414),
    ] {
        let answer = one(&bot.url, &bytes);
        assert_eq!((answer.status, error_code(&answer).as_str()), (status, "too_large"));
        assert_eq!(answer.header("connection"), "close");
    }
    let fitting: Vec<_> = fields[..98].to_vec();
    assert_eq!(one(&bot.url, &request("GET", "/knowledge/health", &fitting)).status, 200);
}

/// H9: whatever can be read in two ways gets one answer, and what hides behind it is no request.
#[test]
fn h9_ambiguous_framing_never_yields_two_answers() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let hidden = "GET /knowledge/info HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let head = format!("POST {CHATKIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 49\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: 0, 49\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: cow\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\nX: y\r\n\r\n0\r\n\r\n",
        "X: y\rContent-Length: 49\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2;\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    ] {
        let answers = exchange(&bot.url, format!("{head}{framing}{hidden}").as_bytes());
        assert_eq!(answers.len(), 1, "{framing:?}: {answers:?}");
        assert_eq!(answers[0].status, 400, "{framing:?}: {answers:?}");
        assert_eq!(error_code(&answers[0]), "invalid_request", "{framing:?}");
    }
    let old =
        format!("POST {CHATKIT} HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}");
    let answers = exchange(&bot.url, old.as_bytes());
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [400]);
}

/// H10: one host, and its name never comes back.
#[test]
fn h10_hosts_are_one_and_never_echoed() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let without = b"GET /knowledge/health HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert_eq!(one(&bot.url, without).status, 400);
    let twice = request("GET", "/knowledge/health", &[("Host", "localhost"), ("Host", "localhost")]);
    assert_eq!(one(&bot.url, &twice).status, 400);
    let other = request("GET", "http://other.example/knowledge/health", &[]);
    assert_eq!(one(&bot.url, &other).status, 400);
    let headers = [
        ("Host", "zebra-host.example"),
        ("X-Forwarded-Host", "zebra-host.example"),
        ("X-Forwarded-Proto", "zebra-host"),
        ("X-Host", "zebra-host.example"),
        ("Forwarded", "host=zebra-host.example"),
        ("X-Original-URL", "/zebra-host"),
        ("X-Rewrite-URL", "/zebra-host"),
    ];
    let reads = READ.iter().map(|path| request("GET", path, &headers));
    let create = post(&headers, &create("When do refunds reach my card?"));
    for bytes in reads.chain([create, post(&headers, "{"), request("GET", "/%", &headers)]) {
        let answer = one(&bot.url, &bytes);
        assert!(!format!("{:?} {}", answer.headers, answer.text()).contains("zebra-host"), "{answer:?}");
    }
}

/// H11: nothing overrides a method, and those that no route has get 405 with `Allow`.
#[test]
fn h11_methods_are_what_they_say() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let secret = [("X-Secret", "zebra-secret")];
    for method in ["TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "get"] {
        for (path, allowed) in [("/knowledge/health", "GET,HEAD"), (CHATKIT, "POST")] {
            let answer = one(&bot.url, &request(method, path, &secret));
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(error_code(&answer), "method_not_allowed");
            assert_eq!(answer.header("allow"), allowed, "{method} {path}");
            assert!(!answer.text().contains("zebra-secret"), "{answer:?}");
        }
    }
    // What CONNECT names is no path of this server (RFC 9110, section 9.3.6).
    let answer = one(&bot.url, &request("CONNECT", "localhost:80", &secret));
    assert!((400..500).contains(&answer.status) && !answer.text().contains("zebra-secret"), "{answer:?}");
    assert_eq!(one(&bot.url, &request("GET", CHATKIT, &[])).status, 405);
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        for (method, status) in [("DELETE", 200), ("POST", 200)] {
            let answer = one(&bot.url, &request("GET", "/knowledge/health", &[(name, method)]));
            assert_eq!(answer.status, status, "{name}");
        }
        assert_eq!(one(&bot.url, &request("GET", CHATKIT, &[(name, "POST")])).status, 405, "{name}");
    }
    let parameter = format!("{CHATKIT}?_method=POST");
    assert_eq!(one(&bot.url, &request("GET", &parameter, &[])).status, 405);
}

/// H2, H12: nobody is invited to send what will not be read.
#[test]
fn h2_h12_only_welcome_bodies_are_invited() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let expecting = |length: &'static str, more: &[(&'static str, &'static str)]| {
        let own = [("Content-Type", "application/json"), ("Content-Length", length), ("Expect", "100-continue")];
        request("POST", CHATKIT, &[&own, more].concat())
    };
    for (bytes, status) in [
        (expecting("99999999", &[]), 413),
        (expecting("10", &[("Origin", "https://evil.example")]), 403),
        (expecting("10", &[("Content-Encoding", "gzip")]), 415),
        (expecting("10", &[("Content-Type", "text/plain")]), 415),
        (request("POST", CHATKIT, &[("Content-Length", "10"), ("Expect", "the-unexpected")]), 417),
        (request("POST", CHATKIT, &[("Content-Type", "application/json"), ("Content-Length", "99999999")]), 413),
    ] {
        // The body is never sent; there is one answer, no invitation before it.
        assert_eq!(one(&bot.url, &bytes).status, status, "{}", String::from_utf8_lossy(&bytes));
    }
    let body = list();
    let mut stream = connect(&bot.url);
    let length = body.len().to_string().leak();
    stream.write_all(&expecting(length, &[])).unwrap();
    let mut invitation = [0; 25];
    stream.read_exact(&mut invitation).unwrap();
    assert_eq!(&invitation, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(super::raw::parse(&super::raw::read_to_end(stream))[0].status, 200);
}

/// H13: HTTP/2 is off, by preface and by upgrade.
#[test]
fn h13_http2_is_off() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let answer = one(&bot.url, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    assert_eq!((answer.status, error_code(&answer).as_str()), (505, "version_not_supported"));
    let upgrade = [("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__"), ("Connection", "Upgrade")];
    let answer = one(&bot.url, &request("GET", "/knowledge/health", &upgrade));
    assert_eq!((answer.status, answer.header("upgrade")), (200, ""));
}

/// A18: another spelling of a path is another path. H25: no spelling makes a redirect.
#[test]
fn a18_h25_odd_spellings_lead_nowhere() {
    let folder = folder();
    let bot = start(&folder, &[]);
    for path in [
        "//knowledge/chatkit",
        "/knowledge//chatkit",
        "/knowledge/chatkit/",
        "/knowledge/chatkit//",
        "/./knowledge/chatkit",
        "/x/../knowledge/chatkit",
        "/%2e/knowledge/chatkit",
        "/x/%2e%2e/knowledge/chatkit",
        "/knowledge%2fchatkit",
        "/%6bnowledge/chatkit",
        "/knowledge/chatki%74",
        "/KNOWLEDGE/chatkit",
        "/knowledge/ChatKit",
        "/knowledge/chatkit;x=y",
        "/knowledge/chatkit%00",
        "/knowledge/chatkit%20",
        "/knowledge/chatkit.json",
        "/knowledge\\chatkit",
    ] {
        let body = create("hello");
        let length = body.len().to_string();
        let headers = [("Content-Type", "application/json"), ("Content-Length", length.as_str())];
        let answer = one(&bot.url, &[request("POST", path, &headers), body.into_bytes()].concat());
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
        assert_eq!(answer.header("location"), "", "{path}");
    }
    for path in
        ["//evil.example", "/%2f%2fevil.example", "/\\evil.example", "/https://evil.example", "/?next=//evil.example"]
    {
        let answer = one(&bot.url, &request("GET", path, &[]));
        assert!(!(300..400).contains(&answer.status), "{path}: {answer:?}");
        assert_eq!(answer.header("location"), "", "{path}");
    }
    for path in READ {
        let answer = one(&bot.url, &request("GET", &format!("{path}/"), &[]));
        assert!(answer.status == 404 || path == "/", "{path}/: {answer:?}");
    }
}
