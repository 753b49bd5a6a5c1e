//! `vector-store`: the real program against the stand-in for the service.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use openai_stand_in::{Act, Fault, StandIn};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// How long anything may take here.
const DEADLINE: Duration = Duration::from_secs(30);

/// A project whose account the stand-in is.
pub fn sandbox(service: &StandIn) -> Sandbox {
    Sandbox::new().env("OPENAI_BASE_URL", service.base_url()).env("OPENAI_API_KEY", service.key())
}

/// A client for what a test prepares behind the program's back.
pub struct Account<'a> {
    service: &'a StandIn,
    http: reqwest::Client,
}

impl<'a> Account<'a> {
    pub fn new(service: &'a StandIn) -> Self {
        Self { service, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn answered(&self, request: reqwest::RequestBuilder) -> Value {
        let response = request.bearer_auth(self.service.key()).send().await.unwrap();
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        self.answered(self.http.post(format!("{}{path}", self.service.base_url())).json(body)).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.answered(self.http.get(format!("{}{path}", self.service.base_url()))).await
    }

    /// Uploads a file and gives its id.
    pub async fn upload(&self, filename: &str, content: &str) -> String {
        let part = reqwest::multipart::Part::text(content.to_owned()).file_name(filename.to_owned());
        let form = reqwest::multipart::Form::new().text("purpose", "assistants").part("file", part);
        let url = format!("{}/files", self.service.base_url());
        let file = self.answered(self.http.post(url).multipart(form)).await;
        file["id"].as_str().unwrap().to_owned()
    }

    pub async fn attach(&self, store: &str, file: &str, attributes: &Value) {
        let body = json!({ "file_id": file, "attributes": attributes });
        self.post(&format!("/vector_stores/{store}/files"), &body).await;
        let deadline = Instant::now() + DEADLINE;
        while self.get(&format!("/vector_stores/{store}/files/{file}")).await["status"] == "in_progress" {
            assert!(Instant::now() < deadline, "{file} stays in progress");
        }
    }

    pub async fn create(&self, name: &str) -> String {
        let store = self.post("/vector_stores", &json!({ "name": name })).await;
        store["id"].as_str().unwrap().to_owned()
    }
}

/// A name as `docs sync` gives it.
pub fn named_for(store: &str, document: &str) -> String {
    use chatbotctl::hosted::name::{Name, content_mark, store_mark};
    let name = Name { store: store_mark(store), content: content_mark(document, "hash", "recipe") };
    name.render(&format!("{document}.md"), "md")
}

#[tokio::test]
async fn a_store_is_made_used_shown_changed_and_deleted() {
    let service = StandIn::start().await;
    let sandbox = sandbox(&service).file(".env", "# ours\nLOG_LEVEL=INFO # loud enough\nVECTOR_STORE_ID=\n\n# end\n");
    let made = sandbox.run(["vector-store", "create", "Hand book", "--use", "--format", "json"]).code(0).json();
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["schema"], &made["name"]), (&json!("chatbotctl.vector-store/1"), &json!("Hand book")));
    assert_eq!((&made["used"], &made["made_here"]), (&json!(true), &json!(true)));
    let expected = format!("# ours\nLOG_LEVEL=INFO # loud enough\nVECTOR_STORE_ID={id}\n\n# end\n");
    assert_eq!(sandbox.read(".env"), expected, "comments and order stay");
    let listed = sandbox.run(["vector-store", "list", "--format", "json"]).code(0).json();
    assert_eq!((&listed["stores"][0]["id"], &listed["stores"][0]["used"]), (&json!(id), &json!(true)));
    sandbox.run(["vector-store", "list"]).code(0).says(&format!("* {id}")).says("prices of");
    sandbox
        .run(["vector-store", "update", "--name", "New", "--expires-after-days", "7", "--metadata", "team=help"])
        .code(0)
        .says("7 days after its last use")
        .says("team = help")
        .says("made_by = chatbotctl");
    sandbox.run(["vector-store", "show"]).code(0).says("New").warns("--expires-after-days never");
    sandbox.run(["vector-store", "update", "--expires-after-days", "never", "--metadata", "team="]).code(0);
    let shown = sandbox.run(["vector-store", "show", "--format", "json"]).code(0).json();
    assert_eq!((&shown["expires_after_days"], &shown["metadata"]), (&Value::Null, &json!({"made_by": "chatbotctl"})));
    // `--yes` is no answer to this question, and a wrong name is none.
    sandbox.run(["vector-store", "delete", "--yes"]).code(7).warns("--confirm");
    sandbox.run(["vector-store", "delete", "--confirm", "Hand book"]).code(7).warns("not its name");
    assert_eq!(service.state().stores.len(), 1);
    sandbox.run(["vector-store", "delete", "--confirm", "New"]).code(0).says("deleted").warns("still names it");
    assert!(service.state().stores.is_empty());
}

#[tokio::test]
async fn the_way_to_a_store_is_open_where_the_backend_already_needs_one() {
    let service = StandIn::start().await;
    let sandbox = sandbox(&service).env("MODEL_BACKEND", "openai");
    sandbox.run(["docs", "status"]).code(3).warns("VECTOR_STORE_ID");
    sandbox.run(["vector-store", "create", "first", "--use"]).code(0).says("VECTOR_STORE_ID in .env names it");
    assert!(sandbox.read(".env").starts_with("VECTOR_STORE_ID=vs_"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_env_file_that_use_makes_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = StandIn::start().await;
    let id = Account::new(&service).create("one").await;
    let sandbox = sandbox(&service);
    sandbox.run(["--profile", "prod", "vector-store", "use", &id]).code(0).says(".env.prod");
    let mode = std::fs::metadata(sandbox.path(".env.prod")).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, sandbox.path(".env").exists()), (0o600, false));
}

#[tokio::test]
async fn use_refuses_what_cannot_be_used_and_says_what_is_stronger() {
    let service = StandIn::start().await;
    let account = Account::new(&service);
    let (good, ended) = (account.create("good").await, account.create("ended").await);
    service.fail(Fault::always(Act::StoreExpired { store_id: Some(ended.clone()) }));
    let sandbox = sandbox(&service);
    sandbox.run(["vector-store", "use", &ended]).code(1).warns("vector-store/expired");
    sandbox.run(["vector-store", "search", &ended, "words"]).code(1).warns("vector-store/expired");
    sandbox.run(["vector-store", "use", "vs_nothing"]).code(1).warns("vector-store/unknown");
    sandbox.run(["vector-store", "use", "../models"]).code(2).warns("vector-store/bad-id");
    assert!(!sandbox.path(".env").exists(), "nothing is written for a store that cannot be used");
    sandbox.run(["vector-store", "show", &ended]).code(1).says("expired").warns("vector-store create");
    let sandbox = sandbox.env("VECTOR_STORE_ID", "vs_other");
    let used = sandbox.run(["vector-store", "use", &good, "--format", "json"]).code(0).warns("environment").json();
    assert_eq!((&used["effective"], &used["origin"]), (&json!(false), &json!("environment")));
}

#[tokio::test]
async fn without_a_store_a_key_or_a_network_each_command_says_so() {
    let service = StandIn::start().await;
    let with_id = |sandbox: Sandbox| sandbox.env("VECTOR_STORE_ID", "vs_1");
    let runs: [&[&str]; 8] = [
        &["list"],
        &["show"],
        &["create", "x"],
        &["use", "vs_1"],
        &["update", "--name", "x"],
        &["delete", "--confirm", "x"],
        &["search", "words"],
        &["prune", "--yes"],
    ];
    let key = "sk-sentinel-5ca1ab1e-0123456789";
    let wrong = with_id(sandbox(&service)).env("OPENAI_API_KEY", key);
    let silent = with_id(sandbox(&service)).env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    let keyless = with_id(Sandbox::new());
    for run in runs {
        let words = || ["vector-store"].iter().chain(run).copied();
        let denied = wrong.run(words()).code(4).warns("openai/wrong-key");
        assert!(!denied.text().contains("5ca1ab1e"), "{}", denied.text());
        keyless.run(words()).code(4).warns("openai/no-key").warns("secret set OPENAI_API_KEY");
    }
    // What nobody answers is tried a few times, so two of them are enough here.
    silent.run(["vector-store", "list"]).code(5).warns("openai/unreachable");
    silent.run(["vector-store", "create", "x"]).code(5).warns("openai/unreachable");
    for run in [&["show"][..], &["search", "words"], &["update", "--name", "x"], &["delete"]] {
        sandbox(&service).run(["vector-store"].iter().chain(run)).code(2).warns("vector-store/none");
    }
}

#[tokio::test]
async fn search_shows_path_and_score_and_keeps_to_the_settings() {
    let service = StandIn::start().await;
    let account = Account::new(&service);
    let store = account.create("one").await;
    for (name, public) in [("warranty.md", true), ("secret.md", false)] {
        let file = account.upload(name, "The warranty of the tent lasts three years.").await;
        let attributes = json!({"path": format!("guides/{name}"), "made_by": "chatbotctl", "tag_public": public});
        account.attach(&store, &file, &attributes).await;
    }
    let sandbox = sandbox(&service).env("VECTOR_STORE_ID", &store);
    let hits = sandbox.run(["vector-store", "search", "warranty of the tent", "--format", "json"]).code(0).json();
    assert_eq!(hits["hits"].as_array().unwrap().len(), 2);
    let sandbox = sandbox.env("FILE_SEARCH_FILTERS", r#"{"type":"eq","key":"tag_public","value":true}"#);
    let run = sandbox.run(["vector-store", "search", &store, "warranty of the tent"]).code(0);
    run.says("guides/warranty.md (score").says("three years");
    let hits = sandbox.run(["vector-store", "search", "warranty of the tent", "--format", "json"]).code(0).json();
    assert_eq!(hits["hits"].as_array().unwrap().len(), 1, "{hits}");
    assert!(hits["hits"][0]["score"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn a_hit_has_the_place_that_the_local_index_knows() {
    let service = StandIn::start().await;
    let store = Account::new(&service).create("one").await;
    let text = "# Guide\n\nAll about tents, their poles and their pegs.\n\n## Warranty\n\nThe warranty of the tent \
                lasts three years from the day of purchase, whoever bought it.\n";
    let sandbox = sandbox(&service).env("VECTOR_STORE_ID", &store).file("data/guide.md", text);
    sandbox.run(["docs", "sync", "--to", "openai"]).code(0);
    let search = ["vector-store", "search", "warranty of the tent", "--format", "json"];
    assert_eq!(sandbox.run(search).code(0).json()["hits"][0]["place"], Value::Null, "there is no index yet");
    sandbox.run(["docs", "sync"]).code(0);
    let hit = sandbox.run(search).code(0).json()["hits"][0].clone();
    assert!(hit["place"].as_str().unwrap().contains("Warranty"), "{hit}");
}

/// Whatever others uploaded, and what other stores still need, stays.
#[tokio::test]
async fn prune_shows_and_removes_what_is_ours_and_nobodys() {
    let service = StandIn::start().await;
    let account = Account::new(&service);
    let (own, other) = (account.create("own").await, account.create("other").await);
    let kept = account.upload(&named_for(&own, "kept"), "kept").await;
    account.attach(&own, &kept, &json!({"made_by": "chatbotctl"})).await;
    let lost = account.upload(&named_for(&own, "lost"), "lost").await;
    let gone = account.upload(&named_for("vs_gone", "gone"), "gone").await;
    let others = account.upload(&named_for(&other, "others"), "others").await;
    let foreign = account.upload("handbook.md", "foreign").await;
    // Somebody took a file of a store that is gone into another one: it is in use.
    let adopted = account.upload(&named_for("vs_gone", "adopted"), "adopted").await;
    account.attach(&other, &adopted, &json!({})).await;
    let sandbox = sandbox(&service).env("VECTOR_STORE_ID", &own);
    service.clear_log();
    let shown = sandbox.run(["vector-store", "prune", "--dry-run", "--format", "json"]).code(0).json();
    let mut found: Vec<&str> =
        shown["orphans"].as_array().unwrap().iter().map(|orphan| orphan["file_id"].as_str().unwrap()).collect();
    found.sort_unstable();
    let mut expected = [lost.as_str(), gone.as_str()];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!((&shown["bytes"], &shown["removed"]), (&json!(8), &json!([])));
    sandbox.run(["vector-store", "prune"]).code(7).warns("lost").warns("--yes");
    assert!(service.writes().is_empty(), "nothing is written before the answer");
    sandbox.run(["vector-store", "prune", "--yes"]).code(0).says("2 files deleted");
    let left: Vec<String> = service.state().files.iter().map(|file| file.id.clone()).collect();
    for id in [&kept, &others, &foreign, &adopted] {
        assert!(left.contains(id), "{id} must stay");
    }
    assert_eq!(left.len(), 4);
    sandbox.run(["vector-store", "prune", "--yes"]).code(0).says("nothing to delete");
}

#[tokio::test]
async fn prune_waits_for_a_sync_and_names_what_it_could_not_delete() {
    let service = StandIn::start().await;
    let account = Account::new(&service);
    let own = account.create("own").await;
    account.upload(&named_for(&own, "lost"), "lost").await;
    let reserve = |until: &str| json!({"metadata": {"chatbotctl_lease": format!("elsewhere {until}")}});
    account.post(&format!("/vector_stores/{own}"), &reserve("2999-01-01T00:00:00Z")).await;
    let sandbox = sandbox(&service).env("VECTOR_STORE_ID", &own);
    sandbox.run(["vector-store", "prune", "--yes"]).code(5).warns("vector-store/busy");
    sandbox.run(["vector-store", "delete", "--confirm", "own"]).code(5).warns("vector-store/busy");
    account.post(&format!("/vector_stores/{own}"), &reserve("2020-01-01T00:00:00Z")).await;
    service.fail(Fault::on("DELETE", "/files/{file_id}", Act::NoQuota));
    let report = sandbox.run(["vector-store", "prune", "--yes", "--format", "json"]).code(1).json();
    assert_eq!(report["problems"][0]["code"], "openai/not-deleted");
    service.heal();
    // The work is done and the answer lost: what is gone is gone, and the next run has nothing to do.
    service.fail(Fault::on("DELETE", "/files/{file_id}", Act::LostAnswer).times(1));
    sandbox.run(["vector-store", "prune", "--yes"]);
    service.heal();
    sandbox.run(["vector-store", "prune", "--yes"]).code(0).says("nothing to delete");
}

#[tokio::test]
async fn delete_takes_our_files_along_when_told_and_nobody_elses() {
    let service = StandIn::start().await;
    let account = Account::new(&service);
    let own = account.create("own").await;
    for (name, attributes) in
        [(named_for(&own, "one"), json!({"made_by": "chatbotctl"})), ("handbook.md".to_owned(), json!({}))]
    {
        let file = account.upload(&name, "text").await;
        account.attach(&own, &file, &attributes).await;
    }
    let sandbox = sandbox(&service);
    // An interrupted or failed run can be repeated: the store goes last.
    service.fail(Fault::on("DELETE", "/files/{file_id}", Act::NoQuota));
    let delete = ["vector-store", "delete", &own, "--files", "--confirm", "own"];
    sandbox.run(delete).code(1).says("not deleted").warns("one.");
    assert_eq!(service.state().stores.len(), 1);
    service.heal();
    let report = sandbox.run(delete.into_iter().chain(["--format", "json"])).code(0).json();
    assert_eq!(
        (&report["deleted"], &report["files_deleted"], &report["files_left"]),
        (&json!(true), &json!(1), &json!(0))
    );
    let left = service.state();
    assert_eq!((left.stores.len(), left.files.len(), left.files[0].filename.as_str()), (0, 1, "handbook.md"));
}

/// A run behind a terminal that `script` of util-linux makes.
struct Typing {
    child: Child,
    output: std::process::ChildStdout,
    seen: String,
}

impl Typing {
    /// Starts the program; none where there is no `script`.
    fn start(sandbox: &Sandbox, service: &StandIn, line: &str) -> Option<Self> {
        let line = format!("{} {line}", env!("CARGO_BIN_EXE_chatbotctl"));
        let started = Command::new("script")
            .args(["-qfec", &line, "/dev/null"])
            .current_dir(sandbox.path(""))
            .env("OPENAI_BASE_URL", service.base_url())
            .env("OPENAI_API_KEY", service.key())
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            println!("NOT RUN: there is no `script` here, so nobody can type");
            return None;
        };
        let output = child.stdout.take().unwrap();
        Some(Self { child, output, seen: String::new() })
    }

    /// Reads until a text is on the screen.
    fn wait_for(&mut self, text: &str) {
        let mut bytes = [0; 256];
        while !self.seen.contains(text) {
            let read = self.output.read(&mut bytes).unwrap();
            assert!(read > 0, "`{text}` did not come:\n{}", self.seen);
            self.seen += &String::from_utf8_lossy(&bytes[..read]);
        }
    }

    /// Presses keys until the program has ended, as a person does whose keys came before the question listened.
    #[expect(clippy::disallowed_methods, reason = "the end of a process is looked for from time to time")]
    fn end_by(mut self, keys: &str) -> Option<i32> {
        let mut stdin = self.child.stdin.take().unwrap();
        let end = Instant::now() + DEADLINE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it does not end:\n{}", self.seen);
            let _ = stdin.write_all(keys.as_bytes()).and_then(|()| stdin.flush());
            let pause = Instant::now() + Duration::from_secs(2);
            while Instant::now() < pause && self.child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let status = self.child.wait().unwrap();
        status.code().or(status.signal().map(|signal| 128 + signal))
    }
}

#[tokio::test]
async fn a_person_types_the_name_or_ends_the_question() {
    let service = StandIn::start().await;
    let id = Account::new(&service).create("handbook").await;
    let sandbox = Sandbox::new();
    let line = format!("vector-store delete {id} --yes");
    let Some(mut typing) = Typing::start(&sandbox, &service, &line) else { return };
    typing.wait_for("Type `handbook`");
    assert_eq!(typing.end_by("\u{3}"), Some(130));
    let Some(mut typing) = Typing::start(&sandbox, &service, &line) else { return };
    typing.wait_for("Type `handbook`");
    assert_eq!(typing.end_by("yes\r"), Some(7));
    assert_eq!(service.state().stores.len(), 1);
    let Some(mut typing) = Typing::start(&sandbox, &service, &line) else { return };
    typing.wait_for("Type `handbook`");
    assert_eq!(typing.end_by("handbook\r"), Some(0));
    assert!(service.state().stores.is_empty());
}
