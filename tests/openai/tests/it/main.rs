//! The stand-in from outside: what it refuses, what it keeps, how it misbehaves. Over plain sockets, so that no client
//! hides what really came.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod documents;
mod faults;
mod limits;
mod refusals;
mod streams;
