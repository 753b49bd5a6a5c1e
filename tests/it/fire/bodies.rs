//! Bodies that are too much, packed, of the wrong kind or hardly JSON.

use std::time::{Duration, Instant};

use super::raw::{Answer, one, request};
use super::{CHATKIT, error_code, folder, list, post, start};

const LIMIT: usize = 1024 * 1024;

fn chunked(body: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let headers = [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")];
    let mut bytes = request("POST", CHATKIT, &headers);
    for chunk in body.chunks(chunk_bytes) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

fn status_and_code(answer: &Answer) -> (u16, String) {
    (answer.status, error_code(answer))
}

/// H1: the bound is the same for a declared length and for chunks, large and small.
#[test]
fn h1_one_bound_for_every_body() {
    let folder = folder();
    let bot = start(&folder, &[]);
    // Padded to the bound exactly: spaces after JSON are JSON.
    let mut fitting = list().into_bytes();
    fitting.resize(LIMIT, b' ');
    let over = [&fitting[..], b" "].concat();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    for chunk_bytes in [100, 64 * 1024, LIMIT] {
        assert_eq!(one(&bot.url, &chunked(&fitting, chunk_bytes)).status, 200, "{chunk_bytes}");
        let answer = one(&bot.url, &chunked(&over, chunk_bytes));
        assert_eq!(status_and_code(&answer), (413, "too_large".to_owned()), "{chunk_bytes}");
    }
    assert_eq!(one(&bot.url, &post(&[], &text(&fitting))).status, 200);
    assert_eq!(status_and_code(&one(&bot.url, &post(&[], &text(&over)))), (413, "too_large".to_owned()));
}

/// H3, H5: packed bodies and other kinds are refused, also when their bytes are good JSON.
#[test]
fn h3_h5_only_plain_json_is_read() {
    let folder = folder();
    let bot = start(&folder, &[]);
    for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "x"] {
        let answer = one(&bot.url, &post(&[("Content-Encoding", encoding)], &list()));
        assert_eq!(status_and_code(&answer), (415, "unsupported_media_type".to_owned()), "{encoding}");
    }
    for kind in [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json-seq",
        "application/jsonx",
        "application/*",
        "application/json, text/plain",
        "application/json\u{a0}",
    ] {
        let body = list();
        let length = body.len().to_string();
        let head = request("POST", CHATKIT, &[("Content-Type", kind), ("Content-Length", &length)]);
        let answer = one(&bot.url, &[head, body.into_bytes()].concat());
        assert_eq!(status_and_code(&answer), (415, "unsupported_media_type".to_owned()), "{kind:?}");
    }
    let answer = one(&bot.url, &post(&[("Content-Type", "application/json")], &list()));
    assert_eq!(answer.status, 415, "two kinds are none");
}

/// H4: no JSON, however nested, large or broken, takes a second or the process.
#[test]
fn h4_no_json_takes_long_or_breaks_anything() {
    let folder = folder();
    let bot = start(&folder, &[]);
    let in_params = |value: &str| format!(r#"{{"type":"threads.list","params":{{"limit":{value}}}}}"#);
    let keys: Vec<String> = (0..90_000).map(|key| format!(r#""k{key}":0"#)).collect();
    let bodies: Vec<Vec<u8>> = vec![
        "[".repeat(LIMIT).into_bytes(),
        "{\"a\":".repeat(LIMIT / 5).into_bytes(),
        in_params(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))).into_bytes(),
        in_params("1e999999999").into_bytes(),
        in_params(&"9".repeat(900_000)).into_bytes(),
        in_params(&format!("0.{}1", "0".repeat(900_000))).into_bytes(),
        in_params("-0").replace("-0", "NaN").into_bytes(),
        in_params(r#""\ud800""#).into_bytes(),
        [b"{\"type\":\"".as_slice(), &[0xff, 0xfe, 0xc0, 0x80], b"\"}"].concat(),
        [b"\xef\xbb\xbf".as_slice(), list().as_bytes()].concat(),
        format!("{{{}}}", keys.join(",")).into_bytes(),
        "\"".repeat(LIMIT).into_bytes(),
        "\\".repeat(LIMIT).into_bytes(),
        vec![0; 1000],
        Vec::new(),
    ];
    for body in bodies {
        let started = Instant::now();
        let answer = one(&bot.url, &chunked(&body, LIMIT));
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(status_and_code(&answer), (400, "invalid_request".to_owned()), "{start}");
        // Two seconds, for the sending takes part of them on a machine that is busy.
        assert!(started.elapsed() < Duration::from_secs(2), "{start}: {:?}", started.elapsed());
    }
    assert_eq!(one(&bot.url, &post(&[], &list())).status, 200, "it goes on");
}
