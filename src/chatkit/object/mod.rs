//! Threads and pages as the protocol writes them, made from the model.

mod annotation;
mod attachment;
mod form;
mod item;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::model::thread::{Page, Thread, ThreadItem, ThreadStatus};

pub use annotation::{Annotation, AssistantContent};
pub use attachment::{AttachmentObject, UploadDescriptor};
pub use item::Item;

/// A page of anything.
#[derive(Debug, Clone, Serialize)]
pub struct PageObject<T> {
    data: Vec<T>,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// A thread. Its metadata is always sent empty.
#[derive(Debug, Clone, Serialize)]
pub struct ThreadObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    id: &'a str,
    created_at: Time,
    status: &'a ThreadStatus,
    metadata: Empty,
    items: PageObject<Item<'a>>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Empty {}

/// An instant in UTC: microseconds and `Z`, without a fraction on whole seconds.
#[derive(Debug, Clone, Copy)]
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let format = match self.0.as_microsecond() % 1_000_000 {
            0 => "%Y-%m-%dT%H:%M:%SZ",
            _ => "%Y-%m-%dT%H:%M:%S.%6fZ",
        };
        let utc = self.0.to_zoned(TimeZone::UTC);
        serializer.collect_str(&utc.strftime(format))
    }
}

impl<'a> From<&'a Thread> for ThreadObject<'a> {
    /// The thread with an empty page of items, as events and lists carry it.
    fn from(thread: &'a Thread) -> Self {
        Self {
            title: thread.title.as_deref(),
            id: &thread.id,
            created_at: Time(thread.created_at),
            status: &thread.status,
            metadata: Empty {},
            items: PageObject { data: Vec::new(), has_more: false, after: None },
        }
    }
}

/// One thread with a page of its items.
pub fn thread_with_items<'a>(thread: &'a Thread, items: &'a Page<ThreadItem>) -> ThreadObject<'a> {
    ThreadObject { items: items_page(items), ..ThreadObject::from(thread) }
}

/// A page of items.
pub fn items_page(page: &Page<ThreadItem>) -> PageObject<Item<'_>> {
    map_page(page, Item::from)
}

/// A page of threads, each with an empty page of items.
pub fn threads_page(page: &Page<Thread>) -> PageObject<ThreadObject<'_>> {
    map_page(page, ThreadObject::from)
}

fn map_page<'a, T, U>(page: &'a Page<T>, map: fn(&'a T) -> U) -> PageObject<U> {
    PageObject { data: page.data.iter().map(map).collect(), has_more: page.has_more, after: page.after.clone() }
}
