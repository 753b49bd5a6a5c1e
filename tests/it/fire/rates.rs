//! Rates: who is held to which, and that the wait that is told is true.

use std::time::Duration;

use super::raw::{Answer, one, request};
use super::{error_code, folder, list, post, start};

const SLOW: (&str, &str) = ("RATE_LIMIT", "0.05/s");

/// Asks until it is too much; how often it was not.
fn flood(url: &str, headers: &[(&str, &str)]) -> (usize, Answer) {
    for passed in 0..1000 {
        let answer = one(url, &post(headers, &list()));
        if answer.status != 200 {
            assert_eq!((answer.status, error_code(&answer).as_str()), (429, "rate_limited"));
            return (passed, answer);
        }
    }
    panic!("nothing is ever too much");
}

fn cookie(url: &str) -> String {
    one(url, &request("GET", "/", &[])).header("set-cookie").split(';').next().unwrap().to_owned()
}

/// H23: callers are limited each for itself; health and the page's files never are.
#[test]
fn h23_one_callers_excess_limits_no_other() {
    let folder = folder();
    let bot = start(&folder, &[SLOW]);
    let (one_visitor, other) = (cookie(&bot.url), cookie(&bot.url));
    assert_eq!(flood(&bot.url, &[("Cookie", &one_visitor)]).0, 10);
    for path in ["/knowledge/health", "/assets/app.js", "/knowledge/info"] {
        let all_pass = (0..50).all(|_| one(&bot.url, &request("GET", path, &[("Cookie", &one_visitor)])).status == 200);
        assert!(all_pass, "{path}");
    }
    assert_eq!(one(&bot.url, &request("GET", "/", &[("Cookie", &one_visitor)])).status, 429);
    assert_eq!(flood(&bot.url, &[("Cookie", &other)]).0, 10, "another visitor behind the same address");
    assert_eq!(flood(&bot.url, &[]).0, 8, "strangers: two of ten made the visitors");
}

/// H23: who waits as long as `Retry-After` says, passes.
#[test]
fn h23_retry_after_is_true() {
    let folder = folder();
    let bot = start(&folder, &[("RATE_LIMIT", "0.7/s")]);
    let cookie = cookie(&bot.url);
    for headers in [vec![("Cookie", cookie.as_str())], Vec::new()] {
        let (_, refused) = flood(&bot.url, &headers);
        let seconds: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=2).contains(&seconds), "{refused:?}");
        #[expect(clippy::disallowed_methods, reason = "the wait that the server asks for is what is tested")]
        std::thread::sleep(Duration::from_secs(seconds));
        assert_eq!(one(&bot.url, &post(&headers, &list())).status, 200, "{refused:?}");
    }
}

/// H23: bad credentials are limited, good ones and none are not in their way; also without `RATE_LIMIT`.
#[test]
fn h23_failed_attempts_are_limited() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let cookie = cookie(&bot.url);
    let (passed, refused) = flood(&bot.url, &[("Cookie", "chatbot_visitor=forged")]);
    assert!((20..60).contains(&passed), "{passed}");
    assert_eq!(refused.header("set-cookie"), "", "a refused attempt makes no visitor");
    for headers in [vec![("Cookie", cookie.as_str())], Vec::new()] {
        assert_eq!(one(&bot.url, &post(&headers, &list())).status, 200, "{headers:?}");
    }
}

/// H24: what a caller says of its own address counts only if a configured proxy says it too.
#[test]
fn h24_forwarded_addresses_count_from_proxies_only() {
    let folder = folder();
    let bot = start(&folder, &[SLOW, ("AUTH_MODE", "off")]);
    assert_eq!(flood(&bot.url, &[("X-Forwarded-For", "198.51.100.1")]).0, 10);
    for spoof in [("X-Forwarded-For", "198.51.100.2"), ("Forwarded", "for=198.51.100.3"), ("X-Real-IP", "198.51.100.4")]
    {
        assert_eq!(one(&bot.url, &post(&[spoof], &list())).status, 429, "{spoof:?}");
    }
    drop(bot);
    let bot = start(&folder, &[SLOW, ("AUTH_MODE", "off"), ("TRUSTED_PROXIES", "127.0.0.1")]);
    assert_eq!(flood(&bot.url, &[("X-Forwarded-For", "198.51.100.1")]).0, 10);
    // The part that the proxy wrote stays the same, whatever the caller puts before it.
    for spoof in ["203.0.113.1, 198.51.100.1", "127.0.0.1, 198.51.100.1", "x, 198.51.100.1"] {
        assert_eq!(one(&bot.url, &post(&[("X-Forwarded-For", spoof)], &list())).status, 429, "{spoof}");
    }
    assert_eq!(flood(&bot.url, &[("X-Forwarded-For", "198.51.100.2")]).0, 10);
}
