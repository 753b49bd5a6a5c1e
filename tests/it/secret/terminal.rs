//! The program at a terminal, which `script` makes, with somebody who waits for its questions.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

const DEADLINE: Duration = Duration::from_mins(1);

/// A terminal with a command in it.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Terminal {
    /// Starts a line of shell, in which `$PROGRAM` is the program; nothing, and a note, where `script` is missing.
    pub fn start(sandbox: &Sandbox, line: &str) -> Option<Self> {
        let like = sandbox.command::<&str>([]);
        let mut command = Command::new("script");
        command.args(["-qefc", line, "/dev/null"]);
        command.current_dir(like.get_current_dir().unwrap()).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("TERM", "dumb");
        command.env("PROGRAM", like.get_program());
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else {
            println!("NOT RUN: questions at a terminal (install bsdutils for `script`)");
            return None;
        };
        let keys = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Some(Self { child, keys, output, seen: Vec::new() })
    }

    /// Waits until a text was shown.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.text().contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(error) => panic!("`{text}` was not shown ({error}):\n{}", self.text()),
            }
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        self.press(&format!("{line}\n"));
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).unwrap();
    }

    /// Waits for the end and gives everything that was shown.
    pub fn finish(mut self) -> String {
        let end = Instant::now() + DEADLINE;
        while let Ok(bytes) = self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.seen.extend(bytes);
        }
        let text = self.text();
        assert!(Instant::now() < end, "it did not end:\n{text}");
        self.child.wait().unwrap();
        text
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}
