//! What came before a question, as the engine wants it.

use crate::llm::Exchange;
use crate::model::thread::{ItemContent, ThreadItem};

/// Earlier turns given to the engine at the most.
pub const MAX_EXCHANGES: usize = 6;
/// Items enough to find that many turns in, unless many messages went unanswered.
pub const ITEMS: u32 = 40;

/// The answered turns before the item `question_id`, oldest first, from items that stand newest first.
pub fn exchanges(newest_first: &[ThreadItem], question_id: &str) -> Vec<Exchange> {
    let mut turns = Vec::new();
    let mut answer = None;
    let before = newest_first.iter().skip_while(|item| item.id != question_id).skip(1);
    for item in before {
        match &item.content {
            ItemContent::AssistantMessage(message) => answer = Some(message.text.clone()),
            ItemContent::UserMessage(message) => {
                if let Some(answer) = answer.take() {
                    let question = message.text();
                    turns.push(Exchange { question, answer });
                }
            }
        }
        if turns.len() == MAX_EXCHANGES {
            break;
        }
    }
    turns.reverse();
    turns
}
