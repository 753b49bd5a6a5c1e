//! What answers take: tokens, searches, money.

use serde::{Deserialize, Serialize};

/// What one answer took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The model.
    pub model: String,
    /// Requests to the model, failed ones that were billed included.
    pub requests: u32,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens among them that were cached.
    pub cached_tokens: u64,
    /// Tokens written to the cache.
    pub cache_write_tokens: u64,
    /// Tokens written, those of thinking included.
    pub output_tokens: u64,
    /// Tokens among them of thinking.
    pub reasoning_tokens: u64,
    /// Hosted searches.
    pub searches: u32,
}
