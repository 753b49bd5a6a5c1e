//! The process: hands arguments, environment and working directory to the library, once.

use std::path::PathBuf;
use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "this is the one snapshot of the environment")]
fn main() -> ExitCode {
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    chatbotctl::run(std::env::args_os().collect(), std::env::vars_os().collect(), folder)
}
