//! The one place that makes citations: a marker becomes one only if it names a hit of this turn and its quote stands
//! in that hit's chunk. Everything else is dropped and counted. What another service found becomes one whose place is
//! known, or one that names the document and says that its place is not.

use crate::answer::AnswerEvent;
use crate::answer::found::{Named, Placed};
use crate::llm::ModelEvent;
use crate::model::item::Link;
use crate::model::{Answer, Citation, Hit, Locator};
use crate::text::sentence;

/// A quote chosen here is not longer than this, in bytes, unless its first sentence is.
const QUOTE_BYTES: usize = 300;

/// Collects an answer and resolves its markers.
#[derive(Debug)]
pub struct Citer {
    hits: Vec<Hit>,
    answer: Answer,
    /// Code points of the text so far.
    position: usize,
}

impl Citer {
    /// A collector for an answer from these hits.
    pub fn new(hits: Vec<Hit>) -> Self {
        Self { hits, answer: Answer::default(), position: 0 }
    }

    /// Takes one event of the model; returns what it becomes, if anything.
    pub fn take(&mut self, event: ModelEvent) -> Option<AnswerEvent> {
        match event {
            ModelEvent::Text(text) if text.is_empty() => None,
            ModelEvent::Text(text) => {
                self.position += text.chars().count();
                self.answer.text.push_str(&text);
                Some(AnswerEvent::Delta(text))
            }
            ModelEvent::Cite { hit, quote } => {
                let citation = self.hits.get(hit).and_then(|hit| citation(hit, quote, self.position));
                self.keep(citation)
            }
            ModelEvent::Link(source) => {
                let annotation_index = self.answer.citations.len() + self.answer.links.len();
                let link = Link { annotation_index, index: self.position, source };
                self.answer.links.push(link.clone());
                Some(AnswerEvent::Link(link))
            }
            ModelEvent::Used(usage) => Some(AnswerEvent::Used(usage)),
            // They are resolved before they come here.
            ModelEvent::Found(_) | ModelEvent::CiteFound { .. } => None,
            ModelEvent::Beside(beside) => Some(AnswerEvent::Beside(beside)),
            ModelEvent::InventedMarker => {
                self.answer.dropped_markers += 1;
                None
            }
            ModelEvent::Refused => {
                self.answer.refused = true;
                None
            }
        }
    }

    /// Cites what another service found, at this place of the text; nothing when it was not found at all.
    pub(super) fn cite(&mut self, placed: Option<Placed>, at: usize) -> Option<AnswerEvent> {
        let at = at.min(self.position);
        let citation = match placed {
            Some(Placed::At { hit, quote }) => citation(&hit, Some(quote), at),
            Some(Placed::Nowhere(named)) => Some(unlocated(named, at)),
            None => None,
        };
        // One document without a place is one citation at one place of the answer.
        if citation.is_some() && self.answer.citations.iter().any(|known| citation.as_ref() == Some(known)) {
            return None;
        }
        self.keep(citation)
    }

    /// The whole answer.
    pub fn finish(self) -> Answer {
        self.answer
    }

    fn keep(&mut self, citation: Option<Citation>) -> Option<AnswerEvent> {
        let Some(citation) = citation else {
            self.answer.dropped_markers += 1;
            return None;
        };
        self.answer.unlocated += u32::from(!citation.located);
        self.answer.citations.push(citation.clone());
        Some(AnswerEvent::Citation(citation))
    }
}

fn citation(hit: &Hit, quote: Option<String>, index: usize) -> Option<Citation> {
    let text = &hit.chunk.text;
    let quote = quote.unwrap_or_else(|| opening(text).to_owned());
    if quote.trim().is_empty() {
        return None;
    }
    let start = text.find(&quote)?;
    Some(Citation {
        chunk_id: hit.chunk.chunk_id.clone(),
        document_id: hit.chunk.document_id.clone(),
        path: hit.path.clone(),
        title: hit.title.clone(),
        description: hit.description.clone(),
        locator: locator_at(hit, start),
        quote,
        index,
        located: true,
    })
}

fn unlocated(named: Named, index: usize) -> Citation {
    let Named { document_id, path, title, description } = named;
    Citation {
        chunk_id: String::new(),
        document_id,
        path,
        title,
        description,
        quote: String::new(),
        locator: Locator::default(),
        index,
        located: false,
    }
}

/// The first sentences of a text.
pub(super) fn opening(text: &str) -> &str {
    let ranges = sentence::sentences(text);
    let Some(first) = ranges.first() else {
        return "";
    };
    let last = ranges.iter().take_while(|range| range.end - first.start <= QUOTE_BYTES).last().unwrap_or(first);
    &text[first.start..last.end]
}

/// The locator of the block in which the quote begins; a heading comes from the chunk when the block has none.
fn locator_at(hit: &Hit, start: usize) -> Locator {
    let span = hit.chunk.spans.iter().find(|span| span.start <= start && start < span.end);
    let mut locator = span.map_or_else(|| hit.chunk.locator.clone(), |span| span.locator.clone());
    if locator.heading.is_none() {
        locator.heading = hit.chunk.heading_path.last().cloned();
    }
    locator
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::hit;

    #[test]
    fn invented_hits_and_quotes_are_dropped_and_counted() {
        let mut citer = Citer::new(vec![hit("Refunds take five days. They are free.")]);
        assert_eq!(
            citer.take(ModelEvent::Text("Five days 🙂".into())),
            Some(AnswerEvent::Delta("Five days 🙂".into()))
        );
        assert_eq!(citer.take(ModelEvent::Cite { hit: 7, quote: None }), None);
        assert_eq!(citer.take(ModelEvent::Cite { hit: 0, quote: Some("Refunds take two days.".into()) }), None);
        assert_eq!(citer.take(ModelEvent::Cite { hit: 0, quote: Some("  ".into()) }), None);
        let Some(AnswerEvent::Citation(citation)) =
            citer.take(ModelEvent::Cite { hit: 0, quote: Some("They are free.".into()) })
        else {
            panic!("a true quote is cited");
        };
        assert_eq!(citation.index, 11);
        let answer = citer.finish();
        assert_eq!((answer.dropped_markers, answer.citations.len()), (3, 1));
    }

    proptest::proptest! {
        #[test]
        fn every_citation_quotes_its_chunk(
            text in "[a-c .\n]{1,60}",
            marks in proptest::collection::vec((0_usize..3, proptest::option::of("[a-c .]{0,6}")), 0..8),
        ) {
            let hits = vec![hit(&text), hit("other")];
            let mut citer = Citer::new(hits.clone());
            for (hit, quote) in marks {
                citer.take(ModelEvent::Cite { hit, quote });
            }
            for citation in citer.finish().citations {
                proptest::prop_assert!(!citation.quote.trim().is_empty());
                proptest::prop_assert!(hits.iter().any(|hit| hit.chunk.text.contains(&citation.quote)));
            }
        }
    }
}
