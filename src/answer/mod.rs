//! The one engine that answers: retrieve, write, cite. It does not know ChatKit.

use std::sync::Arc;

use futures_util::stream::BoxStream;

use crate::index::{IndexError, VectorStore};
use crate::llm::{ChatModel, Exchange, LlmError};
use crate::model::{Answer, Citation};

/// One question and what came before it.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// The question.
    pub question: String,
    /// Earlier turns, oldest first.
    pub history: Vec<Exchange>,
}

/// A piece of an answer as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerEvent {
    /// More text, without markers.
    Delta(String),
    /// A citation of a hit of this turn, its quote found in the chunk.
    Citation(Citation),
    /// The whole answer; nothing follows.
    Done(Answer),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The model backend failed.
    #[error(transparent)]
    Model(#[from] LlmError),
}

/// Answers questions from the index.
#[derive(Clone)]
pub struct Engine {
    /// Where to look.
    pub index: Arc<dyn VectorStore>,
    /// Who writes.
    pub model: Arc<dyn ChatModel>,
    /// `MAX_SEARCH_RESULTS`.
    pub max_search_results: usize,
}

impl Engine {
    /// Answers one question. Dropping the stream cancels the work.
    pub fn answer(&self, _turn: Turn) -> BoxStream<'static, Result<AnswerEvent, AnswerError>> {
        Box::pin(futures_util::stream::empty())
    }
}
