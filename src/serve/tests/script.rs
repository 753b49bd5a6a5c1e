//! A model that does what a test says, step by step, and tells what it did.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::Semaphore;

use crate::llm::{ChatModel, ChatRequest, LlmError, ModelEvent};

/// What the scripted model does, in order.
#[derive(Debug, Clone)]
pub enum Step {
    Text(&'static str),
    Cite,
    /// Any other event of a model.
    Tell(Box<ModelEvent>),
    /// Waits until [`Bot::go_on`] is called once more.
    Wait,
    Fail,
    FailWith(fn(String) -> LlmError),
    /// A marker that names nothing retrieved.
    Invent,
    /// Says that the documents do not answer.
    Refuse,
    Panic,
}

/// What the scripted model was seen to do.
#[derive(Debug, Default)]
pub struct Watch {
    /// Answers begun.
    pub begun: AtomicUsize,
    /// Answers ended or dropped.
    pub ended: AtomicUsize,
    /// Steps taken in all.
    pub steps: AtomicUsize,
}

impl Watch {
    /// Answers that are being written.
    pub fn running(&self) -> usize {
        self.begun.load(Ordering::SeqCst) - self.ended.load(Ordering::SeqCst)
    }

    /// Whether some answer was begun and none is being written.
    pub fn begun_and_ended(&self) -> bool {
        self.begun.load(Ordering::SeqCst) > 0 && self.running() == 0
    }

    pub fn steps(&self) -> usize {
        self.steps.load(Ordering::SeqCst)
    }
}

/// An answer for tests that need no particular one.
pub fn usual_script() -> Vec<Step> {
    vec![Step::Text("Within "), Step::Text("30 days."), Step::Cite]
}

/// Does the steps of its script.
pub struct ScriptedModel {
    pub script: Arc<Mutex<Vec<Step>>>,
    pub asked: Arc<Mutex<Vec<ChatRequest>>>,
    pub gate: Arc<Semaphore>,
    pub watch: Arc<Watch>,
}

/// Counts an answer as ended when its stream is dropped.
struct Ending(Arc<Watch>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl ChatModel for ScriptedModel {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>> {
        self.asked.lock().unwrap().push(request);
        self.watch.begun.fetch_add(1, Ordering::SeqCst);
        let ending = Ending(Arc::clone(&self.watch));
        let gate = Arc::clone(&self.gate);
        let script = self.script.lock().unwrap().clone();
        stream::iter(script)
            .filter_map(move |step| {
                ending.0.steps.fetch_add(1, Ordering::SeqCst);
                take_step(step, Arc::clone(&gate))
            })
            .boxed()
    }
}

async fn take_step(step: Step, gate: Arc<Semaphore>) -> Option<Result<ModelEvent, LlmError>> {
    match step {
        Step::Text(text) => Some(Ok(ModelEvent::Text(text.to_owned()))),
        Step::Cite => Some(Ok(ModelEvent::Cite { hit: 0, quote: Some("within 30 days".to_owned()) })),
        Step::Tell(event) => Some(Ok(*event)),
        Step::Fail => Some(Err(LlmError::Temporary("secret cause".to_owned()))),
        Step::FailWith(kind) => Some(Err(kind("secret cause".to_owned()))),
        Step::Invent => Some(Ok(ModelEvent::InventedMarker)),
        Step::Refuse => Some(Ok(ModelEvent::Refused)),
        Step::Panic => panic!("a bug in a model"),
        Step::Wait => {
            gate.acquire().await.unwrap().forget();
            None
        }
    }
}
