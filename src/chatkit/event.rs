//! What a stream tells, and how it is framed.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::chatkit::object::{Annotation, AssistantContent, Item, ThreadObject};
use crate::model::item::{ItemUpdate, NoticeLevel};

/// One event of a stream.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type")]
pub enum Event<'a> {
    /// A thread was made.
    #[serde(rename = "thread.created")]
    ThreadCreated {
        /// It, without items.
        thread: ThreadObject<'a>,
    },
    /// Something about the thread changed.
    #[serde(rename = "thread.updated")]
    ThreadUpdated {
        /// It, without items.
        thread: ThreadObject<'a>,
    },
    /// An item begins; it is not stored yet.
    #[serde(rename = "thread.item.added")]
    ItemAdded {
        /// It, without content.
        item: Item<'a>,
    },
    /// An item is complete and stored.
    #[serde(rename = "thread.item.done")]
    ItemDone {
        /// It.
        item: Item<'a>,
    },
    /// A stored item became another.
    #[serde(rename = "thread.item.replaced")]
    ItemReplaced {
        /// What it is now.
        item: Item<'a>,
    },
    /// A stored item is gone.
    #[serde(rename = "thread.item.removed")]
    ItemRemoved {
        /// Which.
        item_id: &'a str,
    },
    /// An open item grows.
    #[serde(rename = "thread.item.updated")]
    ItemUpdated {
        /// Which.
        item_id: &'a str,
        /// How.
        update: Update<'a>,
    },
    /// What the client may do with the stream.
    #[serde(rename = "stream_options")]
    StreamOptions {
        /// That.
        stream_options: StreamOptions,
    },
    /// What is being done; never stored.
    #[serde(rename = "progress_update")]
    Progress {
        /// A picture's name.
        #[serde(skip_serializing_if = "Option::is_none")]
        icon: Option<&'a str>,
        /// For people.
        text: &'a str,
    },
    /// Something to know beside the answer; never stored.
    #[serde(rename = "notice")]
    Notice {
        /// How much it matters.
        level: NoticeLevel,
        /// For people, Markdown.
        message: &'a str,
        /// Its heading.
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
    },
    /// The page is to do something; never stored.
    #[serde(rename = "client_effect")]
    ClientEffect {
        /// What.
        name: &'a str,
        /// With what.
        data: &'a Map<String, Value>,
    },
    /// The answer failed; nothing follows.
    #[serde(rename = "error")]
    Error {
        /// `stream.error`, or `custom` with a message.
        code: &'static str,
        /// For people, short and plain.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        /// Whether to offer a retry.
        allow_retry: bool,
    },
}

/// What a client may do with a stream.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StreamOptions {
    /// Whether to show the stop button.
    pub allow_cancel: bool,
}

/// How an open item grows.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type")]
pub enum Update<'a> {
    /// A part begins.
    #[serde(rename = "assistant_message.content_part.added")]
    PartAdded {
        /// Which.
        content_index: usize,
        /// The empty part.
        content: AssistantContent<'a>,
    },
    /// A part gets more text.
    #[serde(rename = "assistant_message.content_part.text_delta")]
    TextDelta {
        /// Which.
        content_index: usize,
        /// The text.
        delta: &'a str,
    },
    /// A part gets a mark.
    #[serde(rename = "assistant_message.content_part.annotation_added")]
    AnnotationAdded {
        /// Which.
        content_index: usize,
        /// The mark's place among the part's marks.
        annotation_index: usize,
        /// The mark.
        annotation: Annotation<'a>,
    },
    /// A part is complete.
    #[serde(rename = "assistant_message.content_part.done")]
    PartDone {
        /// Which.
        content_index: usize,
        /// It.
        content: AssistantContent<'a>,
    },
    /// What is no message changes.
    #[serde(untagged)]
    Beside(&'a ItemUpdate),
}

impl<'a> Event<'a> {
    /// An ordinary failure: it tells nothing but that a retry is reasonable (or, for a thread that is gone, is not).
    pub fn stream_error(allow_retry: bool) -> Self {
        Self::Error { code: "stream.error", message: None, allow_retry }
    }

    /// A failure that a visitor is told in these words.
    pub fn custom_error(message: &'a str, allow_retry: bool) -> Self {
        Self::Error { code: "custom", message: Some(message), allow_retry }
    }
}

/// Most events fit into this without growing.
const USUAL_FRAME_BYTES: usize = 256;

/// One event as bytes of a stream: one line of compact JSON and a blank line.
pub fn frame(event: &Event<'_>) -> String {
    let mut frame = Vec::with_capacity(USUAL_FRAME_BYTES);
    frame.extend_from_slice(b"data: ");
    serde_json::to_writer(&mut frame, event).expect("events have text keys and no fallible serializer");
    frame.extend_from_slice(b"\n\n");
    String::from_utf8(frame).expect("JSON is UTF-8")
}
