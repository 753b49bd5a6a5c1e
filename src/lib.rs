//! chatbotctl as a library: everything but the process.
//!
//! Modules stand in reading order, lowest layer first. A module imports only from lower layers;
//! `tests/it/architecture.rs` holds the matrix and fails on any other import.

pub mod clock;
pub mod error;
pub mod event;
pub mod exit;
pub mod model;
pub mod secret;
pub mod text;

pub mod config;

pub mod chatkit;
pub mod docs;
pub mod index;
pub mod llm;
pub mod store;

pub mod answer;
pub mod ingest;
pub mod serve;

pub mod ui;

pub mod app;

pub mod cli;
pub mod cmd;
