//! A session bus of our own with a real gnome-keyring, unlocked, in a home of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

use crate::sandbox::Sandbox;

/// Starts the keyring, says where the bus is, and stays until its standard input is closed. The daemon goes into the
/// background when it is ready.
const SESSION: &str = r#"
printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null || exit 1
printf '%s\n' "$DBUS_SESSION_BUS_ADDRESS"
exec cat
"#;
/// The keyring that `--unlock` makes and opens.
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// The session. Bus and keyring end with it.
pub struct Desktop {
    session: Child,
    /// Closed first: it keeps the session.
    hold: Option<ChildStdin>,
    address: String,
    home: TempDir,
}

impl Desktop {
    /// Starts one; nothing, and a note, where the programs are missing.
    pub fn start() -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", SESSION]).env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path());
        command.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("GNOME_KEYRING_CONTROL").env_remove("DISPLAY");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let missing = || println!("NOT RUN: a real keyring (install gnome-keyring and dbus)");
        if !has("gnome-keyring-daemon") || !has("dbus-send") {
            missing();
            return None;
        }
        let Ok(mut session) = command.spawn() else {
            missing();
            return None;
        };
        let hold = session.stdin.take();
        let mut address = String::new();
        BufReader::new(session.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.contains("unix:"), "the session did not start");
        Some(Self { session, hold, address, home })
    }

    /// An empty sandbox on this desktop.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox::new().env("DBUS_SESSION_BUS_ADDRESS", &self.address).env("HOME", self.home.path())
    }

    /// Where its bus is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Locks the keyring.
    pub fn lock(&self) {
        let objects = format!("array:objpath:{COLLECTION}");
        let destination = ["--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"];
        let reply = self.send(&[destination[0], destination[1], "org.freedesktop.Secret.Service.Lock", &objects]);
        assert!(reply.contains(COLLECTION), "the keyring was not locked: {reply}");
    }

    /// Lets the keyring stand still: it is there, and answers nothing.
    pub fn stop(&self) {
        assert!(self.signal("-STOP"), "the keyring cannot be stopped");
    }

    fn signal(&self, signal: &str) -> bool {
        let daemon = "org.freedesktop.DBus.GetConnectionUnixProcessID";
        let target = ["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"];
        let reply = self.send(&[target[0], target[1], daemon, "string:org.freedesktop.secrets"]);
        let id = reply.split_whitespace().next_back().unwrap_or_default();
        Command::new("kill").args([signal, id]).status().is_ok_and(|status| status.success())
    }

    fn send(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply"]).args(arguments).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        let output = command.output().expect("dbus-send can be started");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // What stands still does not notice that its bus is gone. A reply that names no process leads to no signal.
        self.signal("-CONT");
        drop(self.hold.take());
        let _ = self.session.wait();
    }
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    found.is_ok_and(|mut child| {
        let mut text = String::new();
        let read = child.stdout.take().is_some_and(|mut stdout| stdout.read_to_string(&mut text).is_ok());
        child.wait().is_ok() && read
    })
}
