//! A stand-in for the OpenAI API: strict about what it is sent, with state, and able to misbehave on command.
//!
//! Programs that keep documents in vector stores and ask the Responses API are tested against it, in the same
//! process ([`StandIn::start`]) or beside it (`cargo run -p openai-stand-in -- --help`). It refuses what the
//! service's description refuses (unknown fields, wrong types, values out of range, too many of anything), keeps
//! files, uploads, vector stores, batches, conversations and answers, searches them in a simple but real way, and
//! enforces the documented rates when told to ([`Rules`]). [`Fault`]s make it misbehave: on a call, on the nth call,
//! on some of the calls drawn from a seed, or as a state such as a file that never leaves `in_progress`. What an answer says
//! can be scripted ([`ScriptedAnswer`]). Every request is kept in a log without its credentials.
//!
//! The server has a thread and a runtime of its own, so a test may block while it waits for a program.
//! It listens on the loopback address only, knows no key but its own two, and calls nobody.

mod api;
mod fault;
mod log;
mod rules;
mod script;
mod server;
mod snapshot;
mod world;

pub use fault::{Act, ErrorBody, Fault, Hint, Matcher};
pub use log::Call;
pub use rules::Rules;
pub use script::{Cited, Ending, IndexMeaning, ScriptedAnswer, ScriptedCitation, ScriptedPart};
pub use server::StandIn;
pub use snapshot::{FileState, Snapshot, StoreFileState, StoreState};
