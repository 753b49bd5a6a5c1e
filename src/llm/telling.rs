//! How a backend that asks a server tells its answer: events go to whoever reads them, and the work ends with its reader.

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::llm::{LlmError, ModelEvent};

/// Events that may wait for a slow reader; then the model waits too.
const MAX_WAITING: usize = 16;

/// Where one answer goes.
pub(super) struct Told {
    events: mpsc::Sender<Result<ModelEvent, LlmError>>,
    /// Whether a visitor saw any of it.
    pub(super) has_begun: bool,
}

/// Nobody reads the answer any more.
#[derive(Debug)]
pub(super) struct NobodyReads;

/// The events of this work, which is driven by whoever reads them and ends when they are dropped.
pub(super) fn told_by<F>(work: impl FnOnce(Told) -> F) -> BoxStream<'static, Result<ModelEvent, LlmError>>
where
    F: Future<Output = Result<(), NobodyReads>> + Send + 'static,
{
    let (events, answer) = mpsc::channel(MAX_WAITING);
    // Who reads no more needs no answer.
    let work = stream::once(work(Told { events, has_begun: false })).filter_map(|_| std::future::ready(None));
    stream::select(ReceiverStream::new(answer), work).boxed()
}

impl Told {
    pub(super) async fn send(&mut self, event: Result<ModelEvent, LlmError>) -> Result<(), NobodyReads> {
        self.events.send(event).await.map_err(|_| NobodyReads)
    }

    pub(super) async fn tell(&mut self, event: ModelEvent) -> Result<(), NobodyReads> {
        let is_seen = matches!(event, ModelEvent::Text(_) | ModelEvent::Cite { .. } | ModelEvent::CiteFound { .. });
        self.has_begun |= is_seen;
        self.send(Ok(event)).await
    }

    pub(super) async fn tell_all(&mut self, events: impl IntoIterator<Item = ModelEvent>) -> Result<(), NobodyReads> {
        for event in events {
            self.tell(event).await?;
        }
        Ok(())
    }
}
