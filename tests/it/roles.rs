//! Documents with roles through the real program: visitors see nothing of them, operators do.

use serde_json::Value;

use crate::bot::TestBot;
use crate::sandbox::Sandbox;

/// A word that stands in the restricted document alone.
const SECRET: &str = "quicksilver";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new()
        .file("data/returns.md", "# Returns\n\nLamps go back within thirty days.\n")
        .file("data/staff/bonus.md", "# Bonus\n\nThe quicksilver bonus for lamps is paid to staff in May.\n")
        .file("data/documents.yaml", "documents:\n  - path: 'staff/**'\n    roles: [staff]\n");
    sandbox.run(["docs", "sync"]).code(0);
    sandbox
}

/// Restricted documents are not found, listed, previewed, served or cited.
#[tokio::test]
async fn a_visitor_sees_nothing_of_a_document_with_roles() {
    let sandbox = sandbox();
    let bot = TestBot::start(&sandbox.path(""), &[]);
    let mut client = bot.client();
    for question in ["What is the quicksilver bonus?", "When is the bonus for lamps paid to staff?"] {
        let answer = client.create(question).await;
        assert!(!answer.text.contains("May") && !answer.text.contains("staff in"), "{answer:?}");
    }
    let list: Value = client.get("/knowledge/documents").await.json().await.unwrap();
    assert_eq!(list["documents"].as_array().unwrap().len(), 1, "{list}");
    for page in ["file", "preview"] {
        let there = client.get(&format!("/knowledge/documents/returns/{page}")).await;
        assert_eq!(there.status(), 200);
        let hidden = client.get(&format!("/knowledge/documents/bonus/{page}")).await;
        assert_eq!(hidden.status(), 404, "{page}");
        assert!(!hidden.text().await.unwrap().contains(SECRET));
    }
}

#[test]
fn the_bot_on_the_command_line_is_a_visitor_and_the_operator_is_none() {
    let sandbox = sandbox();
    let answer = sandbox.run(["ask", "When is the quicksilver bonus paid?", "--format", "json"]).code(0).json();
    assert!(answer["citations"].as_array().unwrap().iter().all(|citation| citation["path"] != "staff/bonus.md"));
    assert!(
        !answer["answer"].as_str().unwrap().contains(SECRET) || !answer["answer"].as_str().unwrap().contains("May")
    );
    let found = sandbox.run(["docs", "search", SECRET, "--format", "json"]).code(0).json();
    assert_eq!(found["hits"][0]["path"], "staff/bonus.md");
    sandbox.run(["docs", "show", "bonus.md"]).code(0).says(SECRET);
    let status = sandbox.run(["docs", "status", "--format", "json"]).code(0).json();
    assert_eq!((&status["documents"], &status["restricted"]), (&2.into(), &1.into()));
    sandbox.run(["docs", "status"]).code(0).says("restricted 1 document");
    let report = sandbox.run(["docs", "lint", "--format", "json"]).code(0).json();
    let probe = report["probes"].as_array().unwrap().iter().find(|probe| probe["kind"] == "restricted").unwrap();
    assert_eq!((&probe["verdict"], &probe["evidence"][0]["subject"]), (&"warn".into(), &"staff/bonus.md".into()));
}

/// Roles given later hide a document with the next sync, and read no other one again.
#[test]
fn roles_given_later_count_from_the_next_sync() {
    let sandbox = sandbox().file("data/documents.yaml", "documents: []\n");
    let freed = sandbox.run(["docs", "sync", "--format", "json"]).code(0).json();
    assert_eq!((&freed["updated"], &freed["unchanged"]), (&1.into(), &1.into()), "{freed}");
    sandbox.run(["ask", "When is the quicksilver bonus paid?"]).code(0).says("May");
    let sandbox = sandbox.file("data/documents.yaml", "documents:\n  - path: staff/bonus.md\n    roles: [board]\n");
    let hidden = sandbox.run(["docs", "sync", "--format", "json"]).code(0).json();
    assert_eq!((&hidden["updated"], &hidden["unchanged"]), (&1.into(), &1.into()), "{hidden}");
    let list = sandbox.run(["docs", "list", "--format", "json"]).code(0).json();
    assert!(list["documents"].as_array().unwrap().iter().any(|document| document["roles"][0] == "board"), "{list}");
}

#[test]
fn a_mistake_in_roles_stops_the_sync() {
    let sandbox = sandbox().file("data/documents.yaml", "documents:\n  - path: staff/bonus.md\n    roles:\n");
    sandbox.run(["docs", "sync"]).code(3).warns("roles");
}

#[test]
fn a_rendition_is_shown_as_it_would_go_up() {
    let sandbox = sandbox().file("data/prices.csv", "item,price\nlamp,3\nbulb,1\n");
    sandbox
        .run(["docs", "show", "prices.csv", "--rendition"])
        .code(0)
        .says("| item | price |\n|---|---|\n| lamp | 3 |");
    let shown = sandbox.run(["docs", "show", "prices.csv", "--rendition", "--format", "json"]).code(0).json();
    assert_eq!((&shown["schema"], &shown["form"]), (&"chatbotctl.docs-rendition/1".into(), &"markdown".into()));
    let native = sandbox.run(["docs", "show", "returns.md", "--rendition", "--format", "json"]).code(0).json();
    assert_eq!(native["form"], "original");
}
