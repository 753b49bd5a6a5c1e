//! Asks the model's server, in the manner that the model takes.
//!
//! One call is one attempt; who calls decides about trying again. Only a refused parameter is asked again at once,
//! without it. The key goes into its header and nowhere else, and no redirect is followed: it would carry the key and
//! the visitor's words elsewhere.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::ACCEPT;
use reqwest::{Client, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use crate::config::settings::ChatSettings;
use crate::llm::LlmError;
use crate::llm::chat::dialect::{self, Dialect, Manner};
use crate::llm::chat::failure;
use crate::llm::chat::reply::{Patience, Reply};
use crate::llm::chat::wire::{Complaint, Message, Request, Role};
use crate::openai;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a failure's body is read, in bytes.
const MAX_COMPLAINT_BYTES: usize = 64 * 1024;
/// Parameters that may be refused one after another.
const MAX_MANNERS: usize = 6;

/// A failed attempt, and how long the server asks to be left alone.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: LlmError,
    pub(super) retry_after: Option<Duration>,
}

impl From<LlmError> for Failed {
    fn from(error: LlmError) -> Self {
        Self { error, retry_after: None }
    }
}

/// A model behind its server.
pub(super) struct Server {
    settings: ChatSettings,
    client: Client,
    dialect: Dialect,
    pub(super) patience: Patience,
}

impl Server {
    /// The server that the settings name.
    pub(super) fn new(settings: ChatSettings, patience: Patience) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // Where a visitor's words go is a setting of ours, and no variable of the environment changes it.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let dialect = Dialect::of(&settings.model);
        Ok(Self { settings, client, dialect, patience })
    }

    /// Sends the messages; the reply begins.
    pub(super) async fn ask(&self, messages: &[Message]) -> Result<Reply, Failed> {
        let sent = Instant::now();
        let until = sent + self.patience.first;
        for _ in 0..MAX_MANNERS {
            let manner = self.dialect.manner();
            let response = timeout_at(until, self.send(messages, manner)).await.map_err(|_| failure::silent())??;
            if response.status().is_success() {
                return Ok(Reply::new(response, self.settings.max_tokens, self.patience, sent)?);
            }
            let status = response.status();
            let retry_after = failure::retry_after(response.headers());
            let body = timeout_at(until, beginning(response)).await.unwrap_or_default();
            let complaint = Complaint::read(&body);
            if !(may_be_a_parameter(status, &complaint) && self.dialect.learn(&complaint, manner)) {
                let error = failure::complained(Some(status), &complaint, retry_after);
                return Err(Failed { error, retry_after });
            }
            tracing::info!(code = complaint.code, "a parameter of the model is no longer sent");
        }
        Err(LlmError::Refused("it refuses every form of the request".to_owned()).into())
    }

    async fn send(&self, messages: &[Message], manner: Manner) -> Result<Response, LlmError> {
        let merged;
        let messages = if manner.system {
            messages
        } else {
            merged = without_system(messages);
            &merged
        };
        let max_tokens = self.settings.max_tokens;
        let body = Request {
            model: &self.settings.model,
            messages,
            stream: manner.stream.then_some(true),
            temperature: manner.temperature.then_some(self.settings.temperature),
            max_tokens: manner.max_tokens.then_some(max_tokens),
            max_completion_tokens: manner.max_completion_tokens.then_some(max_tokens),
        };
        let url = openai::join(&self.settings.base_url, "/chat/completions");
        let mut request = self.client.post(url).json(&body).header(ACCEPT, "text/event-stream, application/json");
        if let Some(key) = &self.settings.api_key {
            request = request.bearer_auth(key.expose());
        }
        request.send().await.map_err(|error| failure::of_connection(&error))
    }
}

fn may_be_a_parameter(status: StatusCode, complaint: &Complaint) -> bool {
    match status.as_u16() {
        // One about the length of the prompt may name `max_tokens` too.
        400 | 422 => !failure::is_too_long(complaint),
        // What some servers answer when a template refuses the system role.
        500 => dialect::is_about_the_system_role(complaint),
        _ => false,
    }
}

/// The same messages for a model that knows no system role: what it said comes before the first message.
fn without_system(messages: &[Message]) -> Vec<Message> {
    let mut merged: Vec<Message> = Vec::new();
    let mut instructions = String::new();
    for message in messages {
        match message.role {
            Role::System => {
                instructions.push_str(&message.content);
                instructions.push_str("\n\n");
            }
            role => {
                let content = std::mem::take(&mut instructions) + &message.content;
                merged.push(Message { role, content });
            }
        }
    }
    merged
}

/// The beginning of a body, as far as it comes.
async fn beginning(response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_COMPLAINT_BYTES {
            break;
        }
    }
    bytes
}
