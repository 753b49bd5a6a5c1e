//! Makes a vector store of OpenAI equal to a folder: look, plan, apply, verify.
//!
//! The remote store is the truth about what is in it: path, hash and id of each document stand in its file's
//! attributes, so that any machine can go on. Nothing is kept here but what makes it faster.

pub mod account;
pub mod cost;
pub mod name;
pub mod prepare;
pub mod prune;
