//! Reads an answer of the server: an event stream, or one JSON document from a server that does not stream.
//!
//! Bounded in bytes and in time. A stream that ends without saying so was cut.

use std::time::Duration;

use eventsource_stream::{EventStream, Eventsource as _};
use futures_util::stream::{BoxStream, StreamExt as _};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout_at};

use crate::llm::LlmError;
use crate::llm::chat::failure::{self, broken};
use crate::llm::chat::wire::{Choice, Chunk, Complaint};
use crate::model::usage::Usage;

/// What a token takes in a stream, with all that stands around it, in bytes.
const BYTES_PER_TOKEN: usize = 2 * 1024;
/// What any answer may take, in bytes.
const MIN_BYTES: usize = 256 * 1024;
/// What no answer may take, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Ends a stream in OpenAI's way.
const DONE: &str = "[DONE]";

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// More text.
    Text(String),
    /// The model thinks.
    Thought,
    /// The model says that it will not answer.
    Declined,
    /// The answer is whole.
    End,
    /// The answer was cut at the bound of its length.
    Cut,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the first piece, from the request on.
    pub(super) first: Duration,
    /// For each further piece.
    pub(super) next: Duration,
    /// For the whole answer, further attempts included.
    pub(super) all: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { first: Duration::from_secs(30), next: Duration::from_secs(20), all: Duration::from_mins(3) }
    }
}

/// An answer on its way.
pub(super) struct Reply {
    source: Source,
    patience: Patience,
    /// Until when the next piece is waited for.
    until: Instant,
    /// What one event held beside its first piece.
    waiting: Option<Said>,
    /// Why the answer ended, once the server said so.
    finish: Option<Said>,
    /// What the server counted last.
    usage: Option<Usage>,
}

enum Source {
    Events(EventStream<BoxStream<'static, Result<Vec<u8>, LlmError>>>),
    Document(BoxStream<'static, Result<Vec<u8>, LlmError>>),
    Read,
}

impl Reply {
    /// Reads this response, to a request that was sent at `sent` for so many tokens.
    pub(super) fn new(response: Response, tokens: usize, patience: Patience, sent: Instant) -> Result<Self, LlmError> {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        if kind.contains("html") {
            return Err(LlmError::Temporary("it answered with a page, not with an answer of the API".to_owned()));
        }
        let bytes = bounded(response, tokens.saturating_mul(BYTES_PER_TOKEN).clamp(MIN_BYTES, MAX_BYTES));
        let source = if kind.contains("json") { Source::Document(bytes) } else { Source::Events(bytes.eventsource()) };
        Ok(Self { source, patience, until: sent + patience.first, waiting: None, finish: None, usage: None })
    }

    /// The next piece. After [`Said::End`] and [`Said::Cut`] there is none.
    pub(super) async fn next(&mut self) -> Result<Said, LlmError> {
        if let Some(said) = self.waiting.take() {
            return Ok(said);
        }
        let until = self.until;
        let said = timeout_at(until, self.read()).await.map_err(|_| failure::silent())??;
        self.until = Instant::now() + self.patience.next;
        Ok(said)
    }

    /// What the server counted, if it did; told with the end at the latest.
    pub(super) fn usage(&mut self) -> Option<Usage> {
        self.usage.take()
    }

    async fn read(&mut self) -> Result<Said, LlmError> {
        loop {
            let chunk = match &mut self.source {
                Source::Read => return Ok(Said::End),
                Source::Document(bytes) => {
                    let document = whole(bytes).await?;
                    self.source = Source::Read;
                    self.finish = Some(Said::End);
                    parse(&document)?
                }
                Source::Events(events) => match events.next().await {
                    Some(Ok(event)) if event.data.trim() == DONE => return Ok(self.finish.take().unwrap_or(Said::End)),
                    Some(Ok(event)) if event.data.trim().is_empty() => continue,
                    Some(Ok(event)) => parse(event.data.as_bytes())?,
                    Some(Err(error)) => return Err(failure::of_events(error)),
                    None => return self.finish.take().ok_or_else(|| broken("it ended in the middle of an answer")),
                },
            };
            if let Some(said) = self.take(chunk)? {
                return Ok(said);
            }
        }
    }

    /// What a chunk says, if anything.
    fn take(&mut self, chunk: Chunk) -> Result<Option<Said>, LlmError> {
        // Some servers count in every chunk, each time from the beginning.
        self.usage = chunk.usage().or(self.usage.take());
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(failure::complained(None, &Complaint::of(&error), None));
        }
        // The last chunk may count tokens and hold no choice.
        let Some(choice) = chunk.choices.unwrap_or_default().into_iter().next() else {
            return Ok(None);
        };
        let Choice { delta, message, finish_reason } = choice;
        if let Some(reason) = finish_reason {
            self.finish = Some(finish(&reason)?);
        }
        let Some(said) = delta.or(message) else {
            return Ok(None);
        };
        let text = said.text();
        let is_whole = matches!(self.source, Source::Read);
        let piece = match () {
            () if !text.is_empty() => Some(Said::Text(text)),
            () if said.declines() => Some(Said::Declined),
            () if said.thinks() => Some(Said::Thought),
            () => None,
        };
        if is_whole {
            self.waiting = self.finish.take();
            return Ok(piece.or_else(|| self.waiting.take()));
        }
        Ok(piece)
    }
}

fn finish(reason: &str) -> Result<Said, LlmError> {
    match reason {
        "length" => Ok(Said::Cut),
        "content_filter" => Err(LlmError::Refused("its filter stopped the answer (content_filter)".to_owned())),
        "tool_calls" | "function_call" => Err(broken("it called a tool that nobody offered")),
        // `stop`, and the words of other servers: `eos`, `end_turn`.
        _ => Ok(Said::End),
    }
}

fn parse(data: &[u8]) -> Result<Chunk, LlmError> {
    let chunk: Chunk = serde_json::from_slice(data).map_err(|_| broken("it sent something that is no answer"))?;
    if chunk.choices.is_none() && chunk.error.is_none() && chunk.usage().is_none() {
        return Err(broken("it sent JSON that is no answer"));
    }
    Ok(chunk)
}

async fn whole(bytes: &mut BoxStream<'static, Result<Vec<u8>, LlmError>>) -> Result<Vec<u8>, LlmError> {
    let mut document = Vec::new();
    while let Some(piece) = bytes.next().await {
        document.extend(piece?);
    }
    Ok(document)
}

/// The body, as an error from the byte on that is too much.
fn bounded(response: Response, max_bytes: usize) -> BoxStream<'static, Result<Vec<u8>, LlmError>> {
    let pieces = response.bytes_stream().scan(0_usize, move |read, piece| {
        let piece = piece.map_err(|error| failure::of_connection(&error)).and_then(|piece| {
            *read += piece.len();
            if *read > max_bytes { Err(broken("its answer is longer than any could be")) } else { Ok(piece.to_vec()) }
        });
        futures_util::future::ready(Some(piece))
    });
    pieces.boxed()
}
