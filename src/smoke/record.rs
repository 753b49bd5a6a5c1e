//! What a run saw and made: the answers, for the cases that look at all of them, and the threads and attachments that
//! must be deleted at the end. Bounded, whatever a server sends.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::smoke::told::Told;

/// Answers that are kept.
const MAX_ANSWERS: usize = 5_000;
/// Events that are kept of one answer.
const MAX_EVENTS: usize = 10_000;
/// Bytes of an error's body that are kept.
const MAX_ERROR_BYTES: usize = 4_096;

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The type of the request, and the events of a stream or the one JSON document.
    pub(super) told: Told,
    /// The status.
    pub(super) status: u16,
    /// Whether it was a stream.
    pub(super) is_stream: bool,
    /// Whether all of it came, and was kept.
    pub(super) is_whole: bool,
    /// What an error said, as text.
    pub(super) error: Option<String>,
    /// The content type.
    pub(super) content_type: String,
}

/// What must be deleted: by which visitor, and its id.
type Made = BTreeSet<(usize, String)>;

/// What a run saw and made.
#[derive(Debug, Default)]
pub(super) struct Record {
    seen: Mutex<Vec<Arc<Seen>>>,
    threads: Mutex<Made>,
    attachments: Mutex<Made>,
}

impl Record {
    /// Keeps an answer.
    pub(super) fn keep(&self, mut seen: Seen) {
        // What was cut off here must not look like a stream that the server left open.
        seen.is_whole &= seen.told.events.len() <= MAX_EVENTS;
        seen.told.events.truncate(MAX_EVENTS);
        if let Some(error) = &mut seen.error {
            let end = (0..=MAX_ERROR_BYTES.min(error.len())).rev().find(|at| error.is_char_boundary(*at));
            error.truncate(end.unwrap_or_default());
        }
        let mut all = lock(&self.seen);
        if all.len() < MAX_ANSWERS {
            all.push(Arc::new(seen));
        }
    }

    /// Notes what an event or an answer says was made.
    pub(super) fn note(&self, visitor: usize, kind: &str, value: &Value) {
        let id = |value: &Value| value["id"].as_str().map(|id| (visitor, id.to_owned()));
        if value["type"] == "thread.created" {
            lock(&self.threads).extend(id(&value["thread"]));
        } else if kind == "attachments.create" {
            lock(&self.attachments).extend(id(value));
        }
    }

    /// Every answer so far.
    pub(super) fn seen(&self) -> Vec<Arc<Seen>> {
        lock(&self.seen).clone()
    }

    /// The threads that were made.
    pub(super) fn threads(&self) -> Vec<(usize, String)> {
        lock(&self.threads).iter().cloned().collect()
    }

    /// The attachments that were made.
    pub(super) fn attachments(&self) -> Vec<(usize, String)> {
        lock(&self.attachments).iter().cloned().collect()
    }

    /// This thread is gone.
    pub(super) fn forget_thread(&self, thread: &(usize, String)) {
        lock(&self.threads).remove(thread);
    }

    /// This attachment is gone.
    pub(super) fn forget_attachment(&self, attachment: &(usize, String)) {
        lock(&self.attachments).remove(attachment);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(events: usize) -> Seen {
        let record = Record::default();
        let told = Told { kind: "threads.create".to_owned(), events: vec![json!({}); events] };
        let content_type = "text/event-stream".to_owned();
        record.keep(Seen { told, status: 200, is_stream: true, is_whole: true, error: None, content_type });
        Arc::unwrap_or_clone(record.seen().remove(0))
    }

    /// The rules about whole streams look at `is_whole` ones only.
    #[test]
    fn a_stream_that_was_not_kept_to_its_end_is_not_judged_as_whole() {
        assert!(kept(MAX_EVENTS).is_whole);
        let cut = kept(MAX_EVENTS + 1);
        assert!(!cut.is_whole && cut.is_stream);
        assert_eq!(cut.told.events.len(), MAX_EVENTS);
    }
}
