//! Attachments through the real program: read by its workers, looked through by a real ClamAV, and what a kill leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bot::{Client, TestBot};

/// Stands in infected files. It is our own, and no scanner but the one of these tests knows it.
const MARK: &str = "porcelain-elephant-7719-infected";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds take five working days.\n").unwrap();
    folder
}

async fn announce(client: &mut Client, name: &str, bytes: usize) -> Value {
    client.call("attachments.create", json!({"name": name, "size": bytes, "mime_type": "text/plain"})).await
}

/// Announces and uploads; the answer's status and body.
async fn upload(client: &mut Client, name: &str, bytes: &[u8]) -> (u16, Value) {
    let announced = announce(client, name, bytes.len()).await;
    let url = announced["upload_descriptor"]["url"].as_str().unwrap();
    let answer = client.put(url, bytes.to_vec()).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn message(ids: &[&str]) -> Value {
    let text = json!({"type": "input_text", "text": "How long is the warranty of the kettle?"});
    json!({"input": {"content": [text], "attachments": ids, "inference_options": {}}})
}

/// All files below the folder of attachments.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join(".chatbotctl/attachments")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// D6, D8: documents are read by workers; what they make of them is there at once, and after a restart.
#[tokio::test]
async fn files_are_read_by_workers_and_survive_a_kill() {
    let folder = folder();
    let bot = TestBot::start(folder.path(), &[]);
    let mut client = bot.client();
    let text = b"<!doctype html><title>Kettle</title><h1>Warranty</h1><p>The warranty of the kettle ends after three years.</p>";
    let (status, attachment) = upload(&mut client, "kettle.html", text).await;
    assert_eq!(status, 200, "{attachment}");
    let id = attachment["id"].as_str().unwrap();
    let (status, refused) = upload(&mut client, "kettle.docx", b"PK\x03\x04 no office document").await;
    assert_eq!((status, &refused["error"]["code"]), (415, &json!("attachment_refused")));
    let sent = client.send("threads.create", message(&[id])).await.unwrap();
    assert_eq!(sent.status(), 200);
    assert!(sent.text().await.unwrap().contains("thread.item.done"));
    // An upload is on its way when the server is killed.
    let half = announce(&mut client, "half.txt", 500_000).await;
    let url = half["upload_descriptor"]["url"].as_str().unwrap();
    let before = files(folder.path()).len();
    let begun = client.begin_put(url, 500_000, &vec![b'x'; 200_000]);
    until("the upload has begun", || files(folder.path()).len() == before + 1).await;
    bot.kill();
    drop(begun);
    // As if a kill had come between keeping bytes and naming them.
    let unnamed = folder.path().join(".chatbotctl/attachments/ab");
    fs::create_dir_all(&unnamed).unwrap();
    fs::write(unnamed.join("c".repeat(62)), "nobody names this").unwrap();
    let bot = TestBot::start(folder.path(), &[]);
    let mut client = bot.client();
    until("what nobody names is gone", || files(folder.path()).len() == before).await;
    let file = client.get(&format!("/knowledge/attachments/{id}/file")).await;
    assert_eq!(file.bytes().await.unwrap(), &text[..]);
    let preview = client.get(&format!("/knowledge/attachments/{id}/preview?quote=three%20years")).await;
    assert!(preview.text().await.unwrap().contains(">three years</mark>"));
    let file = client.get(&format!("/knowledge/attachments/{}/file", half["id"].as_str().unwrap())).await;
    assert_eq!(file.status(), 404, "half a file is no file");
}

/// A ClamAV daemon with a signature of ours; ended when dropped.
struct Clamd {
    child: Child,
    folder: tempfile::TempDir,
}

impl Clamd {
    /// `None` where it is not installed.
    async fn start() -> Option<Self> {
        let program = ["/usr/sbin/clamd", "/usr/local/sbin/clamd"].into_iter().find(|path| Path::new(path).exists())?;
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("database");
        fs::create_dir(&database).unwrap();
        let hex = chatbotctl::clock::hex(MARK.as_bytes());
        fs::write(database.join("own.ndb"), format!("Chatbotctl.Test:0:*:{hex}\n")).unwrap();
        let config = folder.path().join("clamd.conf");
        let socket = folder.path().join("clamd.ctl");
        let settings = format!(
            "LocalSocket {}\nDatabaseDirectory {}\nForeground yes\nStreamMaxLength 1M\nSelfCheck 0\n",
            socket.display(),
            database.display()
        );
        fs::write(&config, settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Self { child: command.spawn().unwrap(), folder };
        until("clamd is ready", || std::os::unix::net::UnixStream::connect(&socket).is_ok()).await;
        Some(started)
    }

    fn socket(&self) -> String {
        self.folder.path().join("clamd.ctl").to_str().unwrap().to_owned()
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// D10, with the real scanner: what it finds is refused, what it refuses to look at too, and everything without it.
#[tokio::test]
async fn a_real_scanner_decides() {
    let Some(clamd) = Clamd::start().await else {
        println!("NOT RUN: no clamd; install clamav-daemon");
        return;
    };
    let folder = folder();
    let socket = clamd.socket();
    let bot = TestBot::start_with(folder.path(), &[], &[("CLAMAV_SOCKET", &socket)]);
    let mut client = bot.client();
    let infected = format!("Words before.\n{MARK}\nWords after.\n");
    let (status, body) = upload(&mut client, "clean.md", b"# Clean\n\nNothing is wrong with it.\n").await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = upload(&mut client, "infected.md", infected.as_bytes()).await;
    assert_eq!((status, &body["error"]["code"]), (422, &json!("attachment_infected")));
    assert!(!body.to_string().contains("Chatbotctl.Test"), "the signature is for the log: {body}");
    let long = vec![b'x'; 2 * 1024 * 1024];
    let (status, body) = upload(&mut client, "long.txt", &long).await;
    assert_eq!((status, &body["error"]["code"]), (503, &json!("scan_unavailable")), "beyond the scanner's own limit");
    let log = bot.log();
    assert!(log.contains("Chatbotctl.Test") && !log.contains("porcelain-elephant"), "{log}");
    assert_eq!(files(folder.path()).len(), 2, "the clean file and its text");
    drop(clamd);
    let (status, _) = upload(&mut client, "clean.md", b"# Clean\n\nNothing is wrong with it.\n").await;
    assert_eq!(status, 503, "without its scanner");
}
