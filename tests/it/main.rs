//! Tests through the real program and its real server: one binary, one file an area.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "what was measured, and what did not run, belongs into the run's output")]

mod architecture;
#[cfg(unix)]
mod attachments;
mod bot;
mod browser;
mod chat;
mod conformance;
mod crash;
mod docs;
mod durability;
mod embeddings;
mod fire;
mod golden;
mod help;
mod hosted;
#[cfg(unix)]
mod import;
mod init;
mod lint;
mod logs;
mod openai_answers;
mod openai_visitors;
mod ops;
mod page;
mod page_events;
mod page_files;
mod places;
mod prism;
mod readme;
mod retrieval;
mod roles;
mod sandbox;
#[cfg(unix)]
mod secret;
mod secrets;
mod serve;
mod settings;
mod supply;
mod sync;
mod threats;
mod usage;
#[cfg(unix)]
mod vector_store;
#[cfg(unix)]
mod verify;
