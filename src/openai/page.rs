//! Lists come in pages.

use serde::Deserialize;

/// One page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether more follow.
    #[serde(default)]
    pub has_more: bool,
    /// The id to go on after; required by the specification, and null on empty pages.
    #[serde(default)]
    pub last_id: Option<String>,
}
