//! Documents, citations, and what else is beside the protocol.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::docs::walk;
use crate::model::DocumentRecord;

use super::bot::{Bot, CHUNK, Mood, record};

#[tokio::test]
async fn documents_are_listed_and_served() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let list = browser.get("/knowledge/documents").await.text().await.unwrap();
    let entry = r#"{"id":"refund_policy","filename":"refund_policy.md","title":"Refund Policy","description":null}"#;
    assert_eq!(list, format!(r#"{{"documents":[{entry}]}}"#));
    let path = "/knowledge/documents/refund_policy/file";
    let file = browser.get(path).await;
    assert_eq!(file.headers()["content-type"], "text/markdown; charset=utf-8");
    assert_eq!(file.headers()["content-disposition"], "inline; filename=\"refund_policy.md\"");
    assert_eq!(file.text().await.unwrap(), format!("# Refund policy\n\n{CHUNK}\n"));
    let head = browser.send(Method::HEAD, path, &[], None).await;
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], (CHUNK.len() + 18).to_string().as_str());
    assert_eq!(head.text().await.unwrap(), "");
    bot.stop().await;
}

/// A file as it was indexed: long enough after it was written, so that its hash stands for it.
fn indexed(bot: &Bot, name: &str, text: &str) {
    let path = bot.docs_dir.join(name);
    std::fs::write(&path, text).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let (ctime_ns, inode) = walk::inode(&path.metadata().unwrap());
    *bot.index.records.lock().unwrap() = vec![DocumentRecord {
        sha256: "a".repeat(64),
        ctime_ns,
        inode,
        bytes: text.len() as u64,
        modified_ns: Some(1_700_000_000_000_000_000),
        indexed_at: Timestamp::now() + Duration::from_hours(1),
        ..record("a", name)
    }];
}

const FILE: &str = "/knowledge/documents/a/file";

#[tokio::test]
async fn a_file_is_sent_once_and_in_parts() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    indexed(&bot, "a.md", "0123456789");
    let whole = browser.get(FILE).await;
    let tag = format!("\"{}\"", "a".repeat(64));
    assert_eq!(whole.headers()["etag"], tag);
    assert_eq!(whole.headers()["last-modified"], "Tue, 14 Nov 2023 22:13:20 GMT");
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    assert_eq!(whole.headers()["cache-control"], "private, no-cache");
    for (name, value) in [("if-none-match", tag.as_str()), ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT")] {
        for method in [Method::GET, Method::HEAD] {
            let known = browser.send(method, FILE, &[(name, value)], None).await;
            assert_eq!(known.status(), 304, "{name}");
            assert_eq!(known.headers()["etag"], tag);
            // A browser renews the headers of its copy with these.
            assert_eq!(known.headers()["content-security-policy"], whole.headers()["content-security-policy"]);
            assert_eq!(known.text().await.unwrap(), "");
        }
    }
    let part = browser.send(Method::GET, FILE, &[("range", "bytes=2-4"), ("if-range", &tag)], None).await;
    assert_eq!((part.status().as_u16(), part.headers()["content-length"].as_bytes()), (206, &b"3"[..]));
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(part.headers()["x-content-type-options"], "nosniff");
    assert_eq!(part.text().await.unwrap(), "234");
    let many = browser.send(Method::GET, FILE, &[("range", "bytes=0-,0-,0-,0-")], None).await;
    assert_eq!((many.status().as_u16(), many.text().await.unwrap().as_str()), (200, "0123456789"));
    let beyond = browser.send(Method::GET, FILE, &[("range", "bytes=10-")], None).await;
    assert_eq!((beyond.status().as_u16(), beyond.headers()["content-range"].as_bytes()), (416, &b"bytes */10"[..]));
    let head = browser.send(Method::HEAD, FILE, &[("range", "bytes=2-4")], None).await;
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].as_bytes()), (200, &b"10"[..]));
    let other = browser.send(Method::GET, FILE, &[("if-match", "\"x\"")], None).await;
    assert_eq!(other.status(), 412);
    bot.stop().await;
}

#[tokio::test]
async fn a_file_that_has_changed_has_no_longer_the_tag_of_its_hash() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let tag = format!("\"{}\"", "a".repeat(64));
    let indexed_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    // Another size, an older time (a backup, say), a newer one.
    for (text, modified) in [
        ("98765432100", indexed_at),
        ("9876543210", indexed_at - Duration::from_hours(24)),
        ("9876543210", indexed_at + Duration::from_nanos(1)),
        // The same size, and the time set back.
        #[cfg(unix)]
        ("9876543210", indexed_at),
    ] {
        indexed(&bot, "a.md", "0123456789");
        let path = bot.docs_dir.join("a.md");
        std::fs::write(&path, text).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        let asked = browser.send(Method::GET, FILE, &[("if-none-match", &tag)], None).await;
        assert!(asked.headers()["etag"].to_str().unwrap().starts_with("W/\""), "{text} {modified:?}");
        assert_eq!((asked.status().as_u16(), asked.text().await.unwrap().as_str()), (200, text));
        let part = browser.send(Method::GET, FILE, &[("range", "bytes=2-4"), ("if-range", &tag)], None).await;
        assert_eq!(part.status(), 200);
    }
    // Another file in its place, whose inode has changed at the same time.
    #[cfg(unix)]
    {
        indexed(&bot, "a.md", "0123456789");
        bot.index.records.lock().unwrap()[0].inode = Some(1);
        assert!(browser.get(FILE).await.headers()["etag"].to_str().unwrap().starts_with("W/\""));
    }
    // Indexed within the same tick of the clock: what was written after that would look the same.
    indexed(&bot, "a.md", "0123456789");
    bot.index.records.lock().unwrap()[0].indexed_at = Timestamp::from_second(1_700_000_001).unwrap();
    assert!(browser.get(FILE).await.headers()["etag"].to_str().unwrap().starts_with("W/\""));
    bot.stop().await;
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_sent_stays_what_it_was() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let old = "old ".repeat(4 * 1024 * 1024);
    indexed(&bot, "a.md", &old);
    let mut answer = browser.get(FILE).await;
    let first = answer.chunk().await.unwrap().unwrap();
    let next = bot.docs_dir.join("next");
    std::fs::write(&next, "new ".repeat(5 * 1024 * 1024)).unwrap();
    std::fs::rename(next, bot.docs_dir.join("a.md")).unwrap();
    let rest = answer.text().await.unwrap();
    assert_eq!(first.len() + rest.len(), old.len());
    assert!(!rest.contains("new"));
    bot.stop().await;
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_is_no_whole_answer() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    indexed(&bot, "a.md", &"old ".repeat(4 * 1024 * 1024));
    let mut answer = browser.get(FILE).await;
    answer.chunk().await.unwrap().unwrap();
    std::fs::File::options().write(true).open(bot.docs_dir.join("a.md")).unwrap().set_len(10).unwrap();
    // Fewer bytes than promised: the connection breaks, and nobody takes the rest for the file.
    assert!(answer.bytes().await.is_err());
    let next = browser.get(FILE).await;
    assert_eq!((next.status().as_u16(), next.text().await.unwrap().len()), (200, 10));
    bot.stop().await;
}

#[tokio::test]
async fn a_preview_shows_what_is_indexed_and_runs_nothing() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let path = "/knowledge/documents/refund_policy/preview";
    let shown = browser.get(&format!("{path}?page=2&quote=within%2030%20%0Adays")).await;
    assert_eq!(shown.status(), 200);
    assert_eq!(shown.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(shown.headers()["cache-control"], "no-store");
    let policy = shown.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("script"));
    let text = shown.text().await.unwrap();
    assert!(text.contains("autofocus>within 30 days</mark>"), "{text}");
    assert!(!text.contains("<script") && !text.contains("style="));
    let head = browser.send(Method::HEAD, path, &[], None).await;
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
    for (query, status) in [
        ("?page=-1".to_owned(), 400),
        ("?page=4294967296".to_owned(), 400),
        ("?page=0&part=0&quote=".to_owned(), 200),
        (format!("?quote={}", "x".repeat(4_001)), 400),
        (format!("?sheet={}", "x".repeat(401)), 400),
        (format!("?quote={}", "x".repeat(4_000)), 200),
    ] {
        assert_eq!(browser.get(&format!("{path}{query}")).await.status(), status, "{query:.20}");
    }
    let unknown = browser.get("/knowledge/documents/unknown/preview").await;
    assert_eq!(
        (unknown.status().as_u16(), unknown.text().await.unwrap().as_str()),
        (404, r#"{"detail":"Document not found"}"#)
    );
    bot.stop().await;
}

/// D1, D2: a document is found by its id, and its file below the folder without a link on the way.
#[tokio::test]
async fn only_what_is_indexed_and_in_the_folder_is_served() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let outside = bot.docs_dir.parent().unwrap().join("outside.md");
    std::fs::write(&outside, "outside").unwrap();
    std::fs::write(bot.docs_dir.join("unindexed.md"), "unindexed").unwrap();
    *bot.index.records.lock().unwrap() = vec![
        record("absent", "absent.md"),
        record("up", "../outside.md"),
        record("absolute", outside.to_str().unwrap()),
        record("folder", "."),
    ];
    let ids = ["absent", "up", "absolute", "folder"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&outside, bot.docs_dir.join("link.md")).unwrap();
        bot.index.records.lock().unwrap().push(record("link", "link.md"));
        let link = browser.get("/knowledge/documents/link/file").await;
        assert_eq!(link.text().await.unwrap(), r#"{"detail":"File not available"}"#);
        // An indexed document that was replaced by a link to what is left out as a secret.
        std::fs::write(bot.docs_dir.join(".env"), "KEY=secret").unwrap();
        std::os::unix::fs::symlink(".env", bot.docs_dir.join("replaced.md")).unwrap();
        bot.index.records.lock().unwrap().push(record("replaced", "replaced.md"));
        let replaced = browser.get("/knowledge/documents/replaced/file").await;
        assert_eq!(replaced.text().await.unwrap(), r#"{"detail":"File not available"}"#);
    }
    for id in ids {
        let answer = browser.get(&format!("/knowledge/documents/{id}/file")).await;
        assert_eq!(answer.status(), 404, "{id}");
        assert_eq!(answer.text().await.unwrap(), r#"{"detail":"File not available"}"#, "{id}");
    }
    for id in ["unindexed", "unindexed.md", "..%2Foutside.md", "%2e%2e%2f%2e%2e", "refund_policy%00"] {
        let answer = browser.get(&format!("/knowledge/documents/{id}/file")).await;
        assert_eq!(answer.status(), 404, "{id}");
        assert_eq!(answer.text().await.unwrap(), r#"{"detail":"Document not found"}"#, "{id}");
    }
    bot.stop().await;
}

/// D3: what could run is a download, or in a sandbox without scripts; the type is the server's.
#[tokio::test]
async fn active_documents_are_tamed() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    for (name, disposition) in
        [("a.html", "inline"), ("a.svg", "attachment"), ("a.xml", "attachment"), ("a.xyz", "attachment")]
    {
        std::fs::write(bot.docs_dir.join(name), "<script>alert(1)</script>").unwrap();
        *bot.index.records.lock().unwrap() = vec![record("a", name)];
        let answer = browser.get("/knowledge/documents/a/file").await;
        let header = |header: &str| answer.headers()[header].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("sandbox;"), "{name}");
        assert!(header("content-disposition").starts_with(disposition), "{name}");
        assert_eq!(header("x-content-type-options"), "nosniff");
    }
    bot.stop().await;
}

#[tokio::test]
async fn citations_have_the_references_keys_and_the_place() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("q").await;
    let path = format!("/knowledge/threads/{thread_id}/citations");
    let expected = concat!(
        r#"{"documentIds":["refund_policy"],"citations":[{"document_id":"refund_policy","filename":"refund_policy.md","#,
        r#""title":"Refund Policy","description":null,"annotation_index":15,"page":2,"slide":null,"sheet":null,"rows":null,"heading":"Returns","#,
        r#""quote":"within 30 days"}]}"#,
    );
    assert_eq!(browser.get(&path).await.text().await.unwrap(), expected);
    let answer_id = told.last().unwrap()["item"]["id"].as_str().unwrap();
    let question_id = told[1]["item"]["id"].as_str().unwrap();
    assert_eq!(browser.get(&format!("{path}?item={answer_id}")).await.text().await.unwrap(), expected);
    let of_a_question: Value =
        serde_json::from_str(&browser.get(&format!("{path}?item={question_id}")).await.text().await.unwrap()).unwrap();
    assert_eq!(of_a_question, json!({"documentIds": [], "citations": []}));
    let unknown = browser.get(&format!("{path}?item=msg_unknown")).await;
    assert_eq!(
        (unknown.status().as_u16(), unknown.text().await.unwrap().as_str()),
        (404, r#"{"detail":"Item not found"}"#)
    );
    bot.stop().await;
}

#[tokio::test]
async fn health_is_the_stores_and_the_indexes() {
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    let healthy = browser.get("/knowledge/health").await;
    assert_eq!((healthy.status().as_u16(), healthy.text().await.unwrap().as_str()), (200, r#"{"status":"healthy"}"#));
    *bot.index.mood.lock().unwrap() = Mood::Fails;
    let unhealthy = browser.get("/knowledge/health").await;
    assert_eq!(unhealthy.status(), 503);
    assert_eq!(unhealthy.text().await.unwrap(), r#"{"status":"unhealthy"}"#);
    *bot.index.mood.lock().unwrap() = Mood::Fine;
    bot.store.close().await;
    assert_eq!(browser.get("/knowledge/health").await.status(), 503);
    let failed = browser.post(&json!({"type": "threads.list", "params": {}})).await;
    assert_eq!(failed.status(), 503);
    let info = browser.get("/knowledge/info").await.text().await.unwrap();
    assert_eq!(info, r#"{"assistant_name":"Test \"bot\"","attachments":null}"#);
    bot.stop().await;
}
