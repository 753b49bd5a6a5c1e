//! The gate before an upload, what goes up of formats that the service does not read, and roles as attributes.

use std::fs;

use openai_stand_in::{Act, ErrorBody, Fault};
use serde_json::json;

use crate::hosted::{Project, counts, expected};

/// Put together, so that no scanner of repositories takes it for a leak.
fn token() -> String {
    format!("gh{}_{}", "p", "q7Rk2mZt9WbX4cVn6LpY8sHd3Jf5GaTe1uCi")
}

fn with_leak() -> Project {
    let project = Project::new(3);
    fs::write(project.sandbox.path("data/leak.md"), format!("# Keys\n\nUse {} please.\n", token())).unwrap();
    project
}

/// D13: a key in one document holds all of them back, until a person says otherwise: not by --yes.
#[test]
fn nothing_goes_up_while_something_is_found() {
    let project = with_leak();
    for flags in [&[][..], &["--yes"]] {
        let run = project.sync(flags).code(1).warns("error[docs/findings").warns("leak.md, line 3").warns("ghp_…");
        assert!(!run.text().contains(&token()), "the value is shown");
        assert_eq!(project.writes(), expected(&[]), "something was sent before the gate");
    }
    let report = project.sync(&["--allow-findings"]).code(0).warns("let through").json();
    assert_eq!(counts(&report)[0], 4);
    let findings = report["allowed_findings"].as_array().unwrap();
    assert_eq!(
        (findings.len(), &findings[0]["path"], &findings[0]["kind"]),
        (1, &json!("leak.md"), &json!("github-token"))
    );
    assert!(!report.to_string().contains(&token()));
    // What is there already is not looked at again.
    assert_eq!(counts(&project.sync(&[]).code(0).json()), [0, 0, 0, 4, 0]);
}

/// What an earlier run was allowed to send, and could not attach, is looked at again before anybody can find it.
#[test]
fn what_was_uploaded_and_never_attached_passes_the_gate_again() {
    let project = with_leak();
    let refused = Act::Status { code: 500, body: ErrorBody::Json, hints: Vec::new() };
    project.account.fail(Fault::on("POST", "/vector_stores/{id}/file_batches", refused));
    let report = project.sync(&["--allow-findings"]).code(5).warns("error[openai/failed").json();
    // A program learns what was done, and why it is not all.
    assert!(report["uploaded_bytes"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(report["problems"][0]["code"], "openai/failed");
    project.account.heal();
    project.account.clear_log();
    project.sync(&[]).code(1).warns("error[docs/findings");
    assert_eq!(project.writes(), expected(&[]));
    assert_eq!(counts(&project.sync(&["--allow-findings"]).code(0).json())[0], 4);
    assert!(!project.writes().contains_key("POST /files"), "they are attached, not sent again");
    project.assert_equal();
}

#[test]
fn what_the_allow_file_allows_goes_up() {
    let project = with_leak();
    let text = "allow:\n  - {path: leak.md, kind: github-token, reason: revoked long ago}\n";
    fs::write(project.sandbox.path("docs-allow.yaml"), text).unwrap();
    let report = project.sync(&[]).code(0).json();
    assert_eq!((counts(&report)[0], &report["allowed_findings"]), (4, &json!([])));
    project.assert_equal();
    project.sandbox.run(["docs", "sync", "--allow-findings"]).code(2).warns("--to openai");
}

/// What nobody could look at does not go up, is told, and hides no other document; its old version stays.
#[test]
fn a_document_without_text_is_a_problem_and_not_uploaded() {
    let project = Project::new(3);
    project.sync(&[]).code(0);
    fs::write(project.document(0), "<!-- nothing -->\n").unwrap();
    fs::write(project.sandbox.path("data/wrong.txt"), "%PDF-1.4\nno pages\n").unwrap();
    fs::write(project.document(1), "# Document 1\n\nAnother text.\n").unwrap();
    project.account.clear_log();
    let report = project.sync(&[]).code(1).json();
    let problems = report["problems"].as_array().unwrap();
    let paths: Vec<&str> = problems.iter().map(|problem| problem["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["part0/doc0.md", "wrong.txt"], "{report}");
    assert_eq!(counts(&report)[1], 1);
    assert_eq!(project.writes()["POST /files"], 1);
    assert!(project.account.store_documents(&project.store_id).contains_key("part0/doc0.md"));
}

/// A visitor's filter can tell what is restricted of every document; a table goes up as Markdown with its place.
#[test]
fn tables_go_up_as_markdown_and_roles_as_attributes() {
    let project = Project::new(1);
    fs::write(project.sandbox.path("data/prices.csv"), "item,price\nlamp,3\nbulb,1\n").unwrap();
    let catalogue = "documents:\n  - {path: prices.csv, roles: [staff], tags: [Prices]}\n";
    fs::write(project.sandbox.path("data/documents.yaml"), catalogue).unwrap();
    assert_eq!(counts(&project.sync(&[]).code(0).json())[0], 2);
    let state = project.account.state();
    let store = state.store(&project.store_id).unwrap();
    let table = store.files.iter().find(|file| file.attributes["path"] == json!("prices.csv")).unwrap();
    for (name, value) in [("form", json!("markdown")), ("restricted", json!(true)), ("role_staff", json!(true))] {
        assert_eq!(table.attributes[name], value);
    }
    let other = store.files.iter().find(|file| file.attributes["path"] != json!("prices.csv")).unwrap();
    assert_eq!((&other.attributes["restricted"], &other.attributes["form"]), (&json!(false), &json!("original")));
    assert_eq!(counts(&project.sync(&[]).code(0).json()), [0, 0, 0, 2, 0]);
}
