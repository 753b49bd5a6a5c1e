//! Ignore rules: `.chatbotctlignore` in any folder of the documents, in the syntax of `.gitignore`.
//!
//! The rules of a folder hold for all below it; those of a deeper folder win, and within a file the last that matches
//! wins. What a rule leaves out is named with that rule.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::docs::walk::open::open_regular;
use crate::error::Problem;

/// The name of such a file.
pub const IGNORE_FILE: &str = ".chatbotctlignore";

/// More rules than this nobody writes.
const MAX_BYTES: u64 = 1024 * 1024;

/// The rules of a folder, and of those above it.
#[derive(Debug)]
pub struct Rules {
    above: Option<Arc<Self>>,
    matcher: Gitignore,
    /// Path of the file, relative to the documents folder.
    file: String,
}

impl Rules {
    /// Reads the rules of the folder at `folder`, which is `path` below the documents folder; those above it hold on.
    /// A rule that is no rule becomes a problem, and the others hold. An error means that nobody can tell what is to
    /// be ignored.
    pub fn load(
        folder: &Path,
        path: &str,
        above: Option<Arc<Self>>,
        problems: &mut Vec<Problem>,
    ) -> io::Result<Option<Arc<Self>>> {
        let Some(text) = read(&folder.join(IGNORE_FILE))? else { return Ok(above) };
        let file = if path.is_empty() { IGNORE_FILE.to_owned() } else { format!("{path}/{IGNORE_FILE}") };
        let mut builder = GitignoreBuilder::new(folder);
        let bad = |number: usize, line: &str, why: &dyn std::fmt::Display| {
            let message = format!("line {number}: `{line}` is no rule: {why}; the other rules hold");
            Problem::new(file.clone(), "ignore/bad-rule", message)
        };
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if let Err(error) = builder.add_line(None, line) {
                problems.push(bad(at + 1, line, &error));
            }
        }
        match builder.build() {
            Ok(matcher) => Ok(Some(Arc::new(Self { above, matcher, file }))),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
        }
    }

    /// Why the file or folder at this place is ignored, when it is.
    pub fn reason(&self, absolute: &Path, is_folder: bool) -> Option<String> {
        match self.matcher.matched(absolute, is_folder) {
            Match::Ignore(rule) => Some(format!("ignored by `{}` in {}", rule.original(), self.file)),
            Match::Whitelist(_) => None,
            Match::None => self.above.as_ref()?.reason(absolute, is_folder),
        }
    }
}

/// The text of the file; none where there is none.
fn read(file: &Path) -> io::Result<Option<String>> {
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    let file = match open_regular(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok((file, _)) => file,
    };
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES { refuse("it has more than 1 MB") } else { Ok(Some(text)) }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_regular_file_has_rules() {
        let dir = tempfile::tempdir().unwrap();
        let refusal = |name: &str| read(&dir.path().join(name)).unwrap_err().to_string();
        fs::write(dir.path().join("rules"), "old/\n").unwrap();
        assert_eq!(read(&dir.path().join("rules")).unwrap().as_deref(), Some("old/\n"));
        assert_eq!(read(&dir.path().join("none")).unwrap(), None);
        std::os::unix::fs::symlink(dir.path().join("rules"), dir.path().join("link")).unwrap();
        assert!(refusal("link").contains("links are not followed"), "{}", refusal("link"));
        // A pipe that nobody writes to: opening it must not wait.
        let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
        assert!(made.success());
        assert_eq!(refusal("pipe"), "it is not a regular file");
    }
}
