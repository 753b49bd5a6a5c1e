//! The server over a real connection, with a scripted model and a real store.

mod answers;
mod beside;
pub mod bot;
mod documents;
mod edges;
mod hidden;
mod lists;
mod ownership;
mod reference;
mod replies;
mod scenarios;
mod transcripts;
