//! The calls that a sync makes to its one store: counted, and repeated where repeating is safe.
//!
//! What reads, and what ends the same however often it is done (attributes, detaching, deleting), is tried again after
//! a passing failure. An upload, an attachment and a batch are not: whoever makes one looks first whether it was done.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::openai::file::{File, Upload};
use crate::openai::vector_store::{Attachment, Attributes, Batch, FileStatus, StoreChange, StoreFile, VectorStore};
use crate::openai::{Client, ErrorKind, FailedCall, OpenAiError, Page};

/// How often a call is made at the most.
const ATTEMPTS: u32 = 3;
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
    /// The calls to one store. `first_wait` is how long is waited before the second attempt; it doubles after that.
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
        self.steadily(|| self.client.store(&self.store_id)).await
    }

    /// Replaces the store's own pairs.
    pub async fn set_metadata(&self, metadata: BTreeMap<String, String>) -> Result<(), OpenAiError> {
        let change = StoreChange { metadata: Some(metadata), ..StoreChange::default() };
        self.steadily(|| self.client.update_store(&self.store_id, &change)).await.map(drop)
    }

    /// Gives every file of the account to `take`, newest first, until it says that it has enough.
    pub async fn each_account_file(&self, mut take: impl FnMut(File) -> Enough) -> Result<(), OpenAiError> {
        let mut pages = Pages::new("GET /files");
        while pages.has_more {
            let page = self.steadily(|| self.client.files(pages.after.as_deref())).await?;
            for file in pages.turn(page, |file| &file.id)? {
                if take(file) == Enough::Yes {
                    return Ok(());
                }
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
        let mut pages = Pages::new("GET /vector_stores/{id}/files");
        while pages.has_more {
            let after = pages.after.as_deref();
            let page = self.steadily(|| self.client.store_files(&self.store_id, after, only)).await?;
            pages.turn(page, |file| &file.id)?.into_iter().for_each(&mut take);
        }
        Ok(())
    }

    /// The files of a batch that are in this state.
    pub async fn batch_files(&self, batch_id: &str, only: FileStatus) -> Result<Vec<StoreFile>, OpenAiError> {
        let mut pages = Pages::new("GET /vector_stores/{id}/file_batches/{id}/files");
        let mut files = Vec::new();
        while pages.has_more {
            let after = pages.after.as_deref();
            let page = self.steadily(|| self.client.batch_files(&self.store_id, batch_id, after, Some(only))).await?;
            files.extend(pages.turn(page, |file| &file.id)?);
        }
        Ok(files)
    }

    /// One file of the account; none when there is no such.
    pub async fn file(&self, file_id: &str) -> Result<Option<File>, OpenAiError> {
        present(self.steadily(|| self.client.file(file_id)).await)
    }

    /// One file of the store; none when there is no such.
    pub async fn store_file(&self, file_id: &str) -> Result<Option<StoreFile>, OpenAiError> {
        present(self.steadily(|| self.client.store_file(&self.store_id, file_id)).await)
    }

    /// Uploads a file, once.
    pub async fn upload(&self, upload: &Upload) -> Result<File, OpenAiError> {
        self.count();
        self.client.upload(upload).await
    }

    /// Attaches a file, once.
    pub async fn attach(&self, attachment: &Attachment) -> Result<StoreFile, OpenAiError> {
        self.count();
        self.client.attach(&self.store_id, attachment).await
    }

    /// Attaches files together, once.
    pub async fn create_batch(&self, files: &[Attachment]) -> Result<Batch, OpenAiError> {
        self.count();
        self.client.create_batch(&self.store_id, files).await
    }

    /// Where a batch stands; none when the service does not know it.
    pub async fn batch(&self, batch_id: &str) -> Result<Option<Batch>, OpenAiError> {
        present(self.steadily(|| self.client.batch(&self.store_id, batch_id)).await)
    }

    /// Replaces the attributes of a file; says whether the store has it.
    pub async fn set_attributes(&self, file_id: &str, attributes: &Attributes) -> Result<bool, OpenAiError> {
        let set = self.steadily(|| self.client.set_attributes(&self.store_id, file_id, attributes)).await;
        Ok(present(set)?.is_some())
    }

    /// Takes a file out of the store; one that is not there counts as taken out.
    pub async fn detach(&self, file_id: &str) -> Result<(), OpenAiError> {
        present(self.steadily(|| self.client.detach(&self.store_id, file_id)).await).map(drop)
    }

    /// Deletes a file of the account; one that is not there counts as deleted.
    pub async fn delete(&self, file_id: &str) -> Result<(), OpenAiError> {
        present(self.steadily(|| self.client.delete_file(file_id)).await).map(drop)
    }

    /// How long to wait before another attempt after so many that failed.
    pub fn wait_after(&self, attempts: u32, error: &OpenAiError) -> Duration {
        let own = self.first_wait.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        error.retry_after.unwrap_or(own).min(MAX_WAIT)
    }

    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    async fn steadily<T, F>(&self, call: impl Fn() -> F) -> Result<T, OpenAiError>
    where
        F: Future<Output = Result<T, OpenAiError>>,
    {
        let mut attempts = 0;
        loop {
            self.count();
            attempts += 1;
            match call().await {
                Err(error) if error.is_temporary() && attempts < ATTEMPTS => {
                    tokio::time::sleep(self.wait_after(attempts, &error)).await;
                }
                outcome => return outcome,
            }
        }
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

/// The way through a list. A row is given once, also when it is on two pages; a list that does not go on is an error
/// and no endless loop.
struct Pages {
    call: &'static str,
    after: Option<String>,
    has_more: bool,
    seen: HashSet<String>,
}

impl Pages {
    fn new(call: &'static str) -> Self {
        Self { call, after: None, has_more: true, seen: HashSet::new() }
    }

    fn turn<T>(&mut self, page: Page<T>, id: impl Fn(&T) -> &String) -> Result<Vec<T>, OpenAiError> {
        let last = page.data.last().map(|row| id(row).clone()).or(page.last_id);
        self.has_more = page.has_more;
        let rows: Vec<T> = page.data.into_iter().filter(|row| self.seen.insert(id(row).clone())).collect();
        if self.has_more && (rows.is_empty() || last == self.after) {
            let why = "the list says that there is more, and does not go on";
            return Err(FailedCall::new(self.call, ErrorKind::Broken, why).into());
        }
        self.after = last;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], has_more: bool) -> Page<String> {
        Page { data: ids.iter().map(|id| (*id).to_owned()).collect(), has_more, last_id: None }
    }

    #[test]
    fn shifting_pages_give_each_row_once_and_never_loop() {
        let mut pages = Pages::new("GET /x");
        assert_eq!(pages.turn(page(&["a", "b"], true), |id| id).unwrap(), ["a", "b"]);
        assert_eq!(pages.after.as_deref(), Some("b"));
        assert_eq!(pages.turn(page(&["b", "c"], true), |id| id).unwrap(), ["c"]);
        assert!(pages.turn(page(&["b", "c"], true), |id| id).is_err());
        assert!(Pages::new("GET /x").turn(page(&[], true), |id| id).is_err());
    }
}
