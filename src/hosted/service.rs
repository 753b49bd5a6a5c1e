//! The calls that a sync makes to its one store: counted, and no more at once than the service bears.
//!
//! The client repeats what can be repeated. An upload, an attachment and a batch cannot: whoever makes one looks first
//! whether it was done.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;

use crate::openai::file::{File, Upload};
use crate::openai::vector_store::{Attachment, Attributes, Batch, FileStatus, StoreChange, StoreFile, VectorStore};
use crate::openai::{Client, ErrorKind, OpenAiError, rows};

/// Nobody waits longer than this for another attempt, whatever the service asks for.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The store of a sync, behind its client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    client: Client,
    store_id: Arc<str>,
    requests: Arc<AtomicU64>,
    first_wait: Duration,
}

impl Service {
    /// The calls to one store. `first_wait` is how long is waited before something is done again that was looked for and
    /// not found; it doubles after that.
    pub fn new(client: Client, store_id: &str, first_wait: Duration) -> Self {
        Self { client, store_id: store_id.into(), requests: Arc::default(), first_wait }
    }

    /// The store's id.
    pub fn store_id(&self) -> &str {
        &self.store_id
    }

    /// How many calls were made; those that the client repeats by itself count once.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The store.
    pub async fn store(&self) -> Result<VectorStore, OpenAiError> {
        self.counted(self.client.store(&self.store_id)).await
    }

    /// Replaces the store's own pairs.
    pub async fn set_metadata(&self, metadata: BTreeMap<String, String>) -> Result<(), OpenAiError> {
        let change = StoreChange { metadata: Some(metadata), ..StoreChange::default() };
        self.counted(self.client.update_store(&self.store_id, &change)).await.map(drop)
    }

    /// Gives every file of the account to `take`, newest first, until it says that it has enough.
    pub async fn each_account_file(&self, mut take: impl FnMut(File) -> Enough) -> Result<(), OpenAiError> {
        let mut files = pin!(rows("GET /files", |after: Option<String>| async move {
            self.counted(self.client.files(after.as_deref())).await
        }));
        while let Some(file) = files.try_next().await? {
            if take(file) == Enough::Yes {
                break;
            }
        }
        Ok(())
    }

    /// Gives every file of the store to `take`, or those in one state.
    pub async fn each_store_file(
        &self,
        only: Option<FileStatus>,
        mut take: impl FnMut(StoreFile),
    ) -> Result<(), OpenAiError> {
        let mut files = pin!(rows("GET /vector_stores/{id}/files", |after: Option<String>| async move {
            self.counted(self.client.store_files(&self.store_id, after.as_deref(), only)).await
        }));
        while let Some(file) = files.try_next().await? {
            take(file);
        }
        Ok(())
    }

    /// The files of a batch that are in this state.
    pub async fn batch_files(&self, batch_id: &str, only: FileStatus) -> Result<Vec<StoreFile>, OpenAiError> {
        let files = rows("GET /vector_stores/{id}/file_batches/{id}/files", |after: Option<String>| async move {
            self.counted(self.client.batch_files(&self.store_id, batch_id, after.as_deref(), Some(only))).await
        });
        files.try_collect().await
    }

    /// One file of the account; none when there is no such.
    pub async fn file(&self, file_id: &str) -> Result<Option<File>, OpenAiError> {
        present(self.counted(self.client.file(file_id)).await)
    }

    /// One file of the store; none when there is no such.
    pub async fn store_file(&self, file_id: &str) -> Result<Option<StoreFile>, OpenAiError> {
        present(self.counted(self.client.store_file(&self.store_id, file_id)).await)
    }

    /// Uploads a file.
    pub async fn upload(&self, upload: &Upload) -> Result<File, OpenAiError> {
        self.in_turn(self.client.upload(upload)).await
    }

    /// Attaches a file.
    pub async fn attach(&self, attachment: &Attachment) -> Result<StoreFile, OpenAiError> {
        self.counted(self.client.attach(&self.store_id, attachment)).await
    }

    /// Attaches files together.
    pub async fn create_batch(&self, files: &[Attachment]) -> Result<Batch, OpenAiError> {
        self.counted(self.client.create_batch(&self.store_id, files)).await
    }

    /// Where a batch stands; none when the service does not know it.
    pub async fn batch(&self, batch_id: &str) -> Result<Option<Batch>, OpenAiError> {
        present(self.counted(self.client.batch(&self.store_id, batch_id)).await)
    }

    /// Replaces the attributes of a file; says whether the store has it.
    pub async fn set_attributes(&self, file_id: &str, attributes: &Attributes) -> Result<bool, OpenAiError> {
        let set = self.in_turn(self.client.set_attributes(&self.store_id, file_id, attributes)).await;
        Ok(present(set)?.is_some())
    }

    /// Takes a file out of the store; one that is not there counts as taken out.
    pub async fn detach(&self, file_id: &str) -> Result<(), OpenAiError> {
        present(self.in_turn(self.client.detach(&self.store_id, file_id)).await).map(drop)
    }

    /// Deletes a file of the account; one that is not there counts as deleted.
    pub async fn delete(&self, file_id: &str) -> Result<(), OpenAiError> {
        present(self.in_turn(self.client.delete_file(file_id)).await).map(drop)
    }

    /// How long to wait before another attempt after so many that failed.
    pub fn wait_after(&self, attempts: u32, error: &OpenAiError) -> Duration {
        let own = self.first_wait.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        error.retry_after.unwrap_or(own).min(MAX_WAIT)
    }

    async fn counted<T>(&self, call: impl Future<Output = Result<T, OpenAiError>>) -> Result<T, OpenAiError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        call.await
    }

    /// One call of many, among as many at once as the service bears.
    async fn in_turn<T>(&self, call: impl Future<Output = Result<T, OpenAiError>>) -> Result<T, OpenAiError> {
        let _permit = self.client.permit().await;
        self.counted(call).await
    }
}

/// Whether whoever looks through a list has found what it looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// It has.
    Yes,
    /// It has not.
    No,
}

fn present<T>(outcome: Result<T, OpenAiError>) -> Result<Option<T>, OpenAiError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
