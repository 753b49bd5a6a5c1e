//! A real `serve` on a free port, and a client that speaks ChatKit to it.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};

/// A running server; it is killed when this is dropped.
pub struct TestBot {
    pub url: String,
    /// Of the operations listener; told with `--format json`.
    pub ops_url: Option<String>,
    child: Child,
    log: Arc<Mutex<String>>,
    collector: Option<JoinHandle<()>>,
}

impl TestBot {
    /// Starts `serve --port 0` with these flags in `folder` and waits for its address.
    pub fn start(folder: &Path, flags: &[&str]) -> Self {
        Self::start_with(folder, flags, &[])
    }

    /// The same with variables of the environment.
    pub fn start_with(folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_chatbotctl")), folder, flags, variables)
    }

    /// The same by a command that takes `serve` and the flags as its last words, and becomes the program.
    pub fn start_by(mut command: Command, folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        command.env_clear().envs(variables.iter().copied()).current_dir(folder);
        command.args(["serve", "--port", "0"]).args(flags);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (log, collector) = collect(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_default();
        let ops_url = told["ops_url"].as_str().map(str::to_owned);
        let url = told["url"].as_str().or_else(|| line.split_whitespace().find(|word| word.starts_with("http://")));
        let Some(url) = url.map(|url| url.trim_end_matches('/').to_owned()) else {
            let status = child.wait();
            panic!("serve told no address but {line:?} ({status:?}): {}", log.lock().unwrap());
        };
        Self { url, ops_url, child, log, collector: Some(collector) }
    }

    /// The server's process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no clean-up whatever.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// SIGTERM, then the exit code and all that it wrote to stderr.
    pub fn terminate(mut self) -> (i32, String) {
        self.signal("TERM");
        let exit = self.child.wait().unwrap().code().unwrap();
        self.collector.take().unwrap().join().unwrap();
        (exit, self.log())
    }

    /// Waits until the log has such a line, as JSON, and gives it back.
    pub async fn logged(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(|log| {
            let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.find(&is_it)
        })
        .await
    }

    /// Waits until what it wrote to stderr gives something.
    pub async fn wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let log = self.log();
            if let Some(found) = find(&log) {
                return found;
            }
            assert!(Instant::now() < deadline, "not in the log:\n{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it wrote to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// A new browser without cookies.
    pub fn client(&self) -> Client {
        Client { base: self.url.clone(), http: reqwest::Client::new(), cookie: None }
    }
}

impl Drop for TestBot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let log = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&log);
    let collector = std::thread::spawn(move || {
        let mut buffer = [0_u8; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    (log, collector)
}

/// One browser.
pub struct Client {
    base: String,
    http: reqwest::Client,
    cookie: Option<String>,
}

/// A whole answer as it came.
#[derive(Debug, Default)]
pub struct Streamed {
    pub thread_id: String,
    pub events: Vec<Value>,
    pub text: String,
    pub item_id: String,
    pub annotations: Vec<Value>,
}

impl Client {
    /// Sends one ChatKit request.
    pub async fn send(&mut self, kind: &str, params: Value) -> reqwest::Result<reqwest::Response> {
        let body = json!({ "type": kind, "params": params });
        let request = self.http.post(format!("{}/knowledge/chatkit", self.base)).json(&body);
        self.with_cookie(request).await
    }

    /// Sends one ChatKit request that answers JSON, and expects success.
    pub async fn call(&mut self, kind: &str, params: Value) -> Value {
        let response = self.send(kind, params).await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{kind}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Fetches a path.
    pub async fn get(&mut self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.base));
        self.with_cookie(request).await.unwrap()
    }

    /// Sends bytes to a path.
    pub async fn put(&mut self, path: &str, bytes: Vec<u8>) -> reqwest::Response {
        let request = self.http.put(format!("{}{path}", self.base)).body(bytes);
        self.with_cookie(request).await.unwrap()
    }

    /// Begins to send `length` bytes to a path, and stops after these.
    pub fn begin_put(&self, path: &str, length: usize, bytes: &[u8]) -> TcpStream {
        let host = self.base.trim_start_matches("http://");
        let mut connection = TcpStream::connect(host).unwrap();
        let cookie = self.cookie.as_deref().unwrap_or_default();
        write!(
            connection,
            "PUT {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\ncontent-length: {length}\r\n\r\n"
        )
        .unwrap();
        connection.write_all(bytes).unwrap();
        connection
    }

    /// Asks in a new thread.
    pub async fn create(&mut self, question: &str) -> Streamed {
        let response = self.send("threads.create", json!({ "input": message(question) })).await.unwrap();
        read_stream(response, String::new()).await
    }

    /// Asks in a thread.
    pub async fn add(&mut self, thread_id: &str, question: &str) -> Streamed {
        let params = json!({ "thread_id": thread_id, "input": message(question) });
        let response = self.send("threads.add_user_message", params).await.unwrap();
        read_stream(response, thread_id.to_owned()).await
    }

    async fn with_cookie(&mut self, request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
        let request = match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        let response = request.send().await?;
        if let Some(given) = response.headers().get(SET_COOKIE) {
            self.cookie = given.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        Ok(response)
    }
}

/// A visitor's message as the protocol has it.
pub fn message(text: &str) -> Value {
    json!({ "content": [{ "type": "input_text", "text": text }], "attachments": [], "inference_options": {} })
}

/// Reads a whole event stream, checking its framing.
pub async fn read_stream(response: reqwest::Response, thread_id: String) -> Streamed {
    let status = response.status();
    let body = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {body}");
    let mut streamed = Streamed { thread_id, ..Streamed::default() };
    for frame in body.split_terminator("\n\n") {
        let data = frame.strip_prefix("data: ").unwrap_or_else(|| panic!("a frame without data: {frame:?}"));
        take_event(&mut streamed, serde_json::from_str(data).unwrap());
    }
    streamed
}

fn take_event(streamed: &mut Streamed, event: Value) {
    match event["type"].as_str().unwrap() {
        "thread.created" => streamed.thread_id = event["thread"]["id"].as_str().unwrap().to_owned(),
        "thread.item.done" if event["item"]["type"] == "assistant_message" => {
            let part = &event["item"]["content"][0];
            streamed.item_id = event["item"]["id"].as_str().unwrap().to_owned();
            streamed.text = part["text"].as_str().unwrap().to_owned();
            streamed.annotations = part["annotations"].as_array().unwrap().clone();
        }
        _ => {}
    }
    streamed.events.push(event);
}
