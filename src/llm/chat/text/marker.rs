//! Turns markers in a model's text into citations while it comes in pieces.
//!
//! A marker is never shown, and neither is one that names nothing the model was given: that one is counted. Only what
//! can still become a marker is held back. What leaves here does not depend on where the pieces were cut. Where a
//! marker is taken out, its two sides never join to something new.

use crate::llm::chat::text::Piece;
use crate::llm::chat::text::code::Code;
use crate::llm::chat::text::number::{self, Read};

/// Finds markers.
#[derive(Debug)]
pub(super) struct Markers {
    /// How many numbers the model was given, counted from 1.
    given: usize,
    /// What is not decided.
    held: String,
    /// Spaces (behind a marker also commas) that go if a marker follows.
    gap: String,
    /// Text that is decided and not told.
    text: String,
    code: Code,
    /// The last character of the text.
    last: Option<char>,
    /// What the marker right before cites; `None` when none is right before.
    cited: Option<Vec<usize>>,
}

impl Markers {
    /// For a model that was given so many numbers.
    pub(super) fn new(given: usize) -> Self {
        let code = Code::default();
        Self { given, held: String::new(), gap: String::new(), text: String::new(), code, last: None, cited: None }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &str, out: &mut Vec<Piece>) {
        self.held.push_str(piece);
        self.read(false, out);
    }

    /// Takes the end of the text.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        self.read(true, out);
        self.close_gap();
        self.tell(out);
    }

    fn read(&mut self, is_end: bool, out: &mut Vec<Piece>) {
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_str();
        while let Some(c) = rest.chars().next() {
            let length = match c {
                '`' => self.fence(rest, is_end),
                '[' | '【' | '［' | '(' if !self.code.is_inside() => self.bracket(rest, is_end, out),
                '.' | ':' if self.cited.is_some() => self.point(rest, is_end),
                c => Some(self.put(c)),
            };
            let Some(length) = length else {
                break;
            };
            rest = &rest[length..];
        }
        self.held = rest.to_owned();
        self.tell(out);
    }

    /// Backticks; none when more may follow.
    fn fence(&mut self, rest: &str, is_end: bool) -> Option<usize> {
        let run = rest.bytes().take_while(|byte| *byte == b'`').count();
        if run == rest.len() && !is_end {
            return None;
        }
        self.put('`');
        self.text.extend(std::iter::repeat_n('`', run - 1));
        self.code.ticks(run);
        Some(run)
    }

    fn bracket(&mut self, rest: &str, is_end: bool, out: &mut Vec<Piece>) -> Option<usize> {
        match number::read(rest, is_end) {
            Read::Wait => None,
            Read::Text => Some(self.put(rest.chars().next().unwrap_or('['))),
            // `array[0]`: we count from 1, and this hangs on a name.
            Read::Marker(_, numbers) if numbers == [0] && self.hangs_on_a_name() => Some(self.put('[')),
            Read::Marker(length, numbers) => {
                self.mark(&numbers, out);
                Some(length)
            }
        }
    }

    fn hangs_on_a_name(&self) -> bool {
        self.gap.is_empty() && self.last.is_some_and(|last| last.is_ascii_alphanumeric() || "_])".contains(last))
    }

    /// A point or a colon right behind a marker: it ends a sentence, or belongs to a name or an address.
    fn point(&mut self, rest: &str, is_end: bool) -> Option<usize> {
        let next = rest.chars().nth(1);
        if next.is_none() && !is_end {
            return None;
        }
        if self.gap.is_empty() && next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '/') {
            self.gap.push(' ');
        }
        Some(self.put(rest.chars().next().unwrap_or('.')))
    }

    fn mark(&mut self, numbers: &[usize], out: &mut Vec<Piece>) {
        self.gap.clear();
        self.tell(out);
        let mut cited = self.cited.take().unwrap_or_default();
        let mut invented = false;
        for number in numbers {
            match number.checked_sub(1).filter(|hit| *hit < self.given) {
                Some(hit) if cited.contains(&hit) => {}
                Some(hit) => {
                    cited.push(hit);
                    out.push(Piece::Cite(hit));
                }
                None => invented = true,
            }
        }
        if invented {
            out.push(Piece::Invented);
        }
        self.cited = Some(cited);
    }

    /// Adds one character; returns its length in bytes.
    fn put(&mut self, c: char) -> usize {
        let is_gap = !self.code.is_inside() && (c == ' ' || self.cited.is_some() && matches!(c, ',' | ';'));
        if is_gap {
            self.gap.push(c);
        } else {
            if self.cited.is_some() && self.gap.is_empty() && self.joins(c) {
                self.gap.push(' ');
            }
            self.close_gap();
            self.code.character(c);
            self.text.push(c);
            self.last = Some(c);
        }
        c.len_utf8()
    }

    /// Whether this, with what stands before the marker, may become a word, an address, a link or a tag.
    fn joins(&self, c: char) -> bool {
        c.is_ascii_alphanumeric() || "([{</`@#&%=\\".contains(c) || c == '!' && self.last == Some('<')
    }

    fn close_gap(&mut self) {
        if !self.gap.is_empty() {
            self.text.push_str(&self.gap);
            self.gap.chars().for_each(|c| self.code.character(c));
            self.gap.clear();
        }
        self.cited = None;
    }

    fn tell(&mut self, out: &mut Vec<Piece>) {
        if !self.text.is_empty() {
            out.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let (mut markers, mut out) = (Markers::new(3), Vec::new());
        markers.push(text, &mut out);
        markers.finish(&mut out);
        let show = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Cite(hit) => format!("⟨{hit}⟩"),
            Piece::Invented => "⟨!⟩".to_owned(),
            Piece::Forget => "⟨forget⟩".to_owned(),
        };
        out.iter().map(show).collect()
    }

    /// M3: what names a piece of this turn is cited; what was invented is left out and counted.
    #[test]
    fn markers_become_citations() {
        assert_eq!(read("Five days [1]. Free [2][3]."), "Five days⟨0⟩. Free⟨1⟩⟨2⟩.");
        assert_eq!(read("Five days[1], [2] and free 【3】"), "Five days⟨0⟩⟨1⟩ and free⟨2⟩");
        assert_eq!(read("Five [1-3] or [9] or [1, 12]!"), "Five⟨0⟩⟨1⟩⟨2⟩ or⟨!⟩ or⟨0⟩⟨!⟩!");
        assert_eq!(read("Five days. [1]\n\nFree ([2]), too [1][1]"), "Five days.⟨0⟩\n\nFree⟨1⟩, too⟨0⟩");
        assert_eq!(read("需要五天[1]然后"), "需要五天⟨0⟩然后");
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        for text in [
            "`a[1]` and array[0] and ``x ` [1]``",
            "```\nlist[2]\n```\n",
            "[text](https://a.example) [ ] [x] in [2024]",
            "a  b, c ; d (see) [",
        ] {
            assert_eq!(read(text), text);
        }
    }

    /// M4: nothing is joined by what is taken out.
    #[test]
    fn what_stood_around_a_marker_stays_apart() {
        assert_eq!(read("http[1]s://evil.example"), "http⟨0⟩ s://evil.example");
        assert_eq!(read("http[9]://evil.example"), "http⟨!⟩ ://evil.example");
        assert_eq!(read("[a][1](//evil.example)"), "[a]⟨0⟩ (//evil.example)");
        assert_eq!(read("<[1]img>, www[1].evil, so [1]: yes"), "<⟨0⟩ img>, www⟨0⟩ .evil, so⟨0⟩: yes");
    }
}
