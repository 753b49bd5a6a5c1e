//! The text of a `.env` file: names, values and the lines they stand on.
//!
//! One entry a line: `NAME=value`, `export NAME='value'`, `NAME="value" # comment`. Nothing is interpolated: `$X` is a
//! dollar sign and an X. A line that cannot be read is reported with its column and never hides the others. Faults
//! never quote the line, since it may hold a secret.

use std::ops::Range;

use crate::config::quoted;

/// Larger files are not settings.
pub const MAX_BYTES: u64 = 256 * 1024;

/// One `NAME=value`.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The value, unquoted.
    pub value: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// Where the value stands in the text as written, with its quotes: a range of bytes.
    pub place: Range<usize>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong and what would be right, without the line's text.
    pub message: String,
}

/// What a file says.
#[derive(Default)]
pub struct EnvFile {
    /// The entries in order. Of those with the same name the last one counts.
    pub entries: Vec<Entry>,
    /// The lines that cannot be read.
    pub faults: Vec<Fault>,
}

impl EnvFile {
    /// The entry that counts for `name`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.name == name)
    }

    /// Entries that a later one replaces, each with the line of the one that counts.
    pub fn replaced(&self) -> impl Iterator<Item = (&Entry, usize)> {
        self.entries.iter().filter_map(|entry| {
            let counts = self.get(&entry.name)?;
            (counts.line != entry.line).then_some((entry, counts.line))
        })
    }
}

/// Reads the bytes of a file. Bytes that are no UTF-8 are one fault.
pub fn parse_bytes(bytes: &[u8]) -> EnvFile {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            let message = "is not UTF-8 text; save the file as UTF-8".to_owned();
            EnvFile { entries: Vec::new(), faults: vec![Fault { line, column, message }] }
        }
    }
}

/// Reads the text of a file.
pub fn parse(text: &str) -> EnvFile {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut start = text.len() - body.len();
    let mut file = EnvFile::default();
    for (index, raw) in body.split('\n').enumerate() {
        let line = raw.strip_suffix('\r').unwrap_or(raw);
        match parse_line(line) {
            Ok(None) => {}
            Ok(Some(Pair { name, value, place })) => {
                let place = start + place.start..start + place.end;
                file.entries.push(Entry { name, value, line: index + 1, place });
            }
            Err((at, message)) => {
                let column = line[..at].chars().count() + 1;
                file.faults.push(Fault { line: index + 1, column, message });
            }
        }
        start += raw.len() + 1;
    }
    file
}

/// `NAME=value` as a line that reads back as the same value.
pub fn render(name: &str, value: &str) -> String {
    format!("{name}={}", quoted::quote(value))
}

/// Whether the parser takes a text for a name.
pub fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_name)
}

/// What one line says.
struct Pair {
    name: String,
    value: String,
    /// Where the value stands in the line, with its quotes.
    place: Range<usize>,
}

/// A line's name and value, nothing for blank lines and comments; or a byte offset and what is wrong there.
fn parse_line(line: &str) -> Result<Option<Pair>, (usize, String)> {
    if let Some(at) = line.find('\0') {
        return Err((at, "holds a NUL character; remove it".to_owned()));
    }
    let start = line.len() - line.trim_start().len();
    let rest = &line[start..];
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(None);
    }
    let start = start + export_len(rest);
    let rest = &line[start..];
    let name_len = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
    let name = &rest[..name_len];
    if !is_valid_name(name) {
        return Err((start, "is no name; write NAME=value, or begin a comment with #".to_owned()));
    }
    let after = rest[name_len..].trim_start();
    let equals = line.len() - after.len();
    if !after.starts_with('=') {
        return Err((equals, "has no = after the name; write NAME=value".to_owned()));
    }
    let first = equals + 1;
    let (value, place) = parse_value(&after[1..]).map_err(|(at, message)| (first + at, message))?;
    Ok(Some(Pair { name: name.to_owned(), value, place: first + place.start..first + place.end }))
}

/// How many bytes a leading `export ` takes.
fn export_len(rest: &str) -> usize {
    match rest.strip_prefix("export") {
        Some(after) if after.starts_with([' ', '\t']) => rest.len() - after.trim_start().len(),
        _ => 0,
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// The value after `=` and its place: quoted, or bare up to a `#` that follows a blank.
fn parse_value(text: &str) -> Result<(String, Range<usize>), (usize, String)> {
    let start = text.len() - text.trim_start().len();
    let value = &text[start..];
    let shift = |(at, message): (usize, &'static str)| (start + at, message.to_owned());
    let Some(quote @ ('"' | '\'')) = value.chars().next() else {
        let bare = bare(text);
        let content = bare.trim();
        // An empty value stands right after the `=`, before the blank that a comment needs.
        let start = if content.is_empty() { 0 } else { bare.len() - bare.trim_start().len() };
        return Ok((content.to_owned(), start..start + content.len()));
    };
    let (content, len) = quoted::unquote(value, quote).map_err(shift)?;
    let tail = value[len..].trim_start();
    if tail.is_empty() || tail.starts_with('#') {
        Ok((content, start..start + len))
    } else {
        Err((text.len() - tail.len(), "follows the closing quote; quote the whole value".to_owned()))
    }
}

/// A bare value without its comment.
fn bare(text: &str) -> &str {
    let mut before = None;
    for (at, c) in text.char_indices() {
        if c == '#' && before.is_some_and(char::is_whitespace) {
            return &text[..at];
        }
        before = Some(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(line: &str) -> String {
        let file = parse(line);
        assert_eq!(file.faults, [], "{line}");
        file.entries.into_iter().next().map(|entry| entry.value).unwrap()
    }

    fn fault(line: &str) -> (usize, usize) {
        let file = parse(line);
        assert!(file.entries.is_empty(), "{line}");
        (file.faults[0].line, file.faults[0].column)
    }

    #[test]
    fn forms_of_a_value() {
        assert_eq!(value("A=b"), "b");
        assert_eq!(value("  export A = b c  # note"), "b c");
        assert_eq!(value("A=b#c"), "b#c");
        assert_eq!(value("A=#c"), "#c");
        assert_eq!(value("A= # note"), "");
        assert_eq!(value("A="), "");
        assert_eq!(value("A=$HOME"), "$HOME");
        assert_eq!(value(r#"A="b \"c\" \n" # note"#), "b \"c\" \n");
        assert_eq!(value(r"A='it\'s C:\data'"), r"it's C:\data");
        assert_eq!(value("export=1"), "1");
    }

    #[test]
    fn lines_survive_bom_crlf_and_comments() {
        let file = parse("\u{feff}# first\r\n\r\nA=1\r\nB=2");
        let found: Vec<_> = file.entries.iter().map(|entry| (entry.name.as_str(), entry.line)).collect();
        assert_eq!(found, [("A", 3), ("B", 4)]);
        assert_eq!(file.get("A").unwrap().value, "1");
    }

    #[test]
    fn faults_name_line_and_column() {
        assert_eq!(fault("\nA"), (2, 2));
        assert_eq!(fault("1A=b"), (1, 1));
        assert_eq!(fault("A=\"b"), (1, 3));
        assert_eq!(fault("A='b' c"), (1, 7));
        assert_eq!(fault("ä=1"), (1, 1));
        assert_eq!(fault(r#"A="C:\data""#), (1, 6));
    }

    #[test]
    fn a_fault_hides_nothing_else() {
        let file = parse("A=1\nwrong\nB=2");
        assert_eq!((file.entries.len(), file.faults.len()), (2, 1));
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let file = parse("A=1\nA=2");
        assert_eq!(file.get("A").unwrap().value, "2");
        assert_eq!(file.replaced().map(|(entry, line)| (entry.line, line)).collect::<Vec<_>>(), [(1, 2)]);
    }

    #[test]
    fn bytes_that_are_no_text_have_a_place() {
        let file = parse_bytes(b"A=1\nB=\xff");
        assert_eq!((file.faults[0].line, file.faults[0].column), (2, 3));
    }

    proptest! {
        #[test]
        fn any_value_reads_back(value in "[^\0]*") {
            let file = parse(&render("NAME", &value));
            prop_assert_eq!(&file.faults, &[]);
            prop_assert_eq!(&file.entries[0].value, &value);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse_bytes(&bytes);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[ A=\"'\\\\#\r\n$xé]{0,40}") {
            parse(&text);
        }
    }
}
