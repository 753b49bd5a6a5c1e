//! The real program on a folder of documents, with a deadline.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// No document may take this long; far more than any needs, for machines with much other work.
const DEADLINE: Duration = Duration::from_mins(5);

/// Waits for what is expected, until the deadline.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "it waits for a condition, with a deadline")]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A project whose documents lie two folders below a temporary one, so that a way out can be seen.
pub struct Project {
    root: TempDir,
}

/// What a run came to.
pub struct Run {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// How long it took.
    pub took: Duration,
}

impl Project {
    /// A project without documents.
    pub fn new() -> Self {
        let project = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir_all(project.folder().join("data")).unwrap();
        project
    }

    /// The working folder.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("outer/project")
    }

    /// Puts a document into it.
    pub fn document(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder().join("data").join(name), bytes).unwrap();
    }

    /// All files and folders above and beside the project's own.
    pub fn around(&self) -> Vec<String> {
        let folders = [self.root.path().to_owned(), self.root.path().join("outer"), self.folder()];
        let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        let stdout = self.root.path().join("stdout");
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatbotctl"))
            .args(args)
            .current_dir(self.folder())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(fs::File::create(&stdout).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut status = None;
        wait_until("the program ends", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        let text = fs::read_to_string(&stdout).unwrap();
        fs::remove_file(&stdout).unwrap();
        Run { code: status.and_then(|status| status.code()), stdout: text, took: start.elapsed() }
    }
}

impl Run {
    /// The result as one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }
}
