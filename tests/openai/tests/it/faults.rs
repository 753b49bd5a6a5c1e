//! Every misbehaviour, as a client sees it.

use std::time::{Duration, Instant};

use openai_stand_in::{Act, ErrorBody, Fault, Hint};
use serde_json::{Value, json};

use crate::client::{delete, form, get, id, post, raw, send, started, store, try_form, try_send, upload};

#[test]
fn a_status_comes_with_its_body_and_hints_and_nothing_is_done() {
    let to = started();
    let status = |code, body, hints| Fault::on("POST", "/vector_stores", Act::Status { code, body, hints }).times(1);
    to.fail(status(503, ErrorBody::Html, vec![Hint::RetryAfterMs(20), Hint::ShouldRetry(true)]));
    let answer = send(&to, "POST", "/vector_stores", Some(&json!({})));
    assert_eq!((answer.status, answer.header("retry-after-ms").as_deref()), (503, Some("20")));
    assert_eq!(answer.header("x-should-retry").as_deref(), Some("true"));
    assert!(answer.text().starts_with("<html>"), "{}", answer.text());
    to.fail(status(500, ErrorBody::Json, vec![Hint::RetryAfterDate(30)]));
    let answer = send(&to, "POST", "/vector_stores", Some(&json!({})));
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (500, &json!("server_error")));
    assert!(answer.header("retry-after").unwrap().ends_with("GMT"));
    to.fail(status(502, ErrorBody::Empty, Vec::new()));
    assert_eq!(send(&to, "POST", "/vector_stores", Some(&json!({}))).body, b"");
    to.fail(status(504, ErrorBody::Plain, Vec::new()));
    assert_eq!(send(&to, "POST", "/vector_stores", Some(&json!({}))).status, 504);
    assert!(to.state().stores.is_empty());
    assert_eq!(send(&to, "POST", "/vector_stores", Some(&json!({}))).status, 200);
}

#[test]
fn refusals_are_those_of_the_service() {
    let to = started();
    to.fail(Fault::on("GET", "/models", Act::RateLimited { retry_after: Some(2) }).times(1));
    to.fail(Fault::on("GET", "/models/{any}", Act::RateLimited { retry_after: None }));
    to.fail(Fault::on("GET", "/files", Act::NoQuota));
    to.fail(Fault::on("GET", "/vector_stores", Act::WrongKey));
    let limited = send(&to, "GET", "/models", None);
    assert_eq!(
        (limited.refused(), limited.header("retry-after").as_deref()),
        ((429, "rate_limit_exceeded".into()), Some("2"))
    );
    assert_eq!(send(&to, "GET", "/models/gpt-4o", None).header("retry-after"), None);
    assert_eq!(send(&to, "GET", "/files", None).refused(), (429, "insufficient_quota".into()));
    assert_eq!(send(&to, "GET", "/vector_stores", None).refused(), (401, "invalid_api_key".into()));
    assert_eq!(send(&to, "GET", "/models", None).status, 200);
    to.heal();
    assert_eq!(send(&to, "GET", "/files", None).status, 200);
}

#[test]
fn resets_come_before_in_the_middle_and_after() {
    let to = started();
    let bytes = vec![b'x'; 300_000];
    let file = Some(("file", "a.md", bytes.as_slice()));
    let purpose = [("purpose", "assistants")];
    for (act, kept) in [(Act::ResetBefore, 0), (Act::ResetMidBody, 0), (Act::LostAnswer, 1)] {
        to.fail(Fault::on("POST", "/files", act.clone()).times(1));
        let error = try_form(&to, "/files", &purpose, file).expect_err("no answer");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{act:?}: {error}");
        assert_eq!(to.state().files.len(), kept, "{act:?}");
    }
    let calls = to.log();
    assert!(calls.iter().all(|call| call.status.is_none() && call.faults.len() == 1), "{calls:?}");
    assert_eq!(calls[2].body["file"]["bytes"], 300_000);
    assert_eq!(form(&to, "/files", &purpose, file).status, 200);
}

#[test]
fn answers_are_cut_or_garbled_after_the_work_was_done() {
    let to = started();
    to.fail(Fault::on("POST", "/vector_stores", Act::TruncatedBody).nth(1));
    to.fail(Fault::on("POST", "/vector_stores", Act::GarbledJson).nth(2));
    let cut = try_send(&to, "POST", "/vector_stores", Some(&json!({}))).expect_err("half an answer");
    assert!(cut.to_string().contains("cut off after"), "{cut}");
    let garbled = send(&to, "POST", "/vector_stores", Some(&json!({})));
    assert_eq!(garbled.status, 200);
    assert!(serde_json::from_slice::<Value>(&garbled.body).is_err());
    assert_eq!(to.state().stores.len(), 2);
}

#[test]
fn a_stall_says_nothing_for_its_time() {
    let to = started();
    to.fail(Fault::on("GET", "/models", Act::Stall(Duration::from_millis(300))).times(1));
    let begun = Instant::now();
    assert!(try_send(&to, "GET", "/models", None).is_err());
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn files_fail_or_are_stuck_when_told_to() {
    let to = started();
    let fails = Act::FileFails { matching: "bad".into(), code: "server_error".into(), message: "again".into() };
    to.fail(Fault::always(fails).times(1));
    to.fail(Fault::always(Act::FileStuck { matching: "slow".into(), until_attached_again: true }));
    let store = id(&post(&to, "/vector_stores", &json!({})));
    let files = format!("/vector_stores/{store}/files");
    let (bad, slow) = (upload(&to, "bad.md", b"x"), upload(&to, "slow.md", b"x"));
    let ended = |file: &str| {
        get(&to, &format!("{files}/{file}"));
        get(&to, &format!("{files}/{file}"))["status"].as_str().unwrap().to_owned()
    };
    let attach = |file: &str| post(&to, &files, &json!({"file_id": file}));
    attach(&bad);
    attach(&slow);
    assert_eq!((ended(&bad), ended(&slow)), ("failed".to_owned(), "in_progress".to_owned()));
    for file in [&bad, &slow] {
        delete(&to, &format!("{files}/{file}"));
        attach(file);
    }
    assert_eq!((ended(&bad), ended(&slow)), ("completed".to_owned(), "completed".to_owned()));
    to.fail(Fault::always(Act::FileStuck { matching: String::new(), until_attached_again: false }));
    let held = upload(&to, "held.md", b"x");
    attach(&held);
    assert_eq!(ended(&held), "in_progress");
    to.heal();
    assert_eq!(ended(&held), "completed");
}

#[test]
fn stores_expire_batches_lie_and_pages_shift() {
    let to = started();
    let (store, ids) = store(&to, &[("a.md", "x"), ("b.md", "x"), ("c.md", "x")]);
    let path = format!("/vector_stores/{store}");
    to.fail(Fault::always(Act::StoreExpired { store_id: Some(store.clone()) }));
    assert_eq!(get(&to, &path)["status"], "expired");
    assert_eq!(send(&to, "POST", &format!("{path}/search"), Some(&json!({"query": "x"}))).status, 400);
    to.heal();
    to.fail(Fault::on("GET", "/vector_stores/{s}/file_batches/{b}", Act::BatchIdOfStore));
    let batch = id(&post(&to, &format!("{path}/file_batches"), &json!({"file_ids": ids})));
    assert_ne!(batch, store);
    assert_eq!(id(&get(&to, &format!("{path}/file_batches/{batch}"))), store);
    to.fail(Fault::on("GET", "/files", Act::ShiftingPages));
    let next = get(&to, &format!("/files?order=asc&limit=2&after={}", ids[1]));
    assert_eq!((&next["data"][0]["id"], &next["data"][1]["id"]), (&json!(ids[1]), &json!(ids[2])));
    to.fail(Fault::always(Act::LaggingDelete(Duration::from_secs(9))));
    delete(&to, &format!("{path}/files/{}", ids[0]));
    assert_eq!(get(&to, &format!("{path}/files"))["data"].as_array().unwrap().len(), 3);
    to.pass(Duration::from_secs(10));
    assert_eq!(get(&to, &format!("{path}/files"))["data"].as_array().unwrap().len(), 2);
}

#[test]
fn chance_is_drawn_from_the_seed() {
    let struck = |seed| {
        let to = started();
        to.fail(Fault::on("GET", "/models", Act::NoQuota).sometimes(0.5, seed));
        (0..40).map(|_| send(&to, "GET", "/models", None).status).collect::<Vec<_>>()
    };
    let (one, again, other) = (struck(1), struck(1), struck(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert!(one.contains(&200) && one.contains(&429));
}

#[test]
fn another_program_arms_faults_and_reads_the_log() {
    let to = started();
    let control =
        |method: &str, path: &str, body: Value| raw(&to, method, path, "", body.to_string().as_bytes()).unwrap();
    let fault = json!({"on": {"method": "GET", "path": "/models", "times": 1}, "act": {"status": {"code": 503}}});
    assert_eq!(control("POST", "/__control/fault", fault).status, 200);
    assert_eq!(
        control("POST", "/__control/fault", json!({"act": "reset_before", "on": {"method": "DELETE"}})).status,
        200
    );
    assert_eq!(control("POST", "/__control/fault", json!({"act": {"stall": "long"}})).status, 400);
    assert_eq!(send(&to, "GET", "/models", None).status, 503);
    assert!(try_send(&to, "DELETE", "/files/x", None).is_err());
    assert_eq!(control("POST", "/__control/heal", json!({})).status, 200);
    let said = json!({"parts": [{"text": "Scripted."}], "ending": {"incomplete": "content_filter"}});
    assert_eq!(control("POST", "/__control/answer", said).status, 200);
    let answer = post(&to, "/responses", &json!({"model": "gpt-6-luna", "input": "x"}));
    assert_eq!(answer["incomplete_details"]["reason"], "content_filter");
    let log = control("GET", "/__control/log", json!({})).json();
    let paths: Vec<&str> = log.as_array().unwrap().iter().map(|call| call["template"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/models", "/files/{file_id}", "/responses"]);
    assert_eq!(to.writes().len(), 2);
    to.clear_log();
    assert!(to.log().is_empty());
}
