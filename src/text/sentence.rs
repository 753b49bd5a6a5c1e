//! Finds sentences, in any language, without a model.
//!
//! The boundaries of Unicode (UAX 29) are the base; those after abbreviations, initials, list numbers and ordinals
//! are taken back. The ranges are in order, lie on character boundaries, and leave out only white space.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// The sentences of `text`, without the white space around them. A line break always ends a sentence.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut open: Option<usize> = None;
    for (start, piece) in text.split_sentence_bound_indices() {
        let begin = open.unwrap_or(start);
        let end = start + piece.len();
        if continues(&text[begin..end], &text[end..]) {
            open = Some(begin);
        } else {
            open = None;
            push_trimmed(text, begin..end, &mut found);
        }
    }
    if let Some(begin) = open {
        push_trimmed(text, begin..text.len(), &mut found);
    }
    found
}

fn push_trimmed(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    if start == end {
        return;
    }
    match found.last_mut() {
        // Closing marks alone are no sentence.
        Some(last) if !text[start..end].contains(char::is_alphanumeric) && !text[last.end..start].contains('\n') => {
            last.end = end;
        }
        _ => found.push(start..end),
    }
}

/// Whether the boundary between `before` and `after` is none.
fn continues(before: &str, after: &str) -> bool {
    if before.ends_with(['\n', '\u{2029}', '\r']) || after.trim().is_empty() {
        return false;
    }
    let Some(stem) = before.trim_end().strip_suffix('.') else {
        return false;
    };
    let word_start = stem
        .rfind(|c: char| c.is_whitespace() || "([\"'„“‚‘/".contains(c))
        .map_or(0, |at| at + stem[at..].chars().next().map_or(0, char::len_utf8));
    let word = &stem[word_start..];
    let next = after.split_whitespace().next().unwrap_or_default();
    let next = next.trim_matches(|c: char| !c.is_alphanumeric());
    is_list_number(&before[..word_start], word)
        || is_ordinal(word, next)
        || is_initial(word)
        || is_title(word)
        || (may_end(word) && !STARTERS.contains(&next.to_lowercase().as_str()))
}

/// `1.` or `a.` at the beginning of a line is a marker.
fn is_list_number(head: &str, word: &str) -> bool {
    let at_start = head.rsplit('\n').next().unwrap_or_default().trim_matches(['-', '*', ' ']).is_empty();
    at_start && !word.is_empty() && word.len() <= 3 && word.bytes().all(|b| b.is_ascii_digit())
}

/// `3. Mai`: a day before a month.
fn is_ordinal(word: &str, next: &str) -> bool {
    let day = !word.is_empty() && word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit());
    day && MONTHS.contains(&next.to_lowercase().as_str())
}

/// `J.` in a name, or the last letter of `z. B.`.
fn is_initial(word: &str) -> bool {
    let mut chars = word.chars();
    matches!((chars.next(), chars.next()), (Some(c), None) if c.is_alphabetic() && c != 'I')
}

fn is_title(word: &str) -> bool {
    NEVER_LAST.contains(&word.to_lowercase().as_str())
}

/// Abbreviations that also stand at the end of a sentence, and all of the form `U.S`.
fn may_end(word: &str) -> bool {
    let dotted = word.contains('.') && word.split('.').all(|part| part.chars().count() <= 2 && !part.is_empty());
    let letters = word.chars().all(|c| c.is_alphabetic() || c == '.');
    (dotted && letters) || MAYBE_LAST.contains(&word.to_lowercase().as_str())
}

/// Abbreviations that something always follows.
const NEVER_LAST: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "st", "sr", "sra", "mme", "mlle", "hr", "fr", "no", "nr", "art", "abs", "fig",
    "abb", "tab", "vol", "ch", "sec", "vs", "cf", "vgl", "bzw", "ca", "approx", "e.g", "i.e", "z.b", "d.h", "u.a",
    "inkl", "zzgl", "ggf", "evtl", "sog", "tel", "str", "gen", "sen", "rep", "gov", "capt", "sgt", "lt", "col", "dept",
    "eq", "ref", "pp", "núm", "pág", "av", "n.b", "min", "max", "mind", "bsp", "resp", "ext", "al",
];

/// Abbreviations that may end a sentence.
const MAYBE_LAST: &[&str] = &[
    "etc", "usw", "inc", "ltd", "co", "corp", "jr", "a.m", "p.m", "am", "uhr", "jan", "feb", "mar", "apr", "jun",
    "jul", "aug", "sep", "sept", "oct", "okt", "nov", "dec", "dez", "ave", "blvd", "gmbh", "u.s", "u.k", "hrs",
];

/// Words that begin a sentence far more often than they follow an abbreviation.
const STARTERS: &[&str] = &[
    "the", "a", "an", "this", "that", "these", "those", "we", "you", "it", "he", "she", "they", "i", "if", "in", "on",
    "at", "for", "when", "while", "after", "before", "please", "to", "our", "your", "there", "all", "no", "as", "by",
    "but", "and", "how", "what", "why", "where", "who", "der", "die", "das", "ein", "eine", "wir", "sie", "es", "wenn",
    "bitte", "im", "für", "le", "la", "les", "il", "elle", "nous", "vous", "el", "los", "las",
];

const MONTHS: &[&str] = &[
    "januar",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
    "january",
    "february",
    "march",
    "may",
    "june",
    "july",
    "october",
    "december",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn plain_sentences() {
        assert_eq!(split("One. Two! Is it three?  Yes."), ["One.", "Two!", "Is it three?", "Yes."]);
        assert_eq!(split("first line\nsecond line"), ["first line", "second line"]);
        assert_eq!(split("He said \"Go.\" Then he left."), ["He said \"Go.\"", "Then he left."]);
        assert!(split("  \n ").is_empty());
    }

    #[test]
    fn abbreviations_hold_a_sentence_together() {
        for one in [
            "Ask Dr. Smith, e.g. Monday, about No. 5 Main Street.",
            "See Nr. 7 bzw. z.B. Anhang A.",
            "See z. B. Kapitel drei.",
            "It costs 3.50 EUR in the U.S. Army shop.",
            "Am 3. Mai 2024 war Schluss.",
            "J. R. Smith signed it.",
            "We open at 8 a.m. Monday to Friday.",
        ] {
            assert_eq!(split(one), [one]);
        }
    }

    #[test]
    fn abbreviations_may_end_a_sentence() {
        assert_eq!(split("We open at 8 a.m. The shop is small."), ["We open at 8 a.m.", "The shop is small."]);
        assert_eq!(split("Cables, plugs, etc. You pay."), ["Cables, plugs, etc.", "You pay."]);
    }

    #[test]
    fn markers_stay_with_their_items() {
        assert_eq!(split("1. Open the box.\n2. Read the leaflet."), ["1. Open the box.", "2. Read the leaflet."]);
        assert_eq!(split("It takes 20. The rest is free."), ["It takes 20.", "The rest is free."]);
    }

    #[test]
    fn cjk_full_stops() {
        assert_eq!(split("返品は30日以内です。送料は無料です。"), ["返品は30日以内です。", "送料は無料です。"]);
    }

    proptest! {
        #[test]
        fn ranges_cover_all_but_white_space(text in "(?s)[ a-zA-Z0-9.!?\n\"()。é語]{0,80}") {
            let mut last = 0;
            for range in sentences(&text) {
                prop_assert!(range.start >= last && range.end > range.start);
                prop_assert!(text[last..range.start].trim().is_empty());
                prop_assert_eq!(text[range.clone()].trim(), &text[range.clone()]);
                last = range.end;
            }
            prop_assert!(text[last..].trim().is_empty());
        }
    }
}
