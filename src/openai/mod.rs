//! A thin, typed client of the OpenAI API: files, uploads, vector stores, answers.
//!
//! One method is one call. It decides nothing about documents or answers, prints nothing, and keeps no state but the
//! pace of its requests. The key goes into its header and nowhere else; no redirect is followed, since it would carry
//! the key elsewhere.

mod client;
mod error;
pub mod file;
pub mod model;
pub mod moderation;
mod page;
pub mod responses;
pub mod search;
pub mod vector_store;

pub use client::Client;
pub use error::{ErrorKind, FailedCall, OpenAiError};
pub use page::Page;
