//! The very line of a value. A block of running text keeps the range of its lines only: its line breaks are gone.
//!
//! The line is looked up in the source text, which is read again where a finding needs it, and only if it is still
//! the text that the reader had. What is not found there keeps the range of its block.

use std::cell::OnceCell;
use std::path::PathBuf;

use crate::docs::format::{encoding, markdown};
use crate::docs::walk::FoundFile;
use crate::docs::{ReadFile, read_bytes};
use crate::model::LineRange;

/// A longer block is no text that a person wrote as one paragraph; nobody waits for its lines.
const MAX_BLOCK_BYTES: usize = 64 * 1024;

/// How much longer the text before a value may be in the block than in the source: a marker of a list, made anew.
const SLACK_BYTES: usize = 16;

/// The source text of one document, read when it is first asked for.
#[derive(Debug, Default)]
pub struct Source {
    file: Option<Origin>,
    text: OnceCell<Option<String>>,
}

#[derive(Debug)]
struct Origin {
    absolute: PathBuf,
    path: String,
    sha256: String,
    is_markdown: bool,
}

impl Source {
    /// The source of a document that was read.
    pub fn new(file: &FoundFile, read: &ReadFile) -> Self {
        let (absolute, path, sha256) = (file.absolute.clone(), file.path.clone(), read.sha256.clone());
        let is_markdown = read.parsed.format == markdown::FORMAT.name;
        Self { file: Some(Origin { absolute, path, sha256, is_markdown }), text: OnceCell::new() }
    }

    /// The lines among `lines` that hold `value`, after `before` in the same block.
    pub fn narrow(&self, lines: LineRange, before: &str, value: &str) -> LineRange {
        if lines.0 >= lines.1 || before.len() > MAX_BLOCK_BYTES {
            return lines;
        }
        let text = self.text.get_or_init(|| self.file.as_ref().and_then(load));
        text.as_deref().and_then(|text| find(text, lines, before, value)).unwrap_or(lines)
    }
}

fn load(origin: &Origin) -> Option<String> {
    let (source, bytes) = read_bytes(&origin.absolute, &origin.path).ok()?;
    if source.sha256() != origin.sha256 {
        return None;
    }
    let text = encoding::decode(&bytes, encoding::declared(&bytes).filter(|_| !origin.is_markdown));
    // The same line breaks as those that the readers of these formats count.
    Some(if origin.is_markdown { text } else { text.replace("\r\n", "\n").replace(['\r', '\u{c}'], "\n") })
}

fn find(text: &str, LineRange(first, last): LineRange, before: &str, value: &str) -> Option<LineRange> {
    let skipped = usize::try_from(first.checked_sub(1)?).ok()?;
    let mut source = String::new();
    let mut starts: Vec<usize> = Vec::new();
    for line in text.split('\n').skip(skipped).take(usize::try_from(last - first).ok()? + 1) {
        starts.push(source.len());
        squeeze(line, &mut source);
        if source.len() > MAX_BLOCK_BYTES {
            return None;
        }
    }
    let (mut needle, mut passed) = (String::new(), String::new());
    squeeze(value, &mut needle);
    squeeze(before, &mut passed);
    // The source holds all that the block does and markup besides, so a value stands there no earlier.
    let from = source.floor_char_boundary(passed.len().saturating_sub(SLACK_BYTES));
    let at = from + source[from..].find(needle.as_str()).filter(|_| !needle.is_empty())?;
    let line = |at: usize| Some(first + u32::try_from(starts.partition_point(|start| *start <= at)).ok()? - 1);
    Some(LineRange(line(at)?, line(at + needle.len() - 1)?))
}

/// Leaves out what a reader may leave out or put in: blanks, line breaks and markup.
fn squeeze(text: &str, squeezed: &mut String) {
    squeezed
        .extend(text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '*' | '_' | '`' | '|' | '\u{feff}')));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, lines: (u32, u32), before: &str, value: &str) -> Option<(u32, u32)> {
        find(text, LineRange(lines.0, lines.1), before, value).map(|LineRange(first, last)| (first, last))
    }

    #[test]
    fn a_value_is_found_on_its_line() {
        let text =
            "# Team\n\nAsk **ann.ox@lamp.eu** or\nbob\\_ox@lamp.eu, ring 030 555\n17 42.\nAgain bob_ox@lamp.eu.\n";
        assert_eq!(lines(text, (3, 6), "Ask ", "ann.ox@lamp.eu"), Some((3, 3)));
        let before = "Ask ann.ox@lamp.eu or ";
        assert_eq!(lines(text, (3, 6), before, "bob_ox@lamp.eu"), Some((4, 4)));
        let before = "Ask ann.ox@lamp.eu or bob_ox@lamp.eu, ring ";
        assert_eq!(lines(text, (3, 6), before, "030 555 17 42"), Some((4, 5)), "it is broken over two lines");
        let before = "Ask ann.ox@lamp.eu or bob_ox@lamp.eu, ring 030 555 17 42. Again ";
        assert_eq!(lines(text, (3, 6), before, "bob_ox@lamp.eu"), Some((6, 6)), "the second of two");
        assert_eq!(lines(text, (3, 6), "", "eve@lamp.eu"), None);
        assert_eq!(lines(text, (30, 60), "", "bob_ox@lamp.eu"), None);
    }
}
