//! What came before a question, as the engine wants it.

use crate::llm::Exchange;
use crate::model::item::HiddenContext;
use crate::model::thread::{ItemContent, ThreadItem, UserMessage};

/// Earlier turns given to the engine at the most.
pub const MAX_EXCHANGES: usize = 6;
/// Items enough to find that many turns in, unless many messages went unanswered.
pub const ITEMS: u32 = 40;
/// What a thread keeps for the model where its visitor stopped an answer.
pub const STOPPED: &str =
    "The visitor stopped the last answer before it was complete and has not read more of it than stands here.";

/// The answered turns before the item `question_id` (without one: all), oldest first, from items that stand newest
/// first.
pub fn exchanges(newest_first: &[ThreadItem], question_id: Option<&str>) -> Vec<Exchange> {
    let mut turns = Vec::new();
    let mut answer: Option<String> = None;
    let start = question_id.and_then(|id| newest_first.iter().position(|item| item.id == id)).map_or(0, |at| at + 1);
    let before = newest_first.iter().skip(start);
    for item in before {
        match &item.content {
            ItemContent::AssistantMessage(message) => {
                // Several messages of one turn are one answer.
                answer = Some(match answer.take() {
                    Some(later) => format!("{}\n\n{later}", message.text),
                    None => message.text.clone(),
                });
            }
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

/// The texts for the model alone, oldest first. That an answer was stopped is news until the next one.
pub fn hidden_context(newest_first: &[ThreadItem]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut is_old = false;
    for item in newest_first {
        match &item.content {
            ItemContent::AssistantMessage(_) => is_old = true,
            ItemContent::HiddenContextItem(hidden) => texts.push(text_of(hidden)),
            ItemContent::SdkHiddenContext(hidden) => {
                let is_stop = hidden.content == STOPPED;
                if !is_stop || !is_old {
                    texts.push(text_of(hidden));
                }
                // One stop is news once, however many there were.
                is_old |= is_stop;
            }
            _ => {}
        }
    }
    texts.reverse();
    texts
}

fn text_of(hidden: &HiddenContext) -> String {
    hidden.content.as_str().map_or_else(|| hidden.content.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::model::thread::{AssistantMessage, InferenceOptions, UserContent, UserMessage};

    fn item(id: &str, content: ItemContent) -> ThreadItem {
        ThreadItem { id: id.to_owned(), thread_id: "thr".to_owned(), created_at: Timestamp::UNIX_EPOCH, content }
    }

    fn asked(text: &str) -> ThreadItem {
        let content = vec![UserContent::InputText { text: text.to_owned() }];
        let message = UserMessage {
            content,
            attachments: Vec::new(),
            quoted_text: None,
            inference_options: InferenceOptions::default(),
        };
        item(text, ItemContent::UserMessage(message))
    }

    fn answered(text: &str) -> ThreadItem {
        item(text, ItemContent::AssistantMessage(AssistantMessage { text: text.to_owned(), ..Default::default() }))
    }

    fn hidden(content: serde_json::Value) -> ThreadItem {
        item("hidden", ItemContent::SdkHiddenContext(HiddenContext { content }))
    }

    #[test]
    fn several_messages_are_one_answer() {
        let items = [asked("now"), answered("two"), answered("one"), asked("then"), answered("lost question")];
        let turns = exchanges(&items, Some("now"));
        assert_eq!(turns, [Exchange { question: "then".into(), answer: "one\n\ntwo".into() }]);
    }

    #[test]
    fn a_stop_is_news_until_the_next_answer() {
        let stop = || hidden(json!(STOPPED));
        let fresh = [asked("now"), stop(), answered("cut"), asked("then"), hidden(json!({"a": 1}))];
        assert_eq!(hidden_context(&fresh), [r#"{"a":1}"#, STOPPED]);
        let old = [asked("now"), answered("whole"), asked("between"), stop(), answered("cut"), asked("then")];
        assert!(hidden_context(&old).is_empty());
        let twice = [asked("now"), stop(), asked("between"), stop(), asked("then")];
        assert_eq!(hidden_context(&twice), [STOPPED]);
    }
}
