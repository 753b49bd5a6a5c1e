//! Lists the files of the documents folder.
//!
//! No symbolic link is followed, so nothing outside the folder is ever read. Hidden and secret-looking files, and what
//! ignore rules name, are left out, and everything left out is named with a reason: a folder once, not file by file.
//! This module reads no contents except to hash them.

pub mod bad_name;
pub mod ignored;
pub mod names;
pub mod open;
pub mod skipped;

use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::docs::catalogue::CATALOGUE_FILE;
use crate::docs::format::{self, FormatError};
use crate::docs::walk::ignored::{IGNORE_FILE, Rules};
use crate::docs::walk::open::open_document;
use crate::error::Problem;

pub use crate::docs::walk::skipped::{SkipCode, Skipped};

/// Deeper folders are a mistake or an attack.
const MAX_DEPTH: usize = 64;

/// A file that a reader exists for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundFile {
    /// Path relative to the documents folder, with `/`.
    pub path: String,
    /// Where it lies.
    pub absolute: PathBuf,
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970, when the file system tells.
    pub modified_ns: Option<i64>,
    /// Time of the last change of its inode in nanoseconds since 1970, when the file system tells.
    pub ctime_ns: Option<i64>,
    /// Number of its inode, when the file system has such.
    pub inode: Option<u64>,
}

/// What lies in the folder. All lists are sorted by path.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files to read.
    pub files: Vec<FoundFile>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
    /// Files and folders that could not be looked at. What an index has of them must stay.
    pub problems: Vec<Problem>,
}

/// Why there is no listing at all.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// There is no such folder.
    #[error("there is no folder `{0}`")]
    NoFolder(String),
    /// The folder cannot be read.
    #[error("the folder `{path}` cannot be read: {message}")]
    Unreadable {
        /// The folder.
        path: String,
        /// What the system said.
        message: String,
    },
}

/// How many bytes the file at a path may have.
pub type MaxBytes = fn(&str) -> u64;

/// Lists the files under `root` that a reader may take.
pub fn walk(root: &Path) -> Result<Listing, WalkError> {
    walk_within(root, format::max_bytes)
}

/// Lists the files under `root` that are within a bound of their own.
pub fn walk_within(root: &Path, max_bytes: MaxBytes) -> Result<Listing, WalkError> {
    let shown = root.display().to_string();
    if !root.is_dir() {
        return Err(WalkError::NoFolder(shown));
    }
    let entries =
        fs::read_dir(root).map_err(|error| WalkError::Unreadable { path: shown, message: error.to_string() })?;
    let mut walker = Walker { listing: Listing::default(), pending: Vec::new(), max_bytes };
    walker.folder(entries, Folder { absolute: root.to_owned(), path: String::new(), depth: 0, rules: None });
    // An explicit stack, so that no depth of folders can overflow ours.
    while let Some(folder) = walker.pending.pop() {
        match fs::read_dir(&folder.absolute) {
            Ok(entries) => walker.folder(entries, folder),
            Err(error) => walker.unreadable(folder.path, &error),
        }
    }
    Ok(walker.finish())
}

/// The regular file of the folder `root` at `path`, as the walk would find it: no symbolic link on the way, nothing
/// outside the folder. A file that is not there gives [`io::ErrorKind::NotFound`], and only that does.
pub fn resolve_within(root: &Path, path: &str) -> io::Result<PathBuf> {
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    let mut place = root.canonicalize()?;
    let mut is_file = false;
    for component in Path::new(path).components() {
        let Component::Normal(name) = component else {
            return refuse("the path leaves the documents folder");
        };
        place.push(name);
        let metadata = place.symlink_metadata()?;
        if metadata.is_symlink() {
            return refuse("a symbolic link is on the way; links are not followed");
        }
        is_file = metadata.is_file();
    }
    if is_file { Ok(place) } else { refuse("it is not a regular file") }
}

/// SHA-256 of the document that the folder has at `path`, read in pieces.
pub fn hash_file(absolute: &Path, path: &str) -> io::Result<String> {
    let (file, _) = open_document(absolute, path)?;
    let mut file = file.take(format::MEDIA_BYTES + 1);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Modification time in nanoseconds since 1970.
pub fn modified_ns(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// Time of the last change of the inode, in nanoseconds since 1970, and the inode's number.
#[cfg(unix)]
pub fn inode(metadata: &Metadata) -> (Option<i64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt as _;
    let ctime_ns = metadata.ctime().checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(metadata.ctime_nsec()));
    (ctime_ns, Some(metadata.ino()))
}

/// Neither is known here.
#[cfg(not(unix))]
pub fn inode(_metadata: &Metadata) -> (Option<i64>, Option<u64>) {
    (None, None)
}

struct Walker {
    listing: Listing,
    pending: Vec<Folder>,
    max_bytes: MaxBytes,
}

struct Folder {
    absolute: PathBuf,
    path: String,
    depth: usize,
    /// The ignore rules of the folders above; once its own are read, those too.
    rules: Option<Arc<Rules>>,
}

impl Walker {
    fn folder(&mut self, entries: fs::ReadDir, mut folder: Folder) {
        let above = folder.rules.take();
        match Rules::load(&folder.absolute, &folder.path, above, &mut self.listing.problems) {
            Ok(rules) => folder.rules = rules,
            Err(error) => {
                // Nobody knows what is to be ignored, so the folder stays in the index as it is there.
                let message = format!("its {IGNORE_FILE} cannot be read: {error}; nothing here was looked at");
                return self.problem(folder.path, "ignore/unreadable", &message);
            }
        }
        for entry in entries {
            match entry {
                Ok(entry) => self.entry(&entry, &folder),
                Err(error) => self.unreadable(folder.path.clone(), &error),
            }
        }
    }

    fn entry(&mut self, entry: &fs::DirEntry, folder: &Folder) {
        let os_name = entry.file_name();
        // Most of what a name tells about a file it also tells when some of its letters are unknown.
        let name = &*os_name.to_string_lossy();
        let path = join(&folder.path, name);
        if name == IGNORE_FILE {
            return;
        }
        if name.starts_with('.') {
            let is_secret = names::is_secret(name);
            let (code, reason) =
                if is_secret { (SkipCode::Secret, names::SECRET) } else { (SkipCode::Hidden, "hidden") };
            return self.skip(path, code, reason);
        }
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return self.unreadable(path, &error),
        };
        if kind.is_symlink() {
            return self.skip(path, SkipCode::Link, "a symbolic link; links are not followed");
        }
        let rules = folder.rules.as_ref();
        if let Some(reason) = rules.and_then(|rules| rules.reason(&entry.path(), kind.is_dir())) {
            return self.skip(path, SkipCode::Ignored, &reason);
        }
        if kind.is_dir() {
            self.subfolder(entry, name, path, folder);
        } else if kind.is_file() {
            self.file(entry, name, path);
        } else {
            self.skip(path, SkipCode::Special, "not a regular file");
        }
    }

    fn subfolder(&mut self, entry: &fs::DirEntry, name: &str, path: String, parent: &Folder) {
        if let Some(reason) = names::foreign_folder(name) {
            return self.skip(path, SkipCode::Foreign, reason);
        }
        if self.has_bad_name(entry, &path) {
            return;
        }
        if parent.depth >= MAX_DEPTH {
            return self.problem(path, "document/unreadable", "folders are nested too deep here");
        }
        let rules = parent.rules.clone();
        self.pending.push(Folder { absolute: entry.path(), path, depth: parent.depth + 1, rules });
    }

    fn file(&mut self, entry: &fs::DirEntry, name: &str, path: String) {
        if path == CATALOGUE_FILE {
            return;
        }
        if names::is_secret(name) {
            return self.skip(path, SkipCode::Secret, names::SECRET);
        }
        if names::is_scratch(name) {
            return self.skip(path, SkipCode::Temporary, "a temporary file of another program");
        }
        if format::by_extension(&path).is_none() {
            return self.skip(path, SkipCode::Unsupported, &format::unsupported_reason(name));
        }
        if self.has_bad_name(entry, &path) {
            return;
        }
        match entry.metadata() {
            Err(error) => self.unreadable(path, &error),
            Ok(metadata) if metadata.len() > (self.max_bytes)(&path) => {
                let error = FormatError::TooLarge((self.max_bytes)(&path));
                self.problem(path, error.code(), &error.to_string());
            }
            Ok(metadata) => self.found(path, entry.path(), &metadata),
        }
    }

    /// Whether the name is no text, which is said.
    fn has_bad_name(&mut self, entry: &fs::DirEntry, path: &str) -> bool {
        let is_bad = entry.file_name().to_str().is_none();
        if is_bad {
            self.problem(path.to_owned(), "document/bad-name", &bad_name::message(&entry.path()));
        }
        is_bad
    }

    fn found(&mut self, path: String, absolute: PathBuf, metadata: &Metadata) {
        let (ctime_ns, inode) = inode(metadata);
        let (bytes, modified_ns) = (metadata.len(), modified_ns(metadata));
        self.listing.files.push(FoundFile { path, absolute, bytes, modified_ns, ctime_ns, inode });
    }

    fn skip(&mut self, path: String, code: SkipCode, reason: &str) {
        self.listing.skipped.push(Skipped { path, code, reason: reason.to_owned() });
    }

    fn unreadable(&mut self, path: String, error: &io::Error) {
        // A file that went away between listing and looking is no problem: it is not there.
        if error.kind() != io::ErrorKind::NotFound {
            self.problem(path, "document/unreadable", &error.to_string());
        }
    }

    fn problem(&mut self, path: String, code: &str, message: &str) {
        self.listing.problems.push(Problem::new(path, code, message));
    }

    fn finish(mut self) -> Listing {
        self.listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.listing.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        self.listing.problems.sort_by(|a, b| a.path.cmp(&b.path));
        self.listing
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// D11: hidden files and secrets are left out, and named.
    #[test]
    fn lists_sorted_and_names_what_it_leaves_out() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["b.md", "a/z.txt", "a/.hidden.md", "prod.env", "key.pem", "id_rsa", "x.mp3", "README", "~$a.docx"]
        {
            write(dir.path(), path, "x");
        }
        write(dir.path(), CATALOGUE_FILE, "documents: []");
        write(dir.path(), "sub/documents.md", "x");
        let listing = walk(dir.path()).unwrap();
        let paths: Vec<&str> = listing.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a/z.txt", "b.md", "sub/documents.md"]);
        let skipped: Vec<&str> = listing.skipped.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(skipped, ["README", "a/.hidden.md", "id_rsa", "key.pem", "prod.env", "x.mp3", "~$a.docx"]);
        assert!(listing.problems.is_empty());
    }

    /// D11: no link is followed, inside or out.
    #[cfg(unix)]
    #[test]
    fn follows_no_link_and_reports_bad_names() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let outside = tempfile::tempdir().unwrap();
        write(outside.path(), "secret.md", "x");
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.md"), dir.path().join("l.md")).unwrap();
        fs::write(dir.path().join(OsStr::from_bytes(b"caf\xe9.md")), "x").unwrap();
        let listing = walk(dir.path()).unwrap();
        assert!(listing.files.is_empty());
        assert_eq!(listing.skipped.len(), 2);
        assert_eq!(listing.problems[0].code, "document/bad-name");
        assert!(listing.problems[0].message.contains("rename it: `mv -n "), "{}", listing.problems[0].message);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_left_out_may_have_any_name() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let dir = tempfile::tempdir().unwrap();
        let place = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
        for name in [&b".caf\xe9.md"[..], b"caf\xe9.mp3", b"caf\xe9.pem", b"caf\xe9.md~", b"old-caf\xe9.md"] {
            fs::write(place(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(place(b"caf\xe9.mp3"), place(b"link-\xe9.md")).unwrap();
        fs::create_dir(place(b"old-\xe9")).unwrap();
        write(dir.path(), IGNORE_FILE, "old-*\n");
        let listing = walk(dir.path()).unwrap();
        let reasons: Vec<&str> = listing.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
        let expected = [
            "hidden",
            "a temporary file of another program",
            "no reader for `.mp3` files",
            names::SECRET,
            "a symbolic link; links are not followed",
            "ignored by `old-*` in .chatbotctlignore",
            "ignored by `old-*` in .chatbotctlignore",
        ];
        let mut sorted = (reasons.clone(), expected.to_vec());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1);
        assert!(listing.files.is_empty() && listing.problems.is_empty(), "{listing:?}");
    }

    #[test]
    fn a_path_is_resolved_to_a_file_of_the_folder_only() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("docs");
        write(&root, "sub/a.md", "x");
        write(dir.path(), "out/secret.md", "x");
        let kind = |path: &str| resolve_within(&root, path).map_err(|error| error.kind());
        assert_eq!(kind("sub/a.md"), Ok(root.canonicalize().unwrap().join("sub/a.md")));
        assert_eq!(kind("sub/b.md"), Err(io::ErrorKind::NotFound));
        let absolute = dir.path().join("out/secret.md");
        for path in ["../out/secret.md", "sub/../../out/secret.md", absolute.to_str().unwrap(), "sub", ""] {
            assert_eq!(kind(path), Err(io::ErrorKind::InvalidInput), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("out"), root.join("link")).unwrap();
            std::os::unix::fs::symlink(&absolute, root.join("l.md")).unwrap();
            for path in ["link/secret.md", "l.md"] {
                assert_eq!(kind(path), Err(io::ErrorKind::InvalidInput), "{path}");
            }
        }
    }

    #[test]
    fn rules_ignore_and_a_deeper_file_takes_back() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["a.md", "draft.md", "old/a.md", "old/b.md", "s/draft.md", "s/keep/draft.md", "node_modules/x.md"];
        for path in files {
            write(dir.path(), path, "x");
        }
        write(dir.path(), IGNORE_FILE, "# drafts\ndraft.md\n/old/\n{a,b\n");
        write(dir.path(), &format!("s/keep/{IGNORE_FILE}"), "!draft.md\n");
        let listing = walk(dir.path()).unwrap();
        let paths: Vec<&str> = listing.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.md", "s/keep/draft.md"]);
        let skipped: Vec<(&str, &str)> =
            listing.skipped.iter().map(|file| (file.path.as_str(), file.reason.as_str())).collect();
        let expected = [
            ("draft.md", "ignored by `draft.md` in .chatbotctlignore"),
            ("node_modules", "files of installed programs"),
            ("old", "ignored by `/old/` in .chatbotctlignore"),
            ("s/draft.md", "ignored by `draft.md` in .chatbotctlignore"),
        ];
        assert_eq!(skipped, expected);
        let problem = &listing.problems[0];
        assert_eq!((problem.path.as_str(), problem.code.as_str()), (IGNORE_FILE, "ignore/bad-rule"));
        assert!(problem.message.starts_with("line 4: `{a,b`"), "{}", problem.message);
    }

    #[test]
    fn where_rules_cannot_be_read_nothing_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.md", "x");
        write(dir.path(), "s/b.md", "x");
        fs::create_dir(dir.path().join("s").join(IGNORE_FILE)).unwrap();
        let listing = walk(dir.path()).unwrap();
        assert_eq!(listing.files.len(), 1);
        assert_eq!((listing.problems[0].path.as_str(), listing.problems[0].code.as_str()), ("s", "ignore/unreadable"));
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = walk(&dir.path().join("none")).unwrap_err();
        assert!(error.to_string().starts_with("there is no folder `"), "{error}");
    }

    #[test]
    fn the_bound_is_the_callers() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.md"), "five!").unwrap();
        assert_eq!(walk_within(dir.path(), |_| 5).unwrap().files.len(), 1);
        let listing = walk_within(dir.path(), |_| 4).unwrap();
        assert_eq!((listing.files.len(), listing.problems[0].code.as_str()), (0, "document/too-large"));
    }

    #[test]
    fn hashes_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        fs::write(&file, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_file(&file, "a").unwrap(), expected);
    }
}
