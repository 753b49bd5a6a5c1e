//! Sensitive values of one document, with their places, masked.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::docs::format::Parsed;
use crate::lint::line::Source;
use crate::lint::sensitive::{self, Class, Level};
use crate::model::{Block, Locator};

/// Findings kept of one document for each level: more say nothing new, and many addresses never hide a key.
pub const MAX_FINDINGS: usize = 1_000;

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
    /// The beginning of the value.
    pub excerpt: String,
    /// What an allow file names.
    pub fingerprint: String,
}

/// What stands in a document, its title included.
pub fn find(path: &str, parsed: &Parsed, source: &Source) -> Vec<Finding> {
    let text = Joined::new(parsed);
    let matches = sensitive::find(&text.text);
    let finding = |found: &sensitive::Match| {
        let value = &text.text[found.value.clone()];
        let locator = redacted(&text.locator(found, source));
        Finding {
            path: path.to_owned(),
            place: locator.describe(),
            locator,
            kind: found.kind.id,
            title: found.kind.title,
            class: found.kind.class,
            severity: found.level,
            excerpt: sensitive::mask(value),
            fingerprint: sensitive::fingerprint(found.kind.id, value),
        }
    };
    let mut kept: BTreeMap<Level, usize> = BTreeMap::new();
    let is_kept = |found: &&sensitive::Match| {
        let count = kept.entry(found.level).or_default();
        *count += 1;
        *count <= MAX_FINDINGS
    };
    matches.iter().filter(is_kept).map(finding).collect()
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
        assert_eq!(found[1].excerpt, "51…");
    }

    #[test]
    fn many_addresses_do_not_hide_a_number() {
        let mut blocks: Vec<Block> = (0..1_200).map(|at| block(&format!("ann.ox@lamp{at}.eu"), at)).collect();
        blocks.push(block("SSN 512-68-4471", 1_201));
        let found = find("a.md", &Parsed { blocks, ..Parsed::default() }, &Source::default());
        assert_eq!((found.len(), found[MAX_FINDINGS].kind), (MAX_FINDINGS + 1, "us-ssn"));
    }

    #[test]
    fn a_heading_does_not_give_it_away() {
        let locator = Locator { heading: Some("SSN 512-68-4471".to_owned()), ..Locator::default() };
        assert_eq!(redacted(&locator).describe(), "“SSN 51…”");
    }
}
