//! Holds an answer back until its first citation: what was told cannot be unsaid, and an answer that cites nothing is
//! not told at all.
//!
//! The price is the time of one sentence, since models mark at its end.

use crate::llm::chat::text::Piece;

/// Lets an answer through from its first citation on.
#[derive(Debug, Default)]
pub(super) struct Support {
    held: Vec<Piece>,
    is_supported: bool,
    has_text: bool,
}

impl Support {
    /// Lets everything through at once: somebody else holds it back.
    pub(super) fn elsewhere() -> Self {
        Self { is_supported: true, ..Self::default() }
    }

    /// Whether a citation came.
    pub(super) fn is_supported(&self) -> bool {
        self.is_supported
    }

    /// Whether there was any text.
    pub(super) fn has_text(&self) -> bool {
        self.has_text
    }

    /// What may be told now that this piece came.
    pub(super) fn take(&mut self, piece: Piece) -> Vec<Piece> {
        match &piece {
            // Counted, whatever becomes of the answer.
            Piece::Invented => return vec![piece],
            Piece::Forget => {
                self.has_text &= self.is_supported;
                self.held.clear();
                return Vec::new();
            }
            Piece::Cite(_) => self.is_supported = true,
            Piece::Text(text) => self.has_text |= !text.trim().is_empty(),
        }
        self.held.push(piece);
        if self.is_supported { std::mem::take(&mut self.held) } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    /// M10: an answer without support is not told.
    #[test]
    fn nothing_is_told_before_the_first_citation() {
        let mut support = Support::default();
        assert_eq!(support.take(text("Five ")), []);
        assert_eq!(support.take(Piece::Invented), [Piece::Invented]);
        assert_eq!(support.take(text("days")), []);
        assert_eq!(support.take(Piece::Cite(0)), [text("Five "), text("days"), Piece::Cite(0)]);
        assert_eq!(support.take(text(".")), [text(".")]);
        assert!(support.is_supported() && support.has_text());
    }

    #[test]
    fn what_was_thought_is_forgotten_unless_it_was_told() {
        let mut support = Support::default();
        support.take(text("Hm."));
        assert_eq!(support.take(Piece::Forget), []);
        assert!(!support.has_text());
        assert_eq!(support.take(Piece::Cite(1)), [Piece::Cite(1)]);
    }
}
