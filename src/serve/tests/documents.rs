//! Documents, citations, and what else is beside the protocol.

use reqwest::Method;
use serde_json::{Value, json};

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
        r#""title":"Refund Policy","description":null,"annotation_index":15,"page":2,"heading":"Returns","#,
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
    assert_eq!(failed.status(), 500);
    let info = browser.get("/knowledge/info").await.text().await.unwrap();
    assert_eq!(info, r#"{"assistant_name":"Test \"bot\""}"#);
    bot.stop().await;
}
