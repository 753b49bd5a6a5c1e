//! A client that costs little: raw HTTP/1.1 over one connection, answers read to their last chunk.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where the ChatKit endpoint is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Host and port.
    pub address: String,
    /// Path.
    pub path: String,
}

impl Endpoint {
    /// Of an `http` URL; without a path the usual one.
    pub fn of(url: &str) -> Self {
        let rest = url.strip_prefix("http://").expect("an http:// URL");
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = if path.is_empty() { "knowledge/chatkit" } else { path };
        Self { address: address.to_owned(), path: format!("/{path}") }
    }

    /// A `threads.create` with this text, as bytes on the wire.
    pub fn create(&self, text: &str) -> Vec<u8> {
        let body = serde_json::json!({"type": "threads.create", "params": {"input": {
            "content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}
        }}})
        .to_string();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.path,
            self.address,
            body.len()
        );
        [head, body].concat().into_bytes()
    }
}

/// One connection, kept alive.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One whole answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Whether a whole assistant message came.
    pub is_whole: bool,
    /// How long it took to the last byte.
    pub took: Duration,
}

impl Client {
    /// Connects.
    pub async fn connect(endpoint: &Endpoint) -> std::io::Result<Self> {
        let stream = TcpStream::connect(&endpoint.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer to the end.
    pub async fn ask(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        let begun = Instant::now();
        self.begin(request).await?;
        self.buffer.clear();
        while !ends(&self.buffer) {
            self.more().await?;
        }
        let status = status(&self.buffer);
        let is_whole = contains_last(&self.buffer, br#""type":"assistant_message","content":[{"#);
        Ok(Answer { status, is_whole, took: begun.elapsed() })
    }

    /// Sends a request without reading its answer.
    pub async fn begin(&mut self, request: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(request).await
    }

    /// Reads until these bytes came.
    pub async fn read_until(&mut self, wanted: &[u8]) -> std::io::Result<()> {
        while !contains_last(&self.buffer, wanted) {
            self.more().await?;
        }
        Ok(())
    }

    /// Calls `take` with the number behind each mark of each delta, as it comes, until the answer ends.
    pub async fn each_piece(&mut self, mark: &[u8], mut take: impl FnMut(u64)) -> std::io::Result<()> {
        loop {
            let is_last = ends(&self.buffer);
            let mut rest = 0;
            while let Some(line) = find(&self.buffer[rest..], b"\n\n") {
                let event = &self.buffer[rest..rest + line];
                if find(event, b"content_part.text_delta").is_some()
                    && let Some(at) = find(event, mark)
                {
                    let digits = event[at + mark.len()..].iter().take_while(|byte| byte.is_ascii_digit());
                    take(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')));
                }
                rest += line + 2;
            }
            if is_last {
                return Ok(());
            }
            self.buffer.drain(..rest);
            self.more().await?;
        }
    }

    async fn more(&mut self) -> std::io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// Whether a chunked answer, or one of a declared length, is complete.
fn ends(bytes: &[u8]) -> bool {
    if bytes.ends_with(b"\r\n0\r\n\r\n") {
        return true;
    }
    let Some(head) = find(bytes, b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let declared = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    declared.is_some_and(|length| bytes.len() >= head + 4 + length)
}

fn status(bytes: &[u8]) -> u16 {
    bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// From the end: what is looked for stands there.
fn contains_last(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).rev().any(|window| window == wanted)
}

/// The value below which so many of a thousand of the sorted values lie.
pub fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let place = (sorted.len() * per_mille).div_ceil(1000);
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}
