//! What is attached to files of the store, looked up where the service does not tell what it found.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::openai::vector_store::Attributes;
use crate::openai::{Client, ErrorKind, OpenAiError};

/// Files that are remembered; then the memory begins anew.
const MAX_FILES: usize = 10_000;
/// So long they are believed: a sync may restrict a file meanwhile.
const MAX_AGE: Duration = Duration::from_mins(1);

/// The attributes of files that were looked up.
#[derive(Default)]
pub(super) struct Names(Mutex<HashMap<String, (Instant, Attributes)>>);

impl Names {
    /// Those of one file; none when the store does not have it.
    pub(super) async fn of(
        &self,
        client: &Client,
        store_id: &str,
        file_id: &str,
    ) -> Result<Option<Attributes>, OpenAiError> {
        // An id becomes part of a path.
        if !file_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Ok(None);
        }
        if let Some((_, known)) = self.lock().get(file_id).filter(|(at, _)| at.elapsed() < MAX_AGE) {
            return Ok(Some(known.clone()));
        }
        let attributes = match client.store_file(store_id, file_id).await {
            Ok(file) => file.attributes.unwrap_or_default(),
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut known = self.lock();
        if known.len() >= MAX_FILES {
            known.clear();
        }
        known.insert(file_id.to_owned(), (Instant::now(), attributes.clone()));
        Ok(Some(attributes))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Attributes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
