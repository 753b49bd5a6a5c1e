//! What a stream told, and the rules that hold between its events.

use serde_json::Value;

/// The events of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// The type of the request.
    pub(super) kind: String,
    /// The events, in order.
    pub(super) events: Vec<Value>,
}

impl Told {
    /// The events of this type.
    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["type"] == kind)
    }

    /// Finished items of this type.
    pub(super) fn done(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.of("thread.item.done").map(|event| &event["item"]).filter(move |item| item["type"] == kind)
    }

    /// The thread that was made.
    pub(super) fn thread_id(&self) -> Option<&str> {
        self.of("thread.created").find_map(|event| event["thread"]["id"].as_str())
    }

    /// The id of the visitor's message.
    pub(super) fn user_id(&self) -> Option<&str> {
        self.done("user_message").find_map(|item| item["id"].as_str())
    }

    /// The finished answer.
    pub(super) fn answer(&self) -> Option<&Value> {
        self.done("assistant_message").last()
    }

    /// The id of the finished answer.
    pub(super) fn answer_id(&self) -> Option<&str> {
        self.answer().and_then(|item| item["id"].as_str())
    }

    /// The text that came in deltas so far.
    pub(super) fn deltas(&self) -> String {
        self.updates("assistant_message.content_part.text_delta")
            .filter_map(|(_, update)| update["delta"].as_str())
            .collect()
    }

    /// The updates of this type, each with the item's id.
    pub(super) fn updates(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.of("thread.item.updated")
            .map(|event| (event["item_id"].as_str().unwrap_or_default(), &event["update"]))
            .filter(move |(_, update)| update["type"] == kind)
    }

    /// Where the first event is that is as asked.
    pub(super) fn position(&self, is_it: impl Fn(&Value) -> bool) -> Option<usize> {
        self.events.iter().position(is_it)
    }
}

/// The text of a message item: all its parts.
pub(super) fn text(item: &Value) -> String {
    item["content"].as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect()
}

/// The id of a value; empty without one.
pub(super) fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_default()
}

/// The rows of a page.
pub(super) fn rows(page: &Value) -> &[Value] {
    page["data"].as_array().map_or(&[], Vec::as_slice)
}

/// The ids of the rows of a page.
pub(super) fn ids(page: &Value) -> Vec<String> {
    rows(page).iter().map(|row| id(row).to_owned()).collect()
}
