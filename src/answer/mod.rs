//! The one engine that answers: retrieve, write, cite. It does not know ChatKit, and it prints nothing.
//!
//! Every citation names a chunk retrieved in the same turn and quotes words of it: [`cite`] is the only place that
//! makes one.

mod act;
mod attached;
pub mod cite;
mod follow;
pub mod locate;
pub mod retrieve;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use crate::answer::cite::Citer;
use crate::answer::retrieve::Retrieved;
use crate::index::{IndexError, VectorStore};
use crate::llm::{ChatModel, ChatRequest, Exchange, LlmError, ModelEvent};
use crate::model::item::{Beside, Cue, Link};
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
            let Retrieved { hits, terms } =
                retrieve::retrieve(engine.index.as_ref(), &mut turn, engine.max_search_results).await?;
            let retrieved = AnswerEvent::Retrieved { hits: hits.len(), took: begun.elapsed() };
            let citer = Citer::new(hits.clone());
            let Turn { question, history, cue, hidden, .. } = turn;
            let request = ChatRequest { question, history, hits, terms, cue, hidden };
            Ok::<_, AnswerError>((retrieved, engine.model.stream(request), citer))
        };
        stream::once(started)
            .flat_map(|started| match started {
                Ok((retrieved, model, citer)) => {
                    stream::once(async { Ok(retrieved) }).chain(resolve(model, citer)).boxed()
                }
                Err(error) => stream::once(async move { Err(error) }).boxed(),
            })
            .boxed()
    }
}

/// The model's events with its markers resolved, then the whole answer.
fn resolve(
    model: BoxStream<'static, Result<ModelEvent, LlmError>>,
    citer: Citer,
) -> impl futures_util::Stream<Item = Result<AnswerEvent, AnswerError>> + Send {
    stream::unfold(Some((model, citer)), |state| async move {
        let (mut model, mut citer) = state?;
        loop {
            match model.next().await {
                Some(Ok(event)) => {
                    if let Some(event) = citer.take(event) {
                        return Some((Ok(event), Some((model, citer))));
                    }
                }
                Some(Err(error)) => return Some((Err(error.into()), None)),
                None => return Some((Ok(AnswerEvent::Done(citer.finish())), None)),
            }
        }
    })
}

#[cfg(test)]
mod tests;
