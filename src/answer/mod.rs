//! The one engine that answers: retrieve, write, cite. It does not know ChatKit, and it prints nothing.
//!
//! Every citation names a chunk retrieved in the same turn and quotes words of it, or says that its place is not known:
//! [`cite`] is the only place that makes one.

mod act;
mod attached;
pub mod cite;
mod follow;
mod found;
pub mod locate;
pub mod retrieve;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use crate::answer::cite::Citer;
use crate::answer::found::Pieces;
use crate::answer::retrieve::Retrieved;
use crate::index::{IndexError, VectorStore};
use crate::llm::{ChatModel, ChatRequest, Exchange, LlmError, ModelEvent};
use crate::model::item::{Beside, Cue, Link};
use crate::model::usage::Usage;
use crate::model::{Answer, Citation, Hit};

/// One question and what came before it.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// The question.
    pub question: String,
    /// Earlier turns, oldest first.
    pub history: Vec<Exchange>,
    /// What the turn begins with.
    pub cue: Cue,
    /// Text for the model alone, from the thread's hidden items, oldest first.
    pub hidden: Vec<String>,
    /// Pieces of what the visitor attached: cited like documents.
    pub attached: Vec<Hit>,
    /// Who asks, as a name that says nothing of the visitor.
    pub visitor: Option<String>,
}

/// A piece of an answer as it is made.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerEvent {
    /// The search is done; the model begins.
    Retrieved {
        /// How many hits it gave.
        hits: usize,
        /// How long it took.
        took: Duration,
    },
    /// More text, without markers.
    Delta(String),
    /// A citation of a hit of this turn, its quote found in the chunk.
    Citation(Citation),
    /// A mark that is no citation.
    Link(Link),
    /// Something that is no text of the message.
    Beside(Beside),
    /// What the answer took so far; it replaces what was told before.
    Used(Usage),
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
    pub fn answer(&self, mut turn: Turn) -> BoxStream<'static, Result<AnswerEvent, AnswerError>> {
        let engine = self.clone();
        let started = async move {
            let begun = Instant::now();
            let attached: HashSet<String> = turn.attached.iter().map(|hit| hit.chunk.chunk_id.clone()).collect();
            let Retrieved { hits, terms } = engine.retrieve(&mut turn).await?;
            let retrieved = AnswerEvent::Retrieved { hits: hits.len(), took: begun.elapsed() };
            let attached = (0..hits.len()).filter(|place| attached.contains(&hits[*place].chunk.chunk_id)).collect();
            let resolving =
                Resolving { citer: Citer::new(hits.clone()), pieces: Pieces::new(Arc::clone(&engine.index)) };
            let Turn { question, history, cue, hidden, visitor, .. } = turn;
            let request = ChatRequest { question, history, hits, terms, cue, hidden, attached, visitor };
            Ok::<_, AnswerError>((retrieved, engine.model.stream(request), resolving))
        };
        stream::once(started)
            .flat_map(|started| match started {
                Ok((retrieved, model, resolving)) => {
                    stream::once(async { Ok(retrieved) }).chain(resolve(model, resolving)).boxed()
                }
                Err(error) => stream::once(async move { Err(error) }).boxed(),
            })
            .boxed()
    }

    /// What the model answers from: of the index only where it wants that.
    async fn retrieve(&self, turn: &mut Turn) -> Result<Retrieved, IndexError> {
        let index = self.index.as_ref();
        if self.model.needs_hits() {
            retrieve::retrieve(index, turn, self.max_search_results).await
        } else {
            retrieve::retrieve_attached(index, turn, self.max_search_results).await
        }
    }
}

/// What resolves the marks of one answer.
struct Resolving {
    citer: Citer,
    pieces: Pieces,
}

impl Resolving {
    /// What an event of the model becomes, if anything.
    async fn take(&mut self, event: ModelEvent) -> Option<AnswerEvent> {
        match event {
            ModelEvent::Found(found) => {
                self.pieces.add(found);
                None
            }
            ModelEvent::CiteFound { found, quote, at } => {
                let placed = self.pieces.place(found, quote.as_deref()).await;
                self.citer.cite(placed, at)
            }
            event => self.citer.take(event),
        }
    }
}

/// The model's events with its markers resolved, then the whole answer.
fn resolve(
    model: BoxStream<'static, Result<ModelEvent, LlmError>>,
    resolving: Resolving,
) -> impl futures_util::Stream<Item = Result<AnswerEvent, AnswerError>> + Send {
    stream::unfold(Some((model, resolving)), |state| async move {
        let (mut model, mut resolving) = state?;
        loop {
            match model.next().await {
                Some(Ok(event)) => {
                    if let Some(event) = resolving.take(event).await {
                        return Some((Ok(event), Some((model, resolving))));
                    }
                }
                Some(Err(error)) => return Some((Err(error.into()), None)),
                None => return Some((Ok(AnswerEvent::Done(resolving.citer.finish())), None)),
            }
        }
    })
}

#[cfg(test)]
mod tests;
