//! The smallest pieces an answer is made of: sentences, list items, table rows, code.

use std::collections::HashSet;
use std::ops::Range;

use crate::llm::extractive::related;
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
    /// How far it holds each term of the question, from 0 to 1.
    pub(super) holds: Vec<f32>,
}

/// How far a text of one language holds each of the question's terms: wholly, by a related word, or not.
pub(super) fn matches(terms: &[QueryTerm], text: &str, language: Option<Language>) -> Vec<f32> {
    let present: HashSet<String> = words::terms(text, language).into_iter().collect();
    let held = |term: &QueryTerm| {
        if term.forms.iter().any(|form| present.contains(form)) {
            return 1.0;
        }
        let related =
            term.forms.iter().any(|form| present.iter().any(|word| related::are_related(form, word, language)));
        if related { related::SHARE } else { 0.0 }
    };
    terms.iter().map(held).collect()
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
