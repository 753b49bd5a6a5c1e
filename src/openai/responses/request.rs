//! What is asked.

use serde::Serialize;
use serde_json::Value;

/// A request for an answer. What is `None` is not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Request {
    /// The model.
    pub model: String,
    /// What the operator says; never inherited from an earlier answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// What was said, oldest first.
    pub input: Vec<Input>,
    /// Hosted searches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<FileSearch>,
    /// What beside the answer is wanted, such as `file_search_call.results`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<&'static str>,
    /// Whether the service keeps the answer. It does by default, so this is always said.
    pub store: bool,
    /// Whether the answer comes as events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// How they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// 0 to 2; refused by models that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// 0 to 1; refused by models that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// 16 or more; thoughts count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<usize>,
    /// Searches that one answer may do; further ones are ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tool_calls: Option<u32>,
    /// How much the model thinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Reasoning>,
    /// What the service kept that this goes on from.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub goes_on: Option<GoesOn>,
    /// A stable name of the visitor that says nothing of them; 64 characters at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_identifier: Option<String>,
    /// Requests with the same beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_key: Option<String>,
}

/// Who says an [`Input`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The visitor.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Who says it.
    pub role: Role,
    /// The text.
    pub content: String,
}

/// The hosted search in vector stores.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename = "file_search")]
pub struct FileSearch {
    /// The stores.
    pub vector_store_ids: Vec<String>,
    /// 1 to 50.
    pub max_num_results: usize,
    /// A comparison of attributes, or a combination of such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Value>,
    /// Ranker and threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranking_options: Option<RankingOptions>,
}

/// How a search ranks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankingOptions {
    /// `auto`, or a dated one.
    pub ranker: String,
    /// 0 to 1.
    pub score_threshold: f32,
}

/// How events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StreamOptions {
    /// Whether each is padded to hide the length of its text.
    pub include_obfuscation: bool,
}

/// How much a model thinks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reasoning {
    /// `none` to `max`.
    pub effort: String,
}

/// What an answer goes on from; the service takes one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum GoesOn {
    /// The id of an earlier answer.
    #[serde(rename = "previous_response_id")]
    Response(String),
    /// The id of a conversation.
    #[serde(rename = "conversation")]
    Conversation(String),
}
