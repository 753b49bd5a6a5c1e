//! The smallest pieces an answer is made of: sentences, list items, table rows, code.

use std::collections::HashSet;
use std::ops::Range;

use crate::model::{BlockKind, Hit, QueryTerm};
use crate::text::{Language, sentence, words};

/// A piece of a hit's text.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Place of the hit in the request.
    pub(super) hit: usize,
    /// Place of the span in the chunk.
    pub(super) span: usize,
    /// Bytes of the chunk's text.
    pub(super) range: Range<usize>,
    /// Which terms of the question it holds.
    pub(super) holds: Vec<bool>,
}

/// The question's terms as they are compared with texts of one language.
pub(super) fn matches(terms: &[QueryTerm], text: &str, language: Option<Language>) -> Vec<bool> {
    let present: HashSet<String> = words::terms(text, language).into_iter().collect();
    terms.iter().map(|term| term.forms.iter().any(|form| present.contains(form))).collect()
}

/// The language of a hit's document.
pub(super) fn language_of(hit: &Hit) -> Option<Language> {
    hit.language.as_deref().and_then(Language::from_code)
}

/// The units of the hit at `place`, in order. Headings are context, not units.
pub(super) fn units(terms: &[QueryTerm], place: usize, hit: &Hit) -> Vec<Unit> {
    let language = language_of(hit);
    let text = &hit.chunk.text;
    let mut units = Vec::new();
    for (index, span) in hit.chunk.spans.iter().enumerate() {
        // An index written by another program may be wrong; a bad range costs its span, not the answer.
        let Some(block) = text.get(span.start..span.end) else {
            continue;
        };
        let ranges = match span.kind {
            BlockKind::Heading { .. } => continue,
            BlockKind::Paragraph => sentence::sentences(block),
            BlockKind::ListItem | BlockKind::TableRow { .. } | BlockKind::Code => {
                std::iter::once(0..block.len()).collect()
            }
        };
        units.extend(ranges.into_iter().map(|range| Unit {
            hit: place,
            span: index,
            holds: matches(terms, &block[range.clone()], language),
            range: span.start + range.start..span.start + range.end,
        }));
    }
    units
}
