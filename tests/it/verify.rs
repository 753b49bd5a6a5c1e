//! `docs verify`: what differs between folder and vector store is told by name, and nothing is written.

use std::fs;

use openai_stand_in::{Act, Fault, StandIn};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::vector_store::{Account, named_for, sandbox};

/// Four documents that are in the store.
async fn synced(service: &StandIn) -> (Sandbox, String) {
    let store = Account::new(service).create("docs").await;
    let sandbox = (0..4).fold(sandbox(service).env("VECTOR_STORE_ID", &store), |sandbox, n| {
        sandbox.file(&format!("data/doc{n}.md"), format!("# Document {n}\n\nThe text of number {n}.\n"))
    });
    sandbox.run(["docs", "sync", "--to", "openai"]).code(0);
    (sandbox, store)
}

/// The probes that are no pass, with what they saw.
fn seen(report: &Value) -> Vec<(String, String)> {
    let probes = report["probes"].as_array().unwrap().iter().filter(|probe| probe["verdict"] != "pass");
    let all = probes.flat_map(|probe| {
        let kind = probe["kind"].as_str().unwrap();
        let evidence = probe["evidence"].as_array().unwrap().iter();
        evidence.map(move |seen| (kind.to_owned(), seen["subject"].as_str().unwrap().to_owned()))
    });
    all.collect()
}

#[tokio::test]
async fn an_equal_store_is_go_and_every_difference_is_named() {
    let service = StandIn::start().await;
    let (sandbox, store) = synced(&service).await;
    service.clear_log();
    let report = sandbox.run(["docs", "verify", "--format", "json"]).code(0).json();
    assert_eq!((&report["schema"], &report["outcome"]), (&json!("chatbotctl.docs-verify/1"), &json!("GO")));
    assert_eq!(seen(&report), []);
    sandbox.run(["docs", "verify", "--format", "junit"]).code(0).says("<testsuite");
    let account = Account::new(&service);
    let orphan = named_for(&store, "lost");
    account.upload(&orphan, "lost").await;
    account.upload(&named_for("vs_gone", "gone"), "gone").await;
    let foreign = account.upload("handbook.md", "foreign").await;
    account.attach(&store, &foreign, &json!({})).await;
    let unknown = account.create("somebody's").await;
    fs::write(sandbox.path("data/doc0.md"), "# Document 0\n\nOther words.\n").unwrap();
    fs::remove_file(sandbox.path("data/doc1.md")).unwrap();
    fs::rename(sandbox.path("data/doc2.md"), sandbox.path("data/moved.md")).unwrap();
    fs::write(sandbox.path("data/new.md"), "# New\n\nNew words.\n").unwrap();
    service.clear_log();
    let report = sandbox.run(["docs", "verify", "--format", "json"]).code(1).json();
    assert_eq!(report["outcome"], "NO-GO");
    let expected = [
        ("missing", "new.md"),
        ("outdated", "doc0.md"),
        ("attributes", "moved.md"),
        ("extra", "doc1.md"),
        ("orphan", &orphan),
        ("foreign", &foreign),
        ("gone-store", &named_for("vs_gone", "gone")),
        ("unknown-store", &unknown),
    ];
    assert_eq!(seen(&report), expected.map(|(kind, subject)| (kind.to_owned(), subject.to_owned())));
    sandbox.run(["docs", "verify"]).code(1).says("NO-GO").says("a month").says("docs sync --to openai");
    assert!(service.writes().is_empty(), "a look writes nothing");
}

#[tokio::test]
async fn a_store_that_another_profile_names_is_known() {
    let service = StandIn::start().await;
    let account = Account::new(&service);
    let (mine, pilots, production) =
        (account.create("mine").await, account.create("pilot").await, account.create("prod").await);
    let nobodys = account.create("nobody's").await;
    let pilot = format!("profiles:\n  pilot:\n    base: staging\n    settings:\n      VECTOR_STORE_ID: {pilots}\n");
    let sandbox = sandbox(&service)
        .file("chatbotctl.yaml", pilot)
        .file(".env", format!("VECTOR_STORE_ID={mine}\n"))
        .file(".env.pilot", "# the store stands in chatbotctl.yaml\n")
        .file(".env.prod", format!("VECTOR_STORE_ID={production}\n"))
        .file("data/a.md", "# A\n\nWords.\n");
    sandbox.run(["docs", "sync", "--to", "openai"]).code(0);
    let report = sandbox.run(["docs", "verify", "--format", "json"]).code(0).json();
    assert_eq!(seen(&report), [("unknown-store".to_owned(), nobodys)]);
}

#[tokio::test]
async fn what_the_service_refused_is_told() {
    let service = StandIn::start().await;
    let (sandbox, _) = synced(&service).await;
    let (matching, code, message) = ("bad".to_owned(), "invalid_file".to_owned(), "no text in it".to_owned());
    service.fail(Fault::always(Act::FileFails { matching, code, message }));
    let sandbox = sandbox.file("data/bad.md", "# Bad\n\nBad words.\n");
    sandbox.run(["docs", "sync", "--to", "openai"]).code(1);
    let report = sandbox.run(["docs", "verify", "--format", "json"]).code(1).json();
    assert_eq!(seen(&report), [("failed".to_owned(), "bad.md".to_owned())]);
}

#[tokio::test]
async fn what_keeps_it_from_looking_has_its_exit_code() {
    let service = StandIn::start().await;
    let (sandbox, store) = synced(&service).await;
    let folder = |name: &str, value: &str| {
        crate::vector_store::sandbox(&service).env("VECTOR_STORE_ID", &store).env(name, value).file("data/a.md", "A.")
    };
    folder("OPENAI_API_KEY", "sk-5ca1ab1e").run(["docs", "verify"]).code(4).warns("openai/wrong-key");
    folder("OPENAI_BASE_URL", "http://127.0.0.1:9/v1").run(["docs", "verify"]).code(5).warns("openai/unreachable");
    folder("VECTOR_STORE_ID", "").run(["docs", "verify"]).code(3).warns("vector-store/none");
    folder("VECTOR_STORE_ID", "vs_nothing").run(["docs", "verify"]).code(1).warns("vector-store/unknown");
    let empty = Account::new(&service).create("empty").await;
    fs::create_dir(sandbox.path("nothing")).unwrap();
    sandbox.run(["docs", "verify", "--store", &empty, "--docs-dir", "nothing"]).code(6).says("NOT PROVEN");
    service.fail(Fault::always(Act::StoreExpired { store_id: Some(store) }));
    sandbox.run(["docs", "verify"]).code(1).warns("vector-store/expired");
}
