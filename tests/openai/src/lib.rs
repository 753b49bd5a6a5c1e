//! A stand-in for the OpenAI API: strict about what it is sent, with state, and able to misbehave on command.
//!
//! Programs that keep documents in vector stores and ask the Responses API are tested against it, in the same
//! process ([`StandIn::start`]) or beside it (`cargo run -p openai-stand-in -- --help`). It refuses what the
//! service's description refuses (unknown fields, wrong types, values out of range, too many of anything), keeps
//! files, uploads, vector stores, batches, conversations and answers, searches them in a simple but real way, and
//! enforces the documented rates when told to ([`Rules`]). [`Fault`]s make it misbehave: on a call, on the nth call,
//! on some of the calls drawn from a seed, or as a state such as a file that never leaves `in_progress`. What an
//! answer says can be scripted ([`ScriptedAnswer`]). Every request is kept in a log without its credentials.
//!
//! ```
//! use openai_stand_in::{Act, Fault, Rules, ScriptedAnswer, StandIn};
//!
//! let openai = StandIn::launch(Rules::default(), 0); // in asynchronous tests: StandIn::start().await
//! openai.fail(Fault::on("POST", "/files", Act::LostAnswer).nth(2));
//! openai.script_answer(ScriptedAnswer::text("Thirty days."));
//! // … run the program against openai.base_url() with openai.key() …
//! assert!(openai.writes().is_empty() && openai.state().orphans().is_empty());
//! ```
//!
//! Where the description and reports from the world disagree it follows the reports, and it says `null` where a field
//! is only optional (`first_id` and `last_id` of an empty page, `expires_after` of a store, `usage` in the first events
//! of a stream), since clients must bear both. What neither says was chosen to be strict: attaching a file again
//! starts its ingestion anew in the same entry, a batch all of whose files fail is `failed`, a file that was detached
//! counts as `cancelled` in its batch, and a cursor must name an entry that is still listed.
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
