//! Finds keys, passwords and personal data in text.
//!
//! Each kind is a row of a table: a pattern, and a judge that knows checksums, ranges, placeholders and the words
//! before. What has no structure to be checked by is not looked for: a finding that is wrong costs a person's time,
//! and many cost their attention. Nothing here gives a value away: what leaves is masked.

mod assignment;
mod checksum;
mod identifier;
mod mask;
mod person;
mod token;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

pub use crate::lint::sensitive::mask::{FINGERPRINT_DIGITS, excerpt, fingerprint, mask};

/// How bad it is that a value stands in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Most likely meant to be there: an address of a role, a service number, a placeholder.
    Low,
    /// Ways to reach a person.
    Medium,
    /// It opens something, or it identifies a person.
    High,
}

impl Level {
    /// The word that the JSON form has.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a kind is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It opens something.
    Secret,
    /// It is about a person.
    Personal,
}

/// A kind of sensitive value.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Stable, kebab-case.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// What it is about.
    pub class: Class,
}

/// A row of a table of kinds. Where the pattern has a group `v`, that is the value; else all of it.
struct Pattern {
    kind: Kind,
    /// `\b` is the ASCII one.
    regex: &'static str,
    judge: fn(&Candidate<'_>) -> Option<Level>,
}

/// A place where a pattern matches.
struct Candidate<'a> {
    text: &'a str,
    /// All that matched.
    whole: Range<usize>,
    /// The value.
    value: Range<usize>,
}

impl<'a> Candidate<'a> {
    fn value(&self) -> &'a str {
        &self.text[self.value.clone()]
    }

    fn whole(&self) -> &'a str {
        &self.text[self.whole.clone()]
    }

    /// Up to `bytes` bytes before the match, in lower case.
    fn before(&self, bytes: usize) -> String {
        let start = self.text.floor_char_boundary(self.whole.start.saturating_sub(bytes));
        self.text[start..self.whole.start].to_lowercase()
    }

    fn char_before(&self) -> Option<char> {
        self.text[..self.value.start].chars().next_back()
    }

    fn char_after(&self) -> Option<char> {
        self.text[self.value.end..].chars().next()
    }

    /// Whether the value is cut out of a longer number or word.
    fn is_inside_word(&self) -> bool {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        self.char_before().is_some_and(joins) || self.char_after().is_some_and(joins)
    }
}

/// A value found in a text. The value itself stays in the text.
#[derive(Debug, Clone)]
pub struct Match {
    /// What it is.
    pub kind: Kind,
    /// How bad.
    pub level: Level,
    /// Where the value stands, in bytes.
    pub value: Range<usize>,
}

struct Compiled {
    pattern: &'static Pattern,
    regex: Regex,
}

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let compile = |pattern: &'static Pattern| {
        let source = pattern.regex.replace(r"\b", r"(?-u:\b)");
        let regex = Regex::new(&source).expect("every pattern of the tables compiles, as a test sees");
        Compiled { pattern, regex }
    };
    rows().map(compile).collect()
});

/// Every row, the surest kinds first: where two match the same place, the first one counts.
fn rows() -> impl Iterator<Item = &'static Pattern> {
    [token::PATTERNS, assignment::PATTERNS, identifier::PATTERNS, person::PATTERNS].into_iter().flatten()
}

/// Every kind, once.
pub fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for row in rows() {
        if kinds.iter().all(|kind| kind.id != row.kind.id) {
            kinds.push(row.kind);
        }
    }
    kinds
}

/// The values in a text, in order; none overlaps another.
pub fn find(text: &str) -> Vec<Match> {
    let mut found: BTreeMap<usize, Match> = BTreeMap::new();
    for Compiled { pattern, regex } in COMPILED.iter() {
        for captures in regex.captures_iter(text) {
            let Some(whole) = captures.get(0).map(|whole| whole.range()) else { continue };
            let value = captures.name("v").map_or(whole.clone(), |value| value.range());
            let candidate = Candidate { text, whole, value: value.clone() };
            let Some(level) = (pattern.judge)(&candidate) else { continue };
            if is_free(&found, &value) {
                found.insert(value.start, Match { kind: pattern.kind, level, value });
            }
        }
    }
    found.into_values().collect()
}

/// Whether no value found so far shares a byte with this one: only the neighbours can.
fn is_free(found: &BTreeMap<usize, Match>, value: &Range<usize>) -> bool {
    found.range(..value.end).next_back().is_none_or(|(_, before)| before.value.end <= value.start)
}

/// The text with every value masked: for headings and other text that is shown beside a finding.
pub fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for found in find(text) {
        shown.push_str(&text[at..found.value.start]);
        shown.push_str(&mask(&found.kind, &text[found.value.clone()]));
        at = found.value.end;
    }
    shown.push_str(&text[at..]);
    shown
}

#[cfg(test)]
mod tests;
