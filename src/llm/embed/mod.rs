//! The port to what turns texts into vectors, and its one backend: an OpenAI-compatible endpoint.

pub mod http;

use std::time::Duration;

use async_trait::async_trait;

/// What goes wrong with embeddings. No message holds a text or a key.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EmbedError {
    /// The endpoint is not there, is too busy, or failed. Trying again is reasonable.
    #[error("{message}")]
    Temporary {
        /// What happened.
        message: String,
        /// How long the endpoint asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The endpoint does not take these texts: too long, or too many.
    #[error("{0}")]
    Rejected(String),
    /// The endpoint does nothing for us: a wrong key, no such model, an empty account.
    #[error("{0}")]
    Refused(String),
    /// The answer is none.
    #[error("the answer is no list of vectors: {0}")]
    Malformed(String),
}

impl EmbedError {
    /// Whether trying again is reasonable.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }

    /// How long the endpoint asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Temporary { retry_after, .. } => *retry_after,
            Self::Rejected(_) | Self::Refused(_) | Self::Malformed(_) => None,
        }
    }
}

/// Turns texts into vectors of length 1. Object-safe: used as `Arc<dyn Embedder>`.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The model's name. Vectors of different models are not comparable.
    fn model(&self) -> &str;
    /// One vector for each text, in order, all of one length. Dropping the future cancels the request.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError>;
}
