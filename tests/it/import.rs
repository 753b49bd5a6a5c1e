//! `init --import`: a template is taken over, its vector store without an upload, and nothing is overwritten.

use openai_stand_in::{Act, Fault, StandIn};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::vector_store::Account;

/// Stands for every secret of a template.
const SENTINEL: &str = "sentinel-5ca1ab1e";

const MANIFEST: &str = r#"
DOCUMENTS: tuple[DocumentMetadata, ...] = (
    DocumentMetadata(
        id="returns",
        filename="01_returns.md",
        title="Returns — how",
        description="All about returns.",
    ),
    DocumentMetadata(id="absent", filename="absent.pdf", title="Nowhere"),
)
"#;
const RETURNS: &str = "# Returns\r\n\r\nRefunds take five days.  \r\n";
const WARRANTY: &str = "# Warranty\n\nThe tent is under warranty for three years.\n";

/// A template whose store is `store`, beside an empty folder for the bot.
fn template(service: &StandIn, store: &str) -> Sandbox {
    let env = format!(
        "# of the template\nOPENAI_API_KEY={}\nKNOWLEDGE_VECTOR_STORE_ID={store}\nREDIS_URL=redis://:{SENTINEL}@x\n",
        service.key()
    );
    Sandbox::new()
        .env("OPENAI_BASE_URL", service.base_url())
        .file("template/backend/.env", env)
        .file("template/.env", "ASSISTANT_NAME=Old helper\nLOG_LEVEL=WARNING\nDATABASE_URL=postgresql://u:pw@h/d\n")
        .file("template/frontend/.env", "VITE_KNOWLEDGE_API_BASE=/knowledge\n")
        .file("template/backend/app/documents.py", MANIFEST)
        .file("template/backend/data/01_returns.md", RETURNS)
        .file("template/backend/data/guides/warranty.md", WARRANTY)
        .file("template/backend/data/manual.pdf", "%PDF-1.4 a manual")
        .file("template/backend/data/changed.md", "Local words.")
}

/// Uploads what the template's script would have: one file as it is, one that differs, one that nobody has.
async fn fill(account: &Account<'_>, store: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for (name, content) in [
        ("01_returns.md", RETURNS),
        ("manual.pdf", "%PDF-1.4 a manual"),
        ("changed.md", "Other words."),
        ("somebody.md", "Somebody else's."),
    ] {
        let file = account.upload(name, content).await;
        account.attach(store, &file, &json!({})).await;
        ids.push(file);
    }
    ids
}

#[tokio::test]
async fn a_template_is_taken_over_and_its_store_without_an_upload() {
    let service = StandIn::start().await;
    let account = Account::new(&service);
    let store = account.create("old").await;
    let ids = fill(&account, &store).await;
    let sandbox = template(&service, &store);
    service.clear_log();
    let planned = sandbox.run(["init", "bot", "--import", "template", "--dry-run", "--format", "json"]).code(0);
    let plan = &planned.json()["import"];
    assert_eq!((&plan["dry_run"], plan["documents"]["copied"].as_array().unwrap().len()), (&json!(true), 4));
    sandbox.run(["init", "bot", "--import", "template"]).code(7).warns("OPENAI_API_KEY").warns("--yes");
    assert!(!sandbox.path("bot").exists(), "a plan and a question change nothing");
    assert!(service.writes().is_empty());
    let run = sandbox.run(["init", "bot", "--import", "template", "--yes", "--format", "json"]).code(0);
    assert!(!run.text().contains(SENTINEL) && !run.text().contains(service.key()), "{}", run.text());
    let import = &run.json()["import"];
    let names = |list: &Value, field: &str| -> Vec<String> {
        list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
    };
    let mut adopted = names(&import["store"]["adopted"], "path");
    adopted.sort();
    assert_eq!(adopted, ["01_returns.md", "manual.pdf"]);
    let mut others = names(&import["store"]["to_upload"], "path");
    others.sort();
    assert_eq!(others, ["changed.md", "guides/warranty.md"]);
    assert_eq!(names(&import["left"], "name"), ["REDIS_URL", "DATABASE_URL", "VITE_KNOWLEDGE_API_BASE"]);
    // What was there is there, with our attributes, and nothing else has changed.
    let state = service.state();
    assert_eq!(state.files.len(), ids.len(), "nothing was uploaded or deleted");
    let attributes =
        |id: &str| state.store(&store).unwrap().files.iter().find(|file| file.id == id).unwrap().attributes.clone();
    assert_eq!(attributes(&ids[0])["path"], "01_returns.md");
    assert_eq!(
        (&attributes(&ids[0])["document_id"], &attributes(&ids[0])["title"]),
        (&json!("returns"), &json!("Returns — how"))
    );
    assert!(attributes(&ids[2]).is_empty() && attributes(&ids[3]).is_empty());
    check_project(&sandbox, &service, &store);
    // Again: there is nothing left to do, and nothing is written.
    service.clear_log();
    let again = sandbox.run(["init", "bot", "--import", "template", "--yes", "--format", "json"]).code(0).json();
    assert_eq!(again["import"]["settings"], json!([]));
    assert_eq!(again["import"]["documents"]["copied"], json!([]));
    let mut present: Vec<&str> =
        again["import"]["store"]["present"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    present.sort_unstable();
    assert_eq!(present, ["01_returns.md", "manual.pdf"], "what was taken over is there, and not for an upload");
    let mut others = names(&again["import"]["store"]["to_upload"], "path");
    others.sort();
    assert_eq!(
        (others.as_slice(), &again["import"]["store"]["adopted"]),
        (&["changed.md".to_owned(), "guides/warranty.md".to_owned()][..], &json!([]))
    );
    let next = again["next"].as_array().unwrap();
    assert!(
        next.contains(&json!("chatbotctl docs sync --to openai")) && next.contains(&json!("chatbotctl docs verify")),
        "{next:?}"
    );
    assert!(service.writes().is_empty(), "{:?}", service.writes());
}

fn check_project(sandbox: &Sandbox, service: &StandIn, store: &str) {
    let env = sandbox.read("bot/.env");
    for line in [
        format!("OPENAI_API_KEY={}", service.key()),
        format!("VECTOR_STORE_ID={store}"),
        "ASSISTANT_NAME='Old helper'".to_owned(),
        "LOG_LEVEL=WARNING".to_owned(),
    ] {
        assert!(env.lines().any(|has| has.replace('"', "'") == line), "`{line}` is not in:\n{env}");
    }
    assert!(!env.contains(SENTINEL));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(sandbox.path("bot/.env")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(sandbox.read("bot/data/01_returns.md"), RETURNS);
    assert!(!sandbox.path("bot/data/welcome.md").exists(), "no sample among somebody's documents");
    assert!(sandbox.read("bot/data/documents.yaml").contains("All about returns."));
    let mut plan = sandbox.command(["docs", "plan", "--to", "openai", "--format", "json"]);
    let output = plan.current_dir(sandbox.path("bot")).output().unwrap();
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let paths = |list: &str| -> Vec<&str> {
        plan[list].as_array().unwrap().iter().map(|change| change["path"].as_str().unwrap()).collect()
    };
    // What was taken over is, for a sync, as if it had made it.
    assert_eq!((paths("keep"), paths("relabel")), (vec!["01_returns.md", "manual.pdf"], vec![]), "{plan}");
    assert_eq!(paths("add"), ["changed.md", "guides/warranty.md"], "{plan}");
}

#[tokio::test]
async fn what_the_project_has_stays() {
    let service = StandIn::start().await;
    let store = Account::new(&service).create("old").await;
    let sandbox = template(&service, &store)
        .file("bot/.env", "# mine\nASSISTANT_NAME=Mine\n")
        .file("bot/data/changed.md", "My words.")
        .file("bot/data/documents.yaml", "# mine\n");
    let run = sandbox.run(["init", "bot", "--import", "template", "--yes"]).code(0);
    run.says("kept: changed.md").says("ASSISTANT_NAME in .env: the project has a value of its own");
    assert!(sandbox.read("bot/.env").starts_with("# mine\nASSISTANT_NAME=Mine\n"));
    assert_eq!(sandbox.read("bot/data/changed.md"), "My words.");
    assert_eq!(sandbox.read("bot/data/documents.yaml"), "# mine\n");
}

#[tokio::test]
async fn without_the_service_nothing_is_half_done() {
    let service = StandIn::start().await;
    let store = Account::new(&service).create("old").await;
    let import = ["init", "bot", "--import", "template", "--yes"];
    let sandbox = template(&service, &store).env("OPENAI_API_KEY", format!("sk-{SENTINEL}"));
    let run = sandbox.run(import).code(4).warns("openai/wrong-key").warns("--no-adopt");
    assert!(!run.text().contains(SENTINEL), "{}", run.text());
    let sandbox = template(&service, &store).env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    sandbox.run(import).code(5).warns("openai/unreachable");
    assert!(!sandbox.path("bot").exists());
    sandbox.run(import.into_iter().chain(["--no-adopt"])).code(0).says("--no-adopt");
    assert!(sandbox.read("bot/.env").contains(&format!("VECTOR_STORE_ID={store}")));
}

#[tokio::test]
async fn a_store_that_ended_is_told_and_not_taken_over() {
    let service = StandIn::start().await;
    let store = Account::new(&service).create("old").await;
    service.fail(Fault::always(Act::StoreExpired { store_id: Some(store.clone()) }));
    for id in [store.as_str(), "vs_unknown"] {
        let sandbox = template(&service, id);
        let run = sandbox.run(["init", "bot", "--import", "template", "--yes"]).code(0);
        run.says("gone or has expired").says("vector-store create");
        assert!(!sandbox.read("bot/.env").contains(&format!("\nVECTOR_STORE_ID={id}")));
    }
}

/// What a test may not: run the template's own code, or follow its links.
#[cfg(unix)]
#[tokio::test]
async fn d11_a_template_is_data_and_its_links_lead_nowhere() {
    let service = StandIn::start().await;
    let sandbox = template(&service, "")
        .file(
            "template/backend/app/documents.py",
            "import os\nos.system('touch ran')\nX(filename='../../.env', id='x')",
        )
        .file("outside/secret.md", SENTINEL);
    std::os::unix::fs::symlink(sandbox.path("outside"), sandbox.path("template/backend/data/linked")).unwrap();
    let run = sandbox.run(["init", "bot", "--import", "template", "--yes"]).code(0);
    run.says("linked: a symbolic link");
    assert!(!sandbox.path("bot/data/linked").exists() && !sandbox.path("ran").exists());
    assert!(!sandbox.path("bot/data/documents.yaml").exists());
}

#[test]
fn a_folder_without_a_template_is_told() {
    let sandbox = Sandbox::new().file("empty/notes.txt", "nothing");
    sandbox.run(["init", "bot", "--import", "empty", "--yes"]).code(2).warns("init/no-template");
    sandbox.run(["init", "bot", "--dry-run"]).code(2).warns("--import");
}
