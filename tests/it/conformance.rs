//! `conformance` as a person or a pipeline runs it: what it refuses, and that our own server passes.

use std::fs;

use serde_json::Value;

use crate::bot::TestBot;
use crate::sandbox::Sandbox;

#[test]
fn every_case_is_listed_with_its_rule() {
    let list = Sandbox::new().run(["conformance", "--list", "--format", "json"]).code(0).json();
    assert_eq!(list["schema"], "chatbotctl.conformance-cases/1");
    let cases = list["cases"].as_array().unwrap();
    assert!(cases.len() >= 80, "{}", cases.len());
    assert!(cases.iter().all(|case| case["rule"].as_str().is_some_and(|rule| !rule.is_empty())));
    Sandbox::new().run(["conformance", "--list", "--case", "retry"]).code(0).says("retry/removes-newer");
}

#[test]
fn wrong_uses_are_refused_before_anything_is_contacted() {
    let url = "http://127.0.0.1:9";
    Sandbox::new().run(["conformance"]).code(2);
    Sandbox::new().run(["conformance", "--url", "ftp://127.0.0.1"]).code(2).warns("http://HOST:PORT");
    Sandbox::new().run(["conformance", "--url", url, "--case", "retyr"]).code(2).warns("did you mean `retry`");
    Sandbox::new().run(["conformance", "--url", url, "--header", "Host: x"]).code(2).warns("`host`");
}

/// C6: a server that is not on this machine is not touched unless somebody agrees; without a terminal nobody can.
#[test]
fn a_server_elsewhere_needs_a_word() {
    Sandbox::new().run(["conformance", "--url", "http://192.0.2.1"]).code(7).warns("--yes");
}

#[test]
fn a_server_that_is_not_there_proves_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let report = Sandbox::new().run(["conformance", "--url", &url, "--format", "json"]).code(6).json();
    assert_eq!(report["outcome"], "NOT PROVEN");
    assert!(report["probes"].as_array().unwrap().iter().all(|probe| probe["verdict"] == "unknown"));
}

/// A15, A16, H4, H18, M9 and more, as the cases name them: our server passes, or has nothing to look at and says why.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_server_passes() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let text = "# Returns\n\nRefunds take five working days. Gift cards take one day.\n";
    fs::write(folder.path().join("data/returns.md"), text).unwrap();
    let settings = [("AUTH_MODE", "visitor"), ("MODEL_BACKEND", "stub")];
    let bot = TestBot::start_with(folder.path(), &[], &settings);
    let url = bot.url.clone();
    let run = tokio::task::spawn_blocking(move || {
        Sandbox::new().run(["conformance", "--url", &url, "--timeout", "120", "--format", "json"])
    });
    let report = run.await.unwrap().json();
    let bad: Vec<&Value> = report["probes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|probe| matches!(probe["verdict"].as_str(), Some("fail" | "unknown")))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!(report["outcome"], "GO");
    assert!(report["summary"]["pass"].as_u64().unwrap() > 150, "{}", report["summary"]);
    let absent = report["probes"].as_array().unwrap().iter().filter(|probe| probe["verdict"] == "not_applicable");
    for probe in absent {
        assert!(probe["evidence"][0]["message"].as_str().is_some_and(|why| !why.is_empty()), "{probe}");
    }
    let list = bot.client().call("threads.list", serde_json::json!({})).await;
    assert_eq!(list["data"], serde_json::json!([]));
}
