//! From the way a worker ended to the problem of the document it was reading.

use std::process::ExitStatus;

use crate::docs::format::FormatError;
use crate::docs::worker::limits::MEMORY_BYTES;
use crate::docs::worker::protocol::MAX_REPLY_BYTES;

const MB: u64 = 1024 * 1024;

/// What to do with a document that no reader survives.
const ADVICE: &str = "save it anew with another program, or leave it out";

/// Reading it takes more memory than a worker has.
pub fn out_of_memory() -> FormatError {
    FormatError::TooMuch(format!("reading it needs more than {} MB of memory", MEMORY_BYTES / MB))
}

/// More came of it than of any document.
pub fn too_much_output() -> FormatError {
    FormatError::TooMuch(format!("what it holds takes more than {} MB", u64::from(MAX_REPLY_BYTES) / MB))
}

/// The worker said something that no worker says.
pub fn rubbish() -> FormatError {
    FormatError::Crashed(format!("it answered out of turn; {ADVICE}"))
}

/// The worker ended. `said` is what it wrote to standard error, which names what the runtime of Rust noticed.
pub fn ended(status: ExitStatus, said: &str, cpu_s: u64) -> FormatError {
    if said.contains("memory allocation of ") {
        return out_of_memory();
    }
    if said.contains("overflowed its stack") {
        return FormatError::Crashed(format!("its parts are nested too deep; {ADVICE}"));
    }
    by_status(status, cpu_s)
}

#[cfg(unix)]
fn by_status(status: ExitStatus, cpu_s: u64) -> FormatError {
    use std::os::unix::process::ExitStatusExt as _;

    use rustix::process::Signal;

    let Some(signal) = status.signal() else {
        return FormatError::Crashed(format!("it ended with {status}; {ADVICE}"));
    };
    match Signal::from_named_raw(signal) {
        Some(Signal::XCPU) => FormatError::TimedOut(cpu_s),
        Some(Signal::SYS) => FormatError::Crashed(
            "it was made to reach out of its sandbox and was stopped; leave the file out".to_owned(),
        ),
        Some(Signal::KILL) => {
            FormatError::Killed("the system killed it; free some memory and run the command again".to_owned())
        }
        // No reader sends itself one of these: a person did, or what supervises this program.
        Some(Signal::TERM | Signal::HUP | Signal::INT | Signal::QUIT) => {
            FormatError::Killed(format!("it ended by {status}; run the command again"))
        }
        _ => FormatError::Crashed(format!("it ended by {status}; {ADVICE}")),
    }
}

#[cfg(not(unix))]
fn by_status(status: ExitStatus, _cpu_s: u64) -> FormatError {
    FormatError::Crashed(format!("it ended with {status}; {ADVICE}"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn what_came_from_outside_is_passing() {
        for (signal, is_passing) in [(9, true), (15, true), (24, false), (11, false), (6, false), (31, false)] {
            assert_eq!(ended(ExitStatus::from_raw(signal), "", 10).is_passing(), is_passing, "{signal}");
        }
        assert!(!out_of_memory().is_passing());
    }

    #[test]
    fn each_end_has_its_code() {
        for (status, said, code) in [
            (6, "memory allocation of 8589934592 bytes failed\n", "document/too-large"),
            (6, "thread '<unknown>' has overflowed its stack\n", "document/crashed"),
            (6, "", "document/crashed"),
            (24, "", "document/timeout"),
            (31, "", "document/crashed"),
            (9, "", "document/crashed"),
            (256, "", "document/crashed"),
        ] {
            assert_eq!(ended(ExitStatus::from_raw(status), said, 10).code(), code, "{status} {said}");
        }
        assert!(ended(ExitStatus::from_raw(31), "", 10).to_string().contains("sandbox"));
        assert!(out_of_memory().to_string().contains("more than 1536 MB of memory"));
    }
}
