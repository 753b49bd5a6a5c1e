//! Looks at a folder of documents and says what is wrong with it: no index is needed, nothing is changed.
//!
//! [`look()`] reads; [`finding`] knows keys and personal data; [`rule`] is the table of rules; [`inventory`] counts.
//! A value that a finding is about never leaves this module: what does is masked.

pub mod allow;
pub mod error;
pub mod facts;
pub mod finding;
pub mod gate;
pub mod inventory;
pub mod line;
mod long_text;
pub mod look;
pub mod near;
pub mod rule;
pub mod sensitive;

pub use crate::lint::error::LintError;
pub use crate::lint::look::{LookContext, look};
