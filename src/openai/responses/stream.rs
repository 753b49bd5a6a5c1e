//! Reads an answer: an event stream, or one JSON document from a server that does not stream.
//!
//! Bounded in bytes, an event and the whole. A stream that ends without its terminal event was cut,
//! however much came.

use std::collections::HashSet;

use eventsource_stream::{EventStream, EventStreamError, Eventsource as _};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::Value;

use crate::openai::responses::event::Event;
use crate::openai::responses::{CALL, broken};
use crate::openai::stream::Pieces;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

/// What one event may take, in bytes: the last one holds the whole answer with all that was found.
pub(super) const MAX_EVENT_BYTES: usize = 8 * 1024 * 1024;
/// What a whole answer may take, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Ends a stream of other calls; some servers send it here, too.
const DONE: &str = "[DONE]";

type Bytes = BoxStream<'static, Result<Vec<u8>, OpenAiError>>;

/// An answer on its way.
pub struct Answering {
    source: Source,
    /// Numbers of the events so far: a gateway may repeat some.
    seen: HashSet<u64>,
    request_id: Option<String>,
}

enum Source {
    Events(Box<EventStream<Bytes>>),
    Document(Bytes),
    Read,
}

impl Answering {
    /// Reads these pieces.
    pub(super) fn new(pieces: Pieces) -> Self {
        let request_id = pieces.request_id().map(str::to_owned);
        let is_event_stream = pieces.is_event_stream();
        let bytes = stream::unfold(Some(pieces), |pieces| async {
            let mut pieces = pieces?;
            match pieces.next().await {
                Ok(Some(piece)) => Some((Ok(piece.to_vec()), Some(pieces))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        let bytes = bounded(bytes.boxed());
        let source =
            if is_event_stream { Source::Events(Box::new(bytes.eventsource())) } else { Source::Document(bytes) };
        Self { source, seen: HashSet::new(), request_id }
    }

    /// A stream of these pieces.
    #[cfg(test)]
    pub(super) fn of(pieces: Vec<Vec<u8>>) -> Self {
        let bytes = bounded(stream::iter(pieces.into_iter().map(Ok)).boxed());
        Self { source: Source::Events(Box::new(bytes.eventsource())), seen: HashSet::new(), request_id: None }
    }

    /// `x-request-id` of the answer, for the service's support.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The next event. After [`Event::End`] there is none.
    pub async fn next(&mut self) -> Result<Event, OpenAiError> {
        self.read().await.map_err(|error| with_id(&error, self.request_id.as_ref()))
    }

    async fn read(&mut self) -> Result<Event, OpenAiError> {
        loop {
            let value = match &mut self.source {
                Source::Read => return Err(cut()),
                Source::Document(bytes) => {
                    let document = whole(bytes).await?;
                    self.source = Source::Read;
                    return Event::document(&parse(&document)?);
                }
                Source::Events(events) => match events.next().await {
                    Some(Ok(event)) if matches!(event.data.trim(), "" | DONE) => continue,
                    Some(Ok(event)) => parse(event.data.as_bytes())?,
                    Some(Err(EventStreamError::Transport(error))) => return Err(error),
                    Some(Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_))) => {
                        return Err(broken("it sent something that is no event stream"));
                    }
                    None => return Err(cut()),
                },
            };
            let is_repeated = value["sequence_number"].as_u64().is_some_and(|number| !self.seen.insert(number));
            if is_repeated {
                continue;
            }
            if let Some(event) = Event::read(&value)? {
                if matches!(event, Event::End(_)) {
                    self.source = Source::Read;
                }
                return Ok(event);
            }
        }
    }
}

fn parse(data: &[u8]) -> Result<Value, OpenAiError> {
    serde_json::from_slice(data).map_err(|_| broken("it sent something that is no JSON"))
}

fn cut() -> OpenAiError {
    FailedCall::new(CALL, ErrorKind::Connection, "the answer broke off before its end").into()
}

fn with_id(error: &OpenAiError, request_id: Option<&String>) -> OpenAiError {
    let request_id = error.request_id.as_ref().or(request_id).cloned();
    FailedCall { request_id, ..FailedCall::clone(error) }.into()
}

async fn whole(bytes: &mut Bytes) -> Result<Vec<u8>, OpenAiError> {
    let mut document = Vec::new();
    while let Some(piece) = bytes.next().await {
        document.extend(piece?);
    }
    Ok(document)
}

/// The same bytes, as an error from the byte on that is too much for an event, or for an answer.
fn bounded(pieces: Bytes) -> Bytes {
    let mut all = 0;
    let mut event = EventSize::default();
    let bounded = pieces.map(move |piece| {
        let piece = piece?;
        all += piece.len();
        if all > MAX_BYTES || event.grows(&piece) > MAX_EVENT_BYTES {
            return Err(broken("its answer is longer than any could be"));
        }
        Ok(piece)
    });
    bounded.boxed()
}

/// How large the present event is. An empty line ends it.
#[derive(Default)]
struct EventSize {
    bytes: usize,
    is_empty_line: bool,
}

impl EventSize {
    /// Takes more bytes; gives the largest size that an event among them has by now.
    fn grows(&mut self, piece: &[u8]) -> usize {
        let mut largest = 0;
        for byte in piece {
            self.bytes += 1;
            largest = largest.max(self.bytes);
            match byte {
                b'\n' if self.is_empty_line => self.bytes = 0,
                b'\n' => self.is_empty_line = true,
                b'\r' => {}
                _ => self.is_empty_line = false,
            }
        }
        largest
    }
}
