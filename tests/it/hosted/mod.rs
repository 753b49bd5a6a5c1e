//! `docs sync --to openai` through the real program, against the stand-in for the service.

mod ends;
mod gate;
mod sync;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chatbotctl::clock::hex;
use openai_stand_in::{Rules, StandIn};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::sandbox::{Run, Sandbox};

const DEADLINE: Duration = Duration::from_mins(2);

/// A project with documents, an account, and a store in it.
struct Project {
    sandbox: Sandbox,
    account: StandIn,
    store_id: String,
}

impl Project {
    fn new(documents: usize) -> Self {
        let account = StandIn::launch(Rules::default(), 0);
        let sandbox = Sandbox::new()
            .env("OPENAI_BASE_URL", account.base_url())
            .env("OPENAI_API_KEY", account.key())
            .env("OPENAI_UPLOADS_PER_MINUTE", "100000");
        let sandbox = (0..documents).fold(sandbox, |sandbox, n| {
            let text = format!("# Document {n}\n\nThe text of number {n}.\n");
            sandbox.file(&format!("data/part{}/doc{n}.md", n % 3), text)
        });
        let made = sandbox.run(["vector-store", "create", "documents", "--format", "json"]).code(0).json();
        let store_id = made["id"].as_str().expect("the new store has an id").to_owned();
        let sandbox = sandbox.env("VECTOR_STORE_ID", &store_id);
        account.clear_log();
        Self { sandbox, account, store_id }
    }

    fn sync(&self, flags: &[&str]) -> Run {
        let args = ["docs", "sync", "--to", "openai", "--format", "json"].iter().chain(flags);
        let run = self.sandbox.run(args);
        assert!(!run.text().contains(self.account.key()), "the key is shown");
        run
    }

    /// A sync under way.
    fn start(&self, flags: &[&str]) -> Child {
        let args = ["docs", "sync", "--to", "openai", "-q"].iter().chain(flags);
        let mut command = self.sandbox.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program can be started")
    }

    /// Waits for the nth request, or for the end of the program.
    #[expect(clippy::disallowed_methods, reason = "the thread is the test's own, and a log has no bell")]
    fn wait_for(&self, requests: usize, child: &mut Child) {
        let deadline = Instant::now() + DEADLINE;
        while self.account.log().len() < requests && child.try_wait().expect("a child can be asked").is_none() {
            assert!(Instant::now() < deadline, "no {requests} requests in time");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn document(&self, n: usize) -> PathBuf {
        self.sandbox.path(format!("data/part{}/doc{n}.md", n % 3))
    }

    /// Calls that may have changed something, with how often.
    fn writes(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.account.writes() {
            let template = call.template.replace("{vector_store_id}", "{id}");
            *counts.entry(format!("{} {template}", call.method)).or_default() += 1;
        }
        counts
    }

    /// The store has the folder's documents, each once, and nothing of ours lies about.
    #[track_caller]
    fn assert_equal(&self) {
        let data = self.sandbox.path("data");
        let mut folder = BTreeMap::new();
        let mut open = vec![data.clone()];
        while let Some(place) = open.pop() {
            for entry in fs::read_dir(place).expect("a folder can be listed") {
                let path = entry.expect("an entry can be read").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let bytes = fs::read(&path).expect("a document can be read");
                    let hash = hex(&Sha256::digest(bytes));
                    let relative = path.strip_prefix(&data).expect("it is below the folder");
                    folder.insert(relative.to_string_lossy().replace('\\', "/"), hash);
                }
            }
        }
        assert_eq!(self.account.store_documents(&self.store_id), folder);
        let state = self.account.state();
        let attached = state.store(&self.store_id).map(|store| store.files.len());
        assert_eq!(attached, Some(folder.len()), "a document is attached twice");
        assert_eq!(state.orphans(), Vec::<&str>::new());
    }
}

fn expected(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter().map(|(call, count)| ((*call).to_owned(), *count)).collect()
}

fn counts(report: &Value) -> [u64; 5] {
    ["added", "updated", "removed", "unchanged", "relabelled"].map(|name| report[name].as_u64().unwrap())
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).stderr(Stdio::null()).status();
    assert!(sent.is_ok(), "signals can be sent");
}
