//! HTTP by hand: what no client library would send, and answers as they came.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Until a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// One answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Without its chunks' framing.
    pub body: Vec<u8>,
    /// Whether all of it came, the last chunk included.
    pub is_whole: bool,
}

impl Answer {
    /// The value of a header; empty without one.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The head of a request after which the server closes.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = if has_host { "" } else { "Host: localhost\r\n" };
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n{host}{}\r\n", headers.concat()).into_bytes()
}

/// A new connection to a server at this URL.
pub fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends these bytes and reads until the server closes.
pub fn exchange(url: &str, bytes: &[u8]) -> Vec<Answer> {
    let stream = connect(url);
    let mut writing = stream.try_clone().unwrap();
    let bytes = bytes.to_vec();
    // The server may answer and close before all is sent.
    let writer = std::thread::spawn(move || writing.write_all(&bytes).is_ok());
    let answer = read_to_end(stream);
    writer.join().unwrap();
    parse(&answer)
}

/// Sends these bytes, to which there is one answer.
pub fn one(url: &str, bytes: &[u8]) -> Answer {
    let mut answers = exchange(url, bytes);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

/// All that comes until the server closes; a reset after it counts as a close.
pub fn read_to_end(mut stream: TcpStream) -> Vec<u8> {
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return answer,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return answer,
            Err(error) => panic!("{error}; so far: {}", String::from_utf8_lossy(&answer)),
        }
    }
}

/// All answers in what came over one connection.
pub fn parse(mut bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = std::str::from_utf8(&bytes[..end]).expect("heads are text");
        bytes = &bytes[end + 4..];
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line").parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let headers = lines.map(header).collect();
        let mut answer = Answer { status, headers, ..Answer::default() };
        bytes = take_body(&mut answer, bytes);
        answers.push(answer);
    }
    assert!(bytes.is_empty(), "left over: {}", String::from_utf8_lossy(bytes));
    answers
}

fn take_body<'a>(answer: &mut Answer, bytes: &'a [u8]) -> &'a [u8] {
    if answer.header("transfer-encoding") == "chunked" {
        return take_chunks(answer, bytes);
    }
    let length: usize = answer.header("content-length").parse().unwrap_or(0);
    let (body, rest) = bytes.split_at(length.min(bytes.len()));
    answer.is_whole = body.len() == length;
    answer.body = body.to_vec();
    rest
}

fn take_chunks<'a>(answer: &mut Answer, mut bytes: &'a [u8]) -> &'a [u8] {
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).expect("a chunk's size");
        let data = &bytes[end + 2..];
        if data.len() < size + 2 {
            break;
        }
        answer.body.extend_from_slice(&data[..size]);
        bytes = &data[size + 2..];
        if size == 0 {
            answer.is_whole = true;
            return bytes;
        }
    }
    &[]
}
