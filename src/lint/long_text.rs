//! Texts that are too long for a reader: looked through as they stand, window by window, in constant memory.
//!
//! Nothing is parsed here: a value is looked for in the words of the file itself, markup included. Windows overlap, so
//! that a name and its value, or the lines of a key, are seen together. What is no UTF-8 is not known to be harmless.

use std::collections::BTreeSet;
use std::io::Read;

use tokio_util::sync::CancellationToken;

use crate::docs::walk::open::open_document;
use crate::docs::walk::{self, FoundFile};
use crate::error::Problem;
use crate::lint::finding::{Finding, Kept};
use crate::lint::sensitive;
use crate::model::{LineRange, Locator};

/// How much is looked through at a time, in bytes.
const WINDOW: usize = 1024 * 1024;
/// How much of a window is seen again with the next one, in bytes: more than any pattern spans.
const OVERLAP: usize = 16 * 1024;

/// What stands in the text. It ends early at a stop, and says nothing of it: who stops knows.
pub fn find(file: &FoundFile, stop: &CancellationToken) -> Result<Vec<Finding>, Problem> {
    let unreadable = |why: String| Problem::new(&file.path, "document/unreadable", why);
    let (opened, metadata) =
        open_document(&file.absolute, &file.path).map_err(|error| unreadable(error.to_string()))?;
    if (metadata.len(), walk::modified_ns(&metadata)) != (file.bytes, file.modified_ns) {
        return Err(unreadable("it changed while it was being looked at; the next sync takes it".to_owned()));
    }
    let mut text = Windows::new(opened);
    let mut kept = Kept::default();
    while !stop.is_cancelled() && text.next().map_err(|why| unreadable(why.to_string()))? {
        text.look(&file.path, &mut kept);
    }
    Ok(kept.finish())
}

/// Why a text cannot be looked through.
#[derive(Debug, thiserror::Error)]
enum WindowError {
    /// It is in another encoding, or no text.
    #[error("a text that is too long for a reader must be UTF-8 to be looked through; convert it, or split it")]
    Encoding,
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A text in windows that overlap.
struct Windows<R> {
    source: R,
    /// The present window, and behind it the beginning of the next.
    bytes: Vec<u8>,
    /// Where the present window ends.
    end: usize,
    /// Where it stands in the text.
    offset: u64,
    /// Line breaks before it.
    breaks: u32,
    is_over: bool,
    /// Where values began that were told already.
    told: BTreeSet<u64>,
}

impl<R: Read> Windows<R> {
    fn new(source: R) -> Self {
        Self { source, bytes: Vec::new(), end: 0, offset: 0, breaks: 0, is_over: false, told: BTreeSet::new() }
    }

    /// Goes on to the next window; `false` when there is none.
    fn next(&mut self) -> Result<bool, WindowError> {
        if self.is_over {
            return Ok(false);
        }
        self.leave_behind();
        let wanted = (OVERLAP + WINDOW).saturating_sub(self.bytes.len());
        let read = (&mut self.source).take(wanted as u64).read_to_end(&mut self.bytes)?;
        self.is_over = read < wanted;
        let valid = match std::str::from_utf8(&self.bytes) {
            Ok(_) => self.bytes.len(),
            Err(error) if error.error_len().is_none() && !self.is_over => error.valid_up_to(),
            Err(_) => return Err(WindowError::Encoding),
        };
        if self.bytes.contains(&0) {
            return Err(WindowError::Encoding);
        }
        // Nothing is cut within a line, unless the line is as long as a window.
        let line_end = self.bytes[..valid].iter().rposition(|byte| *byte == b'\n').map_or(valid, |at| at + 1);
        self.end = if self.is_over || line_end <= OVERLAP { valid } else { line_end };
        Ok(true)
    }

    /// Drops what no later window has to see again.
    fn leave_behind(&mut self) {
        let mut from = self.end.saturating_sub(OVERLAP);
        while from > 0 && !is_boundary(self.bytes[from]) {
            from -= 1;
        }
        self.breaks += count_breaks(&self.bytes[..from]);
        self.offset += from as u64;
        self.bytes.drain(..from);
        self.told = self.told.split_off(&self.offset);
    }

    fn look(&mut self, path: &str, kept: &mut Kept) {
        let Ok(text) = std::str::from_utf8(&self.bytes[..self.end]) else { return };
        let (mut line, mut counted) = (self.breaks + 1, 0);
        for found in sensitive::find(text) {
            line += count_breaks(&self.bytes[counted..found.value.start]);
            counted = found.value.start;
            if self.told.insert(self.offset + found.value.start as u64) {
                let locator = Locator { lines: Some(LineRange(line, line)), ..Locator::default() };
                kept.take(path, locator, &found, &text[found.value.clone()]);
            }
        }
    }
}

/// Whether a character begins with this byte.
fn is_boundary(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn count_breaks(bytes: &[u8]) -> u32 {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    u32::try_from(lines.saturating_sub(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Put together, so that no scanner of repositories takes it for a leak.
    fn token(last: char) -> String {
        format!("gh{}_{}{last}", "p", "q7Rk2mZt9WbX4cVn6LpY8sHd3Jf5GaTe1uC")
    }

    fn found(bytes: &[u8]) -> Result<Vec<(String, String)>, Problem> {
        let folder = tempfile::tempdir().unwrap();
        let mut file = std::fs::File::create(folder.path().join("long.txt")).unwrap();
        file.write_all(bytes).unwrap();
        drop(file);
        let listing = walk::walk(folder.path()).unwrap();
        let findings = find(&listing.files[0], &CancellationToken::new())?;
        Ok(findings.into_iter().map(|found| (found.kind.to_owned(), found.place)).collect())
    }

    /// Wherever windows meet: each value once, in its line.
    #[test]
    fn values_are_found_once_wherever_windows_meet() {
        let line = "nothing to see here, größer als je zuvor 🙂\n";
        for shift in [0, 1, 17, 5000] {
            let mut text = String::new();
            let mut lines = Vec::new();
            for (at, last) in [(WINDOW - 30, '1'), (WINDOW + OVERLAP - 30, '2'), (2 * WINDOW, '3')] {
                while text.len() < at + shift {
                    text.push_str(line);
                }
                text.extend(["use ", &token(last), " here\n"]);
                lines.push(("github-token".to_owned(), format!("line {}", text.lines().count())));
            }
            assert_eq!(found(text.as_bytes()).unwrap(), lines, "{shift}");
        }
    }

    #[test]
    fn a_text_of_one_line_is_looked_through_too() {
        let text = format!("{} {} {}", "a ".repeat(WINDOW), token('1'), "b ".repeat(WINDOW));
        assert_eq!(found(text.as_bytes()).unwrap(), [("github-token".to_owned(), "line 1".to_owned())]);
    }

    #[test]
    fn what_is_no_utf_8_is_not_harmless() {
        let mut latin = "a\n".repeat(WINDOW).into_bytes();
        latin.extend_from_slice(b"Gr\xf6\xdfe\n");
        assert_eq!(found(&latin).unwrap_err().code, "document/unreadable");
        let mut cut = "a\n".repeat(WINDOW).into_bytes();
        cut.extend_from_slice(&"ö".as_bytes()[..1]);
        assert!(found(&cut).is_err());
        assert!(found(&[b"a\n".repeat(WINDOW), vec![0; 4]].concat()).is_err());
    }
}
