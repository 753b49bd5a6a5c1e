//! An empty folder, a clean environment and the real program.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// An empty folder, a clean environment and the real program. The folder goes with it.
pub struct Sandbox {
    folder: TempDir,
    environment: Vec<(OsString, OsString)>,
}

impl Sandbox {
    /// An empty folder and no environment at all.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { folder, environment: Vec::new() }
    }

    /// Sets a variable for the runs that follow.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Writes a file, and the folders above it.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        let parent = path.parent().expect("a file in the sandbox has a parent");
        fs::create_dir_all(parent).expect("folders can be made in the sandbox");
        fs::write(path, content).expect("files can be written in the sandbox");
        self
    }

    /// A path in the sandbox.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The text of a file in the sandbox.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("the file is there and holds text")
    }

    /// The program, ready to be started: in the folder, with the environment, without a terminal.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatbotctl"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        let output = self.command(args).output().expect("the program can be started");
        Run { output }
    }
}

/// A finished run.
pub struct Run {
    output: Output,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self { output }
    }
}

impl Run {
    /// Asserts the exit code.
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        let found = self.output.status.code();
        assert_eq!(found, Some(expected), "stdout:\n{}\nstderr:\n{}", self.stdout(), self.stderr());
        self
    }

    /// The result.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// Everything else.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Both.
    pub fn text(&self) -> String {
        self.stdout() + &self.stderr()
    }

    /// The result as one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let stdout = self.stdout();
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error} in:\n{stdout}"))
    }

    /// Asserts that a text stands on stdout.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let stdout = self.stdout();
        assert!(stdout.contains(text), "`{text}` is not in stdout:\n{stdout}");
        self
    }

    /// Asserts that a text stands on stderr.
    #[track_caller]
    pub fn warns(self, text: &str) -> Self {
        let stderr = self.stderr();
        assert!(stderr.contains(text), "`{text}` is not in stderr:\n{stderr}");
        self
    }
}
