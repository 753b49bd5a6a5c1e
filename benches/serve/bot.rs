//! The real program, started for a measurement.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::Options;
use crate::client::Endpoint;

/// Words of the made-up documents.
const WORDS: [&str; 12] = [
    "refund", "delivery", "tent", "lamp", "invoice", "warranty", "return", "order", "battery", "repair", "size", "card",
];

/// A bot that is measured: ours, or one that runs already.
pub struct Bot {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Its process, if it is known.
    pub pid: Option<u32>,
    child: Option<Child>,
    folder: Option<tempfile::TempDir>,
}

impl Bot {
    /// The one that the options name, or ours on 20 documents, with a pause between the pieces of its answers.
    pub async fn open(options: &Options, delta_ms: u32) -> Self {
        match &options.url {
            Some(url) => Self { endpoint: Endpoint::of(url), pid: options.pid, child: None, folder: None },
            None => Self::start(make_folder(20), delta_ms).await,
        }
    }

    /// Ours, on what is in this folder.
    pub async fn start(folder: tempfile::TempDir, delta_ms: u32) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatbotctl"))
            .args(["serve", "--port", "0", "--model-backend", "stub"])
            .current_dir(folder.path())
            .env_clear()
            .env("STUB_DELTA_MS", delta_ms.to_string())
            .env("LOG_LEVEL", "ERROR")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the server starts");
        let url = line.split_once("http").map(|(_, rest)| format!("http{}", rest.trim())).expect("a URL");
        Self { endpoint: Endpoint::of(&url), pid: child.id(), child: Some(child), folder: Some(folder) }
    }

    /// Ends it; gives its folder back.
    pub async fn stop(mut self) -> Option<tempfile::TempDir> {
        if let (Some(mut child), Some(pid)) = (self.child.take(), self.pid) {
            let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
            child.wait().await.unwrap();
        }
        self.folder.take()
    }

    /// Waits until health is good; tells how long it took.
    pub async fn healthy(&self) -> Duration {
        let begun = Instant::now();
        let request =
            format!("GET /knowledge/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.endpoint.address);
        loop {
            let mut answer = String::new();
            let mut stream = TcpStream::connect(&self.endpoint.address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.read_to_string(&mut answer).await.unwrap();
            if answer.starts_with("HTTP/1.1 200") {
                return begun.elapsed();
            }
        }
    }

    /// Resident memory in MiB and open descriptors.
    pub fn usage(&self) -> Option<(f64, usize)> {
        let pid = self.pid?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
        Some((kib / 1024.0, descriptors))
    }
}

/// A folder with this many documents in `data`.
pub fn make_folder(documents: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let docs = folder.path().join("data");
    fs::create_dir(&docs).unwrap();
    (0..documents).for_each(|number| write_document(&docs, number));
    folder
}

fn write_document(docs: &Path, number: usize) {
    let mut text = format!("# Document {number}\n");
    for paragraph in 0..6 {
        text.push_str("\n\n");
        for word in 0..50 {
            text.push_str(WORDS[(number * 7 + paragraph * 5 + word * (1 + number % 5)) % WORDS.len()]);
            text.push(if word % 10 == 9 { '.' } else { ' ' });
        }
    }
    fs::write(docs.join(format!("document_{number}.md")), text).unwrap();
}
