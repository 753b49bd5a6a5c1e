//! Whether a question goes on from what was said before: "how long does it take?" does, a whole question does not.
//!
//! Only words that point back count, never those that are articles as well. It decides on words alone, so the same
//! question is always read in the same way.

use crate::text::words;

/// A question with fewer content words says what it is about only together with the one before it.
const MIN_CONTENT_WORDS: usize = 2;
/// A question with more stands for itself, whatever words it uses.
const MAX_CONTENT_WORDS: usize = 3;

/// Words that begin a question which goes on.
const OPENINGS: [&str; 24] = [
    "and", "but", "or", "also", "what", "when", "where", "who", "which", "how", "why", "und", "aber", "oder", "was",
    "wann", "wo", "wer", "wie", "warum", "et", "y", "e", "en",
];
/// Words that point back.
const POINTERS: [&str; 46] = [
    "it", "its", "they", "them", "their", "this", "that", "these", "those", "there", "one", "ones", "same", "es",
    "davon", "dafür", "damit", "dabei", "daran", "darauf", "dort", "dorthin", "ça", "cela", "ceci", "celui", "celle",
    "ceux", "celles", "elle", "elles", "eso", "esto", "ello", "esos", "esas", "questo", "quello", "ciò", "ervan",
    "ermee", "daarvan", "isso", "isto", "ela", "это",
];
/// What follows an "it" that points at nothing: "is it possible to …".
const AFTER_AN_EMPTY_IT: [&str; 10] =
    ["possible", "ok", "okay", "allowed", "true", "necessary", "better", "best", "safe", "worth"];

/// How a question hangs on what was said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    /// It says nothing without it.
    Wholly,
    /// It says something, and points back.
    Partly,
    /// It stands for itself.
    Not,
}

/// How this question, with so many words that say what it is about, hangs on what was said before.
pub(super) fn follows(question: &str, content_words: usize) -> Follows {
    if content_words < MIN_CONTENT_WORDS && (goes_on(question) || points_back(question)) {
        Follows::Wholly
    } else if content_words <= MAX_CONTENT_WORDS && points_back(question) {
        Follows::Partly
    } else {
        Follows::Not
    }
}

/// Whether this asks on from what was said: "and gift cards?" does, "thanks" does not.
fn goes_on(question: &str) -> bool {
    let first = words::words(question).into_iter().next().unwrap_or_default();
    question.trim_end().ends_with(['?', '？', '؟']) || OPENINGS.contains(&first.as_str())
}

fn points_back(question: &str) -> bool {
    let words = words::words(question);
    words.iter().enumerate().any(|(place, word)| {
        let next = words.get(place + 1).map_or("", String::as_str);
        let is_empty_it = word == "it" && AFTER_AN_EMPTY_IT.contains(&next);
        POINTERS.contains(&word.as_str()) && !is_empty_it
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_points_back_follows() {
        assert_eq!(follows("And used items?", 2), Follows::Not);
        assert_eq!(follows("And how long?", 1), Follows::Wholly);
        assert_eq!(follows("thanks", 1), Follows::Not);
        assert_eq!(follows("How long does it take to arrive?", 2), Follows::Partly);
        assert_eq!(follows("Wie lange ist die Garantie dafür?", 2), Follows::Partly);
        assert_eq!(follows("Is it possible to return a lamp?", 3), Follows::Not);
        assert_eq!(follows("Can I return those lamps without their original box?", 4), Follows::Not);
    }
}
