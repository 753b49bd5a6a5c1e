//! Threads, items and pages as the protocol writes them, made from the model.

mod attachment;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::model::Citation;
use crate::model::item::{ClientToolCall, GeneratedImage, StructuredInput, Task, Widget, Workflow};
use crate::model::thread::{
    AssistantMessage, InferenceOptions, ItemContent, Page, Thread, ThreadItem, ThreadStatus, UserContent, UserMessage,
};

pub use attachment::{AttachmentObject, UploadDescriptor};

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

/// A thread item.
#[derive(Debug, Clone, Serialize)]
pub struct Item<'a> {
    id: &'a str,
    thread_id: &'a str,
    created_at: Time,
    r#type: &'static str,
    #[serde(flatten)]
    body: Body<'a>,
}

/// What differs between kinds of item.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Body<'a> {
    User {
        content: &'a [UserContent],
        attachments: [(); 0],
        #[serde(skip_serializing_if = "Option::is_none")]
        quoted_text: Option<&'a str>,
        inference_options: &'a InferenceOptions,
    },
    Assistant {
        content: Vec<AssistantContent<'a>>,
    },
    Call(&'a ClientToolCall),
    Widget(&'a Widget),
    Image(&'a GeneratedImage),
    Form(&'a StructuredInput),
    Workflow {
        workflow: &'a Workflow,
    },
    Task {
        task: &'a Task,
    },
    Nothing {},
}

/// A part of an answer.
#[derive(Debug, Clone, Serialize)]
pub struct AssistantContent<'a> {
    annotations: Vec<Annotation<'a>>,
    text: &'a str,
    r#type: &'static str,
}

/// A mark in an answer's text that names a source.
#[derive(Debug, Clone, Serialize)]
pub struct Annotation<'a> {
    r#type: &'static str,
    source: FileSource<'a>,
    index: usize,
}

#[derive(Debug, Clone, Serialize)]
struct FileSource<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    r#type: &'static str,
    filename: &'a str,
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

impl<'a> From<&'a ThreadItem> for Item<'a> {
    fn from(item: &'a ThreadItem) -> Self {
        Self {
            id: &item.id,
            thread_id: &item.thread_id,
            created_at: Time(item.created_at),
            r#type: item.content.kind(),
            body: match &item.content {
                ItemContent::UserMessage(message) => user_body(message),
                ItemContent::AssistantMessage(message) => {
                    Body::Assistant { content: vec![AssistantContent::from(message)] }
                }
                ItemContent::ClientToolCall(call) => Body::Call(call),
                ItemContent::Widget(widget) => Body::Widget(widget),
                ItemContent::GeneratedImage(image) => Body::Image(image),
                ItemContent::StructuredInput(form) => Body::Form(form),
                ItemContent::Workflow(workflow) => Body::Workflow { workflow },
                ItemContent::Task { task } => Body::Task { task },
                // The last line of defence: whatever went wrong before, their text is not written.
                ItemContent::EndOfTurn {} | ItemContent::HiddenContextItem(_) | ItemContent::SdkHiddenContext(_) => {
                    Body::Nothing {}
                }
            },
        }
    }
}

impl Item<'_> {
    /// The same item before its first part: what `thread.item.added` announces.
    #[must_use]
    pub fn without_content(mut self) -> Self {
        if let Body::Assistant { content } = &mut self.body {
            content.clear();
        }
        self
    }
}

impl<'a> From<&'a AssistantMessage> for AssistantContent<'a> {
    fn from(message: &'a AssistantMessage) -> Self {
        Self {
            annotations: message.citations.iter().map(Annotation::from).collect(),
            text: &message.text,
            r#type: "output_text",
        }
    }
}

impl<'a> From<&'a Citation> for Annotation<'a> {
    fn from(citation: &'a Citation) -> Self {
        Self {
            r#type: "annotation",
            source: FileSource {
                title: &citation.title,
                description: citation.description.as_deref(),
                r#type: "file",
                filename: citation.filename(),
            },
            index: citation.index,
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

fn user_body(message: &UserMessage) -> Body<'_> {
    Body::User {
        content: &message.content,
        attachments: [],
        quoted_text: message.quoted_text.as_deref(),
        inference_options: &message.inference_options,
    }
}
