//! Takes a secret in: from a person, unseen, or from a pipe.
//!
//! The terminal's echo is off only while somebody types, and comes back however the question ends. A thread of its own
//! reads: no signal could end a read of standard input, so an interrupted question leaves it behind.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::error::Failure;
use crate::exit::Exit;
use crate::secret::Secret;
use crate::ui::out::Out;

/// Longer values are not secrets of ours, but a file that was piped by mistake.
const MAX_BYTES: u64 = 64 * 1024;
const WHAT: &str = "read the value";

/// The value: typed twice on a terminal, else everything on standard input but one line break at its end.
pub async fn secret(out: &Out, name: &str, stop: &CancellationToken) -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return or_stopped(reading(piped), stop).await;
    }
    if !out.can_ask() {
        let why = "nobody can be asked here, and standard input is a terminal";
        return Err(Failure::new("input/no-value", Exit::Usage, WHAT, why).fix("give the value on standard input"));
    }
    let first = typed(&format!("Value of {name} (it is not shown): "), stop).await?;
    let again = typed("The same again: ", stop).await?;
    if first == again {
        return Ok(first);
    }
    Err(Failure::new("input/mismatch", Exit::Usage, WHAT, "the two values are not the same").fix("run it again"))
}

/// One line of a person who does not see it.
async fn typed(prompt: &str, stop: &CancellationToken) -> Result<Secret, Failure> {
    let quiet = echo::off().map_err(|error| unreadable(&error))?;
    let shown = write!(io::stderr().lock(), "{prompt}").and_then(|()| io::stderr().flush());
    shown.map_err(|error| unreadable(&error))?;
    let answer = or_stopped(reading(line), stop).await;
    drop(quiet);
    // The line break that was typed was not shown either.
    let _ = writeln!(io::stderr().lock());
    answer
}

/// Starts a read on a thread of its own.
fn reading(read: fn() -> io::Result<String>) -> oneshot::Receiver<io::Result<String>> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        // Whoever asked may have been interrupted.
        let _ = sender.send(read());
    });
    receiver
}

async fn or_stopped(
    reading: oneshot::Receiver<io::Result<String>>,
    stop: &CancellationToken,
) -> Result<Secret, Failure> {
    let interrupted = || Failure::new("input/interrupted", Exit::Interrupted, WHAT, "the question was interrupted");
    tokio::select! {
        read = reading => read.map_err(|_| interrupted())?.map(Secret::new).map_err(|error| unreadable(&error)),
        () = stop.cancelled() => Err(interrupted()),
    }
}

fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(MAX_BYTES + 1).read_line(&mut line)?;
    bounded(line)
}

fn piped() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().take(MAX_BYTES + 1).read_to_string(&mut text)?;
    bounded(text)
}

/// The text without one line break at its end.
fn bounded(mut text: String) -> io::Result<String> {
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 64 KiB"));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new("input/unreadable", Exit::Usage, WHAT, error.to_string()).fix("give it as UTF-8 text, in one line")
}

#[cfg(unix)]
mod echo {
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// The terminal without echo, until this is dropped.
    pub(super) struct Quiet(Termios);

    /// Turns the echo off. What was typed ahead is forgotten: it was meant for something else, and was seen.
    pub(super) fn off() -> io::Result<Quiet> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Quiet(before))
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            // A terminal that is gone needs no echo.
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
        }
    }
}

#[cfg(not(unix))]
mod echo {
    use std::io;

    /// Nothing to take back.
    pub(super) struct Quiet;

    /// A value that would be seen is not asked for.
    pub(super) fn off() -> io::Result<Quiet> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "it cannot be typed unseen on this system; give it through a pipe",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_goes() {
        let value = |text: &str| bounded(text.to_owned()).unwrap();
        assert_eq!([value("a\n"), value("a\r\n"), value("a"), value("")], ["a", "a", "a", ""]);
        assert_eq!([value("a\n\n"), value(" a "), value("a\r")], ["a\n", " a ", "a\r"]);
        assert!(bounded("x".repeat(65_537)).is_err());
    }
}
