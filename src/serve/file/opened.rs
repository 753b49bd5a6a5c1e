//! Opens a file of the documents folder, and none outside it.
//!
//! No link is followed, not even within the folder: there lie files that are left out of the index, secrets among them.
//! What is served is what was opened: a file that is replaced later does not change an answer that has begun.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read as _, Result, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// How much of a file is looked at to tell its encoding: all of almost every text.
const LOOK_BYTES: u64 = 1024 * 1024;

/// An opened document.
pub struct Opened {
    /// The file, at its beginning.
    pub file: File,
    /// What the system says of the opened file, not of its name.
    pub metadata: Metadata,
}

/// What was looked at of a file.
#[derive(Debug, Default)]
pub struct Look {
    /// How it begins.
    pub bytes: Vec<u8>,
    /// Whether it ends there.
    pub is_all: bool,
}

impl Opened {
    /// Looks at the file from its beginning, and leaves it there.
    pub fn look(&mut self) -> Result<Look> {
        let mut bytes = Vec::new();
        (&mut self.file).take(LOOK_BYTES).read_to_end(&mut bytes)?;
        self.file.seek(SeekFrom::Start(0))?;
        let is_all = (bytes.len() as u64) < LOOK_BYTES || self.metadata.len() == LOOK_BYTES;
        Ok(Look { bytes, is_all })
    }
}

/// Opens a regular file of the folder for reading.
pub fn open_within(docs_dir: &Path, path: &str) -> Result<Opened> {
    let relative = PathBuf::from(path);
    if !relative.components().all(is_plain) {
        return refuse("the path leaves the documents folder");
    }
    let file = open_beneath(&docs_dir.canonicalize()?, &relative)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return refuse("it is not a regular file");
    }
    Ok(Opened { file, metadata })
}

fn is_plain(component: Component<'_>) -> bool {
    matches!(component, Component::Normal(_))
}

fn refuse<T>(why: &'static str) -> Result<T> {
    Err(Error::new(ErrorKind::NotFound, why))
}

/// The system itself keeps the way to the file inside the folder and free of links, whatever is exchanged meanwhile.
#[cfg(target_os = "linux")]
fn open_beneath(root: &Path, relative: &Path) -> Result<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;

    /// A folder that is renamed while it is walked through makes the system ask for another try.
    const TRIES: u32 = 8;

    let folder = File::open(root)?;
    // Without NONBLOCK a pipe would wait for its writer; for regular files it means nothing.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let mut last = Errno::AGAIN;
    for _ in 0..TRIES {
        match openat2(&folder, relative, flags, Mode::empty(), resolve) {
            Ok(opened) => return Ok(File::from(opened)),
            Err(Errno::AGAIN) => {}
            // Kernels before 5.6 have no such call, and old sandboxes forbid it.
            Err(Errno::NOSYS | Errno::PERM) => return open_checked(root, relative),
            Err(error) => {
                last = error;
                break;
            }
        }
    }
    Err(last.into())
}

#[cfg(not(target_os = "linux"))]
fn open_beneath(root: &Path, relative: &Path) -> Result<File> {
    open_checked(root, relative)
}

/// Looks for links first and compares afterwards what was opened with what was looked at.
fn open_checked(root: &Path, relative: &Path) -> Result<File> {
    let place = root.join(relative);
    // Looked at before opening: a pipe would wait for its writer.
    let seen = linkless(root, relative)?;
    if !seen.is_file() {
        return refuse("it is not a regular file");
    }
    let file = File::open(&place)?;
    let opened = file.metadata()?;
    if !is_same_file(&seen, &opened) || !is_same_file(&linkless(root, relative)?, &opened) {
        return refuse("it was exchanged while it was opened");
    }
    Ok(file)
}

/// What stands at a path below the folder, with no link on the way and none at its end.
fn linkless(root: &Path, relative: &Path) -> Result<Metadata> {
    let mut place = root.to_path_buf();
    let mut seen = place.symlink_metadata()?;
    for component in relative.components() {
        place.push(component);
        seen = place.symlink_metadata()?;
        if seen.is_symlink() || !is_plain(component) {
            return refuse("a link stands on the way to it");
        }
    }
    Ok(seen)
}

#[cfg(unix)]
fn is_same_file(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same_file(_seen: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{open_checked, open_within};

    /// D2: nothing outside the folder is served, with or without links.
    #[test]
    fn only_regular_files_of_the_folder_open() {
        let folder = tempfile::tempdir().unwrap();
        let docs = folder.path().canonicalize().unwrap().join("docs");
        std::fs::create_dir_all(docs.join("sub")).unwrap();
        std::fs::write(docs.join("sub/in.md"), "in").unwrap();
        std::fs::write(folder.path().join("out.md"), "out").unwrap();
        let both = |path: &str| (open_within(&docs, path).is_ok(), open_checked(&docs, Path::new(path)).is_ok());
        let look = open_within(&docs, "sub/in.md").unwrap().look().unwrap();
        assert_eq!((look.bytes, look.is_all), (b"in".to_vec(), true));
        for path in ["../out.md", "sub/../../out.md", "/etc/passwd", "sub", "absent.md", ""] {
            assert_eq!(both(path), (false, false), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../out.md", docs.join("escape.md")).unwrap();
            std::os::unix::fs::symlink("sub/in.md", docs.join("inside.md")).unwrap();
            std::os::unix::fs::symlink("/etc", docs.join("etc")).unwrap();
            assert_eq!(both("escape.md"), (false, false));
            assert_eq!(both("etc/passwd"), (false, false));
            // What a link within the folder leads to may have been left out of the index for a reason.
            std::os::unix::fs::symlink("sub", docs.join("folder")).unwrap();
            assert_eq!(both("inside.md"), (false, false));
            assert_eq!(both("folder/in.md"), (false, false));
            let link = folder.path().join("link");
            std::os::unix::fs::symlink("docs", &link).unwrap();
            assert!(open_within(&link, "sub/in.md").is_ok(), "the folder itself may be named by a link");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe.md");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(open_within(folder.path(), "pipe.md").is_err());
        assert!(open_checked(&folder.path().canonicalize().unwrap(), Path::new("pipe.md")).is_err());
    }
}
