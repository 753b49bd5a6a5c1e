//! Cleaning of text, the same for every format.
//!
//! Every text that leaves a reader is NFC, without control characters and soft hyphens, and with plain spaces.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization as _;

/// One line of clean text: NFC, single spaces, trimmed.
pub fn clean_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in clean_chars(text).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// Clean preformatted text: line breaks and indentation stay; blank lines around it go.
pub fn clean_code(text: &str) -> String {
    let text = clean_chars(text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    lines[first..last].join("\n")
}

fn clean_chars(text: &str) -> String {
    let cleaned: String = text
        .chars()
        .filter_map(|c| match c {
            '\n' | '\t' => Some(c),
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{b}' | '\u{c}' => Some('\n'),
            '\u{a0}' | '\u{202f}' | '\u{2007}' => Some(' '),
            '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect();
    // Composing is most of the work, and plain ASCII is composed.
    if cleaned.is_ascii() { cleaned } else { cleaned.nfc().collect() }
}

/// What a hyphen at the end of a line means when the document's own words do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineHyphen {
    /// It belongs to the word: people who wrap by hand break at hyphens.
    Keep,
    /// It was put there by a layout program.
    Drop,
}

/// The words of a document, lower case.
pub type Vocabulary = HashSet<String>;

/// Joins wrapped lines to one paragraph.
pub fn join_lines<'a>(lines: impl IntoIterator<Item = &'a str>, words: &Vocabulary, hyphen: LineHyphen) -> String {
    let mut joined = String::new();
    for line in lines.into_iter().map(str::trim).filter(|line| !line.is_empty()) {
        if joined.is_empty() {
            joined.push_str(line);
        } else if let Some(head) = split_word(&joined, line) {
            let tail: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
            let whole = format!("{head}{tail}").to_lowercase();
            let hyphenated = format!("{head}-{tail}").to_lowercase();
            let keep = match (words.contains(&whole), words.contains(&hyphenated)) {
                (true, false) => false,
                (false, true) => true,
                _ => hyphen == LineHyphen::Keep,
            };
            if !keep {
                joined.pop();
            }
            joined.push_str(line);
        } else {
            if !joins_without_space(&joined, line) {
                joined.push(' ');
            }
            joined.push_str(line);
        }
    }
    joined
}

/// The words of a document, lower case, hyphens inside kept: they tell what a hyphen at a line's end means.
pub fn vocabulary<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vocabulary {
    lines
        .into_iter()
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

/// The letters before a hyphen at the end of `before`, when `after` may continue the word.
fn split_word<'a>(before: &'a str, after: &str) -> Option<&'a str> {
    let stem = before.strip_suffix(['-', '\u{2010}'])?;
    if !after.starts_with(char::is_lowercase) || !stem.ends_with(char::is_alphabetic) {
        return None;
    }
    let start = stem.char_indices().rev().take_while(|(_, c)| c.is_alphabetic()).last()?.0;
    Some(&stem[start..])
}

/// Han and Kana are written without spaces, so a line break between them is none either.
fn joins_without_space(before: &str, after: &str) -> bool {
    let (Some(left), Some(right)) = (before.chars().next_back(), after.chars().next()) else {
        return true;
    };
    is_unspaced(left) && is_unspaced(right)
}

/// Whether a character belongs to a script written without spaces (Han, Kana and their punctuation).
pub fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}

/// The marker a line of text begins with, and the rest: bullets become `-`, numbers keep their digits.
pub fn list_marker(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start();
    let mut chars = line.chars();
    let first = chars.next()?;
    if is_bullet(first) {
        let rest = chars.as_str();
        let spaced = rest.starts_with(char::is_whitespace);
        let rest = rest.trim_start();
        // A dash or a star without a space is a minus sign, a word or emphasis.
        let counts = spaced || !matches!(first, '-' | '*' | '–' | '+' | 'o');
        return (counts && !rest.is_empty()).then(|| ("-".to_owned(), rest));
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if !(1..=3).contains(&digits) {
        return letter_marker(line);
    }
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    let spaced = rest.starts_with(char::is_whitespace);
    let rest = rest.trim_start();
    (spaced && !rest.is_empty()).then(|| (format!("{}.", &line[..digits]), rest))
}

fn letter_marker(line: &str) -> Option<(String, &str)> {
    let bytes = line.as_bytes();
    let (letter, rest) = match bytes {
        [b'(', letter, b')', ..] => (*letter, line.get(3..)?),
        [letter, b')', ..] => (*letter, line.get(2..)?),
        _ => return None,
    };
    let spaced = rest.starts_with(char::is_whitespace);
    let rest = rest.trim_start();
    (letter.is_ascii_alphabetic() && spaced && !rest.is_empty()).then(|| (format!("{}.", char::from(letter)), rest))
}

/// Whether a character is used as a bullet.
pub fn is_bullet(c: char) -> bool {
    matches!(
        c,
        '-' | '*'
            | '+'
            | '–'
            | '•'
            | '◦'
            | '‣'
            | '▪'
            | '▫'
            | '■'
            | '□'
            | '●'
            | '○'
            | '·'
            | '⁃'
            | '➢'
            | '✓'
            | '❖'
            | '\u{f0b7}'
            | '\u{f0a7}'
            | '\u{f0d8}'
            | '\u{f0fc}'
    )
}

/// Whether a line that stands alone reads like a heading: short, capitalised, without an end, without figures.
///
/// What follows it must be seen by the caller: only a line with something longer below it is one.
pub fn reads_like_heading(line: &str) -> bool {
    let line = line.trim();
    let words = line.split_whitespace().count();
    let lower = line.split_whitespace().any(|word| word.chars().filter(|c| c.is_lowercase()).count() > 1);
    (1..=9).contains(&words)
        && line.chars().count() <= 70
        && line.starts_with(char::is_uppercase)
        && line.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '?' | ')' | '”'))
        && lower
        && !line.contains(|c: char| c.is_ascii_digit() || matches!(c, ':' | '@' | '|' | ';' | '='))
        && !line.contains("  ")
}

/// A table row as it is written in blocks.
pub fn table_row<S: AsRef<str>>(cells: &[S]) -> Option<String> {
    let cells: Vec<String> = cells.iter().map(|cell| clean_line(cell.as_ref())).collect();
    let blank = cells.iter().all(String::is_empty);
    (!blank).then(|| format!("| {} |", cells.join(" | ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_what_layout_leaves_behind() {
        assert_eq!(clean_line(" co\u{ad}opera\u{200b}te\u{a0} \u{7}now\r\n"), "cooperate now");
        assert_eq!(clean_line("u\u{308}ber"), "über");
        assert_eq!(clean_code("\n\n  a\n\tb  \n\n"), "  a\n\tb");
    }

    #[test]
    fn line_hyphens_follow_the_documents_own_words() {
        let words = vocabulary(["the delivery came", "a well-known shop"]);
        assert_eq!(join_lines(["deliv-", "ery"], &words, LineHyphen::Keep), "delivery");
        assert_eq!(join_lines(["well-", "known"], &words, LineHyphen::Drop), "well-known");
        assert_eq!(join_lines(["hard-", "wired"], &words, LineHyphen::Keep), "hard-wired");
        assert_eq!(join_lines(["pay-", "Pal"], &words, LineHyphen::Drop), "pay- Pal");
        assert_eq!(join_lines(["日本", "語"], &words, LineHyphen::Drop), "日本語");
    }

    #[test]
    fn headings_have_a_look() {
        for heading in ["Opening hours", "How do I cancel an order?", "Reporting Phishing", "Glossary"] {
            assert!(reads_like_heading(heading), "{heading}");
        }
        for text in ["Delivery takes 3 days", "We are open.", "You need:", "a@b.example", "and so on", "AND SO ON"] {
            assert!(!reads_like_heading(text), "{text}");
        }
    }

    #[test]
    fn list_markers_are_not_minus_signs() {
        assert_eq!(list_marker("- one"), Some(("-".to_owned(), "one")));
        assert_eq!(list_marker("•one"), Some(("-".to_owned(), "one")));
        assert_eq!(list_marker(" 12) two"), Some(("12.".to_owned(), "two")));
        assert_eq!(list_marker("a) two"), Some(("a.".to_owned(), "two")));
        assert_eq!(list_marker("-5 degrees"), None);
        assert_eq!(list_marker("3.5 percent"), None);
        assert_eq!(list_marker("2024. was"), None);
    }
}
