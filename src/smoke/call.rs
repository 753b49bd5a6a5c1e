//! One request and what came back: a whole answer, or a stream that is read as it comes.

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use reqwest::Response;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use serde_json::Value;

use crate::smoke::case::Stop;
use crate::smoke::record::Seen;
use crate::smoke::sse;
use crate::smoke::told::Told;

/// Bytes of an answer at the most; a longer one counts as cut off by us.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// A whole answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// The type of the request, for reasons.
    pub(super) kind: String,
    /// The status.
    pub(super) status: u16,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Vec<u8>,
    /// Why the body did not end as HTTP says it must.
    pub(super) cut: Option<String>,
}

impl Reply {
    /// Reads an answer to its end.
    pub(super) async fn read(kind: &str, response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut reply = Self { kind: kind.to_owned(), status, headers, body: Vec::new(), cut: None };
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) if reply.body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                    reply.cut = Some(format!("the answer is longer than {MAX_ANSWER_BYTES} bytes"));
                    break;
                }
                Ok(chunk) => reply.body.extend_from_slice(&chunk),
                Err(_) => {
                    reply.cut = Some("the body broke off before its end".to_owned());
                    break;
                }
            }
        }
        reply
    }

    /// A header as text; empty without it.
    pub(super) fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The content type without its parameters, in lower case.
    pub(super) fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// Whether it is an event stream.
    pub(super) fn is_stream(&self) -> bool {
        self.media_type() == "text/event-stream"
    }

    /// Whether HTTP/1 tells where the body ends. Without a length and without chunks an end looks like a cut.
    pub(super) fn has_end(&self) -> bool {
        self.headers.contains_key(CONTENT_LENGTH) || self.headers.contains_key(TRANSFER_ENCODING)
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The events of a stream.
    pub(super) fn told(&self) -> Told {
        Told { kind: self.kind.clone(), events: sse::events(&self.body) }
    }

    /// What came, in words.
    pub(super) fn describe(&self) -> String {
        let cut = self.cut.as_ref().map_or_else(String::new, |cut| format!(", and {cut}"));
        let form = if self.is_stream() { " with an event stream" } else { "" };
        format!("`{}` gave {}{form}{cut}", self.kind, self.status)
    }

    /// What is kept of it.
    pub(super) fn seen(&self) -> Seen {
        let values = if self.is_stream() { sse::events(&self.body) } else { self.json().into_iter().collect() };
        let is_error = self.status >= 400;
        Seen {
            told: Told { kind: self.kind.clone(), events: values },
            status: self.status,
            is_stream: self.is_stream(),
            is_whole: self.cut.is_none(),
            error: is_error.then(|| String::from_utf8_lossy(&self.body).into_owned()),
            content_type: self.media_type(),
        }
    }
}

/// A stream that is read event by event. Dropping it hangs up.
pub(super) struct Live {
    kind: String,
    /// The status.
    pub(super) status: u16,
    chunks: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    /// Takes every event as it is read.
    note: Box<dyn Fn(&Value) + Send + Sync>,
}

impl Live {
    /// Begins to read.
    pub(super) fn new(kind: &str, response: Response, note: Box<dyn Fn(&Value) + Send + Sync>) -> Self {
        let status = response.status().as_u16();
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        Self { kind: kind.to_owned(), status, chunks, buffer: Vec::new(), note }
    }

    /// The next event; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Value>, Stop> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = sse::event(&String::from_utf8_lossy(&block)) {
                    (self.note)(&event);
                    return Ok(Some(event));
                }
                continue;
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) if self.buffer.len() < MAX_ANSWER_BYTES => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
                Some(_) => return Err(Stop::Fail(format!("the stream of `{}` broke off", self.kind))),
            }
        }
    }

    /// Reads until an event is as asked, that one included; the error says that there was none.
    pub(super) async fn until(&mut self, is_it: impl Fn(&Told) -> bool) -> Result<Told, Stop> {
        let mut told = Told { kind: self.kind.clone(), events: Vec::new() };
        while let Some(event) = self.next().await? {
            told.events.push(event);
            if is_it(&told) {
                return Ok(told);
            }
        }
        Err(Stop::Skip("the answer ended before there was a moment to look at it".to_owned()))
    }

    /// Reads the rest.
    pub(super) async fn rest(mut self) -> Result<Told, Stop> {
        let mut told = Told { kind: self.kind.clone(), events: Vec::new() };
        while let Some(event) = self.next().await? {
            told.events.push(event);
        }
        Ok(told)
    }
}

/// The content type without its parameters, in lower case.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
