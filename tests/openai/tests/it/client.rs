//! A client of a few lines: one connection a request, everything read to its end, with a deadline.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use openai_stand_in::{Rules, StandIn};
use serde_json::{Value, json};

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header, in whatever case it came.
    pub fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }

    /// Status and code of an error.
    pub fn refused(&self) -> (u16, Value) {
        (self.status, self.json()["error"]["code"].clone())
    }

    /// The data of the events of a stream.
    pub fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

pub fn started() -> StandIn {
    StandIn::launch(Rules::default(), 0)
}

/// Sends a request with the right key.
pub fn send(to: &StandIn, method: &str, path: &str, body: Option<&Value>) -> Answer {
    try_send(to, method, path, body).expect("an answer")
}

/// The same where no answer may come.
pub fn try_send(to: &StandIn, method: &str, path: &str, body: Option<&Value>) -> io::Result<Answer> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", to.key());
    raw(to, method, path, &headers, body.as_bytes())
}

pub fn get(to: &StandIn, path: &str) -> Value {
    done(&send(to, "GET", path, None))
}

pub fn post(to: &StandIn, path: &str, body: &Value) -> Value {
    done(&send(to, "POST", path, Some(body)))
}

pub fn delete(to: &StandIn, path: &str) -> Value {
    done(&send(to, "DELETE", path, None))
}

fn done(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Sends a form: fields, and a file as name of the field, name of the file, bytes.
pub fn try_form(
    to: &StandIn,
    path: &str,
    fields: &[(&str, &str)],
    file: Option<(&str, &str, &[u8])>,
) -> io::Result<Answer> {
    let mut body = Vec::new();
    for (name, value) in fields {
        write!(body, "--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")?;
    }
    if let Some((name, filename, bytes)) = file {
        let disposition = format!("form-data; name=\"{name}\"; filename=\"{filename}\"");
        write!(body, "--edge\r\nContent-Disposition: {disposition}\r\nContent-Type: text/plain\r\n\r\n")?;
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    let kind = "multipart/form-data; boundary=edge";
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: {kind}\r\n", to.key());
    raw(to, "POST", path, &headers, &body)
}

pub fn form(to: &StandIn, path: &str, fields: &[(&str, &str)], file: Option<(&str, &str, &[u8])>) -> Answer {
    try_form(to, path, fields, file).expect("an answer")
}

/// Uploads a file for searching; gives its id.
pub fn upload(to: &StandIn, filename: &str, bytes: &[u8]) -> String {
    let answer = form(to, "/files", &[("purpose", "assistants")], Some(("file", filename, bytes)));
    id(&done(&answer))
}

/// A store with these files, all of them done; gives its id and theirs.
pub fn store(to: &StandIn, files: &[(&str, &str)]) -> (String, Vec<String>) {
    let store = id(&post(to, "/vector_stores", &json!({"name": "documents"})));
    let ids: Vec<String> = files.iter().map(|(name, text)| upload(to, name, text.as_bytes())).collect();
    if !ids.is_empty() {
        let entries: Vec<Value> = files
            .iter()
            .zip(&ids)
            .map(|((name, _), id)| json!({"file_id": id, "attributes": {"path": name, "len": name.len()}}))
            .collect();
        let batch = id(&post(to, &format!("/vector_stores/{store}/file_batches"), &json!({"files": entries})));
        let path = format!("/vector_stores/{store}/file_batches/{batch}");
        assert_eq!(get(to, &path)["status"], "in_progress");
        assert_ne!(get(to, &path)["status"], "in_progress");
    }
    (store, ids)
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

/// Sends these very headers and bytes. The path is one below `/v1`, or of the control.
pub fn raw(to: &StandIn, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
    let base = to.base_url();
    let (host, prefix) = base.trim_start_matches("http://").split_once('/').unwrap();
    let prefix = if path.starts_with("/__") || path.starts_with("/openai") { "" } else { &format!("/{prefix}") };
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let length = body.len();
    let head = format!("{method} {prefix}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}");
    stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n").as_bytes())?;
    // A server that has gone away shows itself in the reading, with the reason.
    let _ = stream.write_all(body);
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(split) = split else {
        end?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let rest = &bytes[split + 4..];
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(rest) } else { rest.to_vec() };
    let answer = Answer { status, head, body };
    let announced = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if end.is_err() || announced.is_some_and(|length| length != answer.body.len()) {
        return Err(io::Error::other(format!("cut off after {} bytes: {}", answer.body.len(), answer.text())));
    }
    Ok(answer)
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let len = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        if len == 0 || rest.len() < len {
            break;
        }
        body.extend_from_slice(&rest[..len]);
        rest = &rest[len + 2..];
    }
    body
}
