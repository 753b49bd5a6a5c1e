//! Documents of a template on their way into the documents folder. What is there is never overwritten.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::docs::walk::open::open_document;
use crate::docs::walk::{FoundFile, hash_file};

/// How a document stands to the file that has its path in the documents folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nothing is there.
    Absent,
    /// The same bytes are there.
    Same,
    /// Something else is there, and stays.
    Other,
}

/// Looks what is at the place of a document.
pub(super) fn presence(file: &FoundFile, target: &Path) -> io::Result<Presence> {
    match target.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Presence::Absent),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_file() || metadata.len() != file.bytes => return Ok(Presence::Other),
        Ok(_) => {}
    }
    let is_same = hash_file(&file.absolute, &file.path)? == hash_file(target, &file.path)?;
    Ok(if is_same { Presence::Same } else { Presence::Other })
}

/// Copies a document, whole or not at all. Says whether it did: what has come in between stays.
pub(super) fn copy(file: &FoundFile, target: &Path) -> io::Result<bool> {
    let parent = target.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    std::fs::create_dir_all(parent)?;
    let (mut source, metadata) = open_document(&file.absolute, &file.path)?;
    let mut copy = NamedTempFile::with_prefix_in(".import-", parent)?;
    io::copy(&mut source, copy.as_file_mut())?;
    // A temporary file is its owner's alone; a document is as readable as it was.
    copy.as_file().set_permissions(metadata.permissions())?;
    copy.as_file().sync_all()?;
    match copy.persist_noclobber(target) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let absolute = folder.path().join("a.md");
        fs::write(&absolute, "new").unwrap();
        let file = FoundFile { path: "a.md".to_owned(), absolute, bytes: 3, ..FoundFile::default() };
        let target = folder.path().join("data/sub/a.md");
        assert_eq!(presence(&file, &target).unwrap(), Presence::Absent);
        assert!(copy(&file, &target).unwrap());
        assert_eq!(presence(&file, &target).unwrap(), Presence::Same);
        fs::write(&target, "own").unwrap();
        assert_eq!(presence(&file, &target).unwrap(), Presence::Other);
        assert!(!copy(&file, &target).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "own");
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }
}
