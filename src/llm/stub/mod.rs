//! `MODEL_BACKEND=stub`: answers every message at a fixed pace, for load and protocol tests.
//!
//! A message that begins with a word in double brackets plays a scenario of [`SCENARIOS`]; any other is answered with
//! the best match, cited. Nothing here waits but by the pace.

mod follow_up;
mod items;
mod scenario;
mod text;

#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::llm::{ChatModel, ChatRequest, LlmError, ModelEvent};
use crate::model::item::Cue;
use crate::model::thread::ItemContent;

pub use scenario::{SCENARIOS, Scenario};

/// What a stub does next.
type Step = Result<ModelEvent, LlmError>;

/// How fast text comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// `STUB_DELTA_MS` before each delta.
    Usual,
    /// At least 50 milliseconds before each delta.
    Slow,
    /// No pause.
    AtOnce,
}

/// The pause before each delta of a slow answer, at the least.
const SLOW_DELTA: Duration = Duration::from_millis(50);

/// Answers with the first words of the best hit, however weak, and cites them.
#[derive(Debug, Clone, Copy)]
pub struct Stub {
    /// `STUB_DELTA_MS`: the pause before each delta.
    pub delta: Duration,
}

impl ChatModel for Stub {
    fn name(&self) -> &'static str {
        "stub"
    }

    fn takes(&self, _cue: &Cue) -> bool {
        true
    }

    fn act<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Option<ItemContent>, LlmError>> {
        Box::pin(async move { Ok(follow_up::act(&request.cue)) })
    }

    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Step> {
        let (steps, pace) = steps(&request);
        let pause = match pace {
            Pace::Usual => self.delta,
            Pace::Slow => self.delta.max(SLOW_DELTA),
            Pace::AtOnce => Duration::ZERO,
        };
        let paced = stream::iter(steps).then(move |step| async move {
            if !pause.is_zero() && matches!(step, Ok(ModelEvent::Text(_))) {
                tokio::time::sleep(pause).await;
            }
            step
        });
        paced.boxed()
    }
}

/// What is done, and how fast.
fn steps(request: &ChatRequest) -> (Vec<Step>, Pace) {
    let done = |events: Vec<ModelEvent>| events.into_iter().map(Ok).collect();
    match &request.cue {
        Cue::Message => match scenario::named(&request.question) {
            Some(scenario) => ((scenario.steps)(request), scenario.pace),
            None => (done(text::answer(request)), Pace::Usual),
        },
        Cue::ToolOutput(_) | Cue::Form(_) => (done(text::answer(request)), Pace::Usual),
        Cue::Action { action, widget } => (done(follow_up::events(action, widget.as_ref())), Pace::Usual),
    }
}
