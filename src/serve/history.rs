//! What came before a question, as the engine wants it.

use crate::llm::Exchange;
use crate::model::thread::{ItemContent, ThreadItem, UserMessage};

/// Earlier turns given to the engine at the most.
pub const MAX_EXCHANGES: usize = 6;
/// Items enough to find that many turns in, unless many messages went unanswered.
pub const ITEMS: u32 = 40;

/// The answered turns before the item `question_id` (without one: all), oldest first, from items that stand newest
/// first.
pub fn exchanges(newest_first: &[ThreadItem], question_id: Option<&str>) -> Vec<Exchange> {
    let mut turns = Vec::new();
    let mut answer = None;
    let start = question_id.and_then(|id| newest_first.iter().position(|item| item.id == id)).map_or(0, |at| at + 1);
    let before = newest_first.iter().skip(start);
    for item in before {
        match &item.content {
            ItemContent::AssistantMessage(message) => answer = Some(message.text.clone()),
            ItemContent::UserMessage(message) => {
                if let Some(answer) = answer.take() {
                    let question = message.text();
                    turns.push(Exchange { question, answer });
                }
            }
            _ => {}
        }
        if turns.len() == MAX_EXCHANGES {
            break;
        }
    }
    turns.reverse();
    turns
}

/// The visitor's newest message, from items that stand newest first.
pub fn newest_message(newest_first: &[ThreadItem]) -> Option<&UserMessage> {
    newest_first.iter().find_map(|item| match &item.content {
        ItemContent::UserMessage(message) => Some(message),
        _ => None,
    })
}

/// The texts for the model alone, oldest first.
pub fn hidden_context(newest_first: &[ThreadItem]) -> Vec<String> {
    let mut texts: Vec<String> = newest_first
        .iter()
        .filter_map(|item| match &item.content {
            ItemContent::HiddenContextItem(hidden) | ItemContent::SdkHiddenContext(hidden) => Some(&hidden.content),
            _ => None,
        })
        .map(|content| content.as_str().map_or_else(|| content.to_string(), str::to_owned))
        .collect();
    texts.reverse();
    texts
}
