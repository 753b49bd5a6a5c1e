//! The answer so far.

use jiff::Timestamp;

use crate::model::item::Link;
use crate::model::thread::AssistantMessage;
use crate::model::{Answer, Citation};

/// The answer so far: what is kept when its reader leaves.
#[derive(Default)]
pub struct Draft {
    /// Id and time of the assistant message, once it is announced.
    pub announced: Option<(String, Timestamp)>,
    /// Its text.
    pub text: String,
    /// Its citations.
    pub citations: Vec<Citation>,
    /// Its other marks.
    pub links: Vec<Link>,
    /// Citations that did not hold; known once the answer is whole.
    pub dropped_markers: u32,
    /// Whether it is in the store, whole.
    pub is_stored: bool,
}

impl Draft {
    /// How many marks there are.
    pub fn marks(&self) -> usize {
        self.citations.len() + self.links.len()
    }

    /// How many citations name a document without a place in it.
    pub fn unlocated(&self) -> u32 {
        let unlocated = self.citations.iter().filter(|citation| !citation.located).count();
        u32::try_from(unlocated).unwrap_or(u32::MAX)
    }

    /// Takes the whole answer in place of its pieces.
    pub fn complete(&mut self, answer: Answer) {
        self.text = answer.text;
        self.citations = answer.citations;
        self.links = answer.links;
        self.dropped_markers = answer.dropped_markers;
    }

    /// The message that it is by now.
    pub fn message(&self) -> AssistantMessage {
        AssistantMessage { text: self.text.clone(), citations: self.citations.clone(), links: self.links.clone() }
    }
}
