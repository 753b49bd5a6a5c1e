//! What every answer carries, and what none does.

use super::raw::{Answer, one, request};
use super::{CHATKIT, READ, create, error_code, folder, list, post, start};

const PUBLIC: (&str, &str) = ("PUBLIC_URL", "https://bot.example");
const SHOP: &str = "https://shop.example";

/// Requests of every kind and the status of their answers.
fn of_every_kind() -> Vec<(Vec<u8>, u16)> {
    let preflight = [("Origin", SHOP), ("Access-Control-Request-Method", "POST")];
    let large = "v".repeat(33 * 1024);
    let mut requests: Vec<(Vec<u8>, u16)> = READ
        .iter()
        .map(|path| {
            (request("GET", path, &[]), if path.contains("unknown") || *path == "/nowhere" { 404 } else { 200 })
        })
        .collect();
    requests.extend([
        (request("HEAD", "/", &[]), 200),
        (request("GET", "/knowledge/documents/returns/file", &[("Range", "bytes=0-1")]), 206),
        (request("GET", "/knowledge/documents/returns/file", &[("Range", "bytes=9999-")]), 416),
        (request("GET", "/knowledge/documents/%ff/file", &[]), 400),
        (request("OPTIONS", CHATKIT, &preflight), 200),
        (request("DELETE", "/knowledge/health", &[]), 405),
        (request("TRACE", "/", &[]), 405),
        (request("GET", "/", &[("Host", "other.example")]), 421),
        (request("GET", "/", &[("Host", "localhost"), ("Host", "localhost")]), 400),
        (request("GET", "/", &[("X-Large", &large)]), 431),
        (request("GET", &format!("/{}", "t".repeat(9000)), &[]), 414),
        (request("POST", "/", &[("Content-Length", "x")]), 400),
        (request("POST", CHATKIT, &[("Expect", "x")]), 417),
        (b"GET / HTTP/3.0\r\n\r\n".to_vec(), 505),
        (b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), 400),
        (post(&[], "{"), 400),
        (post(&[("Content-Encoding", "br")], "{"), 415),
        (post(&[("Origin", "https://evil.example")], &list()), 403),
        (post(&[], &"x".repeat(1024 * 1024 + 1)), 413),
        (post(&[("Origin", SHOP)], &list()), 200),
        (post(&[], &create("When do refunds reach my card?")), 200),
    ]);
    requests
}

/// H14, H17, H20: every answer of every kind carries all the headers, and errors say little.
#[test]
fn h14_h17_h20_every_answer_is_guarded() {
    let folder = folder();
    let bot = start(&folder, &[PUBLIC, ("CORS_ORIGINS", SHOP)]);
    for (bytes, status) in of_every_kind() {
        let what = String::from_utf8_lossy(&bytes).chars().take(120).collect::<String>();
        let answer = one(&bot.url, &bytes);
        assert_eq!(answer.status, status, "{what}");
        assert_guarded(&answer, &what);
        let is_ours = answer.text().starts_with(r#"{"error""#);
        assert!(status < 400 || is_ours || answer.text().starts_with(r#"{"detail""#), "{what}: {answer:?}");
        if is_ours {
            error_code(&answer);
        }
    }
}

fn assert_guarded(answer: &Answer, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {answer:?}");
        assert_eq!(answer.headers.iter().filter(|(known, _)| known == name).count(), 1, "{what}: {name}");
    }
    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}: {answer:?}");
    assert!(!answer.header("x-request-id").is_empty(), "{what}: {answer:?}");
    for name in ["server", "x-powered-by", "via"] {
        assert_eq!(answer.header(name), "", "{what}: {answer:?}");
    }
    let caching = answer.header("cache-control");
    let is_public = ["text/javascript", "text/markdown", "text/plain"]
        .iter()
        .any(|kind| answer.header("content-type").starts_with(kind));
    assert!(caching.contains("no-store") || (is_public && caching.contains("no-cache")), "{what}: {answer:?}");
}

/// H15: pages run nothing inline, and nothing of others.
#[test]
fn h15_pages_run_nothing_inline() {
    let folder = folder();
    let bot = start(&folder, &[]);
    for path in ["/", "/knowledge/documents/returns/preview"] {
        let answer = one(&bot.url, &request("GET", path, &[]));
        let policy = answer.header("content-security-policy");
        // `default-src 'none'` is also the policy for objects.
        for part in ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        for part in ["unsafe", "*", "http:", "https:"] {
            assert!(!policy.contains(part), "{path}: {policy}");
        }
        let html = answer.text();
        for tag in html.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap();
            assert!(!tag.starts_with("script") || tag.contains("src="), "{path}: {tag}");
            assert!(!tag.starts_with("style"), "{path}: {tag}");
            let attributes = tag.split_whitespace().skip(1);
            assert!(!attributes.clone().any(|each| each.starts_with("on") && each.contains('=')), "{path}: {tag}");
            assert!(!attributes.clone().any(|each| each.starts_with("style=")), "{path}: {tag}");
        }
    }
}

/// H16: other sites are let in by their exact origin only.
#[test]
fn h16_origins_are_exact() {
    let folder = folder();
    let bot = start(&folder, &[("CORS_ORIGINS", SHOP)]);
    for (origin, is_let_in) in [
        (SHOP, true),
        ("http://shop.example", false),
        ("https://shop.example:444", false),
        ("https://shop.example.evil.example", false),
        ("https://evilshop.example", false),
        ("https://a.shop.example", false),
        ("https://shop.example/", false),
        ("HTTPS://SHOP.EXAMPLE", false),
        ("null", false),
        ("*", false),
        ("", false),
    ] {
        let asks = [("Origin", origin), ("Access-Control-Request-Method", "POST")];
        let write = post(&[("Origin", origin), ("Sec-Fetch-Site", "cross-site")], &list());
        for (bytes, changes) in [
            (request("OPTIONS", CHATKIT, &asks), false),
            (request("GET", "/knowledge/documents", &[("Origin", origin)]), false),
            (write, true),
        ] {
            let answer = one(&bot.url, &bytes);
            let expected = if is_let_in { origin } else { "" };
            assert_eq!(answer.header("access-control-allow-origin"), expected, "{origin}: {answer:?}");
            assert!(answer.header("vary").to_lowercase().contains("origin"), "{origin}: {answer:?}");
            assert!(!changes || (answer.status == 200) == is_let_in, "{origin}: {answer:?}");
        }
    }
    drop(bot);
    let bot = start(&folder, &[]);
    let answer = one(&bot.url, &request("GET", "/", &[("Origin", SHOP)]));
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

/// H26: no range makes an answer larger than the file.
#[test]
fn h26_ranges_do_not_multiply() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let size = one(&bot.url, &request("GET", "/knowledge/documents/returns/file", &[])).body.len();
    let many = format!("bytes={}", vec!["0-"; 1000].join(","));
    for range in [many.as_str(), "bytes=0-0,0-,0-", "bytes=-1,-2,-3", "bytes=0-99999999999999999999", "bytes=0-"] {
        let answer = one(&bot.url, &request("GET", "/knowledge/documents/returns/file", &[("Range", range)]));
        assert!(answer.body.len() <= size, "{range:?}: {} bytes", answer.body.len());
    }
}
