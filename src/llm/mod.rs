//! The port to what writes answers, and the table of its backends.

use futures_util::stream::BoxStream;

use crate::model::Hit;

/// What a backend is asked: a question, what came before, and what was found.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    /// The question.
    pub question: String,
    /// Earlier turns, oldest first.
    pub history: Vec<Exchange>,
    /// What was retrieved, best first. Markers count from 0 into it.
    pub hits: Vec<Hit>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The answer says that the documents do not answer.
    Refused,
}

/// What goes wrong with a backend.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// It failed; trying again is reasonable.
    #[error("the model backend failed: {0}")]
    Temporary(String),
}

/// Writes answers. Object-safe: used as `Arc<dyn ChatModel>`.
pub trait ChatModel: Send + Sync {
    /// The backend's name, as in `MODEL_BACKEND`.
    fn name(&self) -> &'static str;
    /// Writes one answer. Dropping the stream cancels it.
    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>>;
}
