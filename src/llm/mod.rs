//! The port to what writes answers, and the table of its backends.

pub mod chat;
pub mod embed;
pub mod extractive;
pub mod fallback;
mod instructions;
pub mod models;
pub mod openai;
pub mod stub;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::config::settings::{AssistantSettings, ModelBackend};
use crate::llm::chat::Chat;
use crate::llm::extractive::Extractive;
use crate::llm::fallback::Fallback;
use crate::llm::models::ModelsError;
use crate::llm::openai::OpenAi;
use crate::llm::stub::Stub;
use crate::model::item::{Beside, Cue, Source};
use crate::model::thread::ItemContent;
use crate::model::usage::Usage;
use crate::model::{Found, Hit, QueryTerm};

/// A kind of model backend.
pub struct Backend {
    /// Its value of `MODEL_BACKEND`.
    pub kind: ModelBackend,
    /// Makes one from the settings.
    pub open: fn(&AssistantSettings) -> Result<Arc<dyn ChatModel>, OpenError>,
}

/// All kinds of model backend. A new one is a file and a row.
pub const BACKENDS: &[Backend] = &[
    Backend { kind: ModelBackend::Extractive, open: |_| Ok(Arc::new(Extractive)) },
    Backend { kind: ModelBackend::OpenAi, open: open_openai },
    Backend { kind: ModelBackend::Chat, open: open_chat },
    Backend {
        kind: ModelBackend::Stub,
        open: |settings| Ok(Arc::new(Stub { delta: Duration::from_millis(settings.stub_delta_ms) })),
    },
];

/// Why there is no backend.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// This program has none of this kind.
    #[error("this program was built without it")]
    NotBuilt,
    /// The file with the instructions cannot be used.
    #[error("the instructions in `{path}` cannot be read: {why}")]
    Instructions {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file with facts about models cannot be used.
    #[error(transparent)]
    Models(#[from] ModelsError),
    /// No connections can be made at all.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

/// The backend that the settings name.
pub fn open(settings: &AssistantSettings) -> Result<Arc<dyn ChatModel>, OpenError> {
    let backend = BACKENDS.iter().find(|backend| backend.kind == settings.backend).ok_or(OpenError::NotBuilt)?;
    (backend.open)(settings)
}

fn open_chat(settings: &AssistantSettings) -> Result<Arc<dyn ChatModel>, OpenError> {
    Ok(with_fallback(settings, Arc::new(Chat::open(settings)?)))
}

fn open_openai(settings: &AssistantSettings) -> Result<Arc<dyn ChatModel>, OpenError> {
    Ok(with_fallback(settings, Arc::new(OpenAi::open(settings)?)))
}

fn with_fallback(settings: &AssistantSettings, first: Arc<dyn ChatModel>) -> Arc<dyn ChatModel> {
    if settings.chat.falls_back {
        return Arc::new(Fallback { first, then: Arc::new(Extractive) });
    }
    first
}

/// What a backend is asked: a question, what came before, and what was found.
#[derive(Debug, Clone, Default)]
pub struct ChatRequest {
    /// The question.
    pub question: String,
    /// Earlier turns, oldest first.
    pub history: Vec<Exchange>,
    /// What was retrieved, best first. Markers count from 0 into it.
    pub hits: Vec<Hit>,
    /// The words of the question that say what it is about.
    pub terms: Vec<QueryTerm>,
    /// What the turn begins with.
    pub cue: Cue,
    /// Text for the model alone, from the thread's hidden items, oldest first.
    pub hidden: Vec<String>,
    /// Places in `hits` of what the visitor attached.
    pub attached: Vec<usize>,
    /// Who asks, as a name that says nothing of the visitor.
    pub visitor: Option<String>,
}

/// One earlier turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What the visitor asked.
    pub question: String,
    /// What the bot answered.
    pub answer: String,
}

/// A piece of an answer as it is made.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelEvent {
    /// More text.
    Text(String),
    /// The text so far ends with a claim that this hit supports.
    Cite {
        /// Place in [`ChatRequest::hits`].
        hit: usize,
        /// The supporting words, copied from the chunk; without them the chunk's best words are quoted.
        quote: Option<String>,
    },
    /// The text so far ends with a mark that is no citation.
    Link(Source),
    /// What the backend found by itself, beside what was found before.
    Found(Vec<Found>),
    /// A claim that a found piece supports.
    CiteFound {
        /// Place among all that the backend told as [`Self::Found`], from 0.
        found: usize,
        /// The supporting words as the service has them; without them the whole piece supports it.
        quote: Option<String>,
        /// Code points of the text before which the claim ends, not more than were told.
        at: usize,
    },
    /// What the answer took so far; it replaces what was told before.
    Used(Usage),
    /// Something that is no text of the message.
    Beside(Beside),
    /// A marker that named nothing retrieved was left out of the text.
    InventedMarker,
    /// The answer says that the documents do not answer.
    Refused,
}

/// What goes wrong with a backend.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// It failed; trying again is reasonable.
    #[error("the model backend failed: {0}")]
    Temporary(String),
    /// It has too much to do.
    #[error("the model backend has too much to do: {0}")]
    Busy(String),
    /// It said nothing, or nothing more, in time.
    #[error("the model backend is too slow: {0}")]
    Slow(String),
    /// It accepts no key, or not this one.
    #[error("the model backend refuses the key: {0}")]
    Denied(String),
    /// It refuses, and will refuse again: an unknown model, a prompt too long, an account without money.
    #[error("the model backend refuses: {0}")]
    Refused(String),
    /// It will not answer this question: its own rules or a filter forbid it. Nobody else answers in its place.
    #[error("the model declines to answer: {0}")]
    Declined(String),
}

impl LlmError {
    /// A stable name, for metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Temporary(_) => "model_failed",
            Self::Busy(_) => "model_busy",
            Self::Slow(_) => "model_slow",
            Self::Denied(_) | Self::Refused(_) => "model_refused",
            Self::Declined(_) => "model_declined",
        }
    }
}

/// Writes answers. Object-safe: used as `Arc<dyn ChatModel>`.
pub trait ChatModel: Send + Sync {
    /// The backend's name, as in `MODEL_BACKEND`.
    fn name(&self) -> &'static str;
    /// Whether it answers from what the index gives. One that searches elsewhere gets what is attached alone.
    fn needs_hits(&self) -> bool {
        true
    }
    /// Whether it knows what to do with such a turn; all know messages.
    fn takes(&self, cue: &Cue) -> bool {
        matches!(cue, Cue::Message)
    }
    /// Answers an action at once, without a stream: what the widget becomes, if it changes. Only for a cue it takes.
    fn act<'a>(&'a self, _request: &'a ChatRequest) -> BoxFuture<'a, Result<Option<ItemContent>, LlmError>> {
        Box::pin(async { Ok(None) })
    }
    /// Writes one answer. Dropping the stream cancels it.
    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>>;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::settings::{ChatSettings, HostedSettings, OpenAiSettings};
    use crate::model::{BlockKind, Chunk, Locator, Span};

    #[test]
    fn every_value_of_the_setting_has_its_backend() {
        let base_url = "http://127.0.0.1:1/v1".to_owned();
        let openai = OpenAiSettings { base_url, ..OpenAiSettings::default() };
        for kind in ModelBackend::ALL {
            let settings = AssistantSettings {
                name: String::new(),
                backend: kind,
                max_search_results: 5,
                stub_delta_ms: 0,
                chat: ChatSettings::default(),
                hosted: HostedSettings { openai: openai.clone(), ..HostedSettings::default() },
            };
            let model = open(&settings).expect("a row for every value");
            assert_eq!(model.name(), kind.name());
        }
    }

    /// A hit of one paragraph.
    pub(crate) fn hit(text: &str) -> Hit {
        hit_of(&[(BlockKind::Paragraph, text)])
    }

    /// A hit of these blocks.
    pub(crate) fn hit_of(blocks: &[(BlockKind, &str)]) -> Hit {
        let mut text = String::new();
        let mut spans = Vec::new();
        for (kind, block) in blocks {
            if !text.is_empty() {
                text.push('\n');
            }
            let start = text.len();
            text.push_str(block);
            spans.push(Span { start, end: text.len(), kind: *kind, locator: Locator::default() });
        }
        let chunk = Chunk {
            chunk_id: "c1".into(),
            document_id: "d1".into(),
            ordinal: 0,
            text,
            heading_path: Vec::new(),
            locator: Locator::default(),
            spans,
        };
        Hit {
            chunk,
            path: "d1.md".into(),
            title: "D 1".into(),
            description: None,
            language: Some("eng".into()),
            score: 1.0,
        }
    }
}
