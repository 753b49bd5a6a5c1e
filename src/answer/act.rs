//! Turns that begin with no message: which of them the model knows, and actions that are answered at once.

use std::time::Duration;

use crate::answer::{AnswerError, Engine, Turn};
use crate::llm::{ChatRequest, LlmError};
use crate::model::item::Cue;
use crate::model::thread::ItemContent;

/// How long an action may take that is answered at once.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Engine {
    /// Whether the model knows what to do with a turn that begins so.
    pub fn takes(&self, cue: &Cue) -> bool {
        self.model.takes(cue)
    }

    /// Answers an action at once: what its widget becomes, if it changes. Nothing is searched for.
    pub async fn act(&self, turn: Turn) -> Result<Option<ItemContent>, AnswerError> {
        let Turn { question, history, cue, hidden, .. } = turn;
        let request = ChatRequest { question, history, cue, hidden, ..ChatRequest::default() };
        let slow = |_| LlmError::Slow(format!("it did not act within {} s", TIMEOUT.as_secs()));
        Ok(tokio::time::timeout(TIMEOUT, self.model.act(&request)).await.map_err(slow)??)
    }
}
