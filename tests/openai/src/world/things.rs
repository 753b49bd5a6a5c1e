//! What is kept, as plain data.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::world::{Ingestion, Ordered};

/// The contents of something, or what is known of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// Whether the bytes are text in UTF-8, or begin as UTF-16 does.
    pub(crate) is_text: bool,
    pub(crate) content: Option<Arc<[u8]>>,
}

/// A file of `/files`.
#[derive(Debug)]
pub(crate) struct StoredFile {
    pub(crate) filename: String,
    pub(crate) purpose: String,
    pub(crate) created_at: u64,
    pub(crate) expires_at: Option<u64>,
    pub(crate) kept: Kept,
    /// Deleted, and out of the listings from then on.
    pub(crate) gone: Option<Duration>,
}

/// A big file on its way.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) filename: String,
    pub(crate) purpose: String,
    pub(crate) bytes: u64,
    pub(crate) created_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) file_lives: Option<u64>,
    pub(crate) status: &'static str,
    pub(crate) parts: Ordered<UploadPart>,
    pub(crate) file_id: Option<String>,
}

/// A part of it.
#[derive(Debug)]
pub(crate) struct UploadPart {
    pub(crate) bytes: u64,
    pub(crate) content: PartBytes,
}

/// Where the bytes of a part are.
#[derive(Debug)]
pub(crate) enum PartBytes {
    Memory(Vec<u8>),
    /// On the disk, in a file without a name, where contents are not to be kept.
    Spilled(File),
}

/// A vector store.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) created_at: u64,
    pub(crate) last_active_at: u64,
    pub(crate) expires_after_days: Option<u64>,
    pub(crate) files: Ordered<Attached>,
    pub(crate) gone: Option<Duration>,
}

/// A file of a vector store.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) filename: String,
    pub(crate) created_at: u64,
    pub(crate) attributes: Map<String, Value>,
    /// The strategy as answers show it.
    pub(crate) chunking: Value,
    pub(crate) ingestion: Ingestion,
    pub(crate) bytes: u64,
    /// Detached, and out of the listings from then on.
    pub(crate) gone: Option<Duration>,
}

/// Files attached together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) store_id: String,
    pub(crate) created_at: u64,
    pub(crate) files: Vec<String>,
    pub(crate) cancelled: bool,
}

/// An answer that was stored.
#[derive(Debug)]
pub(crate) struct KeptAnswer {
    pub(crate) answer: Value,
}

/// A conversation with its items.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) created_at: u64,
    pub(crate) metadata: Value,
    pub(crate) items: Ordered<Value>,
}

/// What one call cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spent {
    pub(crate) at: u64,
    pub(crate) model: String,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) embedded_tokens: u64,
    /// The stores searched, one entry a search.
    pub(crate) searched: Vec<String>,
}

impl StoredFile {
    /// Whether it exists for every call but listings.
    pub(crate) fn is_here(&self) -> bool {
        self.gone.is_none()
    }
}

impl Store {
    pub(crate) fn expires_at(&self) -> Option<u64> {
        self.expires_after_days.map(|days| self.last_active_at + days * 86_400)
    }

    /// The attached file, unless it was detached.
    pub(crate) fn attached(&self, file_id: &str) -> Option<&Attached> {
        self.files.get(file_id).filter(|entry| entry.gone.is_none())
    }

    /// Does what time has brought; says whether time may bring more.
    pub(crate) fn settle(&mut self, now: Duration) -> bool {
        self.files.retain(|entry| entry.gone.is_none_or(|until| until > now));
        let mut more = false;
        for (_, entry) in self.files.iter_mut() {
            more |= entry.ingestion.settle(now) || entry.gone.is_some();
        }
        more
    }
}
