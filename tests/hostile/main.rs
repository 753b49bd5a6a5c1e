//! Hostile documents: each costs itself, at most one worker and a few seconds, and the rest of the sync completes.
//!
//! This test has its own `main`, because the same binary also serves as the worker with hostile readers: see
//! [`parsers`]. Hostile files that go through the real program are rows of [`files`].
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "what each document came to, and how fast, belongs into the run's output")]

mod files;
mod formats;
mod office;
mod parsers;
mod pdf;
mod pool;
mod program;

use std::process::ExitCode;

use chatbotctl::docs::worker;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(worker::ARGUMENT) => worker::serve(parsers::parse).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Some(pool::PARENT) => pool::read_as_parent(),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    let mut trials = pool::trials();
    trials.extend(files::trials());
    trials
}
