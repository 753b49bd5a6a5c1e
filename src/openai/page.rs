//! Lists come in pages.

use serde::Deserialize;

use crate::openai::lenient;

/// One page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether more follow.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub has_more: bool,
}
