//! Conversations: what was said, kept by the service.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::openai::address::segment;
use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::{OpenAiError, Page, lenient};

/// Items that one request may add (description of `POST /conversations/{id}/items`).
pub const MAX_ITEMS: usize = 20;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Conversation {
    /// `conv_…`.
    pub id: String,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub created_at: i64,
    /// Pairs of ours.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub metadata: Option<BTreeMap<String, String>>,
}

impl Client {
    /// Begins a conversation with at most [`MAX_ITEMS`] items and these pairs.
    pub async fn create_conversation(
        &self,
        items: &[Value],
        metadata: &BTreeMap<String, String>,
    ) -> Result<Conversation, OpenAiError> {
        let body = json!({ "items": items, "metadata": metadata });
        self.send(&Call::post("/conversations").json(&body)?.private()).await
    }

    /// One conversation.
    pub async fn conversation(&self, conversation_id: &str) -> Result<Conversation, OpenAiError> {
        self.get(&path(conversation_id), &[]).await
    }

    /// Deletes a conversation; its items stay with the service.
    pub async fn delete_conversation(&self, conversation_id: &str) -> Result<(), OpenAiError> {
        self.delete(&path(conversation_id)).await
    }

    /// One page of a conversation's items, oldest first, as the service has them.
    pub async fn conversation_items(
        &self,
        conversation_id: &str,
        after: Option<&str>,
    ) -> Result<Page<Value>, OpenAiError> {
        let path = format!("{}/items", path(conversation_id));
        let mut query = vec![("limit", "100"), ("order", "asc")];
        query.extend(after.map(|id| ("after", id)));
        self.send(&Call::get(path).query(&query).private()).await
    }

    /// Adds at most [`MAX_ITEMS`] items.
    pub async fn add_conversation_items(
        &self,
        conversation_id: &str,
        items: &[Value],
    ) -> Result<Page<Value>, OpenAiError> {
        let path = format!("{}/items", path(conversation_id));
        self.send(&Call::post(path).json(&json!({ "items": items }))?.private()).await
    }
}

fn path(conversation_id: &str) -> String {
    format!("/conversations/{}", segment(conversation_id))
}
