//! The server over a real connection, with a scripted model and a real store.

mod answers;
mod attachments;
pub mod bot;
mod documents;
mod edges;
mod ownership;
mod reference;
mod transcripts;
