//! A log file: only its owner reads it, and it is put aside when it has grown.
//!
//! `bot.log` becomes `bot.log.1`, that one `bot.log.2`, and the oldest is removed. Whatever fails there, lines go on
//! into the file that is open.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::ui::log::queue::Sink;

/// An open log file.
pub struct LogFile {
    path: PathBuf,
    file: File,
    /// Bytes in it; what is no regular file (a pipe, a device) is never put aside.
    size: Option<u64>,
    max_bytes: u64,
    keep: usize,
}

impl LogFile {
    /// Opens the file, making it when absent.
    pub fn open(path: &Path, max_bytes: u64, keep: usize) -> io::Result<Self> {
        let file = open(path)?;
        // A link stays, and what it leads to is put aside.
        let path = path.canonicalize()?;
        let size = size(&file)?;
        Ok(Self { path, file, size, max_bytes, keep: keep.max(1) })
    }

    /// Puts the file aside and begins a new one.
    fn rotate(&mut self) -> io::Result<()> {
        // Whatever comes of this, it is tried again only after as many bytes.
        self.size = Some(0);
        for number in (1..self.keep).rev() {
            rename_if_there(&self.aside(number), &self.aside(number + 1))?;
        }
        rename_if_there(&self.path, &self.aside(1))?;
        self.take_new()
    }

    fn take_new(&mut self) -> io::Result<()> {
        let file = open(&self.path)?;
        self.size = size(&file)?;
        self.file = file;
        Ok(())
    }

    fn aside(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }

    /// All bytes, or how many of them.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match self.file.write(&bytes[written..]) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }

    /// Takes half a line off the end again.
    fn cut(&mut self, bytes: usize) -> io::Result<()> {
        if bytes == 0 || self.size.is_none() {
            return Ok(());
        }
        let end = self.file.metadata()?.len();
        self.file.set_len(end.saturating_sub(bytes as u64))
    }
}

impl Sink for LogFile {
    fn write(&mut self, lines: &[u8]) -> Result<(), (usize, io::Error)> {
        let bytes = lines.len() as u64;
        if self.size.is_some_and(|size| size > 0 && size.saturating_add(bytes) > self.max_bytes) {
            // The lines are more than the order of the files.
            let _ = self.rotate();
        }
        let outcome = self.write_all(lines).map_err(|(written, error)| {
            let whole = lines[..written].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            // What cannot be cut off stays; the lines after it are no worse for that than one line.
            let _ = self.cut(written - whole);
            (whole, error)
        });
        let written = outcome.as_ref().map_or_else(|(written, _)| *written, |()| lines.len());
        self.size = self.size.map(|size| size.saturating_add(written as u64));
        outcome
    }

    fn reopen(&mut self) {
        // Where no new file can be made, the old one is better than none.
        if self.size.is_some() {
            let _ = self.take_new();
        }
    }
}

/// Opens a file at its end. A new one is readable and writable by its owner alone (C3).
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

fn size(file: &File) -> io::Result<Option<u64>> {
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then_some(metadata.len()))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
