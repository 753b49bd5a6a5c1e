//! The server over a real connection, with a scripted model and a real store.

mod answers;
pub mod bot;
mod documents;
mod edges;
mod failures;
mod hangups;
mod ownership;
mod positions;
mod reference;
mod transcripts;
mod turns;
