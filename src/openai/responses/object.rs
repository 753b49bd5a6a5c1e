//! An answer and its parts, read leniently: servers leave out what the specification requires.

use serde_json::Value;

use crate::openai::vector_store::{Attribute, Attributes};

/// How an answer stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// It is whole.
    Completed,
    /// It was cut: see [`Response::incomplete_reason`].
    Incomplete,
    /// See [`Response::error_code`].
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// It goes on, or nothing is said.
    #[default]
    Other,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// `resp_…`.
    pub id: String,
    /// The model that answered: a dated snapshot, perhaps.
    pub model: String,
    /// How it stands.
    pub status: Status,
    /// Why it failed.
    pub error_code: Option<String>,
    /// Why it was cut: `max_output_tokens` or `content_filter`.
    pub incomplete_reason: Option<String>,
    /// Its items in order.
    pub output: Vec<Item>,
    /// What it took, when that is told.
    pub usage: Option<Tokens>,
}

/// Tokens that an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Read, cached ones included.
    pub input: u64,
    /// Among them cached.
    pub cached: u64,
    /// Written to the cache.
    pub cache_write: u64,
    /// Written, thoughts included.
    pub output: u64,
    /// Among them thoughts.
    pub reasoning: u64,
}

/// One item of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A hosted search.
    Search {
        /// `fs_…`.
        id: String,
        /// What was found; `None` when that was not asked for.
        results: Option<Vec<SearchResult>>,
    },
    /// Text.
    Message(Message),
    /// A thought, or something that nobody asked for.
    Other,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Whether it only says what the model is about to do.
    pub is_commentary: bool,
    /// Its parts.
    pub parts: Vec<MessagePart>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum MessagePart {
    /// Text with its citations.
    Text {
        /// The text.
        text: String,
        /// Where it comes from.
        citations: Vec<FileCitation>,
    },
    /// The model says that it will not answer.
    Refusal,
    /// Something else.
    Other,
}

/// A piece of a file that a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResult {
    /// The file.
    pub file_id: String,
    /// Its name.
    pub filename: String,
    /// 0 to 1, higher is better.
    pub score: f32,
    /// The piece.
    pub text: String,
    /// What is attached to the file.
    pub attributes: Attributes,
}

/// A place in a text that a file supports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCitation {
    /// The file.
    pub file_id: String,
    /// Its name.
    pub filename: String,
    /// An offset in the text, or the number of the file among those found: servers and descriptions differ.
    pub index: Option<usize>,
}

impl Response {
    /// Reads the object.
    pub fn read(value: &Value) -> Self {
        Self {
            id: text(&value["id"]),
            model: text(&value["model"]),
            status: match value["status"].as_str() {
                Some("completed") => Status::Completed,
                Some("incomplete") => Status::Incomplete,
                Some("failed") => Status::Failed,
                Some("cancelled") => Status::Cancelled,
                _ => Status::Other,
            },
            error_code: value["error"].is_object().then(|| text(&value["error"]["code"])),
            incomplete_reason: value["incomplete_details"]["reason"].as_str().map(str::to_owned),
            output: list(&value["output"]).map(Item::read).collect(),
            usage: value["usage"].is_object().then(|| Tokens::read(&value["usage"])),
        }
    }
}

impl Response {
    /// The parts of its messages, in order, without those that only say what the model is about to do.
    pub fn parts(&self) -> impl Iterator<Item = &MessagePart> {
        let messages = self.output.iter().filter_map(|item| match item {
            Item::Message(message) if !message.is_commentary => Some(&message.parts),
            _ => None,
        });
        messages.flatten()
    }
}

impl Tokens {
    fn read(value: &Value) -> Self {
        let count = |value: &Value| value.as_u64().unwrap_or_default();
        Self {
            input: count(&value["input_tokens"]),
            cached: count(&value["input_tokens_details"]["cached_tokens"]),
            cache_write: count(&value["input_tokens_details"]["cache_write_tokens"]),
            output: count(&value["output_tokens"]),
            reasoning: count(&value["output_tokens_details"]["reasoning_tokens"]),
        }
    }
}

impl Item {
    /// Reads the object.
    pub fn read(value: &Value) -> Self {
        match value["type"].as_str() {
            Some("file_search_call") => {
                let results = value["results"].as_array();
                let results = results.map(|results| results.iter().map(SearchResult::read).collect());
                Self::Search { id: text(&value["id"]), results }
            }
            Some("message") => Self::Message(Message {
                is_commentary: value["phase"] == "commentary",
                parts: list(&value["content"]).map(MessagePart::read).collect(),
            }),
            _ => Self::Other,
        }
    }
}

impl MessagePart {
    /// Reads the object.
    pub fn read(value: &Value) -> Self {
        match value["type"].as_str() {
            Some("output_text") => Self::Text {
                text: text(&value["text"]),
                citations: list(&value["annotations"]).filter_map(FileCitation::read).collect(),
            },
            Some("refusal") => Self::Refusal,
            _ => Self::Other,
        }
    }
}

impl MessagePart {
    /// Its citations.
    pub fn citations(&self) -> &[FileCitation] {
        match self {
            Self::Text { citations, .. } => citations,
            Self::Refusal | Self::Other => &[],
        }
    }
}

impl SearchResult {
    fn read(value: &Value) -> Self {
        Self {
            file_id: text(&value["file_id"]),
            filename: text(&value["filename"]),
            score: number(&value["score"]),
            text: text(&value["text"]),
            attributes: attributes(&value["attributes"]),
        }
    }
}

impl FileCitation {
    /// Reads the object; none when it is of another kind or names no file.
    pub fn read(value: &Value) -> Option<Self> {
        let file_id = text(&value["file_id"]);
        if value["type"] != "file_citation" || file_id.is_empty() {
            return None;
        }
        let index = value["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        Some(Self { file_id, filename: text(&value["filename"]), index })
    }
}

/// Pairs of a kind that nobody may attach are left out.
fn attributes(value: &Value) -> Attributes {
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), Attribute::read(value)?))).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[expect(clippy::cast_possible_truncation, reason = "a score between 0 and 1")]
fn number(value: &Value) -> f32 {
    value.as_f64().unwrap_or_default() as f32
}
