//! What goes wrong with a sync of a remote store as a whole. What goes wrong with one document is a problem.

use crate::error::Failure;
use crate::ingest::SyncError;
use crate::openai::OpenAiError;

/// Why a remote store was not brought up to date. What was done until then stays, and the next run goes on.
#[derive(Debug, thiserror::Error)]
pub enum HostedError {
    /// The folder cannot be looked at, or another sync runs on this machine.
    #[error(transparent)]
    Local(#[from] SyncError),
    /// A call failed for good.
    #[error(transparent)]
    Service(#[from] OpenAiError),
    /// There is no such store.
    #[error("there is no vector store `{0}`")]
    NoStore(String),
    /// The store has expired.
    #[error("the vector store `{0}` has expired; nothing can be found in it any more")]
    Expired(String),
    /// Another sync works on the store.
    #[error("another sync (`{holder}`) works on the vector store; its lease ends at {until}")]
    Leased {
        /// Who.
        holder: String,
        /// Until when, unless it goes on: RFC 3339.
        until: String,
    },
    /// Another sync has taken the store over.
    #[error("another sync (`{0}`) has taken the vector store over; this one stopped")]
    LeaseLost(String),
    /// Others take the store in the same moment, again and again.
    #[error("other syncs take the vector store in the same moment")]
    Contended,
    /// What would go up may not.
    #[error("{0}")]
    Gate(Failure),
    /// A question was answered with no, or by nobody.
    #[error("not confirmed: {0}")]
    Declined(String),
}

impl From<tokio::task::JoinError> for HostedError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Local(error.into())
    }
}
