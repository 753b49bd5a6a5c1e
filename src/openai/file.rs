//! Files: what was uploaded, by id. A file has a name, and no folder, hash or metadata of ours.

use std::path::PathBuf;

use bytes::Bytes;
use serde::Deserialize;

use crate::openai::address::segment;
use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::pace::Cost;
use crate::openai::piece::{Piece, Source};
use crate::openai::upload::{PART_BYTES, upload_in_parts};
use crate::openai::{ErrorKind, FailedCall, OpenAiError, Page, lenient};

/// The largest file that the service takes, and that can be searched: 512 MB (description of `POST /files`).
pub const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct File {
    /// `file-…`.
    pub id: String,
    /// Size in bytes; null for a moment after the upload.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub created_at: i64,
    /// Its name, without folders.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub filename: String,
    /// What it is for: `assistants` for retrieval.
    #[serde(default, deserialize_with = "lenient::or_default")]
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
    ///
    /// One above [`MAX_FILE_BYTES`] is refused before any request, and one that changes meanwhile is never sent as a
    /// whole: both are [`ErrorKind::Refused`]. When the answer to the last bytes is lost the error says
    /// `may_be_done`: look for the file by its name before uploading it again.
    pub async fn upload(&self, upload: &Upload) -> Result<File, OpenAiError> {
        let piece = Self::piece(upload).await?;
        if piece.len() > PART_BYTES {
            return upload_in_parts(self, piece, PART_BYTES).await;
        }
        self.send(&Call::post("/files").form(&[("purpose", "assistants")], "file", &piece).costs(Cost::Upload)).await
    }

    /// The same in parts of so many bytes (at most 64 MB) whatever its size, as suits a line that often breaks.
    pub async fn upload_by_parts(&self, upload: &Upload, part_bytes: u64) -> Result<File, OpenAiError> {
        upload_in_parts(self, Self::piece(upload).await?, part_bytes.clamp(1, PART_BYTES)).await
    }

    async fn piece(upload: &Upload) -> Result<Piece, OpenAiError> {
        let bytes = upload.body.len();
        let refused = |why: String| OpenAiError::from(FailedCall::new("POST /files", ErrorKind::Refused, why));
        if bytes > MAX_FILE_BYTES {
            return Err(refused(format!("it has {bytes} bytes, and the service takes {MAX_FILE_BYTES}")));
        }
        let source = Source::of(&upload.body).await.map_err(refused)?;
        Ok(Piece::whole(source, upload.filename.clone(), upload.mime_type))
    }

    /// One file.
    pub async fn file(&self, file_id: &str) -> Result<File, OpenAiError> {
        self.get(&format!("/files/{}", segment(file_id)), &[]).await
    }

    /// One page of the files for retrieval, newest first.
    pub async fn files(&self, after: Option<&str>) -> Result<Page<File>, OpenAiError> {
        let mut query = vec![("purpose", "assistants"), ("limit", "10000"), ("order", "desc")];
        query.extend(after.map(|id| ("after", id)));
        self.get("/files", &query).await
    }

    /// The content of a file, at most so many bytes. The service refuses it for some purposes, `assistants` among them.
    pub async fn file_content(&self, file_id: &str, max_bytes: usize) -> Result<Bytes, OpenAiError> {
        self.bytes(&Call::get(format!("/files/{}/content", segment(file_id))).at_most(max_bytes)).await
    }

    /// Deletes a file. One that is not there counts as deleted.
    pub async fn delete_file(&self, file_id: &str) -> Result<(), OpenAiError> {
        match self.delete(&format!("/files/{}", segment(file_id))).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}
