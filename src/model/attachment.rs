//! Files that visitors attach to their messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A file that a visitor attached, or is about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// `atc_` and 128 random bits.
    pub id: String,
    /// The caller's name for it: a label, never a path.
    pub name: String,
    /// What the server found it to be, once it has the bytes; before, what the caller says.
    pub mime_type: String,
    /// Bytes; before the upload, what the caller says.
    pub size_bytes: u64,
    /// Whether a page may show it as a picture.
    pub kind: AttachmentKind,
    /// SHA-256 of the bytes in hexadecimal digits, under which they are kept; `None` before the upload.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The thread whose message has it; `None` while no message has.
    #[serde(default)]
    pub thread_id: Option<String>,
    /// When it was announced or uploaded.
    pub created_at: Timestamp,
}

/// Whether a page may show an attachment as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// It may not.
    File,
    /// It may.
    Image,
}

/// Attachments of one principal at the most.
pub const MAX_OF_PRINCIPAL: u32 = 1_000;

/// Bytes that attachments take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttachmentUsage {
    /// All of one principal's.
    pub of_principal: u64,
    /// Everybody's.
    pub in_all: u64,
}
