//! Reads a marker: `[1]`, `[1, 2]`, `[1-3]`, `【1†source】`, `[^1]`, `[source 1]`, `([1])`.

use std::sync::LazyLock;

use regex::Regex;

/// A marker is not longer than this, in bytes; what is longer is text.
const MAX_BYTES: usize = 96;
/// A range of more numbers names nothing.
const MAX_NUMBERS: usize = 50;
const PAIRS: [(char, char); 3] = [('[', ']'), ('【', '】'), ('［', '］')];
/// What models write before the number, in lower case.
const LABELS: &str = "sources?|src|documents?|docs?|refs?|references?|citations?|cite|chunks?|excerpts?|quellen?|dokumente?|fuentes?|fonti?|fontes?";

/// The whole inside of a marker.
static INSIDE: LazyLock<Regex> = LazyLock::new(|| {
    let number = format!(r"(?:(?:{LABELS})\s*[#:.]?\s*)?\^?#?[0-9]{{1,3}}");
    let between = r"(?:\s*[-–—,;&]\s*|\s+(?:and\s+|und\s+|et\s+|y\s+|e\s+)?)";
    Regex::new(&format!(r"(?i)^\s*{number}(?:{between}{number})*(?:\s*:\s*[0-9]{{1,3}})?\s*(?:†.*)?$"))
        .expect("the pattern is fixed")
});
/// A number, or two that are the ends of a range.
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)([0-9]{{1,3}})(?:\s*[-–—]\s*(?:(?:{LABELS})\s*)?\^?([0-9]{{1,3}}))?"))
        .expect("the pattern is fixed")
});
/// What may stand inside a marker that is not closed yet.
static BEGUN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^[\s^#]*[a-z]{0,10}\s*[#:.]?\s*\^?#?(?:[0-9]{1,3}(?:[^0-9].*)?)?$").expect("the pattern is fixed")
});

/// What stands at an opening bracket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// No marker.
    Text,
    /// More text decides.
    Wait,
    /// A marker of so many bytes with these numbers, as written.
    Marker(usize, Vec<usize>),
}

/// Reads at the start of `text`, which begins with a bracket, or with a parenthesis or bracket around one.
pub(super) fn read(text: &str, is_end: bool) -> Read {
    let (inner, close) = match (text.strip_prefix('('), text.strip_prefix('[')) {
        (Some(inner), _) => (inner, ')'),
        (None, Some(inner)) if inner.starts_with('[') => (inner, ']'),
        _ => return bracket(text, is_end),
    };
    if inner.is_empty() && !is_end {
        return Read::Wait;
    }
    match bracket(inner, is_end) {
        Read::Marker(length, numbers) => match inner[length..].chars().next() {
            Some(c) if c == close => Read::Marker(1 + length + 1, numbers),
            None if !is_end => Read::Wait,
            _ => Read::Text,
        },
        other => other,
    }
}

fn bracket(text: &str, is_end: bool) -> Read {
    let open = text.chars().next();
    let Some((open, close)) = PAIRS.into_iter().find(|(opens, _)| Some(*opens) == open) else {
        return Read::Text;
    };
    let inside = &text[open.len_utf8()..];
    let mut end = None;
    for (at, c) in inside.char_indices() {
        if at > MAX_BYTES || c == '\n' || c == open {
            return Read::Text;
        }
        if c == close {
            end = Some(at);
            break;
        }
    }
    let Some(end) = end else {
        return if !is_end && BEGUN.is_match(inside) { Read::Wait } else { Read::Text };
    };
    let inside = &inside[..end];
    if !INSIDE.is_match(inside) {
        return Read::Text;
    }
    Read::Marker(open.len_utf8() + end + close.len_utf8(), numbers(inside))
}

fn numbers(inside: &str) -> Vec<usize> {
    let inside = inside.split(['†', ':']).find(|part| part.contains(|c: char| c.is_ascii_digit())).unwrap_or_default();
    let mut numbers = Vec::new();
    for found in NUMBERS.captures_iter(inside) {
        let at = |group: usize| found.get(group).and_then(|number| number.as_str().parse::<usize>().ok());
        match (at(1), at(2)) {
            (Some(first), Some(last)) if first <= last && last - first < MAX_NUMBERS => numbers.extend(first..=last),
            (Some(first), last) => numbers.extend([Some(first), last].into_iter().flatten()),
            (None, _) => {}
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_read_in_every_spelling() {
        let numbers = |text: &str| match read(text, true) {
            Read::Marker(length, numbers) if length == text.len() => Some(numbers),
            _ => None,
        };
        let cases: [(&str, &[usize]); 17] = [
            ("[1]", &[1]),
            ("[1, 2]", &[1, 2]),
            ("[1,2;3]", &[1, 2, 3]),
            ("[1-3]", &[1, 2, 3]),
            ("[2–3, 5]", &[2, 3, 5]),
            ("【1】", &[1]),
            ("【4:0†source】", &[4]),
            ("【1†returns.md】", &[1]),
            ("[^1]", &[1]),
            ("[source 1]", &[1]),
            ("[Source: 2]", &[2]),
            ("[Document 1, Document 2]", &[1, 2]),
            ("[1 and 2]", &[1, 2]),
            ("([12])", &[12]),
            ("[[1]]", &[1]),
            ("[#3]", &[3]),
            ("[3-1]", &[3, 1]),
        ];
        for (text, expected) in cases {
            assert_eq!(numbers(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["[ ]", "[x]", "[]", "[text]", "[2024]", "[1.5]", "[see 1 below]", "(1)", "[a1]", "[1\n]", "[-]"] {
            assert_eq!(read(text, true), Read::Text, "{text}");
        }
    }

    #[test]
    fn what_cannot_become_a_marker_is_not_waited_for() {
        for text in ["[", "[ ", "[1", "[1,", "[sou", "[source ", "【1†re", "(", "([1]", "[^"] {
            assert_eq!(read(text, false), Read::Wait, "{text}");
            assert_eq!(read(text, true), Read::Text, "{text}");
        }
        for text in ["[a longer text", "[1234", "(a", "[é", "[(", "[]"] {
            assert_eq!(read(text, false), Read::Text, "{text}");
        }
    }
}
