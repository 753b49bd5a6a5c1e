//! Items of every kind.

use serde_json::Value;

use crate::smoke::shape::object::Object;
use crate::smoke::shape::source::{answer_part, source, user_part};
use crate::smoke::shape::{Fault, Rule};

/// Kinds that are for the model alone.
const HIDDEN: [&str; 2] = ["hidden_context_item", "sdk_hidden_context"];

/// An item: what all have, then what its kind has.
pub(super) fn item(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Item, faults) else { return };
    object.id("id");
    object.id("thread_id");
    object.time("created_at");
    let kind = object.text("type");
    if HIDDEN.contains(&kind) {
        object.fault(Rule::Hidden, "type", &format!("is `{kind}`"));
    }
    let read: fn(&Value, &str, &mut Vec<Fault>) = match kind {
        "user_message" => user_message,
        "assistant_message" => assistant_message,
        "client_tool_call" => client_tool_call,
        "widget" => widget,
        "generated_image" => generated_image,
        "structured_input" => structured_input,
        "workflow" => workflow_item,
        "task" => task_item,
        "end_of_turn" => return,
        _ if HIDDEN.contains(&kind) => return,
        _ => return object.fault(Rule::Known, "type", &format!("is `{kind}`, which the protocol does not know")),
    };
    read(value, place, faults);
}

fn user_message(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::UserMessage, faults) else { return };
    object.each("content", user_part);
    object.each("attachments", attachment);
    object.maybe_texts(&["quoted_text"]);
    if let Some(found) = object.object("inference_options") {
        object.inner("inference_options", found, inference_options);
    }
}

fn inference_options(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::UserMessage, faults) else { return };
    object.maybe_texts(&["model"]);
    if let Some(choice) = object.maybe_object("tool_choice") {
        object.inner("tool_choice", choice, |value, place, faults| {
            if let Some(mut object) = Object::read(value, place, Rule::UserMessage, faults) {
                object.id("id");
            }
        });
    }
}

fn assistant_message(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    if let Some(mut object) = Object::read(value, place, Rule::AssistantMessage, faults) {
        object.each("content", answer_part);
    }
}

fn client_tool_call(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    object.word("status", &["pending", "completed"]);
    object.id("call_id");
    object.id("name");
    object.object("arguments");
}

fn widget(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    object.maybe_texts(&["copy_text"]);
    if let Some(root) = object.object("widget") {
        object.inner("widget", root, widget_root);
    }
}

/// The root of a widget.
pub(super) fn widget_root(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    if let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) {
        object.word("type", &["Card", "ListView", "Basic"]);
    }
}

fn generated_image(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    if let Some(found) = object.maybe_object("image") {
        object.inner("image", found, image);
    }
}

/// A picture by its address.
pub(super) fn image(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    if let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) {
        object.id("id");
        object.id("url");
    }
}

fn structured_input(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    object.word("status", &["pending", "answered", "skipped"]);
    object.each("inputs", question);
}

fn question(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    object.id("id");
    object.text("question");
    match object.word("type", &["multiple_choice", "freeform"]) {
        "multiple_choice" => {
            object.flag("multiple");
            object.each("options", |value, place, faults| {
                if let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) {
                    object.text("value");
                }
            });
        }
        _ => object.maybe_texts(&["description"]),
    }
    if let Some(found) = object.maybe_object("answer") {
        object.inner("answer", found, |value, place, faults| {
            if let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) {
                object.list("values");
                object.flag("skipped");
            }
        });
    }
}

fn workflow_item(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    if let Some(found) = object.object("workflow") {
        object.inner("workflow", found, workflow);
    }
}

fn workflow(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    object.word("type", &["custom", "reasoning"]);
    object.each("tasks", task);
    object.flag("expanded");
    if let Some(found) = object.maybe_object("summary") {
        object.inner("summary", found, |value, place, faults| {
            if let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) {
                object.maybe_texts(&["title", "icon"]);
                object.maybe_whole("duration");
            }
        });
    }
}

fn task_item(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    if let Some(found) = object.object("task") {
        object.inner("task", found, task);
    }
}

/// A step.
pub(super) fn task(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::OtherItem, faults) else { return };
    object.word("status_indicator", &["none", "loading", "complete"]);
    object.maybe_texts(&["title"]);
    match object.word("type", &["custom", "web_search", "thought", "file", "image"]) {
        "custom" => object.maybe_texts(&["icon", "content"]),
        "web_search" => {
            object.maybe_texts(&["title_query"]);
            object.list("queries");
            object.each("sources", source);
        }
        "thought" => {
            object.text("content");
        }
        "file" => object.each("sources", source),
        _ => {}
    }
}

/// An attachment.
pub(super) fn attachment(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Attachment, faults) else { return };
    object.id("id");
    object.text("name");
    object.text("mime_type");
    object.maybe_texts(&["thread_id"]);
    if object.word("type", &["file", "image"]) == "image" {
        object.id("preview_url");
    }
    if object.has("metadata") {
        object.fault(Rule::Metadata, "metadata", "is there; it stays at the server");
    }
    if let Some(found) = object.maybe_object("upload_descriptor") {
        object.inner("upload_descriptor", found, |value, place, faults| {
            if let Some(mut object) = Object::read(value, place, Rule::Attachment, faults) {
                object.id("url");
                object.word("method", &["POST", "PUT"]);
                object.object("headers");
            }
        });
    }
}
