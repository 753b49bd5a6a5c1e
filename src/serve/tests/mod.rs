//! The server over a real connection, with a scripted model and a real store.

mod answers;
pub mod bot;
mod documents;
mod edges;
mod openapi;
mod ops;
mod ownership;
mod reference;
mod transcripts;
