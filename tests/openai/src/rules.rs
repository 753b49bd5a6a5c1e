//! What the stand-in enforces and how long it takes. Plain data; nothing here acts.

use std::time::Duration;

/// Limits, delays and habits of one stand-in. The default answers at once, with the documented limits of size and
/// without limits of rate.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Waited before each answer.
    pub latency: Duration,
    /// From the attachment of a file until it leaves `in_progress`. Zero means: the first poll still says
    /// `in_progress`, the next one does not.
    pub ingestion: Duration,
    /// How long a deleted or detached file stays in listings.
    pub delete_lag: Duration,
    /// Pause between two events of a stream.
    pub event_gap: Duration,
    /// Whether contents are kept. Without them only size and hash are, so a file of any size passes in constant
    /// memory; such a file cannot be searched.
    pub keep_bytes: bool,
    /// Uploads a minute (documented: 1,000).
    pub uploads_per_minute: Option<u32>,
    /// Attachments and batches a minute for each store (documented: 300).
    pub store_writes_per_minute: Option<u32>,
    /// Files attached a minute, over all stores (documented: 2,000).
    pub attached_per_minute: Option<u32>,
    /// Whether answers to limited calls carry `x-ratelimit-…` headers.
    pub rate_headers: bool,
    /// Largest file in bytes (documented: 512 MB).
    pub max_file_bytes: u64,
    /// Largest part of an upload in bytes (documented: 64 MB).
    pub max_part_bytes: u64,
    /// Whether attaching one file of an unsupported kind is refused with 400, instead of ending `failed`. Inside a
    /// batch it always ends `failed`.
    pub refuse_unsupported_on_attach: bool,
    /// What a model reads at most, in tokens of about four characters.
    pub context_tokens: u64,
    /// Models that have been switched off: they answer `model_not_found`.
    pub ended_models: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            ingestion: Duration::ZERO,
            delete_lag: Duration::ZERO,
            event_gap: Duration::ZERO,
            keep_bytes: true,
            uploads_per_minute: None,
            store_writes_per_minute: None,
            attached_per_minute: None,
            rate_headers: false,
            max_file_bytes: 512 * 1024 * 1024,
            max_part_bytes: 64 * 1024 * 1024,
            refuse_unsupported_on_attach: false,
            context_tokens: 400_000,
            ended_models: Vec::new(),
        }
    }
}

impl Rules {
    /// The default with the documented rates: 1,000 uploads, 300 writes a store, 2,000 attachments a minute.
    #[must_use]
    pub fn with_documented_rates() -> Self {
        Self {
            uploads_per_minute: Some(1_000),
            store_writes_per_minute: Some(300),
            attached_per_minute: Some(2_000),
            rate_headers: true,
            ..Self::default()
        }
    }
}
