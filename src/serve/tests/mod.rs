//! The server over a real connection, with a scripted model and a real store.

mod answers;
mod attachments;
mod beside;
pub mod bot;
mod documents;
mod edges;
mod failures;
mod hangups;
mod hidden;
mod lists;
mod load;
mod openapi;
mod ops;
mod ownership;
mod positions;
mod reference;
mod replies;
mod scenarios;
mod script;
mod test_index;
mod transcripts;
mod turns;
mod usage;
