//! Makes a vector store of OpenAI equal to a folder: look, plan, apply, verify.
//!
//! The remote store is the truth about what is in it: path, hash and id of each document stand in its file's
//! attributes, so that any machine can go on. Nothing is kept here but what makes it faster.

pub mod adopt;
pub mod apply;
pub mod cost;
pub mod error;
pub mod estimate;
pub mod folder;
pub mod hashes;
pub mod lease;
pub mod name;
pub mod plan;
pub mod prepare;
pub mod prune;
pub mod render;
pub mod service;
pub mod state;
pub mod sync;
#[cfg(test)]
mod tests;
pub mod verify;

pub use crate::hosted::error::HostedError;
pub use crate::hosted::plan::{Plan, plan};
pub use crate::hosted::service::Service;
pub use crate::hosted::state::Remote;
pub use crate::hosted::sync::{Gate, Look, Options, SyncContext, SyncReport, Timing, look, sync, sync_into};
