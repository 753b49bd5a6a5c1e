//! Looks at a ChatKit server from outside: named cases of the protocol, each with a verdict and a reason.
//!
//! It knows the bot by its URL only and uses neither `serve` nor `chatkit`, so a verdict is as true for a foreign
//! server as for ours. It contacts the target and nothing else, follows no redirect, reads bounded answers, and
//! deletes the threads and attachments that it made. It must not print and must not read settings.

mod call;
mod case;
mod cases;
mod client;
mod expect;
mod jar;
mod lab;
mod record;
mod run;
mod shape;
mod sse;
mod target;
#[cfg(test)]
mod tests;
mod told;

pub use case::{Case, find};
pub use cases::all;
pub use client::ClientSettings;
pub use run::{Left, Plan, run};
pub use target::{Header, Target, parse_header};

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SmokeError {
    /// The address is none, or is of no use here.
    #[error("the address {0}")]
    Target(String),
    /// A header is none.
    #[error("a header {0}")]
    Header(String),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}
