//! What the stand-in holds, copied for assertions.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// Everything kept at one moment. Deleted things are not in it, even while listings still show them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// The files, oldest first.
    pub files: Vec<FileState>,
    /// The vector stores, oldest first.
    pub stores: Vec<StoreState>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileState {
    /// Its id.
    pub id: String,
    /// The name it was sent with.
    pub filename: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its contents, in lower-case hexadecimal.
    pub sha256: String,
    /// What it was uploaded for.
    pub purpose: String,
    /// Unix seconds.
    pub created_at: u64,
}

/// A vector store with its files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreState {
    /// Its id.
    pub id: String,
    /// Its name, possibly empty.
    pub name: String,
    /// `completed`, `in_progress` or `expired`.
    pub status: String,
    /// Its metadata.
    pub metadata: Map<String, Value>,
    /// Its files in the order they were attached.
    pub files: Vec<StoreFileState>,
}

/// A file of a vector store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreFileState {
    /// The id of the file.
    pub id: String,
    /// `in_progress`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// What was attached with it.
    pub attributes: Map<String, Value>,
    /// Code and message of a failure.
    pub last_error: Option<(String, String)>,
}

impl Snapshot {
    /// The store with this id.
    pub fn store(&self, id: &str) -> Option<&StoreState> {
        self.stores.iter().find(|store| store.id == id)
    }

    /// The file with this id.
    pub fn file(&self, id: &str) -> Option<&FileState> {
        self.files.iter().find(|file| file.id == id)
    }

    /// The `completed` files of a store: the value of the attribute `path`, and SHA-256 of the contents. Two files
    /// with one path show as one here; compare its length with that of [`StoreState::files`].
    pub fn documents(&self, store_id: &str) -> BTreeMap<String, String> {
        let files = self.store(store_id).map(|store| store.files.as_slice()).unwrap_or_default();
        let completed = files.iter().filter(|entry| entry.status == "completed");
        completed
            .filter_map(|entry| {
                let path = entry.attributes.get("path")?.as_str()?;
                Some((path.to_owned(), self.file(&entry.id)?.sha256.clone()))
            })
            .collect()
    }

    /// The ids of files that are in no store.
    pub fn orphans(&self) -> Vec<&str> {
        let attached = |id: &str| self.stores.iter().any(|store| store.files.iter().any(|entry| entry.id == id));
        self.files.iter().map(|file| file.id.as_str()).filter(|id| !attached(id)).collect()
    }
}
