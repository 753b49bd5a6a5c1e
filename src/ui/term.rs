//! What is known about the terminal, and how foreign text is made safe for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;

/// The width of tables where no terminal tells one.
const DEFAULT_WIDTH: u16 = 100;
/// Narrower than this nothing can be laid out; a terminal that claims less is not believed.
const MIN_WIDTH: u16 = 40;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is known about the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// Whether questions can be asked: stdin and stderr are terminals.
    pub interactive: bool,
    /// Whether results go to a terminal.
    pub stdout: bool,
    /// Whether notes go to a terminal.
    pub stderr: bool,
    /// Whether results are colored.
    pub color_stdout: bool,
    /// Whether notes are colored.
    pub color_stderr: bool,
}

impl Term {
    /// Looks at the standard streams and at `NO_COLOR` and `TERM`.
    pub fn detect(environment: &BTreeMap<OsString, OsString>, color: Color) -> Self {
        let stdout = std::io::stdout().is_terminal();
        let stderr = std::io::stderr().is_terminal();
        let plain = is_plain(environment);
        let colored = |is_terminal: bool| match color {
            Color::Auto => is_terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        Self {
            interactive: std::io::stdin().is_terminal() && stderr,
            stdout,
            stderr,
            color_stdout: colored(stdout),
            color_stderr: colored(stderr),
        }
    }
}

/// Whether the environment asks for text without color.
fn is_plain(environment: &BTreeMap<OsString, OsString>) -> bool {
    let set = |name: &str| environment.get(&OsString::from(name));
    set("NO_COLOR").is_some_and(|value| !value.is_empty()) || set("TERM").is_some_and(|value| value == "dumb")
}

/// Columns for tables: those of the terminal that results go to; none where there is no terminal.
pub fn table_width() -> Option<u16> {
    let stdout = console::Term::stdout();
    let columns = || stdout.size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| columns.max(MIN_WIDTH));
    stdout.is_term().then(columns)
}

/// Makes text from documents, files or the network safe to show: characters that steer a terminal, reorder a line or
/// hide in it become `U+FFFD`. Line breaks and tabs stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    Cow::Owned(text.chars().map(|c| if is_hostile(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
}

/// The same for a text that is one line: what breaks lines is replaced too, so that a document's name, say, cannot
/// forge one.
pub fn clean_line(text: &str) -> String {
    clean(text).replace('\n', "\u{fffd}")
}

/// Whether a character does something else than stand there.
pub(crate) fn is_hostile(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Bidirectional marks, embeddings, overrides and isolates; separators that some terminals break lines at; the
        // byte order mark; interlinear annotations; tags.
        '\u{061c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(clean("Grüße,\n\t世界"), Cow::Borrowed(_)));
    }

    /// C1: what comes from outside moves no cursor and reverses no text.
    #[test]
    fn steering_characters_are_replaced() {
        assert_eq!(clean("a\u{1b}[31mb"), "a\u{fffd}[31mb");
        assert_eq!(clean("a\u{202e}b\u{9b}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(clean("a\r\nb\rc"), "a\nb\u{fffd}c");
        assert_eq!(clean_line("a\r\nb\tc"), "a\u{fffd}b\tc");
    }

    #[test]
    fn no_color_counts_only_when_not_empty() {
        let environment = |value: &str| BTreeMap::from([("NO_COLOR".into(), OsString::from(value))]);
        assert!(is_plain(&environment("1")));
        assert!(!is_plain(&environment("")));
    }
}
