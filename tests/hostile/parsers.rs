//! Readers that have been taken over: what a document says is what they do.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::process::{Command, abort};
use std::thread;
use std::time::Duration;

use chatbotctl::docs::format::{self, FormatError, Input};
use chatbotctl::docs::worker::protocol::Reply;

/// A document that begins with this word makes its reader do what the next word says.
pub const SPELL: &str = "abracadabra";

/// A way to be hostile, and what becomes of the document: one of these codes.
pub struct Hostility {
    /// The word that the document says; the name of its file.
    pub name: &'static str,
    /// The expected codes.
    pub codes: &'static [&'static str],
    act: fn() -> Reply,
}

/// All of them. What only returns an error was refused by the system; success would give a text.
pub const HOSTILITIES: &[Hostility] = &[
    Hostility { name: "loop", codes: &["document/timeout"], act: compute },
    Hostility { name: "sleep", codes: &["document/timeout"], act: sleep },
    Hostility { name: "allocate", codes: &["document/too-large"], act: allocate },
    Hostility { name: "leak", codes: &["document/too-large"], act: leak },
    Hostility { name: "abort", codes: &["document/crashed"], act: || abort() },
    Hostility { name: "exit", codes: &["document/crashed"], act: exit },
    Hostility { name: "panic", codes: &["document/malformed"], act: || panic!("a reader's mistake") },
    Hostility { name: "recurse", codes: &["document/crashed"], act: || told(recurse(0) > 0) },
    Hostility { name: "rubbish", codes: &["document/crashed", "document/too-large"], act: rubbish },
    Hostility { name: "false-answer", codes: &["document/crashed"], act: false_answer },
    Hostility { name: "endless-output", codes: &["document/crashed", "document/too-large"], act: endless_output },
    Hostility { name: "endless-errors", codes: &["document/timeout"], act: endless_errors },
    Hostility { name: "write-file", codes: &["document/unreadable"], act: || refused(File::create(ESCAPED)) },
    Hostility { name: "read-file", codes: &["document/unreadable"], act: || refused(fs::read("/etc/hostname")) },
    Hostility { name: "list-folder", codes: &["document/unreadable"], act: || refused(fs::read_dir("/")) },
    Hostility { name: "connect", codes: &["document/crashed"], act: || refused(TcpStream::connect("127.0.0.1:9")) },
    Hostility { name: "run-program", codes: RUN_CODES, act: || refused(Command::new("/bin/true").status()) },
    Hostility { name: "start-thread", codes: &["document/unreadable"], act: start_thread },
    Hostility { name: "kill-parent", codes: &["document/crashed"], act: kill_parent },
    Hostility { name: "more-memory", codes: &["document/unreadable"], act: more_memory },
];

/// The standard library makes a socket pair before it forks, or nothing before it starts a process.
const RUN_CODES: &[&str] = &["document/unreadable", "document/crashed"];

/// A file that no test may find.
pub const ESCAPED: &str = "/tmp/chatbotctl-hostile-test-escaped";

/// The reader of this test's workers: the real one, but for documents with the spell.
pub fn parse(input: Input<'_>) -> Reply {
    let text = String::from_utf8_lossy(&input.bytes[..input.bytes.len().min(100)]);
    let mut words = text.split_whitespace();
    let spelled = words.next() == Some(SPELL);
    let name = words.next().unwrap_or_default();
    match HOSTILITIES.iter().find(|hostility| spelled && hostility.name == name) {
        Some(hostility) => (hostility.act)(),
        None => format::parse(input),
    }
}

/// What was tried and refused is an error; what went through is an escape.
fn refused<T>(tried: io::Result<T>) -> Reply {
    match tried {
        Err(error) => Err(FormatError::Unreadable(error.to_string())),
        Ok(_) => Err(FormatError::Unsupported("it escaped".to_owned())),
    }
}

/// Keeps a value from being optimised away.
fn told(done: bool) -> Reply {
    Err(FormatError::Unsupported(format!("it went on: {done}")))
}

fn compute() -> Reply {
    let mut number: u64 = 1;
    loop {
        number = black_box(number.wrapping_mul(3));
        if number == 0 {
            return told(true);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a reader that sleeps is what this is about")]
fn sleep() -> Reply {
    loop {
        thread::sleep(Duration::from_hours(1));
    }
}

fn allocate() -> Reply {
    let bytes = vec![1_u8; 8 * 1024 * 1024 * 1024];
    told(black_box(bytes).len() > 1)
}

/// In many small pieces.
fn leak() -> Reply {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(Vec::with_capacity(16 * 1024 * 1024));
        black_box(&kept);
    }
}

#[expect(clippy::disallowed_methods, reason = "a reader that ends the process is what this is about")]
fn exit() -> Reply {
    std::process::exit(0)
}

fn recurse(depth: u64) -> u64 {
    let frame = [depth; 128];
    black_box(frame)[0] + if depth == u64::MAX { 0 } else { recurse(depth + 1) }
}

fn rubbish() -> Reply {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello\n").and_then(|()| stdout.flush());
    drop(stdout);
    sleep()
}

/// A frame of the right form that holds no reply.
fn false_answer() -> Reply {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(b"\x0b\0\0\0{\"Ok\": null}").and_then(|()| stdout.flush());
    drop(stdout);
    sleep()
}

fn endless_output() -> Reply {
    let mut stdout = io::stdout().lock();
    // Within the limit at first: the parent must count what comes, not believe what is announced.
    let _ = stdout.write_all(&[0, 0, 0, 8]);
    while stdout.write_all(&[b' '; 4096]).is_ok() {}
    sleep()
}

fn endless_errors() -> Reply {
    let mut stderr = io::stderr().lock();
    loop {
        let _ = stderr.write_all(&[b'x'; 4096]);
    }
}

fn start_thread() -> Reply {
    refused(thread::Builder::new().spawn(|| ()))
}

#[cfg(unix)]
fn kill_parent() -> Reply {
    use rustix::process::{Signal, getpid, kill_process};

    // Itself, should it be allowed: the test must see it without being killed.
    refused(kill_process(getpid(), Signal::CONT).map_err(io::Error::from))
}

#[cfg(unix)]
fn more_memory() -> Reply {
    use rustix::process::{Resource, Rlimit, setrlimit};

    refused(setrlimit(Resource::As, Rlimit { current: None, maximum: None }).map_err(io::Error::from))
}
