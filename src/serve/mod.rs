//! The bot over HTTP: the ChatKit endpoint, the documents, the page.
//!
//! Everything about a request is checked before the first byte of its answer. An answer runs in a task of its own
//! that outlives the connection, so a hang-up loses no write. No log line ever holds a message's text.

mod answering;
mod attachments;
mod auth;
mod body;
mod busy;
mod connections;
mod error;
mod file;
mod history;
mod limits;
mod live;
pub mod metrics;
mod middleware;
pub mod ops;
mod origin;
mod preview;
mod request_id;
mod route;
mod router;
mod state;
mod title;
pub mod visitor;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::answer::Engine;
use crate::blobs::BlobStore;
use crate::clock::{Clock, IdSource};
use crate::config::settings::ServerSettings;
use crate::docs::reader::OpenReader;
use crate::index::VectorStore;
use crate::llm::models::Models;
use crate::serve::connections::{Bounds, Connections, raise_descriptors};
use crate::serve::ops::Operators;
use crate::serve::state::AppState;
use crate::serve::visitor::VisitorKey;
use crate::store::Store;

/// How long running answers may go on after a stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long cut answers and connections may take to end.
const LAST_GRACE: Duration = Duration::from_secs(3);

/// How often callers who have been quiet are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(30);

/// What a server is made of.
pub struct Deps {
    /// Keeps the threads.
    pub store: Arc<dyn Store>,
    /// Answers.
    pub engine: Engine,
    /// Knows the documents.
    pub index: Arc<dyn VectorStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn IdSource>,
    /// Where the documents lie.
    pub docs_dir: PathBuf,
    /// Keeps the bytes of attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// Reads attachments.
    pub attachment_reader: Arc<dyn OpenReader>,
    /// The bot's name.
    pub assistant_name: String,
    /// What is known about models, and which one answers.
    pub models: Models,
    /// The server's settings.
    pub settings: ServerSettings,
    /// Signs visitors' cookies.
    pub visitor_key: VisitorKey,
    /// The operators' side, where there is one.
    pub operators: Option<Operators>,
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A setting is unusable.
    #[error("`{key}` is unusable: {why}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// Serves until `stop`, then ends gracefully: no new connections, running answers get ten seconds, and what they
/// have by then is stored.
pub async fn run(listener: TcpListener, deps: Deps, stop: CancellationToken) -> Result<(), ServeError> {
    let bounds = Bounds::default();
    let bounds = Bounds { open: raise_descriptors(bounds.open), ..bounds };
    run_within(listener, deps, stop, (bounds, GRACE)).await
}

/// [`run`] within bounds of connections, and with a grace for running answers after a stop.
async fn run_within(
    listener: TcpListener,
    mut deps: Deps,
    stop: CancellationToken,
    (bounds, grace): (Bounds, Duration),
) -> Result<(), ServeError> {
    let operators = deps.operators.take();
    let state = AppState::new(deps)?;
    let operations = operators.map(|operators| ops::start(&state, operators, &stop));
    attachments::clean::recover(&state).await;
    let cleaning = tokio::spawn(attachments::clean::keep_clean(state.clone(), stop.clone()));
    let connections = Connections::new(bounds, Arc::clone(&state.metrics));
    let forgetting = tokio::spawn(forget_quiet_callers(state.clone()));
    connections.accept(listener, router::build(&state), &stop).await;
    forgetting.abort();
    let ended_well = tokio::time::timeout(grace, connections.ended()).await.is_ok();
    state.cut.cancel();
    state.answers.close();
    if tokio::time::timeout(LAST_GRACE, state.answers.wait()).await.is_err() {
        tracing::warn!("some answers did not end in time");
    }
    // An answer that was cut has its last words on the way.
    if !ended_well && tokio::time::timeout(LAST_GRACE, connections.ended()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    connections.abandon().await;
    if cleaning.await.is_err() {
        tracing::error!("the sweep of attachments ended with a bug");
    }
    // Last: until here operators could see that the server is draining.
    if let Some(operations) = operations {
        operations.end().await;
    }
    state.store.close().await;
    Ok(())
}

/// Keeps what is remembered about callers small.
async fn forget_quiet_callers(state: AppState) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        state.live().limits.forget_quiet();
    }
}
