//! A visitor's message: its parts, what it quotes, what is attached to it, and how large it may be.

use std::collections::HashSet;

use serde_json::Value;

use crate::chatkit::request::RequestError;
use crate::chatkit::request::fields::{Fields, Outcome, check_chars, invalid, is_blank, shorten};
use crate::model::thread::{InferenceOptions, ToolChoice, UserContent, UserMessage};

/// Characters of a message's text, and of the text it quotes, at the most.
pub const MAX_TEXT_CHARS: usize = 16_000;
/// Parts of a message at the most.
pub const MAX_PARTS: usize = 32;
/// Bytes of a message at the most, as it is stored: what a part keeps with it counts.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Characters of a part's id, group and label at the most.
pub const MAX_LABEL_CHARS: usize = 256;
/// Characters of a model's or tool's name at the most.
pub const MAX_CHOICE_CHARS: usize = 128;
/// Files that come with a message at the most: what the protocol's own composer allows.
pub const MAX_ATTACHMENTS: usize = 10;

/// A message as it is sent: what it has attached is named, not loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageInput {
    /// The message, without attachments.
    pub message: UserMessage,
    /// Ids of its attachments, none twice.
    pub attachment_ids: Vec<String>,
}

/// What a part of a message is.
#[derive(Clone, Copy)]
enum Part {
    Text,
    Tag,
}

/// Reads a message.
pub(super) fn parse(mut input: Fields) -> Outcome<MessageInput> {
    let parts = input.list("content")?;
    let content = parts.map(|(value, place)| part(value, place)).collect::<Outcome<Vec<_>>>()?;
    let attachment_ids = attachment_ids(&mut input)?;
    let inference_options = options(input.object("inference_options")?)?;
    let quoted_text = input.optional_text("quoted_text")?;
    let message = UserMessage { content, attachments: Vec::new(), quoted_text, inference_options };
    if attachment_ids.is_empty() && message.text().trim_matches(is_blank).is_empty() {
        return Err(invalid("the message has no text"));
    }
    check_size(&message)?;
    Ok(MessageInput { message, attachment_ids })
}

fn part(value: Value, place: String) -> Outcome<UserContent> {
    let mut part = Fields::of(value, place)?;
    match part.choice("type", &[("input_text", Part::Text), ("input_tag", Part::Tag)])? {
        Part::Text => Ok(UserContent::InputText { text: part.text("text")? }),
        Part::Tag => tag(part),
    }
}

fn tag(mut tag: Fields) -> Outcome<UserContent> {
    let (id, text, group) = (tag.text("id")?, tag.text("text")?, tag.optional_text("group")?);
    for (name, value) in [("id", Some(&id)), ("text", Some(&text)), ("group", group.as_ref())] {
        check_chars(value.map_or("", String::as_str), MAX_LABEL_CHARS, &tag.place(name))?;
    }
    Ok(UserContent::InputTag { id, text, data: tag.free_object("data")?, group, interactive: tag.flag("interactive")? })
}

fn attachment_ids(input: &mut Fields) -> Outcome<Vec<String>> {
    let place = input.place("attachments");
    let ids = input.texts("attachments")?;
    if ids.len() > MAX_ATTACHMENTS {
        return Err(RequestError::MessageTooLarge(format!("{MAX_ATTACHMENTS} attachments")));
    }
    let mut seen = HashSet::new();
    if !ids.iter().all(|id| seen.insert(id)) {
        return Err(invalid(&format!("`{place}` names an attachment twice")));
    }
    Ok(ids)
}

fn options(mut options: Fields) -> Outcome<InferenceOptions> {
    let model = options.optional_text("model")?;
    check_chars(model.as_deref().unwrap_or_default(), MAX_CHOICE_CHARS, &options.place("model"))?;
    let tool_choice = match options.optional_object("tool_choice")? {
        Some(mut choice) => {
            let id = choice.text("id")?;
            check_chars(&id, MAX_CHOICE_CHARS, &choice.place("id"))?;
            Some(ToolChoice { id })
        }
        None => None,
    };
    Ok(InferenceOptions { tool_choice, model })
}

fn check_size(message: &UserMessage) -> Outcome<()> {
    if message.content.len() > MAX_PARTS {
        return Err(RequestError::MessageTooLarge(format!("{MAX_PARTS} parts")));
    }
    let too_long = |text: &str| text.chars().nth(MAX_TEXT_CHARS).is_some();
    if too_long(&message.text()) || message.quoted_text.as_deref().is_some_and(too_long) {
        return Err(invalid(&format!("the message has more than {MAX_TEXT_CHARS} characters")));
    }
    let stored = serde_json::to_vec(message).map_err(|error| invalid(&shorten(&error.to_string())))?;
    if stored.len() > MAX_MESSAGE_BYTES {
        return Err(RequestError::MessageTooLarge(format!("{MAX_MESSAGE_BYTES} bytes")));
    }
    Ok(())
}
