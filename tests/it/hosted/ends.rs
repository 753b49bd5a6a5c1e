//! What the operator sees of every misbehaviour of the service.

use std::fs;
use std::time::Duration;

use openai_stand_in::{Act, ErrorBody, Fault};

use crate::hosted::Project;

fn status(code: u16, body: ErrorBody) -> Act {
    Act::Status { code, body, hints: Vec::new() }
}

/// The sync ends with a code and a word, and the next one finishes what it left.
#[test]
fn what_ends_a_sync_has_a_code_and_the_next_one_finishes() {
    let ends = [
        (Fault::on("*", "*", Act::WrongKey), 4, "openai/wrong-key"),
        (Fault::on("POST", "/files", Act::NoQuota), 1, "openai/no-quota"),
        (Fault::always(Act::StoreExpired { store_id: None }), 1, "vector-store/expired"),
        (Fault::on("*", "*", Act::RateLimited { retry_after: Some(3600) }), 5, "openai/rate-limited"),
        (Fault::on("POST", "/files", status(500, ErrorBody::Json)), 5, "openai/failed"),
        (Fault::on("POST", "/files", status(503, ErrorBody::Html)), 5, "openai/failed"),
        (Fault::on("POST", "/vector_stores/{id}/file_batches", Act::ResetMidBody), 5, "openai/unreachable"),
        (Fault::on("GET", "/vector_stores/{id}", Act::GarbledJson), 5, "openai/"),
    ];
    for (fault, code, word) in ends {
        let project = Project::new(6);
        project.account.fail(fault.clone());
        project.sync(&[]).code(code).warns(&format!("error[{word}")).warns("fix: ");
        project.account.heal();
        project.sync(&[]).code(0);
        project.assert_equal();
    }
}

#[test]
fn what_passes_is_not_even_told() {
    let passing = [
        Fault::on("POST", "/files", Act::RateLimited { retry_after: None }).times(2),
        Fault::on("POST", "/files", Act::RateLimited { retry_after: Some(1) }).times(2),
        Fault::on("POST", "/files", status(500, ErrorBody::Json)).times(2),
        Fault::on("GET", "/vector_stores/{id}/file_batches/{id}", status(503, ErrorBody::Html)).times(2),
        Fault::on("POST", "/files", Act::ResetMidBody).nth(2),
        Fault::on("POST", "/files", Act::LostAnswer).times(3),
        Fault::on("POST", "/vector_stores/{id}/file_batches", Act::LostAnswer).times(1),
        Fault::on("POST", "/vector_stores/{id}/file_batches", Act::TruncatedBody).times(1),
        Fault::always(Act::LaggingDelete(Duration::from_mins(10))),
        Fault::always(Act::BatchIdOfStore),
    ];
    for fault in passing {
        let project = Project::new(6);
        project.account.fail(fault.clone());
        let report = project.sync(&[]).code(0).json();
        assert_eq!(report["added"], 6, "{fault:?}");
        fs::write(project.document(0), "Changed.").unwrap();
        project.sync(&[]).code(0);
        project.assert_equal();
    }
}

#[test]
fn a_document_that_cannot_be_indexed_is_named_and_the_rest_goes_on() {
    let project = Project::new(6);
    let message = "The file cannot be read.".to_owned();
    let (matching, code) = ("doc3".to_owned(), "invalid_file".to_owned());
    project.account.fail(Fault::always(Act::FileFails { matching, code, message }));
    for added in [5, 0] {
        let report = project.sync(&[]).code(1).json();
        assert_eq!((&report["added"], &report["problems"][0]["code"]), (&added.into(), &"openai/invalid-file".into()));
        assert_eq!(report["problems"][0]["path"], "part0/doc3.md");
        assert!(report["problems"][0]["message"].as_str().unwrap().contains("cannot be read"), "{report}");
        project.account.clear_log();
    }
    assert!(project.account.writes().is_empty());
    project.account.heal();
    assert_eq!(project.sync(&["--retry-failed"]).code(0).json()["added"], 1);
    project.assert_equal();
}

/// D12: nor does it empty a store.
#[test]
fn many_documents_are_not_removed_without_a_word() {
    let project = Project::new(9);
    project.sync(&[]).code(0);
    fs::remove_dir_all(project.sandbox.path("data/part1")).unwrap();
    let run = project.sync(&["--yes"]).code(7).warns("3 of 9 documents").warns("--allow-delete");
    assert_eq!(run.json()["problems"][0]["code"], "docs/declined");
    assert_eq!(project.sync(&["--allow-delete"]).code(0).json()["removed"], 3);
    project.assert_equal();
}

#[test]
fn without_a_store_a_key_or_a_service_it_says_what_to_do() {
    let project = Project::new(1);
    project.sync(&["--store", "vs_0000"]).code(1).warns("vector-store/unknown").warns("vector-store list");
    project.sandbox.run(["docs", "sync", "--store", "vs_1"]).code(2).warns("--to openai");
    project.sandbox.run(["docs", "sync", "--to", "openai", "--watch"]).code(2).warns("--watch");
    let nowhere = crate::sandbox::Sandbox::new().file("data/a.md", "A.");
    nowhere.run(["docs", "sync", "--to", "openai"]).code(3).warns("VECTOR_STORE_ID");
    nowhere.run(["docs", "sync", "--to", "openai", "--store", "vs_1"]).code(4).warns("OPENAI_API_KEY");
    let closed = nowhere.env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1").env("OPENAI_API_KEY", "sk-none");
    closed.run(["docs", "sync", "--to", "openai", "--store", "vs_1"]).code(5).warns("openai/unreachable");
}
