//! Vector stores, the files in them, and batches of such.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::openai::address::segment;
use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::pace::Cost;
use crate::openai::retry::Safety;
use crate::openai::{ErrorKind, FailedCall, OpenAiError, Page, lenient};

/// Files that one batch may attach.
pub const MAX_BATCH: usize = 2000;
/// Pairs that the attributes of a file, or the metadata of a store, may hold.
pub const MAX_PAIRS: usize = 16;
/// Length of a key of either, in characters.
pub const MAX_KEY_CHARS: usize = 64;
/// Length of a text of either, in characters.
pub const MAX_VALUE_CHARS: usize = 512;
/// Rows that a page of a store's lists may have.
const PAGE: &str = "100";

/// A vector store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VectorStore {
    /// `vs_…`.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub created_at: i64,
    /// What is billed, in bytes.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub usage_bytes: u64,
    /// Its files by state.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub file_counts: FileCounts,
    /// `in_progress`, `completed` or `expired`; one that is expired is dead.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub status: String,
    /// When it ends by itself, if it does.
    #[serde(default)]
    pub expires_after: Option<ExpiresAfter>,
    /// Seconds since 1970.
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// Seconds since 1970.
    #[serde(default)]
    pub last_active_at: Option<i64>,
    /// Pairs of ours.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Files of a store or a batch, by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FileCounts {
    /// Still being indexed.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub in_progress: u64,
    /// Searchable.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub completed: u64,
    /// Not indexed.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub failed: u64,
    /// Given up.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub cancelled: u64,
    /// All of them.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub total: u64,
}

/// When a store ends by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ExpiresAfter {
    /// `last_active_at`.
    pub anchor: String,
    /// 1 to 365.
    pub days: u32,
}

/// A store to make, or what to change of one.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StoreChange {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends by itself; `Some(None)` takes such an end away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_after: Option<Option<ExpiresAfter>>,
    /// Pairs of ours; they replace those it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// What is attached to a file in a store.
pub type Attributes = BTreeMap<String, Attribute>;

/// One value of [`Attributes`]. Numbers may come back as fractions.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Attribute {
    /// A switch.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text of at most [`MAX_VALUE_CHARS`].
    Text(String),
}

impl Attribute {
    /// Reads a value; none of a kind that nobody may attach.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// A file in a store.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoreFile {
    /// The file's id.
    pub id: String,
    /// When it was attached, seconds since 1970.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub created_at: i64,
    /// What is billed, in bytes.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub usage_bytes: u64,
    /// Where its indexing stands.
    pub status: FileStatus,
    /// Why it was not indexed.
    #[serde(default)]
    pub last_error: Option<FileError>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "lenient::attributes")]
    pub attributes: Option<Attributes>,
}

/// Where the indexing of a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// Being indexed.
    InProgress,
    /// Searchable.
    Completed,
    /// Given up.
    Cancelled,
    /// Not indexed.
    Failed,
    /// A state that is not known here.
    #[serde(other)]
    Unknown,
}

/// Why a file was not indexed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct FileError {
    /// `server_error`, `unsupported_file` or `invalid_file`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub code: String,
    /// For people.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub message: String,
}

/// A file to attach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attachment {
    /// The file.
    pub file_id: String,
    /// What to attach to it.
    pub attributes: Attributes,
    /// How to cut it; without it the service decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunking_strategy: Option<Value>,
}

/// Files that are being attached together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Batch {
    /// `vsfb_…`. Only the id of the answer to its making is to be trusted.
    pub id: String,
    /// Where it stands.
    pub status: FileStatus,
    /// Its files by state; `completed` with failed ones is possible.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub file_counts: FileCounts,
}

impl Client {
    /// Makes a store.
    pub async fn create_store(&self, store: &StoreChange) -> Result<VectorStore, OpenAiError> {
        self.post("/vector_stores", store).await
    }

    /// One page of the stores, newest first.
    pub async fn stores(&self, after: Option<&str>) -> Result<Page<VectorStore>, OpenAiError> {
        self.get("/vector_stores", &paged("desc", after, None)).await
    }

    /// One store.
    pub async fn store(&self, store_id: &str) -> Result<VectorStore, OpenAiError> {
        self.get(&store_path(store_id), &[]).await
    }

    /// Changes a store.
    pub async fn update_store(&self, store_id: &str, change: &StoreChange) -> Result<VectorStore, OpenAiError> {
        self.send(&Call::post(store_path(store_id)).json(change)?.safe(Safety::Idempotent)).await
    }

    /// Deletes a store; its files stay.
    pub async fn delete_store(&self, store_id: &str) -> Result<(), OpenAiError> {
        self.delete(&store_path(store_id)).await
    }

    /// One page of a store's files, oldest first, or of those in one state.
    pub async fn store_files(
        &self,
        store_id: &str,
        after: Option<&str>,
        only: Option<FileStatus>,
    ) -> Result<Page<StoreFile>, OpenAiError> {
        self.get(&files_path(store_id), &paged("asc", after, only)).await
    }

    /// One file of a store.
    pub async fn store_file(&self, store_id: &str, file_id: &str) -> Result<StoreFile, OpenAiError> {
        self.get(&file_path(store_id, file_id), &[]).await
    }

    /// Attaches one file.
    pub async fn attach(&self, store_id: &str, attachment: &Attachment) -> Result<StoreFile, OpenAiError> {
        let cost = Cost::Attach { store_id, files: 1 };
        self.send(&Call::post(files_path(store_id)).json(attachment)?.costs(cost)).await
    }

    /// Replaces what is attached to a file.
    pub async fn set_attributes(
        &self,
        store_id: &str,
        file_id: &str,
        attributes: &Attributes,
    ) -> Result<StoreFile, OpenAiError> {
        let call = Call::post(file_path(store_id, file_id)).json(&json!({ "attributes": attributes }))?;
        self.send(&call.safe(Safety::Idempotent)).await
    }

    /// Takes a file out of a store; the file itself stays.
    pub async fn detach(&self, store_id: &str, file_id: &str) -> Result<(), OpenAiError> {
        self.delete(&file_path(store_id, file_id)).await
    }

    /// The text that the service has of a file, in pieces that may overlap.
    pub async fn store_file_pieces(&self, store_id: &str, file_id: &str) -> Result<Vec<String>, OpenAiError> {
        let path = format!("{}/content", file_path(store_id, file_id));
        let page: Page<crate::openai::search::Text> = self.get(&path, &[]).await?;
        if page.has_more {
            // How the next page is asked for is not described; half a text must not pass for the whole.
            let why = "the service gives this text in pages, and how to ask for the next is not known";
            return Err(FailedCall::new(&format!("GET {path}"), ErrorKind::Broken, why).into());
        }
        Ok(page.data.into_iter().map(|piece| piece.text).collect())
    }

    /// Attaches 1 to [`MAX_BATCH`] files together.
    pub async fn create_batch(&self, store_id: &str, files: &[Attachment]) -> Result<Batch, OpenAiError> {
        let cost = Cost::Attach { store_id, files: files.len() };
        self.send(&Call::post(batches_path(store_id)).json(&json!({ "files": files }))?.costs(cost)).await
    }

    /// Where a batch stands.
    pub async fn batch(&self, store_id: &str, batch_id: &str) -> Result<Batch, OpenAiError> {
        self.get(&format!("{}/{}", batches_path(store_id), segment(batch_id)), &[]).await
    }

    /// Gives a batch up.
    pub async fn cancel_batch(&self, store_id: &str, batch_id: &str) -> Result<Batch, OpenAiError> {
        let path = format!("{}/{}/cancel", batches_path(store_id), segment(batch_id));
        self.send(&Call::post(path).safe(Safety::Idempotent)).await
    }

    /// One page of a batch's files.
    pub async fn batch_files(
        &self,
        store_id: &str,
        batch_id: &str,
        after: Option<&str>,
        only: Option<FileStatus>,
    ) -> Result<Page<StoreFile>, OpenAiError> {
        let path = format!("{}/{}/files", batches_path(store_id), segment(batch_id));
        self.get(&path, &paged("asc", after, only)).await
    }
}

fn store_path(store_id: &str) -> String {
    format!("/vector_stores/{}", segment(store_id))
}

fn files_path(store_id: &str) -> String {
    format!("{}/files", store_path(store_id))
}

fn file_path(store_id: &str, file_id: &str) -> String {
    format!("{}/{}", files_path(store_id), segment(file_id))
}

fn batches_path(store_id: &str) -> String {
    format!("{}/file_batches", store_path(store_id))
}

fn paged<'a>(order: &'static str, after: Option<&'a str>, only: Option<FileStatus>) -> Vec<(&'static str, &'a str)> {
    let mut query = vec![("limit", PAGE), ("order", order)];
    query.extend(after.map(|id| ("after", id)));
    query.extend(only.and_then(FileStatus::name).map(|name| ("filter", name)));
    query
}

impl FileStatus {
    /// The service's word; none for a state that is not known here.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::InProgress => Some("in_progress"),
            Self::Completed => Some("completed"),
            Self::Cancelled => Some("cancelled"),
            Self::Failed => Some("failed"),
            Self::Unknown => None,
        }
    }
}
