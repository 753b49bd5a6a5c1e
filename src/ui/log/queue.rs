//! Lines on their way to where logs go: a bounded queue and the one thread that writes.
//!
//! Nobody who logs ever waits. What does not fit, or cannot be written, is counted, and told in the log itself once
//! lines can be written again.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::time::Duration;

use crate::ui::log::line::{self, Shape};

/// Bytes of lines that may wait.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that are written in one call, about.
const BATCH_BYTES: usize = 64 * 1024;

/// Where lines go.
pub trait Sink: Send {
    /// Writes whole lines; when that fails, tells how many bytes of them stand there all the same.
    fn write(&mut self, lines: &[u8]) -> Result<(), (usize, io::Error)>;
    /// Opens the place anew.
    fn reopen(&mut self);
}

/// Standard error.
pub struct Stderr;

impl Sink for Stderr {
    fn write(&mut self, lines: &[u8]) -> Result<(), (usize, io::Error)> {
        io::stderr().lock().write_all(lines).map_err(|error| (0, error))
    }

    fn reopen(&mut self) {}
}

/// The end of the queue that lines are put into. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    sender: Sender<Message>,
    counts: Arc<Counts>,
}

/// What the thread is told.
enum Message {
    Line(Vec<u8>),
    Reopen,
    /// Answered when everything before is written.
    Flush(SyncSender<()>),
}

#[derive(Default)]
struct Counts {
    waiting_bytes: AtomicUsize,
    lost: AtomicU64,
}

impl Queue {
    /// Starts the thread; it ends when the last end of the queue is dropped.
    pub fn start(sink: Box<dyn Sink>, shape: Shape) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let counts = Arc::new(Counts::default());
        let writer = Writer { sink, shape, counts: Arc::clone(&counts), told: 0 };
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.run(&receiver))?;
        Ok(Self { sender, counts })
    }

    /// Puts a line on its way, or counts it as lost.
    pub fn push(&self, line: Vec<u8>) {
        let bytes = line.len();
        let before = self.counts.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_sent = before + bytes <= MAX_WAITING_BYTES && self.sender.send(Message::Line(line)).is_ok();
        if !is_sent {
            self.counts.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has the sink opened anew, after the lines before.
    pub fn reopen(&self) {
        // A thread that is gone has nothing to open.
        let _ = self.sender.send(Message::Reopen);
    }

    /// Waits until what was put in is written, or was lost; not longer than `timeout`.
    pub fn flush(&self, timeout: Duration) {
        let (done, wait) = mpsc::sync_channel(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            // A disk that does not answer must not keep the process.
            let _ = wait.recv_timeout(timeout);
        }
    }

    /// How many lines were lost.
    pub fn lost(&self) -> u64 {
        self.counts.lost.load(Ordering::Relaxed)
    }
}

/// The thread's side.
struct Writer {
    sink: Box<dyn Sink>,
    shape: Shape,
    counts: Arc<Counts>,
    /// How many of the lost lines the log knows about.
    told: u64,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        let mut batch = Vec::new();
        while let Ok(first) = messages.recv() {
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Line(line) => {
                        batch.extend_from_slice(&line);
                        if batch.len() < BATCH_BYTES {
                            next = messages.try_recv().ok();
                        }
                    }
                    Message::Reopen => {
                        self.write(&mut batch);
                        self.sink.reopen();
                    }
                    Message::Flush(done) => {
                        self.write(&mut batch);
                        // Whoever asked may have stopped waiting.
                        let _ = done.try_send(());
                    }
                }
            }
            self.write(&mut batch);
        }
    }

    fn write(&mut self, batch: &mut Vec<u8>) {
        if batch.is_empty() {
            return;
        }
        match self.sink.write(batch) {
            Ok(()) => self.tell_lost(),
            Err((written, _)) => {
                // There is no place left to say why.
                let lost = batch[written..].split_inclusive(|&byte| byte == b'\n').count();
                self.counts.lost.fetch_add(lost as u64, Ordering::Relaxed);
            }
        }
        self.counts.waiting_bytes.fetch_sub(batch.len(), Ordering::Relaxed);
        batch.clear();
    }

    fn tell_lost(&mut self) {
        let lost = self.counts.lost.load(Ordering::Relaxed);
        if lost > self.told && self.sink.write(&line::lost(lost - self.told, self.shape)).is_ok() {
            self.told = lost;
        }
    }
}
