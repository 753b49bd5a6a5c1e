//! Events of a stream and updates of items.

use serde_json::Value;

use crate::smoke::shape::item::{image, item, task, widget_root};
use crate::smoke::shape::object::Object;
use crate::smoke::shape::source::{annotation, answer_part};
use crate::smoke::shape::thread::thread;
use crate::smoke::shape::{Fault, Rule};

/// Codes of errors that clients know.
const ERROR_CODES: [&str; 2] = ["stream.error", "custom"];

/// One event.
pub(in crate::smoke) fn event(value: &Value, faults: &mut Vec<Fault>) {
    let place = "event";
    let Some(mut object) = Object::read(value, place, Rule::Event, faults) else { return };
    let kind = object.text("type");
    match kind {
        "thread.created" | "thread.updated" => {
            if let Some(found) = object.object("thread") {
                object.inner(kind, found, thread);
            }
        }
        "thread.item.added" | "thread.item.done" | "thread.item.replaced" => {
            if let Some(found) = object.object("item") {
                object.inner(kind, found, item);
            }
        }
        "thread.item.updated" => {
            object.id("item_id");
            if let Some(found) = object.object("update") {
                object.inner(kind, found, update);
            }
        }
        "thread.item.removed" => object.id("item_id"),
        "stream_options" => {
            if let Some(found) = object.object("stream_options") {
                object.inner(kind, found, |value, place, faults| {
                    if let Some(mut object) = Object::read(value, place, Rule::Event, faults) {
                        object.flag("allow_cancel");
                    }
                });
            }
        }
        "progress_update" => {
            object.text("text");
            object.maybe_texts(&["icon"]);
        }
        "client_effect" => {
            object.id("name");
            object.object("data");
        }
        "notice" => {
            object.word("level", &["info", "warning", "danger"]);
            object.text("message");
            object.maybe_texts(&["title"]);
        }
        "error" => error(value, faults),
        _ => object.fault(Rule::Known, "type", &format!("is `{kind}`, which the protocol does not know")),
    }
}

fn error(value: &Value, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, "error", Rule::Error, faults) else { return };
    object.word("code", &ERROR_CODES);
    object.flag("allow_retry");
    object.maybe_texts(&["message"]);
}

fn update(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Update, faults) else { return };
    let kind = object.text("type");
    let part = |object: &mut Object<'_>| {
        object.whole("content_index");
        if let Some(found) = object.object("content") {
            object.inner("content", found, answer_part);
        }
    };
    match kind {
        "assistant_message.content_part.added" | "assistant_message.content_part.done" => part(&mut object),
        "assistant_message.content_part.text_delta" => {
            object.whole("content_index");
            object.text("delta");
        }
        "assistant_message.content_part.annotation_added" => {
            object.whole("content_index");
            object.whole("annotation_index");
            if let Some(found) = object.object("annotation") {
                object.inner("annotation", found, annotation);
            }
        }
        "workflow.task.added" | "workflow.task.updated" => {
            object.whole("task_index");
            if let Some(found) = object.object("task") {
                object.inner("task", found, task);
            }
        }
        "widget.streaming_text.value_delta" => {
            object.id("component_id");
            object.text("delta");
            object.flag("done");
        }
        "widget.component.updated" => {
            object.id("component_id");
            object.object("component");
        }
        "widget.root.updated" => {
            if let Some(found) = object.object("widget") {
                object.inner("widget", found, widget_root);
            }
        }
        "generated_image.updated" => {
            object.maybe_number("progress");
            if let Some(found) = object.object("image") {
                object.inner("image", found, image);
            }
        }
        _ => object.fault(Rule::Known, "type", &format!("is `{kind}`, which the protocol does not know")),
    }
}
