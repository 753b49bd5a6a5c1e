//! One worker, as its parent sees it: started, spoken to, and looked at when it is dead.
//!
//! Dropping a worker kills it, so that a conversation that was given up half-way is never taken up again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::{self, JoinHandle};
use tokio::time::timeout;

use crate::docs::format::FormatError;
use crate::docs::source::{self, Source};
use crate::docs::worker::protocol::{
    FrameError, Hello, MAX_REPLY_BYTES, MAX_SMALL_FRAME, Reply, Request, frame, json_frame, parse_reply, parse_small,
    receive_frame,
};
use crate::docs::worker::{ARGUMENT, Limits, verdict};

/// A worker that is not ready by then never is; the machine may be very busy.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// How long a worker that hung up may take to be gone; freeing much memory takes a moment.
const END_DEADLINE: Duration = Duration::from_secs(10);

/// What is kept of a worker's standard error.
const SAID_BYTES: usize = 8 * 1024;

/// A longer reply is read on a thread that may wait.
const LONG_REPLY_BYTES: usize = 256 * 1024;

/// A worker is replaced after so many files: whatever they left behind goes with it.
const MAX_FILES: u32 = 256;

/// A worker that keeps more memory than this after a file is replaced, in bytes.
const MAX_KEPT_BYTES: u64 = 256 * 1024 * 1024;

/// The program that runs now, to be started again as a worker.
pub fn own_program() -> io::Result<PathBuf> {
    // The link leads to this very program also after an upgrade replaced its file.
    let link = Path::new("/proc/self/exe");
    if link.exists() { Ok(link.to_owned()) } else { std::env::current_exe() }
}

/// A file ready to be sent: open, and its first piece read.
pub struct Opened {
    source: Source,
    piece: Vec<u8>,
    path: String,
}

impl Opened {
    /// Opens a file and reads its first piece; waits for the disk.
    pub fn open(absolute: &Path, path: String) -> Result<Self, FormatError> {
        Self::begin(Source::open(absolute, &path)?, path)
    }

    /// Takes a file that is open already and reads its first piece; waits for the disk.
    pub fn of_open(file: File, name: String) -> Result<Self, FormatError> {
        Self::begin(Source::of_open(file, &name)?, name)
    }

    /// How large the file is, in bytes.
    pub fn bytes(&self) -> u64 {
        self.source.bytes
    }

    fn begin(mut source: Source, path: String) -> Result<Self, FormatError> {
        let piece = source.next_piece()?;
        Ok(Self { source, piece, path })
    }
}

/// Why a document was not read.
pub enum Broken {
    /// The file could not be read to its end: not the worker's fault.
    Source(FormatError),
    /// The worker hung up.
    HungUp,
    /// The worker took too long; the deadline.
    Late(Duration),
    /// The worker said something that is no answer.
    Refused(FormatError),
}

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Io(_) => Self::HungUp,
            FrameError::TooLong(_) => Self::Refused(verdict::too_much_output()),
            FrameError::Rubbish => Self::Refused(verdict::rubbish()),
        }
    }
}

/// A running worker.
pub struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    said: JoinHandle<String>,
    files: u32,
}

impl Worker {
    /// Starts a worker and hears what it could not limit.
    pub async fn start(program: &Path) -> io::Result<(Self, Hello)> {
        let mut worker = Self::spawn(program)?;
        let hello = timeout(START_DEADLINE, receive_frame(&mut worker.stdout, MAX_SMALL_FRAME)).await;
        match hello.map(|frame| frame.and_then(|bytes| parse_small(&bytes))) {
            Ok(Ok(hello)) => Ok((worker, hello)),
            Ok(Err(_)) => Err(io::Error::other("it ended while it started")),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }

    fn spawn(program: &Path) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg(ARGUMENT).env_clear().kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C is for the parent, which decides what becomes of its workers.
        #[cfg(unix)]
        command.arg0(env!("CARGO_PKG_NAME")).current_dir("/").process_group(0);
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("its pipes are missing"));
        };
        Ok(Self { child, stdin, stdout, said: tokio::spawn(listen(stderr)), files: 0 })
    }

    /// Whether it still runs, so far as is known.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Reads one file. After an error the worker is of no more use.
    pub async fn read(&mut self, opened: Opened, limits: &Limits) -> Result<(Reply, Source), Broken> {
        self.files += 1;
        let bytes = opened.source.bytes;
        let deadline = limits.deadline(bytes);
        let request = Request { path: opened.path, bytes, cpu_s: limits.cpu_s(bytes) };
        let talk = async {
            let send = send(&mut self.stdin, &request, opened.source, opened.piece);
            let receive = async { Ok(receive_frame(&mut self.stdout, MAX_REPLY_BYTES).await?) };
            tokio::try_join!(send, receive)
        };
        let (source, reply) = timeout(deadline, talk).await.map_err(|_| Broken::Late(deadline))??;
        Ok((parse(reply).await?, source))
    }

    /// Whether another worker should take its place.
    pub fn is_spent(&self) -> bool {
        self.files >= MAX_FILES || self.child.id().and_then(kept_bytes).is_some_and(|bytes| bytes > MAX_KEPT_BYTES)
    }

    /// Ends the worker and says what the document did to it.
    pub async fn post_mortem(mut self, broken: Broken, cpu_s: u64) -> FormatError {
        match broken {
            Broken::Source(error) | Broken::Refused(error) => return error,
            Broken::Late(deadline) => return FormatError::Late(deadline.as_secs()),
            Broken::HungUp => {}
        }
        let Ok(Ok(status)) = timeout(END_DEADLINE, self.child.wait()).await else {
            return verdict::rubbish();
        };
        let said = timeout(END_DEADLINE, self.said).await;
        verdict::ended(status, &said.ok().and_then(Result::ok).unwrap_or_default(), cpu_s)
    }
}

/// Sends a request and the file, piece by piece.
async fn send(
    stdin: &mut ChildStdin,
    request: &Request,
    mut source: Source,
    mut piece: Vec<u8>,
) -> Result<Source, Broken> {
    // A small file goes in one write, and wakes the worker once.
    let mut outgoing = json_frame(request)?;
    loop {
        let is_last = source::is_last(&piece);
        if !piece.is_empty() {
            outgoing.extend(frame(&piece));
        }
        if is_last {
            outgoing.extend(frame(&[]));
        }
        stdin.write_all(&outgoing).await.map_err(FrameError::from)?;
        if is_last {
            return Ok(source);
        }
        outgoing.clear();
        (source, piece) = next_piece(source).await?;
    }
}

/// Reading waits for the disk.
async fn next_piece(mut source: Source) -> Result<(Source, Vec<u8>), Broken> {
    let next = task::spawn_blocking(move || source.next_piece().map(|piece| (source, piece))).await;
    let next = next.map_err(|error| Broken::Source(FormatError::Unreadable(error.to_string())))?;
    next.map_err(Broken::Source)
}

/// A long reply takes long to read.
async fn parse(bytes: Vec<u8>) -> Result<Reply, FrameError> {
    if bytes.len() < LONG_REPLY_BYTES {
        return parse_reply(&bytes);
    }
    task::spawn_blocking(move || parse_reply(&bytes)).await.unwrap_or(Err(FrameError::Rubbish))
}

/// The beginning of what a worker says on standard error; the rest is heard and forgotten.
async fn listen(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut said = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        let more = read.min(SAID_BYTES - said.len());
        said.extend_from_slice(&buffer[..more]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// The memory that a process occupies, in bytes.
#[cfg(target_os = "linux")]
fn kept_bytes(process: u32) -> Option<u64> {
    // This file is made by the kernel in memory: reading it waits for nothing.
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let resident: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * rustix::param::page_size() as u64)
}

#[cfg(not(target_os = "linux"))]
fn kept_bytes(_process: u32) -> Option<u64> {
    None
}
