//! Sensitive values of one document, with their places, masked.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::docs::format::Parsed;
use crate::lint::line::Source;
use crate::lint::sensitive::{self, Class, Level};
use crate::model::{Block, Locator};

/// Findings of a kind and severity that are kept of one document one by one. After them a value is kept once, and told
/// how often it follows: an allow file cannot tell more apart.
pub const MAX_FINDINGS: usize = 1_000;

/// Findings of a kind and severity that are kept at all: above the limit and every fingerprint that a guessable value
/// can have. What a document holds beyond is one finding, which only an entry for all values of the kind allows.
pub const MAX_VALUES: usize = 6_000;

/// A sensitive value in a document. It holds what may be shown, never the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Path relative to the documents folder.
    pub path: String,
    /// The place in words.
    pub place: String,
    /// The place as data.
    pub locator: Locator,
    /// What it is, for programs: `github-token`.
    pub kind: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// Whether it opens something or is about a person.
    #[serde(skip)]
    pub class: Class,
    /// How bad.
    pub severity: Level,
    /// The beginning of a random value, or the length of another; never more.
    pub excerpt: String,
    /// What an allow file names. Empty where it stands for the values that were too many to be kept.
    pub fingerprint: String,
    /// How many follow in the document that are like this one for an allow file.
    pub more: usize,
}

impl Finding {
    /// How many values it tells of.
    pub fn values(&self) -> usize {
        1 + self.more
    }

    /// Whether it stands for values that were too many to be kept, so that nobody knows which.
    pub fn is_rest(&self) -> bool {
        self.fingerprint.is_empty()
    }
}

/// What stands in a document, its title included.
pub fn find(path: &str, parsed: &Parsed, source: &Source) -> Vec<Finding> {
    let text = Joined::new(parsed);
    let mut kept = Kept::default();
    for found in sensitive::find(&text.text) {
        let value = &text.text[found.value.clone()];
        kept.take_at(path, &found, value, || redacted(&text.locator(&found, source)));
    }
    kept.finish()
}

/// Findings of one document, bounded for each kind and severity, so that no kind hides another and memory has an end.
/// Nothing is cut in silence: what is not kept is counted by a finding that an allow file judges in its place.
#[derive(Default)]
pub(super) struct Kept {
    findings: Vec<Finding>,
    counts: BTreeMap<(&'static str, Level), usize>,
    /// The last finding with a fingerprint.
    last: BTreeMap<(&'static str, Level, String), usize>,
}

impl Kept {
    /// Takes a value that was found.
    pub(super) fn take(&mut self, path: &str, locator: Locator, found: &sensitive::Match, value: &str) {
        self.take_at(path, found, value, || locator);
    }

    /// The same, its place being looked up only when it is kept.
    fn take_at(&mut self, path: &str, found: &sensitive::Match, value: &str, place: impl FnOnce() -> Locator) {
        let fingerprint = sensitive::fingerprint(&found.kind, value);
        let Some(fingerprint) = self.admit(found, fingerprint) else { return };
        let locator = place();
        self.findings.push(Finding {
            path: path.to_owned(),
            place: locator.describe(),
            locator,
            kind: found.kind.id,
            title: found.kind.title,
            class: found.kind.class,
            severity: found.level,
            excerpt: sensitive::excerpt(&found.kind, value),
            fingerprint,
            more: 0,
        });
    }

    /// The fingerprint under which the next finding is to be kept; none when it was counted with another.
    fn admit(&mut self, found: &sensitive::Match, fingerprint: String) -> Option<String> {
        let (kind, level) = (found.kind.id, found.level);
        let count = self.counts.entry((kind, level)).or_default();
        let mut key = (kind, level, fingerprint);
        if *count >= MAX_VALUES && !self.last.contains_key(&key) {
            key.2.clear();
        }
        if let Some(last) = self.last.get(&key).filter(|_| *count >= MAX_FINDINGS) {
            self.findings[*last].more += 1;
            return None;
        }
        *count += 1;
        self.last.insert(key.clone(), self.findings.len());
        Some(key.2)
    }

    /// All that is kept.
    pub(super) fn finish(self) -> Vec<Finding> {
        let told = |mut finding: Finding| {
            if finding.is_rest() {
                finding.excerpt = format!("{} more, not listed", finding.values());
            } else if finding.more > 0 {
                finding.excerpt = format!("{} and {} more", finding.excerpt, finding.more);
            }
            finding
        };
        self.findings.into_iter().map(told).collect()
    }
}

/// The place, without values that stand in the heading itself.
pub fn redacted(locator: &Locator) -> Locator {
    let redact = |text: &Option<String>| text.as_deref().map(sensitive::redact);
    Locator { heading: redact(&locator.heading), sheet: redact(&locator.sheet), ..locator.clone() }
}

/// A document as one text, since a name and its value may stand in neighbouring blocks.
struct Joined<'a> {
    text: String,
    starts: Vec<usize>,
    blocks: &'a [Block],
}

impl<'a> Joined<'a> {
    fn new(parsed: &'a Parsed) -> Self {
        let bytes: usize = parsed.blocks.iter().map(|block| block.text.len() + 1).sum();
        let (mut text, mut starts) = (String::with_capacity(bytes), Vec::with_capacity(parsed.blocks.len()));
        let blocks = parsed.blocks.as_slice();
        for block in blocks {
            starts.push(text.len());
            text.push_str(&block.text);
            text.push('\n');
        }
        // A title is mostly a heading too, and would be found twice.
        let title = parsed.title.as_deref().filter(|title| blocks.iter().all(|block| block.text != **title));
        if let Some(title) = title {
            starts.push(text.len());
            text.push_str(title);
        }
        Self { text, starts, blocks }
    }

    fn locator(&self, found: &sensitive::Match, source: &Source) -> Locator {
        let at = self.starts.partition_point(|start| *start <= found.value.start).saturating_sub(1);
        let Some(Block { locator, .. }) = self.blocks.get(at) else { return Locator::default() };
        let before = &self.text[self.starts[at]..found.value.start];
        let narrowed = |lines| source.narrow(lines, before, &self.text[found.value.clone()]);
        Locator { lines: locator.lines.map(narrowed), ..locator.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BlockKind, LineRange};

    fn block(text: &str, line: u32) -> Block {
        let locator = Locator { lines: Some(LineRange(line, line)), ..Locator::default() };
        Block { kind: BlockKind::Paragraph, text: text.to_owned(), locator }
    }

    #[test]
    fn findings_know_their_place_and_hide_their_value() {
        let blocks =
            vec![block("Date of birth:", 1), block("03.03.1984", 3), block("x", 4), block("SSN 512-68-4471", 5)];
        let parsed = Parsed { title: Some("Of marta.quill@lampworks.eu".to_owned()), blocks, ..Parsed::default() };
        let found = find("a.md", &parsed, &Source::default());
        let places: Vec<(&str, &str)> = found.iter().map(|found| (found.kind, found.place.as_str())).collect();
        assert_eq!(places, [("date-of-birth", "line 3"), ("us-ssn", "line 5"), ("email", "")]);
        assert_eq!(found[1].excerpt, "… (11 characters)");
    }

    fn found(values: impl Iterator<Item = String>) -> Vec<Finding> {
        let blocks = values.zip(1..).map(|(value, line)| block(&value, line)).collect();
        find("a.md", &Parsed { blocks, ..Parsed::default() }, &Source::default())
    }

    fn key(number: u32) -> String {
        format!("gh{}_{}{number:06}", "p", "q7Rk2mZt9WbX4cVn6LpY8sHd3Jf5Ga")
    }

    #[test]
    fn no_kind_hides_another() {
        let numbers = (1..=2_000).map(|serial| format!("SSN 512-68-{serial:04}"));
        let addresses = (0..1_200).map(|at| format!("ann.ox@lamp{at}.eu"));
        let found = found(numbers.chain(addresses).chain([key(1)]));
        assert_eq!(found.last().map(|last| (last.kind, last.more)), Some(("github-token", 0)));
    }

    #[test]
    fn a_value_that_is_repeated_is_counted() {
        let found = found((0..1_500).map(|_| key(1)).chain([key(2)]));
        assert_eq!(found.len(), MAX_FINDINGS + 1);
        assert_eq!((found[MAX_FINDINGS - 1].more, &*found[MAX_FINDINGS - 1].excerpt), (500, "ghp_… and 500 more"));
        assert_ne!(found[MAX_FINDINGS].fingerprint, found[0].fingerprint);
    }

    #[test]
    fn of_too_many_values_one_stands_for_the_rest() {
        let found = found((1..=6_100).map(key));
        let rest = &found[MAX_VALUES];
        assert_eq!((found.len(), rest.is_rest(), rest.severity), (MAX_VALUES + 1, true, Level::High));
        assert_eq!((&*rest.excerpt, &*rest.place), ("100 more, not listed", "line 6001"));
    }

    #[test]
    fn a_heading_does_not_give_it_away() {
        let locator = Locator { heading: Some("SSN 512-68-4471".to_owned()), ..Locator::default() };
        assert_eq!(redacted(&locator).describe(), "“SSN …”");
    }
}
