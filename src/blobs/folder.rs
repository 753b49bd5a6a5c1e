//! Bytes in a folder of this machine: `ab/cdef…`, beside them `ab/cdef….<kind>`, and `incoming/` for what is staged.
//!
//! Only this user reads them. No link below the folder is followed, whatever took the place of a file or folder.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::spawn_blocking;

use crate::blobs::{BlobError, BlobName, BlobStore, DerivedKind, Staged};
use crate::clock::hex;

/// How much is held in memory of what is being staged, in bytes.
const PIECE_BYTES: usize = 128 * 1024;
/// Where staged bytes lie: no name of kept bytes begins like this.
const INCOMING: &str = "incoming";
/// Digits of a hash that name its folder, so that no folder gets too many files.
const SHARD_DIGITS: usize = 2;
/// Larger derived data is not read back, in bytes: nothing of ours is.
const MAX_DERIVED_BYTES: u64 = 256 * 1024 * 1024;

/// Keeps bytes in a folder, which is made when it is first needed.
#[derive(Debug, Clone)]
pub struct FolderBlobs {
    root: Arc<PathBuf>,
}

impl FolderBlobs {
    /// Keeps bytes in this folder.
    pub fn new(root: PathBuf) -> Self {
        Self { root: Arc::new(root) }
    }

    /// Does something that waits for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        let root = Arc::clone(&self.root);
        spawn_blocking(move || work(&root)).await.map_err(lost)?
    }
}

#[async_trait]
impl BlobStore for FolderBlobs {
    async fn recover(&self) -> Result<(), BlobError> {
        self.blocking(|root| match fs::remove_dir_all(root.join(INCOMING)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        })
        .await
    }

    async fn stage(&self, from: &mut (dyn AsyncRead + Send + Unpin), max_bytes: u64) -> Result<Staged, BlobError> {
        let mut writing = self.blocking(|root| Writing::begin(&root.join(INCOMING))).await?;
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            while piece.len() < PIECE_BYTES {
                let room = PIECE_BYTES - piece.len();
                let read = (&mut *from).take(room as u64).read_buf(&mut piece).await.map_err(BlobError::Source)?;
                if read == 0 {
                    break;
                }
            }
            let is_last = piece.len() < PIECE_BYTES;
            writing = spawn_blocking(move || writing.more(&piece, max_bytes)).await.map_err(lost)??;
            if is_last {
                return spawn_blocking(move || writing.end()).await.map_err(lost)?;
            }
        }
    }

    async fn keep(&self, staged: Staged) -> Result<(), BlobError> {
        self.blocking(move |root| {
            let (shard, rest) = place(root, &staged.name);
            place_file(staged.file, &shard, rest)?;
            File::open(root)?.sync_all()?;
            Ok(())
        })
        .await
    }

    async fn get(&self, name: &BlobName) -> Result<File, BlobError> {
        let name = name.clone();
        self.blocking(move |root| {
            let (shard, rest) = name.0.split_at(SHARD_DIGITS);
            Ok(open_linkless(root, shard, rest)?)
        })
        .await
    }

    async fn delete(&self, name: &BlobName) -> Result<(), BlobError> {
        let name = name.clone();
        self.blocking(move |root| {
            let (shard, rest) = place(root, &name);
            for file in names_in(&shard)?.iter().filter(|file| owner(file) == rest) {
                remove(&shard.join(file))?;
            }
            Ok(())
        })
        .await
    }

    async fn list(&self) -> Result<Vec<BlobName>, BlobError> {
        self.blocking(|root| {
            let mut found = Vec::new();
            for shard in names_in(root)?.iter().filter(|name| name.len() == SHARD_DIGITS) {
                let files = names_in(&root.join(shard))?;
                found.extend(files.iter().filter_map(|file| BlobName::parse(&format!("{shard}{}", owner(file)))));
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        })
        .await
    }

    async fn put_derived(&self, name: &BlobName, kind: &DerivedKind, bytes: Vec<u8>) -> Result<(), BlobError> {
        let (name, kind) = (name.clone(), kind.clone());
        self.blocking(move |root| {
            let (shard, rest) = place(root, &name);
            if !shard.join(rest).try_exists()? {
                return Err(BlobError::Absent);
            }
            let mut file = new_file(&root.join(INCOMING))?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            place_file(file, &shard, &format!("{rest}.{}", kind.as_str()))
        })
        .await
    }

    async fn derived(&self, name: &BlobName, kind: &DerivedKind) -> Result<Option<Vec<u8>>, BlobError> {
        let (name, kind) = (name.clone(), kind.clone());
        self.blocking(move |root| {
            let (shard, rest) = name.0.split_at(SHARD_DIGITS);
            let file = match open_linkless(root, shard, &format!("{rest}.{}", kind.as_str())) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let mut bytes = Vec::new();
            file.take(MAX_DERIVED_BYTES).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        })
        .await
    }
}

/// A file that is being written and hashed.
struct Writing {
    file: NamedTempFile,
    hasher: Sha256,
    bytes: u64,
}

impl Writing {
    fn begin(folder: &Path) -> Result<Self, BlobError> {
        Ok(Self { file: new_file(folder)?, hasher: Sha256::new(), bytes: 0 })
    }

    fn more(mut self, piece: &[u8], max_bytes: u64) -> Result<Self, BlobError> {
        self.bytes += piece.len() as u64;
        if self.bytes > max_bytes {
            return Err(BlobError::TooLarge(max_bytes));
        }
        self.hasher.update(piece);
        self.file.write_all(piece)?;
        Ok(self)
    }

    fn end(self) -> Result<Staged, BlobError> {
        self.file.as_file().sync_all()?;
        let name = BlobName(hex(&self.hasher.finalize()));
        Ok(Staged { file: self.file, name, bytes: self.bytes })
    }
}

/// A new file that only this user reads; it is removed when it is dropped.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    make_folder(folder)?;
    NamedTempFile::new_in(folder)
}

/// Moves a written file to its place, for good.
fn place_file(file: NamedTempFile, folder: &Path, name: &str) -> Result<(), BlobError> {
    make_folder(folder)?;
    if folder.symlink_metadata()?.is_symlink() {
        return Err(BlobError::Io(io::Error::other("a link is in the place of a folder")));
    }
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// The folder of kept bytes, and their file's name there.
fn place<'a>(root: &Path, name: &'a BlobName) -> (PathBuf, &'a str) {
    let (shard, rest) = name.0.split_at(SHARD_DIGITS);
    (root.join(shard), rest)
}

/// The part of a file's name that belongs to the bytes it was derived from.
fn owner(file: &str) -> &str {
    file.split_once('.').map_or(file, |(owner, _)| owner)
}

/// The names in a folder; none when it is no folder, or a link to one.
fn names_in(folder: &Path) -> Result<Vec<String>, BlobError> {
    match folder.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() || is_root_link(folder, &metadata) => {}
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}

/// An operator may put the whole folder elsewhere and leave a link; within it there are none.
fn is_root_link(folder: &Path, metadata: &fs::Metadata) -> bool {
    let is_shard = folder.file_name().is_some_and(|name| name.len() == SHARD_DIGITS);
    metadata.is_symlink() && !is_shard && folder.is_dir()
}

fn remove(path: &Path) -> Result<(), BlobError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Opens `root/shard/name` step by step: what is a link, or no regular file, does not open.
#[cfg(unix)]
fn open_linkless(root: &Path, shard: &str, name: &str) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, openat};

    let root = File::open(root)?;
    let folder = openat(&root, shard, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    // Without NONBLOCK a pipe would wait for its writer; for regular files it means nothing.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    regular(File::from(openat(&folder, name, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open_linkless(root: &Path, shard: &str, name: &str) -> io::Result<File> {
    let path = root.join(shard).join(name);
    if path.symlink_metadata()?.is_symlink() {
        return Err(io::Error::other("a link is in its place"));
    }
    regular(File::open(path)?)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// A task that waits for the disk ended without a result.
fn lost(error: tokio::task::JoinError) -> BlobError {
    BlobError::Io(io::Error::other(error))
}
