//! Reads documents in other processes, which may break.
//!
//! A parser of PDF or office files is large, and what it reads comes from strangers. So each document is read by a
//! *worker*: a process of this same program with limits on memory, time, output and open files, that can open no file,
//! reach no network and start no process. A document that breaks its worker costs that worker and becomes a named
//! problem; everything else goes on.
//!
//! The parent side ([`Pool`], a [`crate::docs::reader::Reader`]) opens the file, streams it in and bounds what comes
//! back: it trusts no word of a worker. The worker's side ([`serve`]) knows no settings, no runtime and no file system.
//! Neither side parses anything else than frames (see [`protocol`]).

mod child;
mod limits;
mod pool;
mod process;
pub mod protocol;
mod sandbox;
mod verdict;

pub use child::{Parse, serve};
pub use limits::{Limits, MEMORY_BYTES};
pub use pool::{Pool, PoolSettings, Warn};
pub use process::own_program;

/// The first argument that makes this program a worker. It stands in no help: a person has no use for it.
pub const ARGUMENT: &str = "read-documents";
