//! Threads and their items, as stored. ChatKit's own words for its own things.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::Citation;

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

/// What an item is. More kinds come with the rest of the protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemContent {
    /// What a visitor wrote.
    UserMessage(UserMessage),
    /// What the bot answered.
    AssistantMessage(AssistantMessage),
}

/// What a visitor wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserMessage {
    /// Its parts, in order.
    pub content: Vec<UserContent>,
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
