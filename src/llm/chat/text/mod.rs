//! A model's text becomes events: cleaned, without thoughts, its markers resolved, its Markdown harmless, and nothing
//! told before the first citation.
//!
//! Text comes in arbitrary pieces. The events, their texts joined, do not depend on where it was cut.

mod address;
mod code;
mod hidden;
mod marker;
mod number;
mod safe;
mod support;
mod tag;
#[cfg(test)]
mod tests;
mod thought;

use crate::llm::ModelEvent;
use crate::llm::chat::quote;
use crate::llm::chat::text::address::Known;
use crate::llm::chat::text::hidden::Hidden;
use crate::llm::chat::text::marker::Markers;
use crate::llm::chat::text::safe::Safe;
use crate::llm::chat::text::support::Support;
use crate::llm::chat::text::thought::Thoughts;
use crate::model::Hit;

/// A claim is looked for in so much of the text, in bytes.
const CLAIM_BYTES: usize = 600;

/// What the steps hand on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Text.
    Text(String),
    /// The text so far ends with a claim that this hit supports.
    Cite(usize),
    /// A marker that names nothing the model was given was left out.
    Invented,
    /// All before this was thought, not said.
    Forget,
}

/// Turns one answer of a model into events.
#[derive(Debug)]
pub(in crate::llm) struct Writer {
    hits: Vec<Hit>,
    hidden: Hidden,
    thoughts: Thoughts,
    markers: Markers,
    safe: Safe,
    support: Support,
    /// The end of what was told.
    told: String,
    /// White space that is told when more text follows.
    space: String,
    told_chars: usize,
}

impl Writer {
    /// For an answer from these hits, of which the model was given the first `given`.
    pub(in crate::llm) fn new(hits: Vec<Hit>, given: usize) -> Self {
        let (markers, safe) = (Markers::new(given), Safe::new(Known::of(&hits)));
        let (hidden, thoughts, support) = (Hidden::default(), Thoughts::default(), Support::default());
        let (told, space) = (String::new(), String::new());
        Self { hits, hidden, thoughts, markers, safe, support, told, space, told_chars: 0 }
    }

    /// The same for who learns of citations in another way than by markers, and holds the events back until then.
    pub(in crate::llm) fn unheld(hits: Vec<Hit>, given: usize) -> Self {
        Self { support: Support::elsewhere(), ..Self::new(hits, given) }
    }

    /// Links to addresses that stand in this text, which was retrieved, are kept.
    pub(in crate::llm) fn allow_addresses_of(&mut self, text: &str) {
        self.safe.allow(text);
    }

    /// Code points of all texts so far.
    pub(in crate::llm) fn told_chars(&self) -> usize {
        self.told_chars
    }

    /// What the next piece of text gives.
    pub(in crate::llm) fn push(&mut self, text: &str) -> Vec<ModelEvent> {
        let mut said = Vec::new();
        self.thoughts.push(&self.hidden.clean(text), &mut said);
        self.resolve(said)
    }

    /// What the end of the text gives.
    pub(in crate::llm) fn finish(&mut self) -> Vec<ModelEvent> {
        let mut said = Vec::new();
        self.thoughts.finish(&mut said);
        let mut events = self.resolve(said);
        let (mut marked, mut safe) = (Vec::new(), Vec::new());
        self.markers.finish(&mut marked);
        for piece in marked {
            self.safe.take(piece, &mut safe);
        }
        self.safe.finish(&mut safe);
        self.tell(safe, &mut events);
        events
    }

    /// Whether a citation came, so that something was told.
    pub(super) fn is_supported(&self) -> bool {
        self.support.is_supported()
    }

    /// Whether there was any text that is not a thought.
    pub(in crate::llm) fn has_text(&self) -> bool {
        self.support.has_text()
    }

    /// Whether the text so far ends within a thought.
    pub(super) fn is_thinking(&self) -> bool {
        self.thoughts.is_inside()
    }

    fn resolve(&mut self, said: Vec<Piece>) -> Vec<ModelEvent> {
        let (mut marked, mut safe, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for piece in said {
            match piece {
                Piece::Text(text) => self.markers.push(&text, &mut marked),
                other => {
                    self.markers.finish(&mut marked);
                    marked.push(other);
                }
            }
        }
        for piece in marked {
            self.safe.take(piece, &mut safe);
        }
        self.tell(safe, &mut events);
        events
    }

    fn tell(&mut self, pieces: Vec<Piece>, events: &mut Vec<ModelEvent>) {
        for piece in pieces {
            for piece in self.support.take(piece) {
                match piece {
                    Piece::Text(text) => self.tell_text(&text, events),
                    Piece::Cite(hit) => {
                        let quote = self.hits.get(hit).and_then(|hit| quote::best(hit, quote::claim(&self.told)));
                        events.push(ModelEvent::Cite { hit, quote });
                    }
                    Piece::Invented => events.push(ModelEvent::InventedMarker),
                    Piece::Forget => {}
                }
            }
        }
    }

    /// An answer neither begins nor ends with white space, and a mark stands before it.
    fn tell_text(&mut self, text: &str, events: &mut Vec<ModelEvent>) {
        let text = std::mem::take(&mut self.space) + text;
        let text = if self.told.is_empty() { text.trim_start() } else { &text };
        let shown = text.trim_end();
        text[shown.len()..].clone_into(&mut self.space);
        if !shown.is_empty() {
            self.told_chars += shown.chars().count();
            self.told.push_str(shown);
            let keep = self.told.ceil_char_boundary(self.told.len().saturating_sub(CLAIM_BYTES));
            self.told.drain(..keep);
            events.push(ModelEvent::Text(shown.to_owned()));
        }
    }
}
