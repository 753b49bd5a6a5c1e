//! Annotations, their sources, and parts of messages.

use serde_json::Value;

use crate::smoke::shape::object::Object;
use crate::smoke::shape::{Fault, Rule};

/// A part of an answer.
pub(super) fn answer_part(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::AssistantMessage, faults) else { return };
    object.word("type", &["output_text"]);
    object.text("text");
    object.each("annotations", annotation);
}

/// A part of a visitor's message.
pub(super) fn user_part(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::UserMessage, faults) else { return };
    object.text("text");
    if object.word("type", &["input_text", "input_tag"]) == "input_tag" {
        object.id("id");
        object.object("data");
        object.flag("interactive");
        object.maybe_texts(&["group"]);
    }
}

/// An annotation.
pub(super) fn annotation(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Annotation, faults) else { return };
    object.word("type", &["annotation"]);
    object.maybe_whole("index");
    if let Some(found) = object.object("source") {
        object.inner("source", found, source);
    }
}

/// What an annotation or a task names.
pub(super) fn source(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Annotation, faults) else { return };
    object.text("title");
    object.maybe_texts(&["description", "timestamp", "group"]);
    match object.word("type", &["file", "url", "entity"]) {
        "file" => object.id("filename"),
        "url" => {
            object.id("url");
            object.maybe_texts(&["attribution"]);
        }
        "entity" => {
            object.id("id");
            object.maybe_texts(&["icon", "label", "inline_label"]);
            object.flag("interactive");
            object.object("data");
        }
        _ => {}
    }
}
