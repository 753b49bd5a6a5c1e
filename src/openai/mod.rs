//! A thin, typed client of the OpenAI API: files, uploads, vector stores, answers.
//!
//! One method is one call, made as often as is safe. It decides nothing about documents or answers, prints nothing, and
//! keeps no state but the pace of its requests. The key goes into its header and nowhere else; no redirect is followed,
//! since it would carry the key elsewhere.

mod address;
mod answer;
mod call;
mod client;
pub mod conversation;
pub mod embedding;
mod error;
pub mod file;
mod lenient;
mod list;
pub mod model;
pub mod moderation;
pub mod organization;
mod pace;
mod page;
mod piece;
pub mod responses;
mod retry;
pub mod search;
mod stream;
#[cfg(test)]
mod tests;
mod transport;
mod upload;
pub mod vector_store;

pub use address::join;
pub use client::Client;
pub use error::{ErrorKind, FailedCall, OpenAiError};
pub use list::rows;
pub use pace::{Limit, Permit};
pub use page::Page;
pub use retry::Patience;
pub use stream::Pieces;
