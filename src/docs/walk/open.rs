//! Opens files of the documents folder.
//!
//! The open handle is looked at, not the name, so that nothing put in a file's place after the listing (a link, a
//! pipe, a device) is ever followed or waited for.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use crate::docs::walk::resolve_within;

/// Opens the document that the folder has at `path`, and tells what the handle is: a regular file without a link on
/// the way.
pub fn open_document(absolute: &Path, path: &str) -> io::Result<(File, Metadata)> {
    let (file, metadata) = open_regular(absolute)?;
    check_place(absolute, path, &metadata)?;
    Ok((file, metadata))
}

/// Opens a regular file that is no link; folders on the way to it may be links.
pub fn open_regular(absolute: &Path) -> io::Result<(File, Metadata)> {
    let file = open(absolute)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(refused("it is not a regular file")) }
}

#[cfg(unix)]
fn open(absolute: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    // Opening a pipe would wait for its other end.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(absolute).map_err(|error| {
        if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            refused("a symbolic link is in its place; links are not followed")
        } else {
            error
        }
    })
}

#[cfg(not(unix))]
fn open(absolute: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(absolute)
}

/// Whether the open file is the one that the folder has at `path`, without a link on the way.
fn check_place(absolute: &Path, path: &str, opened: &Metadata) -> io::Result<()> {
    let root = absolute.ancestors().nth(path.split('/').count());
    let root = root.filter(|root| root.join(path) == absolute);
    let root = root.ok_or_else(|| refused("it lies outside the documents folder"))?;
    let found = resolve_within(root, path)?.symlink_metadata()?;
    if is_same(opened, &found) { Ok(()) } else { Err(refused("another file took its place while it was opened")) }
}

#[cfg(unix)]
fn is_same(opened: &Metadata, found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    (opened.dev(), opened.ino()) == (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn is_same(opened: &Metadata, found: &Metadata) -> bool {
    opened.len() == found.len()
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
