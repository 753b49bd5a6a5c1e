//! Leaves out what a reasoning model thinks aloud between `<think>` and `</think>`.
//!
//! Some servers send the end alone, because the beginning stood in the prompt: then all before it was thought.

use crate::llm::chat::text::Piece;

/// The names such blocks have.
const NAMES: [&str; 4] = ["think", "thinking", "thought", "reasoning"];
/// Longer than `</reasoning>`.
const MAX_TAG_BYTES: usize = 13;

/// Takes thoughts out of text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Thoughts {
    held: String,
    inside: bool,
}

/// What stands at a `<`.
enum Tag {
    Opens(usize),
    Closes(usize),
    None,
    /// More text decides.
    Unknown,
}

impl Thoughts {
    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &str, out: &mut Vec<Piece>) {
        self.held.push_str(piece);
        self.read(false, out);
    }

    /// Takes the end of the text.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        self.read(true, out);
    }

    /// Whether the text so far ends within a thought.
    pub(super) fn is_inside(&self) -> bool {
        self.inside
    }

    fn read(&mut self, is_end: bool, out: &mut Vec<Piece>) {
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_str();
        while let Some(at) = rest.find('<') {
            let (before, tagged) = rest.split_at(at);
            self.tell(before, out);
            match tag(tagged, is_end) {
                Tag::Unknown => {
                    self.held = tagged.to_owned();
                    return;
                }
                Tag::Opens(length) => {
                    self.inside = true;
                    rest = &tagged[length..];
                }
                Tag::Closes(length) => {
                    if !self.inside {
                        out.push(Piece::Forget);
                    }
                    self.inside = false;
                    rest = &tagged[length..];
                }
                Tag::None => {
                    self.tell("<", out);
                    rest = &tagged[1..];
                }
            }
        }
        self.tell(rest, out);
    }

    fn tell(&self, text: &str, out: &mut Vec<Piece>) {
        if !self.inside && !text.is_empty() {
            out.push(Piece::Text(text.to_owned()));
        }
    }
}

fn tag(text: &str, is_end: bool) -> Tag {
    let end = text.bytes().take(MAX_TAG_BYTES).position(|byte| byte == b'>');
    let Some(end) = end else {
        let begun = text.strip_prefix("</").or(text.strip_prefix('<')).unwrap_or(text);
        let may_be = text.len() < MAX_TAG_BYTES && NAMES.iter().any(|name| starts_alike(name, begun));
        return if may_be && !is_end { Tag::Unknown } else { Tag::None };
    };
    let inner = &text[1..end];
    let is_name = |word: &str| NAMES.iter().any(|name| word.eq_ignore_ascii_case(name));
    match inner.strip_prefix('/') {
        Some(name) if is_name(name) => Tag::Closes(end + 1),
        None if is_name(inner) => Tag::Opens(end + 1),
        _ => Tag::None,
    }
}

fn starts_alike(name: &str, begun: &str) -> bool {
    name.get(..begun.len()).is_some_and(|start| start.eq_ignore_ascii_case(begun))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> (String, bool) {
        let (mut thoughts, mut out) = (Thoughts::default(), Vec::new());
        for piece in pieces {
            thoughts.push(piece, &mut out);
        }
        thoughts.finish(&mut out);
        let mut text = String::new();
        for piece in out {
            match piece {
                Piece::Text(more) => text.push_str(&more),
                Piece::Forget => text.push('⌫'),
                other => panic!("{other:?}"),
            }
        }
        (text, thoughts.is_inside())
    }

    #[test]
    fn thoughts_are_left_out_and_other_tags_stay() {
        assert_eq!(read(&["<th", "ink>Hm [1].</thi", "nk>Five"]), ("Five".to_owned(), false));
        assert_eq!(read(&["So.</think>Five"]).0, "So.⌫Five");
        assert_eq!(read(&["a < b, <thin> and <b>"]).0, "a < b, <thin> and <b>");
        assert_eq!(read(&["<Thinking>never ends <"]), (String::new(), true));
        assert_eq!(read(&["<"]).0, "<");
    }
}
