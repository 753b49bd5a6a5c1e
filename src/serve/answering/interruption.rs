//! Why an answer is not told to its end, and what that means for its reader, its thread and the counters.
//!
//! A reader learns whether trying again may help, and nothing of the cause.

use crate::answer::AnswerError;
use crate::chatkit::Event;
use crate::llm::LlmError;
use crate::serve::answering::outlet::Lost;
use crate::store::StoreError;

/// The model has too much to do.
const BUSY: &str = "The assistant is very busy. Please try again in a moment.";
/// The model said nothing in time.
const SLOW: &str = "The assistant took too long to answer. Please try again.";
/// The model will not answer, however often it is asked.
const REFUSED: &str = "The assistant cannot answer this. Trying again will not help.";

/// The model or a filter will not answer this question.
const DECLINED: &str = "The assistant will not answer this question. You can ask another one.";

/// Why an answer is not told to its end.
#[derive(Debug, thiserror::Error)]
pub enum Interruption {
    /// The client is gone.
    #[error("the client hung up")]
    HungUp,
    /// The client takes nothing.
    #[error("the client does not read")]
    Stalled,
    /// The server stops.
    #[error("the server stops")]
    Stopping,
    /// The engine failed.
    #[error("the engine failed")]
    Engine(#[from] AnswerError),
    /// The engine said nothing.
    #[error("the engine ended without an answer")]
    NoAnswer,
    /// The store failed, or the thread is gone.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// What becomes of what there is of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// It is stored, and the model is told that the visitor heard no more.
    KeptAsStopped,
    /// It is stored.
    Kept,
    /// It is forgotten: what failed is no answer.
    Forgotten,
}

impl From<Lost> for Interruption {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::HungUp => Self::HungUp,
            Lost::Stalled => Self::Stalled,
        }
    }
}

impl Interruption {
    /// How the answer ended, for logs and counters.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::HungUp => "hung_up",
            Self::Stalled => "stalled",
            Self::Stopping => "stopped",
            Self::Store(StoreError::NoSuchThread) => "thread_deleted",
            Self::Engine(_) | Self::NoAnswer | Self::Store(_) => "failed",
        }
    }

    /// What failed, for counters; nothing did when the visitor or the operator ended the answer.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::HungUp | Self::Stalled | Self::Stopping | Self::Store(StoreError::NoSuchThread) => None,
            Self::Engine(AnswerError::Index(_)) => Some("index_failed"),
            Self::Engine(AnswerError::Model(error)) => Some(error.code()),
            Self::NoAnswer => Some("no_answer"),
            Self::Store(_) => Some("store_failed"),
        }
    }

    /// What becomes of the answer so far.
    pub fn remains(&self) -> Remains {
        match self {
            Self::HungUp | Self::Stalled => Remains::KeptAsStopped,
            Self::Stopping => Remains::Kept,
            Self::Engine(_) | Self::NoAnswer | Self::Store(_) => Remains::Forgotten,
        }
    }

    /// What the reader is told at the end.
    pub fn event(&self) -> Event<'static> {
        match self {
            Self::Store(StoreError::NoSuchThread) => Event::stream_error(false),
            Self::Engine(AnswerError::Model(error)) => match error {
                LlmError::Busy(_) => Event::custom_error(BUSY, true),
                LlmError::Slow(_) => Event::custom_error(SLOW, true),
                LlmError::Denied(_) | LlmError::Refused(_) => Event::custom_error(REFUSED, false),
                LlmError::Declined(_) => Event::custom_error(DECLINED, false),
                LlmError::Temporary(_) => Event::stream_error(true),
            },
            Self::HungUp
            | Self::Stalled
            | Self::Stopping
            | Self::Engine(AnswerError::Index(_))
            | Self::NoAnswer
            | Self::Store(_) => Event::stream_error(true),
        }
    }
}
