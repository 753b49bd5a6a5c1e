//! Which words of a chunk support what was just said: its sentence that shares most words with the claim.

use std::collections::HashSet;
use std::ops::Range;

use crate::model::{BlockKind, Chunk, Hit};
use crate::text::{Language, sentence, words};

/// A quote is not longer than this, in bytes: a list or a block of code is cut.
const MAX_BYTES: usize = 600;

/// The words of the hit's chunk that say most of `claim`; none when it shares no word with any, as across languages.
pub(super) fn best(hit: &Hit, claim: &str) -> Option<String> {
    let language = hit.language.as_deref().and_then(Language::from_code);
    let claimed: HashSet<String> = words::terms(claim, language).into_iter().collect();
    let mut best: Option<(usize, Range<usize>)> = None;
    for range in units(&hit.chunk) {
        let unit: HashSet<String> = words::terms(&hit.chunk.text[range.clone()], language).into_iter().collect();
        let shared = unit.intersection(&claimed).count();
        // The first of equals: documents say the main thing first.
        if shared > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((shared, range));
        }
    }
    best.map(|(_, range)| cut(&hit.chunk.text[range]).to_owned())
}

/// The last sentence of what was told so far.
pub(in crate::llm) fn claim(told: &str) -> &str {
    sentence::sentences(told).pop().map_or(told, |range| &told[range])
}

/// Sentences of paragraphs, and everything else that is no heading, as a whole.
fn units(chunk: &Chunk) -> Vec<Range<usize>> {
    let mut units = Vec::new();
    for span in &chunk.spans {
        let Some(block) = chunk.text.get(span.start..span.end) else {
            continue;
        };
        match span.kind {
            BlockKind::Heading { .. } => {}
            BlockKind::Paragraph => {
                let sentences = sentence::sentences(block).into_iter();
                units.extend(sentences.map(|range| span.start + range.start..span.start + range.end));
            }
            BlockKind::ListItem | BlockKind::TableRow { .. } | BlockKind::Code => units.push(span.start..span.end),
        }
    }
    units
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::{hit, hit_of};

    #[test]
    fn the_sentence_that_says_it_is_quoted() {
        let hit = hit("Returns are free. Refunds reach your card in five working days. Gift cards take one day.");
        let told = "Returning costs nothing. Your refund is on your card within five days";
        assert_eq!(best(&hit, claim(told)).as_deref(), Some("Refunds reach your card in five working days."));
        assert_eq!(best(&hit, claim("One day for gift cards.")).as_deref(), Some("Gift cards take one day."));
        assert_eq!(best(&hit, "Übermorgen"), None);
    }

    #[test]
    fn lists_and_code_are_whole_and_bounded() {
        let long = "x = 1\n".repeat(300);
        let hit = hit_of(&[
            (BlockKind::Heading { level: 1 }, "Lamps"),
            (BlockKind::ListItem, "- Lamps. In one box. Padded."),
            (BlockKind::Code, &long),
        ]);
        assert_eq!(best(&hit, "Put lamps into a padded box").as_deref(), Some("- Lamps. In one box. Padded."));
        assert!(best(&hit, "x is 1").is_some_and(|quote| quote.len() == MAX_BYTES));
    }
}
