//! What goes wrong with a sync of a remote store as a whole. What goes wrong with one document is a problem.

use crate::error::Failure;
use crate::exit::Exit;
use crate::ingest::SyncError;
use crate::openai::{ErrorKind, OpenAiError};

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

impl From<HostedError> for Failure {
    fn from(error: HostedError) -> Self {
        const WHAT: &str = "sync the vector store";
        let why = error.to_string();
        match error {
            HostedError::Local(error) => error.into(),
            HostedError::Gate(failure) => failure,
            HostedError::Service(error) => service_failure(WHAT, error),
            HostedError::NoStore(_) => Self::new("vector-store/unknown", Exit::Settings, WHAT, why).fix(
                "choose one with `chatbotctl vector-store list` and `chatbotctl vector-store use ID`, or make one: \
                 chatbotctl vector-store create NAME --use",
            ),
            HostedError::Expired(_) => Self::new("vector-store/expired", Exit::NotGood, WHAT, why)
                .fix("make another and sync again: chatbotctl vector-store create NAME --use"),
            HostedError::Leased { .. } | HostedError::Contended => {
                Self::new("vector-store/locked", Exit::Temporary, WHAT, why)
                    .fix("wait for the other sync to end: chatbotctl docs sync --to openai --wait 300")
            }
            HostedError::LeaseLost(_) => Self::new("vector-store/lease-lost", Exit::Temporary, WHAT, why)
                .fix("when the other one has ended, run it again: chatbotctl docs sync --to openai"),
            HostedError::Declined(_) => Self::new("docs/declined", Exit::Undecided, WHAT, why).fix(
                "nothing was changed; look at `chatbotctl docs plan --to openai`, and if they are to go: chatbotctl \
                 docs sync --to openai --allow-delete",
            ),
        }
    }
}

/// The end of a command that a call of the service ended. `what` reads after "failed to".
pub fn service_failure(what: &str, error: OpenAiError) -> Failure {
    const AGAIN: &str = "try again in a moment; what was done stays, and nothing is done twice";
    let (code, exit, fix) = match error.kind {
        ErrorKind::WrongKey => {
            ("openai/wrong-key", Exit::Denied, "set OPENAI_API_KEY to a key of the account that has the vector store")
        }
        ErrorKind::Forbidden => {
            ("openai/forbidden", Exit::Denied, "give the key the right to write files and vector stores")
        }
        ErrorKind::NoQuota => {
            ("openai/no-quota", Exit::NotGood, "raise the account's limit or add credit, then run it again")
        }
        ErrorKind::NotFound => {
            ("openai/not-found", Exit::NotGood, "look at what is there: chatbotctl docs plan --to openai")
        }
        ErrorKind::Refused => (
            "openai/refused",
            Exit::NotGood,
            "report it with the request's id: the service refuses what this program asks",
        ),
        ErrorKind::RateLimited => ("openai/rate-limited", Exit::Temporary, AGAIN),
        ErrorKind::Conflict | ErrorKind::Server => ("openai/unavailable", Exit::Temporary, AGAIN),
        ErrorKind::Connection => (
            "openai/unreachable",
            Exit::Temporary,
            "look at the network, OPENAI_BASE_URL and OPENAI_PROXY, then run it again",
        ),
        ErrorKind::TimedOut => ("openai/timeout", Exit::Temporary, AGAIN),
        ErrorKind::Broken => ("openai/broken-answer", Exit::Temporary, "look at OPENAI_BASE_URL, then run it again"),
    };
    Failure::new(code, exit, what, error.to_string()).fix(fix)
}
