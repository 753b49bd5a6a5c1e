//! What a page sends beside messages: results of its tools, forms, actions of widgets, announcements of files.

use serde_json::Value;

use crate::chatkit::request::fields::{Fields, Outcome, check_chars, check_depth, invalid, is_blank, list_of, text_of};
use crate::chatkit::request::message::{MAX_CHOICE_CHARS, MAX_LABEL_CHARS, MAX_MESSAGE_BYTES, MAX_TEXT_CHARS};
use crate::chatkit::request::{ActionInput, Request};
use crate::model::item::{Action, InputAnswer, InputStatus, InputSubmission};

/// Answers of a form, and values of an answer, at the most.
pub const MAX_ANSWERS: usize = 100;
/// Characters of a file's name at the most.
pub const MAX_NAME_CHARS: usize = 255;

/// What a tool gave. It must be there, but may be null.
pub(super) fn tool_output(params: &mut Fields) -> Outcome<Request> {
    let thread_id = params.text("thread_id")?;
    let output = params.any("result")?;
    check_free(&output, &params.place("result"))?;
    Ok(Request::AddToolOutput { thread_id, output })
}

/// A form, filled in.
pub(super) fn structured_input(params: &mut Fields) -> Outcome<Request> {
    let (thread_id, item_id) = (params.text("thread_id")?, params.text("item_id")?);
    let mut input = params.object("input")?;
    let statuses = [("answered", InputStatus::Answered), ("skipped", InputStatus::Skipped)];
    let status = input.optional_choice("status", &statuses)?.unwrap_or(InputStatus::Answered);
    let answers = match input.optional_object("answers")? {
        Some(answers) => answers.into_entries().map(answer).collect::<Outcome<Vec<_>>>()?,
        None => Vec::new(),
    };
    check_count(answers.len(), &input.place("answers"))?;
    let bytes: usize = answers.iter().flat_map(|(_, answer)| &answer.values).map(String::len).sum();
    check_bytes(bytes, &input.place("answers"))?;
    Ok(Request::AddStructuredInput { thread_id, item_id, submission: InputSubmission { status, answers } })
}

/// An action. Its payload is free.
pub(super) fn action(params: &mut Fields) -> Outcome<ActionInput> {
    let thread_id = params.text("thread_id")?;
    let item_id = params.optional_text("item_id")?;
    let mut action = params.object("action")?;
    let (r#type, place) = (action.text("type")?, action.place("type"));
    if r#type.trim_matches(is_blank).is_empty() {
        return Err(invalid(&format!("`{place}` is empty")));
    }
    check_chars(&r#type, MAX_CHOICE_CHARS, &place)?;
    let payload = action.optional("payload").unwrap_or(Value::Null);
    check_free(&payload, &action.place("payload"))?;
    Ok(ActionInput { thread_id, item_id, action: Action { r#type, payload } })
}

/// The announcement of a file.
pub(super) fn new_attachment(params: &mut Fields) -> Outcome<Request> {
    let name = params.text("name")?;
    if name.trim_matches(is_blank).is_empty() {
        return Err(invalid(&format!("`{}` is empty", params.place("name"))));
    }
    check_chars(&name, MAX_NAME_CHARS, &params.place("name"))?;
    let size_bytes = params.number("size")?;
    let mime_type = params.text("mime_type")?;
    check_chars(&mime_type, MAX_LABEL_CHARS, &params.place("mime_type"))?;
    Ok(Request::CreateAttachment { name, size_bytes, mime_type })
}

/// Speech. Nothing here can turn it into text, so it is checked and dropped.
pub(super) fn transcribe(params: &mut Fields) -> Outcome<Request> {
    params.text("audio_base64")?;
    params.text("mime_type")?;
    Ok(Request::Transcribe)
}

fn answer((question, value, place): (String, Value, String)) -> Outcome<(String, InputAnswer)> {
    let mut answer = Fields::of(value, place)?;
    let skipped = answer.flag("skipped")?;
    let place = answer.place("values");
    let values = match answer.optional("values") {
        Some(values) => list_of(values, &place)?.map(value_of).collect::<Outcome<Vec<_>>>()?,
        None => Vec::new(),
    };
    check_count(values.len(), &place)?;
    Ok((question, InputAnswer { values, skipped }))
}

fn value_of((value, place): (Value, String)) -> Outcome<String> {
    let text = text_of(value, &place)?;
    check_chars(&text, MAX_TEXT_CHARS, &place)?;
    Ok(text)
}

fn check_free(value: &Value, place: &str) -> Outcome<()> {
    check_depth(value, place)?;
    check_bytes(value.to_string().len(), place)
}

fn check_bytes(bytes: usize, place: &str) -> Outcome<()> {
    if bytes > MAX_MESSAGE_BYTES {
        return Err(invalid(&format!("`{place}` has more than {MAX_MESSAGE_BYTES} bytes")));
    }
    Ok(())
}

fn check_count(count: usize, place: &str) -> Outcome<()> {
    if count > MAX_ANSWERS {
        return Err(invalid(&format!("`{place}` has more than {MAX_ANSWERS} entries")));
    }
    Ok(())
}
