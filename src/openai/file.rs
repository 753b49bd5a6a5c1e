//! Files: what was uploaded, by id. A file has a name, and no folder, hash or metadata of ours.

use std::path::PathBuf;

use bytes::Bytes;
use serde::Deserialize;

use crate::openai::client::{Client, Deleted};
use crate::openai::{OpenAiError, Page};

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct File {
    /// `file-…`.
    pub id: String,
    /// Size in bytes; null for a moment after the upload.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Seconds since 1970.
    #[serde(default)]
    pub created_at: i64,
    /// Its name, without folders.
    #[serde(default)]
    pub filename: String,
    /// What it is for: `assistants` for retrieval.
    #[serde(default)]
    pub purpose: String,
}

/// What a file is made of.
#[derive(Debug, Clone)]
pub enum Body {
    /// A file of this machine, read as a stream.
    Path {
        /// Where it lies.
        path: PathBuf,
        /// How many bytes are sent; a file that has another length then is an error.
        bytes: u64,
    },
    /// Bytes in memory.
    Bytes(Bytes),
}

/// A file to upload.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The name it gets.
    pub filename: String,
    /// Its media type.
    pub mime_type: &'static str,
    /// Its content.
    pub body: Body,
}

impl Body {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Path { bytes, .. } => *bytes,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Client {
    /// Uploads a file for retrieval (purpose `assistants`): in one request, or in parts when it is large.
    pub async fn upload(&self, upload: &Upload) -> Result<File, OpenAiError> {
        self.post_file(upload).await
    }

    /// One file.
    pub async fn file(&self, file_id: &str) -> Result<File, OpenAiError> {
        self.get(&format!("/files/{file_id}"), &[]).await
    }

    /// One page of the files for retrieval, newest first.
    pub async fn files(&self, after: Option<&str>) -> Result<Page<File>, OpenAiError> {
        let mut query = vec![("purpose", "assistants"), ("limit", "10000"), ("order", "desc")];
        query.extend(after.map(|id| ("after", id)));
        self.get("/files", &query).await
    }

    /// Deletes a file. One that is not there counts as deleted.
    pub async fn delete_file(&self, file_id: &str) -> Result<(), OpenAiError> {
        self.delete(&format!("/files/{file_id}")).await.map(|_: Deleted| ())
    }
}
