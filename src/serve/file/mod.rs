//! A document's file as an answer: which file, how a browser may take it, and which part of it.
//!
//! No part of a request becomes a path, and no answer is longer than the file.

pub mod conditional;
pub mod opened;
mod range;
pub mod treatment;
