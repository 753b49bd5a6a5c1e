//! Where a result goes: stdout, or a file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Where a result goes.
#[derive(Debug)]
pub(super) enum Sink {
    /// stdout, as it comes.
    Stdout,
    /// A device or a pipe named with `-o`: written as it comes, since it cannot be replaced.
    Device(File),
    /// A file named with `-o`: written beside its place, moved there by [`Sink::finish`].
    File {
        /// Its place.
        path: PathBuf,
        /// What is written so far.
        draft: NamedTempFile,
    },
}

impl Sink {
    /// Opens the place named with `-o`, or stdout.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Ok(found) if !found.is_file() => Ok(Self::Device(File::options().append(true).open(path)?)),
            // Through a link to its target, so that the link stays a link; a file keeps its permissions.
            Ok(found) => draft(&fs::canonicalize(path)?, Some(found.permissions())),
            Err(_) => draft(path, None),
        }
    }

    /// Writes a piece of the result.
    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(text.as_bytes())?;
                stdout.flush()
            }
            Self::Device(file) => file.write_all(text.as_bytes()),
            Self::File { draft, .. } => draft.write_all(text.as_bytes()),
        }
    }

    /// Puts a finished file into its place. Without this call the place stays as it was.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout | Self::Device(_) => Ok(()),
            Self::File { path, draft } => {
                draft.as_file().sync_all()?;
                draft.persist(path).map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// A file beside `path` with the permissions a new file there would have, or those given.
fn draft(path: &Path, permissions: Option<fs::Permissions>) -> io::Result<Sink> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".chatbotctl-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let draft = builder.tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        draft.as_file().set_permissions(permissions)?;
    }
    Ok(Sink::File { path: path.to_owned(), draft })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_at_the_end_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        let mut sink = Sink::open(Some(&path)).unwrap();
        sink.write("{}\n").unwrap();
        assert!(!path.exists());
        sink.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
    }

    #[test]
    fn an_abandoned_file_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        fs::write(&path, "old").unwrap();
        let mut sink = Sink::open(Some(&path)).unwrap();
        sink.write("new").unwrap();
        drop(sink);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Sink::open(Some(folder.path())).is_err());
    }
}
