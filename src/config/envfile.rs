//! Writes one value into the text of a `.env` file and leaves every other byte as it was: comments, order, line
//! endings, and what the parser cannot read.
//!
//! What is written reads back as the same value. A file changes as a whole or not at all, and keeps its mode and its
//! owner. No error tells a value.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::config::dotenv::{self, EnvFile};
use crate::config::quoted;

/// Why a value was not written.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No line could hold such a name.
    #[error("`{0}` is no name for a line of an env file")]
    Name(String),
    /// A value is one line, for every program that reads such files.
    #[error("a value of an env file must not hold a line break or a NUL character")]
    Value,
    /// A folder, say.
    #[error("`{}` is not a file", .0.display())]
    NotAFile(PathBuf),
    /// A symbolic link without its file: which file to make is not for us to guess.
    #[error("`{}` is a link to a file that is not there", .0.display())]
    Dangling(PathBuf),
    /// Not settings.
    #[error("`{}` would be larger than {} KiB; it holds settings only", .0.display(), dotenv::MAX_BYTES / 1024)]
    TooLarge(PathBuf),
    /// Bytes that are no UTF-8.
    #[error("`{}` is not UTF-8 text", .0.display())]
    NotText(PathBuf),
    /// What the system says.
    #[error("`{}` cannot be {what}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as a participle.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// The text with `name` set to `value`: in the line that counts for the name, else in a new last line.
pub fn set_value(text: &str, name: &str, value: &str) -> Result<String, EditError> {
    if !dotenv::is_valid_name(name) {
        return Err(EditError::Name(name.to_owned()));
    }
    if value.contains(['\n', '\r', '\0']) {
        return Err(EditError::Value);
    }
    let file = dotenv::parse(text);
    Ok(match file.get(name) {
        Some(entry) if entry.value == value => text.to_owned(),
        Some(entry) => {
            let (before, after) = (&text[..entry.place.start], &text[entry.place.end..]);
            let was_quoted = text[entry.place.clone()].starts_with(['"', '\'']);
            format!("{before}{}{after}", quote(value, was_quoted))
        }
        None => append(text, &file, name, value),
    })
}

/// Does the same to a file, which is made with mode 0600 when it is absent. A link is followed.
pub fn write_value(path: &Path, name: &str, value: &str) -> Result<(), EditError> {
    let Some(target) = target(path)? else {
        let text = set_value("", name, value)?;
        return replace(path, None, &text);
    };
    let text = read(&target)?;
    let changed = set_value(&text, name, value)?;
    if changed.len() as u64 > dotenv::MAX_BYTES {
        return Err(EditError::TooLarge(target));
    }
    if changed == text {
        return Ok(());
    }
    let known = fs::metadata(&target).map_err(|source| failed(&target, "read", source))?;
    replace(&target, Some(&known), &changed)
}

/// A new last line, ended like the others, and exported when all others are.
fn append(text: &str, file: &EnvFile, name: &str, value: &str) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if text.is_empty() || text == "\u{feff}" || text.ends_with('\n') { "" } else { end };
    let is_exported = |entry: &dotenv::Entry| {
        let line = text[..entry.place.start].rsplit('\n').next().unwrap_or_default();
        line.trim_start_matches('\u{feff}').trim_start().starts_with("export ")
    };
    let all_exported = !file.entries.is_empty() && file.entries.iter().all(is_exported);
    let export = if all_exported { "export " } else { "" };
    format!("{text}{gap}{export}{name}={}{end}", quote(value, false))
}

/// A value as most readers of such files agree on it: plain, else within single quotes, in which nothing is
/// interpolated, else within double quotes.
fn quote(value: &str, was_quoted: bool) -> String {
    let plain = quoted::quote(value);
    if plain == value && !was_quoted {
        return plain;
    }
    if value.contains(['\'', '\\']) { plain } else { format!("'{value}'") }
}

/// The file behind the path and its links; nothing when there is none.
fn target(path: &Path) -> Result<Option<PathBuf>, EditError> {
    match fs::canonicalize(path) {
        Ok(target) => Ok(Some(target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(path) {
            Ok(_) => Err(EditError::Dangling(path.to_owned())),
            Err(_) => Ok(None),
        },
        Err(source) => Err(failed(path, "found", source)),
    }
}

fn read(path: &Path) -> Result<String, EditError> {
    // A named pipe would keep us waiting, so the kind is asked for before anything is opened.
    let metadata = fs::metadata(path).map_err(|source| failed(path, "read", source))?;
    if !metadata.is_file() {
        return Err(EditError::NotAFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(dotenv::MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| failed(path, "read", source))?;
    if bytes.len() as u64 > dotenv::MAX_BYTES {
        return Err(EditError::TooLarge(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| EditError::NotText(path.to_owned()))
}

/// Puts the text in the file's place by a rename, so that a reader sees the old file or the new one. A file that
/// appeared meanwhile is not replaced by one that was thought to be the first.
fn replace(path: &Path, known: Option<&fs::Metadata>, text: &str) -> Result<(), EditError> {
    let written = |source| failed(path, "written", source);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // Only the owner may read the temporary file, from its first byte on.
    let mut file = tempfile::Builder::new().prefix(".env-").tempfile_in(folder).map_err(written)?;
    file.write_all(text.as_bytes()).map_err(written)?;
    if let Some(known) = known {
        keep_owner(file.as_file(), known).map_err(written)?;
        // After the owner: a change of owner takes bits of the mode away.
        file.as_file().set_permissions(known.permissions()).map_err(written)?;
    }
    file.as_file().sync_all().map_err(written)?;
    let persisted = if known.is_some() { file.persist(path) } else { file.persist_noclobber(path) };
    persisted.map(drop).map_err(|error| written(error.error))
}

/// Gives the new file the owner and the group of the old one: root must not take a service's settings away from it.
#[cfg(unix)]
fn keep_owner(file: &File, known: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (known.uid(), known.gid()) {
        return Ok(());
    }
    fchown(file, Some(known.uid()), Some(known.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _known: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn failed(path: &Path, what: &'static str, source: io::Error) -> EditError {
    EditError::Io { path: path.to_owned(), what, source }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str, value: &str) -> String {
        set_value(text, "A", value).unwrap()
    }

    #[test]
    fn only_the_value_changes() {
        assert_eq!(set("# a\r\n\texport A = old  # why\r\nB=1", "new"), "# a\r\n\texport A = new  # why\r\nB=1");
        assert_eq!(set("A='old' # why\n", "new"), "A='new' # why\n");
        assert_eq!(set("A=\"old\"\n", "it's"), "A=\"it's\"\n");
        assert_eq!(set("A= # why\n", "new"), "A=new # why\n");
        assert_eq!(set("\u{feff}A=old\n", "new"), "\u{feff}A=new\n");
        assert_eq!(set("A=1\nA=2\n#A=3\n", "new"), "A=1\nA=new\n#A=3\n");
        assert_eq!(set("A = \"same\" # kept", "same"), "A = \"same\" # kept");
        assert_eq!(set("A=old # why", ""), "A= # why");
    }

    #[test]
    fn a_new_line_is_written_like_the_others() {
        assert_eq!(set("", "1"), "A=1\n");
        assert_eq!(set("B=1\r\n# c", "1"), "B=1\r\n# c\r\nA=1\r\n");
        assert_eq!(set("\u{feff}export B=1\n", "1"), "\u{feff}export B=1\nexport A=1\n");
        assert_eq!(set("export B=1\nC=1\n", "1"), "export B=1\nC=1\nA=1\n");
        assert_eq!(set("AA=1\n#A=2\n", "1"), "AA=1\n#A=2\nA=1\n");
    }

    #[test]
    fn values_are_quoted_where_they_must_be() {
        assert_eq!(set("", "a b#$x\""), "A='a b#$x\"'\n");
        assert_eq!(set("", "it's $1"), "A=\"it's \\$1\"\n");
        assert_eq!(set("", "sk-proj_1.x/y="), "A=sk-proj_1.x/y=\n");
    }

    #[test]
    fn what_no_line_can_hold_is_refused_without_repeating_it() {
        for value in ["x\nSENTINEL", "x\rSENTINEL", "SENTINEL\0"] {
            let error = set_value("", "A", value).unwrap_err();
            assert!(matches!(error, EditError::Value) && !format!("{error} {error:?}").contains("SENTINEL"));
        }
        for name in ["", "1A", "A B", "A=B", "ä", "A\n"] {
            assert!(matches!(set_value("", name, "1"), Err(EditError::Name(_))), "{name}");
        }
    }

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        write_value(&path, "A", "1").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[cfg(unix)]
    #[test]
    fn mode_and_link_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join(".env"));
        fs::write(&real, "A=1 # one\n").unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        for bits in [0o600, 0o640] {
            fs::set_permissions(&real, fs::Permissions::from_mode(bits)).unwrap();
            write_value(&link, "A", &format!("{bits:o}")).unwrap();
            assert_eq!(fs::read_to_string(&real).unwrap(), format!("A={bits:o} # one\n"));
            assert_eq!(mode(&real), bits);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
        let nowhere = folder.path().join("nowhere");
        std::os::unix::fs::symlink("gone", &nowhere).unwrap();
        assert!(matches!(write_value(&nowhere, "A", "1"), Err(EditError::Dangling(_))));
        assert!(matches!(write_value(folder.path(), "A", "1"), Err(EditError::NotAFile(_))));
    }

    #[test]
    fn what_is_no_text_or_too_large_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, b"A=\xff").unwrap();
        assert!(matches!(write_value(&path, "A", "1"), Err(EditError::NotText(_))));
        let full = format!("# {}\n", "x".repeat(256 * 1024 - 4));
        fs::write(&path, &full).unwrap();
        assert!(matches!(write_value(&path, "A", "1"), Err(EditError::TooLarge(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), full);
    }

    const TEXT: &str =
        "(\u{feff})?([ \t]{0,2}(export )?[AB]{0,2}[ ]{0,2}=?[ \t\"'#\\\\$xé\u{a0}\0]{0,8}\r{0,2}\n?){0,5}";

    proptest! {
        #[test]
        fn a_value_reads_back_and_the_rest_stays(text in TEXT, name in "[AB]{1,2}", value in "[^\0\r\n]{0,12}") {
            let before = dotenv::parse(&text);
            let changed = set_value(&text, &name, &value).unwrap();
            let after = dotenv::parse(&changed);
            prop_assert_eq!(&after.get(&name).unwrap().value, &value);
            // A lone carriage return at the very end becomes a line's, which moves the column of a fault there.
            let faults = |file: &EnvFile| file.faults.iter().map(|fault| fault.line).collect::<Vec<_>>();
            prop_assert_eq!(faults(&after), faults(&before));
            let others = |file: &EnvFile, without: Option<usize>| {
                let kept = file.entries.iter().filter(|entry| Some(entry.line) != without);
                kept.map(|entry| (entry.name.clone(), entry.value.clone(), entry.line)).collect::<Vec<_>>()
            };
            let own = after.get(&name).map(|entry| entry.line);
            prop_assert_eq!(others(&after, own), others(&before, own));
            match before.get(&name) {
                Some(entry) => {
                    prop_assert!(changed.starts_with(&text[..entry.place.start]));
                    prop_assert!(changed.ends_with(&text[entry.place.end..]));
                    prop_assert_eq!(changed.lines().count(), text.lines().count());
                }
                None => prop_assert!(changed.starts_with(&text)),
            }
            prop_assert_eq!(set_value(&changed, &name, &value).unwrap(), changed, "a second time changes nothing");
        }
    }
}
