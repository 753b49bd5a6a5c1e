//! A piece of what is uploaded, read as a stream: a whole file, or one part of a large one.
//!
//! At no time is more of a file in memory than what is on its way. A file that changes while it is read is noticed before
//! its last bytes go out: then the service never has the whole request, and does nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};

use crate::openai::file::Body;

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// Where the bytes are; a file with the state that it must stay in.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// In memory.
    Bytes(Bytes),
    /// In a file.
    File {
        /// Where it lies.
        path: PathBuf,
        /// Its state at the beginning.
        state: State,
    },
}

/// What tells that a file is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Source {
    /// Looks at the body. The text says why it cannot be sent.
    pub(super) async fn of(body: &Body) -> Result<Self, String> {
        let (path, bytes) = match body {
            Body::Bytes(bytes) => return Ok(Self::Bytes(bytes.clone())),
            Body::Path { path, bytes } => (path, *bytes),
        };
        let state = state(path).await.map_err(|error| unreadable(path, &error))?;
        if state.bytes != bytes {
            return Err(format!("`{}` has {} bytes and no longer {bytes}", path.display(), state.bytes));
        }
        Ok(Self::File { path: path.clone(), state })
    }

    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { state, .. } => state.bytes,
        }
    }
}

/// A range of a source, with the name and type that it goes out with.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    source: Source,
    from: u64,
    until: u64,
    pub(super) filename: String,
    pub(super) mime_type: &'static str,
}

/// How far a piece went out in one attempt.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<Went>);

#[derive(Debug, Default)]
struct Went {
    is_out: AtomicBool,
    fault: Mutex<Option<String>>,
}

impl Progress {
    /// Whether every byte was handed to the connection.
    pub(super) fn is_out(&self) -> bool {
        self.0.is_out.load(Ordering::Acquire)
    }

    /// Why the reading ended early.
    pub(super) fn fault(&self) -> Option<String> {
        self.0.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn broke(&self, why: String) -> io::Error {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        io::Error::other("the file cannot be read on")
    }

    fn done(&self) {
        self.0.is_out.store(true, Ordering::Release);
    }
}

impl Piece {
    /// All of it.
    pub(super) fn whole(source: Source, filename: String, mime_type: &'static str) -> Self {
        let until = source.len();
        Self { source, from: 0, until, filename, mime_type }
    }

    /// The parts of so many bytes that it is made of, in order.
    pub(super) fn parts(&self, bytes: u64) -> Vec<Self> {
        let starts = (self.from..self.until).step_by(usize::try_from(bytes.max(1)).unwrap_or(usize::MAX));
        starts.map(|from| Self { from, until: (from + bytes).min(self.until), ..self.clone() }).collect()
    }

    pub(super) fn len(&self) -> u64 {
        self.until - self.from
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Its bytes, read when they are wanted.
    pub(super) fn body(&self, progress: &Progress) -> reqwest::Body {
        if self.len() == 0 {
            progress.done();
            return reqwest::Body::from(Bytes::new());
        }
        reqwest::Body::wrap_stream(self.clone().stream(progress.clone()))
    }

    fn stream(self, progress: Progress) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let reading = Reading { at: self.from, piece: self, file: None, progress };
        stream::try_unfold(reading, |mut reading| async move {
            if reading.at >= reading.piece.until {
                return Ok(None);
            }
            let chunk = reading.next().await.map_err(|why| reading.progress.broke(why))?;
            Ok(Some((chunk, reading)))
        })
    }
}

struct Reading {
    piece: Piece,
    file: Option<File>,
    at: u64,
    progress: Progress,
}

impl Reading {
    /// The next bytes. The last ones are given out only when the file is still what it was.
    async fn next(&mut self) -> Result<Bytes, String> {
        let left = usize::try_from(self.piece.until - self.at).unwrap_or(usize::MAX).min(CHUNK);
        let chunk = match &self.piece.source {
            Source::Bytes(bytes) => {
                let from = usize::try_from(self.at).map_err(|_| "it is too large for this machine".to_owned())?;
                bytes.slice(from..from + left)
            }
            Source::File { path, .. } => {
                let file = opened(&mut self.file, path, self.at).await?;
                let mut chunk = BytesMut::with_capacity(left);
                let read =
                    file.take(left as u64).read_buf(&mut chunk).await.map_err(|error| unreadable(path, &error))?;
                if read == 0 {
                    return Err(changed(path));
                }
                chunk.freeze()
            }
        };
        self.at += chunk.len() as u64;
        if self.at == self.piece.until {
            self.piece.source.check_unchanged().await?;
            self.progress.done();
        }
        Ok(chunk)
    }
}

impl Source {
    /// Whether a file has the length and the time that it had.
    pub(super) async fn check_unchanged(&self) -> Result<(), String> {
        match self {
            Self::File { path, state: before } => {
                let now = state(path).await.map_err(|error| unreadable(path, &error))?;
                if now == *before { Ok(()) } else { Err(changed(path)) }
            }
            Self::Bytes(_) => Ok(()),
        }
    }
}

async fn opened<'a>(file: &'a mut Option<File>, path: &Path, at: u64) -> Result<&'a mut File, String> {
    if file.is_none() {
        let mut opened = File::open(path).await.map_err(|error| unreadable(path, &error))?;
        opened.seek(SeekFrom::Start(at)).await.map_err(|error| unreadable(path, &error))?;
        *file = Some(opened);
    }
    file.as_mut().ok_or_else(|| changed(path))
}

async fn state(path: &Path) -> io::Result<State> {
    let found = fs::metadata(path).await?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(State { bytes: found.len(), modified: found.modified().ok() })
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("`{}` cannot be read: {error}", path.display())
}

fn changed(path: &Path) -> String {
    format!("`{}` changed while it was read", path.display())
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    async fn piece(path: &Path) -> Piece {
        let bytes = std::fs::metadata(path).unwrap().len();
        let source = Source::of(&Body::Path { path: path.to_owned(), bytes }).await.unwrap();
        Piece::whole(source, "a.txt".to_owned(), "text/plain")
    }

    #[tokio::test]
    async fn parts_together_are_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let content: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let bytes = Piece::whole(Source::Bytes(content.clone().into()), "a.txt".to_owned(), "text/plain");
        for whole in [piece(&path).await, bytes] {
            for size in [1_000_000, 300_000, 100_000, 99_999] {
                let mut read = Vec::new();
                for part in whole.parts(size) {
                    let progress = Progress::default();
                    let mut chunks = Box::pin(part.stream(progress.clone()));
                    while let Some(chunk) = chunks.next().await {
                        assert!(!progress.is_out() || read.len() % 7 < 7);
                        read.extend_from_slice(&chunk.unwrap());
                    }
                    assert!(progress.is_out());
                }
                assert!(read == content, "parts of {size}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_changes_while_it_is_read_never_goes_out_as_a_whole() {
        let changes: [fn(&Path); 3] = [
            |path| std::fs::write(path, [1; 100_000]).unwrap(),
            |path| std::fs::write(path, [1; 300_000]).unwrap(),
            |path| std::fs::remove_file(path).unwrap(),
        ];
        for change in changes {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.txt");
            std::fs::write(&path, [0; 200_000]).unwrap();
            let progress = Progress::default();
            let mut chunks = Box::pin(piece(&path).await.stream(progress.clone()));
            assert!(chunks.next().await.unwrap().is_ok());
            change(&path);
            while let Some(Ok(_)) = chunks.next().await {}
            assert!(!progress.is_out());
            assert!(progress.fault().unwrap().contains("a.txt"), "{:?}", progress.fault());
        }
    }

    #[tokio::test]
    async fn a_file_of_another_length_is_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "12345").unwrap();
        let error = Source::of(&Body::Path { path: path.clone(), bytes: 4 }).await.unwrap_err();
        assert!(error.contains("has 5 bytes"), "{error}");
        assert!(Source::of(&Body::Path { path: folder.path().to_owned(), bytes: 0 }).await.is_err());
    }
}
