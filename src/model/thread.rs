//! Threads and their items, as stored. ChatKit's own words for its own things.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::Citation;
use crate::model::attachment::Attachment;
use crate::model::item::{
    ClientToolCall, GeneratedImage, HiddenContext, Link, StructuredInput, Task, Widget, Workflow,
};

/// Who acts: the owner of threads. An opaque id made by the server, never by the caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The owner's id.
    pub id: String,
}

/// Whether a thread takes messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ThreadStatus {
    /// It takes messages.
    Active,
    /// It takes none for now.
    Locked {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It takes none any more.
    Closed {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// `thr_` and 128 random bits.
    pub id: String,
    /// When it began.
    pub created_at: Timestamp,
    /// Its title.
    pub title: Option<String>,
    /// Whether a person gave the title; an automatic one never replaces it.
    pub title_is_users: bool,
    /// Whether it takes messages.
    pub status: ThreadStatus,
}

/// One entry of a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadItem {
    /// `msg_` and 128 random bits.
    pub id: String,
    /// The thread it belongs to.
    pub thread_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it is.
    pub content: ItemContent,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemContent {
    /// What a visitor wrote.
    UserMessage(UserMessage),
    /// What the bot answered.
    AssistantMessage(AssistantMessage),
    /// A call of a tool that the page has.
    ClientToolCall(ClientToolCall),
    /// A widget.
    Widget(Widget),
    /// A picture that was made.
    GeneratedImage(GeneratedImage),
    /// A form.
    StructuredInput(StructuredInput),
    /// Steps that the bot shows.
    Workflow {
        /// They; in a field of their own, because they have a `type` as well.
        workflow: Workflow,
    },
    /// One step that the bot shows.
    Task {
        /// It.
        task: Task,
    },
    /// The bot has said all it had to say.
    EndOfTurn {},
    /// Text for the model alone; it never leaves the server.
    HiddenContextItem(HiddenContext),
    /// The same, as the protocol's own parts write it.
    SdkHiddenContext(HiddenContext),
}

/// What a visitor wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserMessage {
    /// Its parts, in order.
    pub content: Vec<UserContent>,
    /// Files that came with it, as they were then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Text of an earlier answer that it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_text: Option<String>,
    /// The caller's choices of tool and model, kept as sent.
    #[serde(default)]
    pub inference_options: InferenceOptions,
}

/// A part of a visitor's message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum UserContent {
    /// Text.
    InputText {
        /// The text.
        text: String,
    },
    /// A mention of something the page knows.
    InputTag {
        /// The thing's id.
        id: String,
        /// What is shown for it.
        text: String,
        /// What the page keeps with it.
        data: serde_json::Map<String, serde_json::Value>,
        /// Its group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        /// Whether it can be clicked.
        #[serde(default)]
        interactive: bool,
    },
}

/// A caller's choices of tool and model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferenceOptions {
    /// A tool to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// A model to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A tool by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolChoice {
    /// The tool's id.
    pub id: String,
}

/// What the bot answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// The text.
    pub text: String,
    /// Its citations.
    pub citations: Vec<Citation>,
    /// Its other marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// Which piece of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    limit: u32,
    /// Which end comes first.
    pub order: Order,
    /// The id of the last row already seen, in the same order.
    pub after: Option<String>,
}

/// A piece of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether more rows follow.
    pub has_more: bool,
    /// The id of the last row, when more follow.
    pub after: Option<String>,
}

/// What a visitor thinks of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackKind {
    /// It helped.
    Positive,
    /// It did not.
    Negative,
}

impl PageQuery {
    /// Rows of a page that does not say how many.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// Rows of a page at the most; a caller who asks for more gets this many and goes on from there.
    pub const MAX_LIMIT: u32 = 100;

    /// A page of `limit` rows: none or 0 means [`Self::DEFAULT_LIMIT`], more than [`Self::MAX_LIMIT`] means that.
    pub fn new(limit: Option<u32>, order: Order, after: Option<String>) -> Self {
        let limit = match limit {
            None | Some(0) => Self::DEFAULT_LIMIT,
            Some(wanted) => wanted.min(Self::MAX_LIMIT),
        };
        Self { limit, order, after }
    }

    /// How many rows at the most, 1 to [`Self::MAX_LIMIT`].
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

impl<T> Page<T> {
    /// A page without rows.
    pub fn empty() -> Self {
        Self { data: Vec::new(), has_more: false, after: None }
    }
}

impl ItemContent {
    /// The kind's name, as stored and as sent.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UserMessage(_) => "user_message",
            Self::AssistantMessage(_) => "assistant_message",
            Self::ClientToolCall(_) => "client_tool_call",
            Self::Widget(_) => "widget",
            Self::GeneratedImage(_) => "generated_image",
            Self::StructuredInput(_) => "structured_input",
            Self::Workflow { .. } => "workflow",
            Self::Task { .. } => "task",
            Self::EndOfTurn {} => "end_of_turn",
            Self::HiddenContextItem(_) => "hidden_context_item",
            Self::SdkHiddenContext(_) => "sdk_hidden_context",
        }
    }

    /// Whether it is for the model alone and never sent to anybody.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::HiddenContextItem(_) | Self::SdkHiddenContext(_))
    }

    /// What the id of such an item begins with.
    pub fn id_prefix(&self) -> &'static str {
        match self {
            Self::ClientToolCall(_) => "tc",
            Self::Workflow { .. } => "wf",
            Self::Task { .. } => "tsk",
            Self::SdkHiddenContext(_) => "shcx",
            _ => "msg",
        }
    }
}

impl UserMessage {
    /// The words of the message, its parts joined by spaces.
    pub fn text(&self) -> String {
        let parts: Vec<&str> = self
            .content
            .iter()
            .map(|part| match part {
                UserContent::InputText { text } | UserContent::InputTag { text, .. } => text.as_str(),
            })
            .collect();
        parts.join(" ")
    }
}
