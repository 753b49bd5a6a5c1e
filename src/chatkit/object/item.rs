//! Thread items as the protocol writes them.

use serde::Serialize;

use crate::chatkit::object::Time;
use crate::chatkit::object::annotation::AssistantContent;
use crate::chatkit::object::attachment::AttachmentObject;
use crate::chatkit::object::form::FormFields;
use crate::model::item::{ClientToolCall, GeneratedImage, Task, Widget, Workflow};
use crate::model::thread::{InferenceOptions, ItemContent, ThreadItem, UserContent, UserMessage};

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
        attachments: Vec<AttachmentObject<'a>>,
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
    Form(FormFields<'a>),
    Workflow {
        workflow: &'a Workflow,
    },
    Task {
        task: &'a Task,
    },
    Nothing {},
}

impl<'a> From<&'a ThreadItem> for Item<'a> {
    fn from(item: &'a ThreadItem) -> Self {
        Self {
            id: &item.id,
            thread_id: &item.thread_id,
            created_at: Time(item.created_at),
            r#type: item.content.kind(),
            body: Body::from(&item.content),
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

impl<'a> From<&'a ItemContent> for Body<'a> {
    fn from(content: &'a ItemContent) -> Self {
        match content {
            ItemContent::UserMessage(message) => user_body(message),
            ItemContent::AssistantMessage(message) => {
                Self::Assistant { content: vec![AssistantContent::from(message)] }
            }
            ItemContent::ClientToolCall(call) => Self::Call(call),
            ItemContent::Widget(widget) => Self::Widget(widget),
            ItemContent::GeneratedImage(image) => Self::Image(image),
            ItemContent::StructuredInput(form) => Self::Form(form.into()),
            ItemContent::Workflow { workflow } => Self::Workflow { workflow },
            ItemContent::Task { task } => Self::Task { task },
            // The last line of defence: whatever went wrong before, their text is not written.
            ItemContent::EndOfTurn {} | ItemContent::HiddenContextItem(_) | ItemContent::SdkHiddenContext(_) => {
                Self::Nothing {}
            }
        }
    }
}

fn user_body(message: &UserMessage) -> Body<'_> {
    Body::User {
        content: &message.content,
        attachments: message.attachments.iter().map(AttachmentObject::from).collect(),
        quoted_text: message.quoted_text.as_deref(),
        inference_options: &message.inference_options,
    }
}
