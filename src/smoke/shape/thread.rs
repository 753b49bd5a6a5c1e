//! Threads and pages.

use serde_json::Value;

use crate::smoke::shape::item::item;
use crate::smoke::shape::object::Object;
use crate::smoke::shape::{Fault, Rule};

/// A thread.
pub(in crate::smoke) fn thread(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Thread, faults) else { return };
    object.id("id");
    object.time("created_at");
    object.maybe_texts(&["title"]);
    object.maybe_text_list("allowed_image_domains");
    if let Some(found) = object.object("status") {
        object.inner("status", found, status);
    }
    if let Some(found) = object.object("metadata")
        && found.as_object().is_some_and(|fields| !fields.is_empty())
    {
        object.fault(Rule::Metadata, "metadata", "is not empty");
    }
    if let Some(found) = object.object("items") {
        object.inner("items", found, item_page);
    }
}

fn status(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Thread, faults) else { return };
    object.word("type", &["active", "locked", "closed"]);
    object.maybe_texts(&["reason"]);
}

/// A page of items.
pub(in crate::smoke) fn item_page(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    page(value, place, item, faults);
}

/// A page of threads.
pub(in crate::smoke) fn thread_page(value: &Value, place: &str, faults: &mut Vec<Fault>) {
    page(value, place, thread, faults);
}

fn page(value: &Value, place: &str, row: fn(&Value, &str, &mut Vec<Fault>), faults: &mut Vec<Fault>) {
    let Some(mut object) = Object::read(value, place, Rule::Page, faults) else { return };
    object.each("data", row);
    let has_more = object.flag("has_more");
    object.maybe_texts(&["after"]);
    match (has_more, object.has("after")) {
        (true, false) => object.fault(Rule::Page, "after", "is missing although there is more"),
        (false, true) if !value["after"].is_null() => {
            object.fault(Rule::Page, "after", "is there although there is no more");
        }
        _ => {}
    }
}
