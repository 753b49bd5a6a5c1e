//! Stands between a socket and the HTTP engine: hands the engine well-formed requests only, one at a time, and ends
//! what takes too long.
//!
//! A head that is refused is replaced by a plain request whose answer is already decided, so that the refusal takes
//! the way of every other answer: same form, same headers, same log, after the answers before it. Bytes of a next
//! request wait here until the answer before is out. Nothing here looks into a body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::serve::connections::deadline::Deadline;
use crate::serve::connections::exchange::Exchange;
use crate::serve::connections::framing::Body;
use crate::serve::connections::head::{self, Framing, Refusal};

/// The request in whose place a refusal is answered. It matches no route.
const STAND_IN: &[u8] = b"GET /refused HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// Bytes read from a socket at once.
const READ_BYTES: usize = 16 * 1024;
/// Bytes that are still taken from a caller who sends on after a refusal.
const MAX_DRAINED_BYTES: usize = 8 * 1024 * 1024;

/// How long the parts of a conversation may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// To the first byte of a connection.
    pub silent: Duration,
    /// From a head's first byte to its last.
    pub head: Duration,
    /// From an answer to the next request.
    pub idle: Duration,
    /// Without any byte of an answer accepted by the caller.
    pub write: Duration,
    /// For a caller who sends on after a refusal. Closing on unread bytes would take the refusal from it.
    pub drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            silent: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(2),
        }
    }
}

/// One connection's socket.
pub struct Gate {
    stream: TcpStream,
    exchange: Exchange,
    deadlines: Deadlines,
    phase: Phase,
    /// Read and not yet handed on.
    waiting: Vec<u8>,
    /// Where the search for the end of a head goes on.
    searched: usize,
    reading: Deadline,
    writing: Deadline,
    draining: Deadline,
    drained: usize,
    is_first: bool,
}

/// What the engine reads.
enum Phase {
    /// Nothing, until there is a whole head.
    Head,
    /// A head; then its body, or nothing more.
    Passing(Bytes, Option<Body>),
    /// A body.
    Body(Body),
    /// Nothing more: the connection closes after the answer.
    Over,
}

impl Gate {
    /// Stands before a new connection.
    pub fn new(stream: TcpStream, exchange: Exchange, deadlines: Deadlines) -> Self {
        Self {
            stream,
            exchange,
            deadlines,
            phase: Phase::Head,
            waiting: Vec::new(),
            searched: 0,
            reading: Deadline::default(),
            writing: Deadline::default(),
            draining: Deadline::default(),
            drained: 0,
            is_first: true,
        }
    }

    /// Reads what there is, up to `max_bytes` waiting; how many bytes came, 0 at the end.
    fn poll_fill(&mut self, max_bytes: usize, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Memory only when there is something to read: most connections are silent most of the time.
        ready!(self.stream.poll_read_ready(context))?;
        let room = max_bytes.saturating_sub(self.waiting.len()).min(READ_BYTES);
        let start = self.waiting.len();
        self.waiting.resize(start + room, 0);
        let mut buffer = ReadBuf::new(&mut self.waiting[start..]);
        let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
        let count = buffer.filled().len();
        self.waiting.truncate(start + count);
        ready!(read)?;
        Poll::Ready(Ok(count))
    }

    /// Looks for a whole head and decides about it. Ready with `false`: there will be none.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if self.exchange.wake_after_answer(context.waker()) {
                self.reading.clear();
                if self.waiting.len() >= head::MAX_BYTES {
                    return Poll::Pending;
                }
                // Read all the same: the end of the stream is how a hang-up shows.
                if ready!(self.poll_fill(head::MAX_BYTES, context))? == 0 {
                    return Poll::Ready(Ok(false));
                }
                continue;
            }
            match self.next_head() {
                Ok(Some((end, framing))) => {
                    let head = self.waiting.drain(..end).collect::<Vec<u8>>().into();
                    self.pass(head, Some(Body::new(framing)), None);
                    return Poll::Ready(Ok(true));
                }
                Ok(None) => {}
                Err(refusal) => {
                    self.refuse(refusal);
                    return Poll::Ready(Ok(true));
                }
            }
            if self.reading.poll(self.patience(), context).is_ready() {
                if self.waiting.is_empty() {
                    return Poll::Ready(Ok(false));
                }
                self.refuse(Refusal::TooSlow);
                return Poll::Ready(Ok(true));
            }
            let was_silent = self.waiting.is_empty();
            if ready!(self.poll_fill(head::MAX_BYTES + 1, context))? == 0 {
                return Poll::Ready(Ok(false));
            }
            if was_silent {
                self.reading.clear();
            }
        }
    }

    fn patience(&self) -> Duration {
        match (self.waiting.is_empty(), self.is_first) {
            (true, true) => self.deadlines.silent,
            (true, false) => self.deadlines.idle,
            (false, _) => self.deadlines.head,
        }
    }

    /// The head that is waiting, if it is whole.
    fn next_head(&mut self) -> Result<Option<(usize, Framing)>, Refusal> {
        // Empty lines before a request are passed over (RFC 9112, section 2.2).
        while self.waiting.starts_with(b"\r\n") {
            self.waiting.drain(..2);
        }
        if self.waiting == b"\r" {
            return Ok(None);
        }
        let Some(end) = head::find_end(&self.waiting, &mut self.searched)? else {
            return Ok(None);
        };
        Ok(Some((end, head::check(&self.waiting[..end])?)))
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.pass(Bytes::from_static(STAND_IN), None, Some(refusal));
    }

    fn pass(&mut self, head: Bytes, body: Option<Body>, refusal: Option<Refusal>) {
        self.phase = Phase::Passing(head, body);
        self.searched = 0;
        self.is_first = false;
        self.reading.clear();
        self.exchange.begin(refusal);
    }

    fn end_of_head(&mut self, body: Option<Body>) {
        match body {
            None => self.phase = Phase::Over,
            Some(body) if body.is_done() => self.end_of_request(),
            Some(body) => {
                self.exchange.set_receiving(true);
                self.phase = Phase::Body(body);
            }
        }
    }

    /// Hands on what is the body's. An empty buffer afterwards: the caller went away.
    fn poll_body(&mut self, buffer: &mut ReadBuf<'_>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waiting.is_empty() && ready!(self.poll_fill(READ_BYTES, context))? == 0 {
            return Poll::Ready(Ok(()));
        }
        let Phase::Body(body) = &mut self.phase else {
            return Poll::Ready(Ok(()));
        };
        let offered = self.waiting.len().min(buffer.remaining());
        let Ok(taken) = body.take(&self.waiting[..offered]) else {
            self.exchange.set_receiving(false);
            self.phase = Phase::Over;
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        };
        buffer.put_slice(&self.waiting[..taken]);
        self.waiting.drain(..taken);
        if body.is_done() {
            self.end_of_request();
        }
        Poll::Ready(Ok(()))
    }

    fn end_of_request(&mut self) {
        self.exchange.set_receiving(false);
        self.phase = Phase::Head;
        if self.waiting.is_empty() {
            self.waiting = Vec::new();
        }
    }

    /// Whether the caller may still be sending what nobody will read.
    fn has_unread(&self) -> bool {
        !matches!(self.phase, Phase::Head) || !self.waiting.is_empty()
    }

    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.drained < MAX_DRAINED_BYTES && self.draining.poll(self.deadlines.drain, context).is_pending() {
            self.waiting.clear();
            match ready!(self.poll_fill(READ_BYTES, context)) {
                Ok(count @ 1..) => self.drained += count,
                Ok(0) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }

    /// Ends a write that goes nowhere; anything accepted begins the time anew.
    fn note_write(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.writing.clear();
            if self.waiting.is_empty() {
                // Whoever still reads an answer is not idle.
                self.reading.clear();
            }
            return written;
        }
        ready!(self.writing.poll(self.deadlines.write, context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Gate {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.phase {
                Phase::Head => {
                    if !ready!(this.poll_head(context))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Phase::Passing(head, body) => {
                    let bytes = head.split_to(head.len().min(buffer.remaining()));
                    buffer.put_slice(&bytes);
                    if head.is_empty() {
                        let body = body.take();
                        this.end_of_head(body);
                    }
                    return Poll::Ready(Ok(()));
                }
                Phase::Body(_) => return this.poll_body(buffer, context),
                Phase::Over => return Poll::Pending,
            }
        }
    }
}

impl AsyncWrite for Gate {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.note_write(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.note_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        if this.has_unread() {
            ready!(this.poll_drain(context));
        }
        Poll::Ready(Ok(()))
    }
}
