//! Whether objects and events have the protocol's form: fields, types, defaults, times.
//!
//! Every fault names the rule that it breaks, so that one mistake of a server makes one case fail. Unknown fields are
//! no fault: the protocol ignores them.

mod event;
mod item;
mod object;
mod source;
mod thread;

use serde_json::Value;

pub(super) use event::event;
pub(super) use thread::{item_page, thread, thread_page};

/// A rule about the form of what a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Threads.
    Thread,
    /// Pages.
    Page,
    /// What every item has.
    Item,
    /// Visitors' messages.
    UserMessage,
    /// Answers.
    AssistantMessage,
    /// Annotations and their sources.
    Annotation,
    /// Items of other kinds.
    OtherItem,
    /// Attachments.
    Attachment,
    /// Events.
    Event,
    /// Updates of items.
    Update,
    /// Optional fields are left out, never null.
    Null,
    /// Times can be read.
    Time,
    /// Times are UTC and say so.
    Zone,
    /// Hidden items are never sent.
    Hidden,
    /// Types of events, updates and items are the protocol's.
    Known,
    /// Metadata stays at the server.
    Metadata,
    /// Errors in a stream.
    Error,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The rule that is broken.
    pub(super) rule: Rule,
    /// Where, and what is there.
    pub(super) what: String,
}

/// What a request of this type answers with, judged. Types without a form of their own have no fault.
pub(super) fn answer(kind: &str, value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    match kind {
        "threads.get_by_id" | "threads.update" => thread(value, kind, &mut faults),
        "threads.list" => thread_page(value, kind, &mut faults),
        "items.list" => item_page(value, kind, &mut faults),
        "attachments.create" => item::attachment(value, kind, &mut faults),
        _ => {}
    }
    faults
}
