//! Where a database lies: its path, its lock, and whether the file there is still the one that was opened.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::store::{BACKENDS, OpenError};

/// The path that follows `sqlite:` or `sqlite://`.
pub(in crate::store) fn path_of_url(rest: &str) -> Result<&Path, OpenError> {
    if rest.contains(['?', '#']) {
        let example = BACKENDS[0].example;
        return Err(OpenError::Parameters { example });
    }
    path_of_text(rest)
}

/// A path, unless it is none or one of SQLite's names for databases that are no files.
pub(in crate::store) fn path_of_text(text: &str) -> Result<&Path, OpenError> {
    if text.is_empty() || text.starts_with(':') {
        let example = BACKENDS[0].example;
        return Err(OpenError::NoPath { example });
    }
    Ok(Path::new(text))
}

/// A database file that is held for one store: two writers in two processes would each believe to be the only one
/// that answers in a thread.
///
/// The hold is a lock of the system on a file beside the database. It ends with the process, however that ends.
pub(super) struct Place {
    /// The file without symbolic links, so that all its names have one lock. It is absolute: SQLite takes no such
    /// name for one of its own.
    pub(super) path: PathBuf,
    database: Option<FileId>,
    _lock: File,
}

impl Place {
    /// Makes the folder and the file where they are missing (for their owner's eyes only) and takes the lock.
    pub(super) fn hold(path: &Path) -> Result<Self, OpenError> {
        let failed =
            |error: io::Error| OpenError::Open { path: path.display().to_string(), message: error.to_string() };
        let real = real_path(path).map_err(failed)?;
        let lock = private().append(true).create(true).open(beside(&real, ".lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { path: path.display().to_string() }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Never opened and closed when it is there: that would end the locks that this process has on it.
        match private().write(true).create_new(true).open(&real) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Ok(Self { database: id_of(&real), path: real, _lock: lock }),
        }
    }

    /// Whether the database still lies there.
    pub(super) fn is_there(&self) -> bool {
        self.database.is_some() && self.database == id_of(&self.path)
    }

    /// Which files lie there now.
    pub(super) fn files(&self) -> Files {
        Files { database: id_of(&self.path), log: id_of(&beside(&self.path, "-wal")) }
    }
}

/// The database and its write-ahead log, by what the system knows them by.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    database: Option<FileId>,
    log: Option<FileId>,
}

impl Files {
    /// Whether it is the same database, with whichever log.
    pub(super) fn have_the_database_of(&self, others: &Self) -> bool {
        self.database.is_some() && self.database == others.database
    }
}

fn id_of(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|metadata| file_id(&metadata))
}

#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
type FileId = ();

#[cfg(not(unix))]
fn file_id(_: &Metadata) -> FileId {}

fn real_path(path: &Path) -> io::Result<PathBuf> {
    if fs::symlink_metadata(path).is_ok() {
        return fs::canonicalize(path);
    }
    let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidFilename))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).create(folder)?;
    Ok(fs::canonicalize(folder)?.join(name))
}

/// SQLite gives its side files the mode of the database.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The file whose name has this at its end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}
