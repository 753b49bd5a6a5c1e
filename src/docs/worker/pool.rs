//! The workers of a program: started when they are needed, used again, replaced when they are spent.
//!
//! A document that broke a worker is known from then on and not tried again, unless its file changes. Where the worker
//! was ended from outside, or late, it is tried again.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::available_parallelism;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task;

use crate::docs::ReadFile;
use crate::docs::format::FormatError;
use crate::docs::reader::{OpenReader, ReadError, Reader};
use crate::docs::walk::FoundFile;
use crate::docs::worker::process::{Broken, Opened, Worker};
use crate::docs::worker::{Limits, own_program};

/// How many breaking documents are remembered. A folder with more is read anew, at their cost.
const MAX_REMEMBERED: usize = 4_096;

/// Takes a warning for the operator.
pub type Warn = fn(&str);

/// What a pool is made of.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// The program that serves as a worker when its first argument is [`crate::docs::worker::ARGUMENT`].
    pub program: PathBuf,
    /// How many workers there are at a time.
    pub workers: usize,
    /// What one document may cost.
    pub limits: Limits,
    /// Told once when workers run with fewer limits than they should.
    pub warn: Warn,
}

impl PoolSettings {
    /// As many workers of this very program as the machine has cores, and two at least: one slow document must not
    /// hold up all others.
    pub fn of_this_program(warn: Warn) -> std::io::Result<Self> {
        let workers = available_parallelism().map_or(2, |cores| cores.get().max(2));
        Ok(Self { program: own_program()?, workers, limits: Limits::default(), warn })
    }
}

/// Reads documents in worker processes.
pub struct Pool {
    settings: PoolSettings,
    permits: Semaphore,
    idle: Mutex<Vec<Worker>>,
    broken: Mutex<HashMap<FileVersion, FormatError>>,
    warned: Once,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A file as it was when it broke a worker.
type FileVersion = (PathBuf, u64, Option<i64>);

impl Pool {
    /// A pool without workers yet.
    pub fn new(settings: PoolSettings) -> Self {
        let permits = Semaphore::new(settings.workers);
        Self { settings, permits, idle: Mutex::default(), broken: Mutex::default(), warned: Once::new() }
    }

    /// A worker that waits for work, or a new one.
    async fn worker(&self) -> Result<Worker, ReadError> {
        while let Some(mut worker) = locked(&self.idle).pop() {
            if worker.is_alive() {
                return Ok(worker);
            }
        }
        let started = Worker::start(&self.settings.program).await;
        let (worker, hello) =
            started.map_err(|error| ReadError::Reader(format!("a process to read them cannot be started: {error}")))?;
        if !hello.unmet.is_empty() {
            self.warned.call_once(|| (self.settings.warn)(&unmet_warning(&hello.unmet)));
        }
        Ok(worker)
    }

    /// Opens a file and reads it, when it is its turn. One that breaks its worker is remembered by its version.
    async fn read_next(
        &self,
        version: Option<FileVersion>,
        open: impl FnOnce() -> OpenResult + Send + 'static,
    ) -> Result<ReadFile, ReadError> {
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|error| ReadError::Reader(error.to_string()))?;
        let opened = task::spawn_blocking(open).await;
        let opened = opened.map_err(|error| ReadError::Reader(error.to_string()))??;
        let worker = self.worker().await?;
        Ok(self.read_with(worker, opened, version).await?)
    }

    async fn read_with(&self, mut worker: Worker, opened: Opened, version: Option<FileVersion>) -> ReadResult {
        let cpu_s = self.settings.limits.cpu_s(opened.bytes());
        match worker.read(opened, &self.settings.limits).await {
            Ok((reply, source)) => {
                if !worker.is_spent() {
                    locked(&self.idle).push(worker);
                }
                let (bytes, modified_ns) = (source.bytes, source.modified_ns);
                Ok(ReadFile { parsed: reply?, sha256: source.sha256(), bytes, modified_ns })
            }
            Err(Broken::Source(error)) => Err(error),
            Err(broken) => {
                let error = worker.post_mortem(broken, cpu_s).await;
                if let Some(version) = version {
                    self.remember(version, &error);
                }
                Err(error)
            }
        }
    }

    fn remember(&self, version: FileVersion, error: &FormatError) {
        let mut known = locked(&self.broken);
        if !error.is_passing() && known.len() < MAX_REMEMBERED {
            known.insert(version, error.clone());
        }
    }
}

type ReadResult = Result<ReadFile, FormatError>;
type OpenResult = Result<Opened, FormatError>;

#[async_trait]
impl Reader for Pool {
    fn width(&self) -> usize {
        self.settings.workers
    }

    fn rest(&self) {
        locked(&self.idle).clear();
    }

    async fn read(&self, file: &FoundFile) -> Result<ReadFile, ReadError> {
        let version = (file.absolute.clone(), file.bytes, file.modified_ns);
        if let Some(error) = locked(&self.broken).get(&version) {
            return Err(error.clone().into());
        }
        let (absolute, path) = (file.absolute.clone(), file.path.clone());
        self.read_next(Some(version), move || Opened::open(&absolute, path)).await
    }
}

#[async_trait]
impl OpenReader for Pool {
    fn rest(&self) {
        locked(&self.idle).clear();
    }

    async fn read_open(&self, file: File, name: &str) -> Result<ReadFile, ReadError> {
        let name = name.to_owned();
        self.read_next(None, move || Opened::of_open(file, name)).await
    }
}

fn unmet_warning(unmet: &[String]) -> String {
    format!(
        "documents are read with less protection than usual, because this system refused a limit ({}); \
         read only documents that you trust, or allow seccomp and setrlimit where this runs",
        unmet.join("; ")
    )
}

/// A panic elsewhere leaves nothing half-done behind these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    async fn read(program: &str, name: &str, folder: &Path) -> Result<ReadFile, ReadError> {
        let limits = Limits { cpu_s: 1, bytes_per_s: 1024 * 1024, clock_factor: 1 };
        let settings = PoolSettings { program: program.into(), workers: 1, limits, warn: |_| () };
        let absolute = folder.join(name);
        let file = FoundFile { path: name.to_owned(), absolute, bytes: 1, ..FoundFile::default() };
        Pool::new(settings).read(&file).await
    }

    #[tokio::test]
    async fn a_program_that_cannot_start_is_our_fault_and_a_file_that_is_gone_is_not() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), "x").unwrap();
        for program in ["/no/such/program", "/bin/false", "/bin/echo"] {
            let error = read(program, "a.txt", dir.path()).await.unwrap_err();
            assert!(matches!(error, ReadError::Reader(_)), "{program}: {error}");
        }
        let error = read("/bin/false", "none.txt", dir.path()).await.unwrap_err();
        assert!(matches!(error, ReadError::Document(FormatError::Unreadable(_))), "{error}");
    }

    #[test]
    fn a_warning_says_what_is_missing() {
        let warning = unmet_warning(&["system calls: Operation not permitted".to_owned()]);
        assert!(warning.contains("system calls: Operation not permitted"));
    }
}
