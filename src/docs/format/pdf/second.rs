//! The second engine's opinion on pages where the first one's words look wrong.
//!
//! The first engine knows places, the second follows the order of the strings and the spaces written in them. Where
//! the second reads clearly better words its spaces mend the first one's lines; where it reads other characters, too,
//! its text replaces them, and the page has no layout. Single characters that the first does not know are taken from
//! the second, in their words.

use std::collections::HashSet;

use crate::docs::format::pdf::lines::{HOLE, Line};
use crate::docs::text::is_unspaced;

/// In no language that is written with spaces do words of one or two letters make up more.
const SUSPECT: f64 = 0.42;
/// How much better the second text must be.
const CLEARLY: f64 = 0.12;
/// How much of the first text must be in the second for mending.
const SAME: f64 = 0.8;
/// Longer words have lost their spaces.
const MAX_WORD_CHARS: usize = 40;
/// No ligature has more letters.
const MAX_HOLE_CHARS: usize = 3;

/// The lines of a page by the engine that reads it better; `None` when neither reads it.
pub fn choose(first: Option<Vec<Line>>, second: impl FnOnce() -> Option<String>) -> Option<Vec<Line>> {
    let Some(first) = first else {
        return second().map(|text| unplaced(&text));
    };
    let text: Vec<&str> = first.iter().map(|line| line.text.as_str()).collect();
    let text = text.join("\n");
    let doubt = doubt(&text);
    if doubt < SUSPECT && !has_holes_in_words(&text) {
        return Some(filled(first, ""));
    }
    let Some(second) = second() else { return Some(filled(first, "")) };
    let first = filled(first, &second);
    if doubt < SUSPECT || self::doubt(&second) + CLEARLY > doubt {
        return Some(first);
    }
    Some(mended(&first, &second).unwrap_or_else(|| unplaced(&second)))
}

fn unplaced(text: &str) -> Vec<Line> {
    text.lines().filter_map(Line::unplaced).collect()
}

/// Whether a character that the first engine does not know stands beside a letter.
fn has_holes_in_words(text: &str) -> bool {
    let mut pairs = text.chars().zip(text.chars().skip(1));
    pairs.any(|(a, b)| (a == HOLE && b.is_alphabetic()) || (b == HOLE && a.is_alphabetic()))
}

/// The first text's lines, their holes filled from the second text where its letters around them are the same. What
/// nobody knows is left out.
fn filled(lines: Vec<Line>, second: &str) -> Vec<Line> {
    let filled = lines.into_iter().filter_map(|mut line| {
        if line.text.contains(HOLE) {
            let words = line.text.split(' ').map(|word| filled_word(word, second));
            line.text = words.filter(|word| !word.is_empty()).collect::<Vec<String>>().join(" ");
        }
        (!line.text.is_empty()).then_some(line)
    });
    filled.collect()
}

fn filled_word(word: &str, second: &str) -> String {
    let bare = || word.replace(HOLE, "");
    if !has_holes_in_words(word) {
        return bare();
    }
    let mut others = second.split(|c: char| !c.is_alphanumeric() && !word.contains(c));
    others.find(|other| is_filling(word, other)).map_or_else(bare, str::to_owned)
}

/// Whether a word has the same letters as another around the holes of this, and a few in their place.
fn is_filling(holed: &str, word: &str) -> bool {
    let Some((before, after)) = holed.split_once(HOLE) else { return holed == word };
    let Some(rest) = word.strip_prefix(before) else { return false };
    let letters = rest.char_indices().take(MAX_HOLE_CHARS).take_while(|(_, c)| c.is_alphabetic());
    letters.map(|(at, c)| at + c.len_utf8()).any(|end| is_filling(after, &rest[end..]))
}

/// How little a text looks like words, from 0: the share of words that are too short or too long, and of characters
/// that are none.
fn doubt(text: &str) -> f64 {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_ascii_punctuation())
        .filter(|word| word.chars().any(char::is_alphabetic) && !word.chars().any(is_unspaced))
        .collect();
    let is_odd = |word: &&&str| {
        let length = word.chars().count();
        length <= 2 || length > MAX_WORD_CHARS
    };
    let odd = words.iter().filter(is_odd).count();
    let characters = text.chars().filter(|c| !c.is_whitespace()).count();
    let bad = text.chars().filter(|c| is_bad(*c)).count();
    share(odd, words.len()) + share(bad, characters) * 2.0
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// What no text holds: replacement, private use, control characters.
fn is_bad(c: char) -> bool {
    matches!(c, '\u{fffd}' | '\u{e000}'..='\u{f8ff}') || (c.is_control() && !c.is_whitespace())
}

/// The first text's lines with the second one's spaces; `None` when they are too different.
fn mended(lines: &[Line], better: &str) -> Option<Vec<Line>> {
    let (letters, spaces) = compact(better);
    let mut cursor = 0;
    let mut same = 0;
    let mut total = 0;
    let mut mended = Vec::with_capacity(lines.len());
    for line in lines {
        let (wanted, _) = compact(&line.text);
        total += wanted.len();
        let found = letters[cursor..].find(&wanted).map(|at| cursor + at).or_else(|| letters.find(&wanted));
        let mut line = line.clone();
        if let Some(at) = found {
            same += wanted.len();
            cursor = at + wanted.len();
            line.text = spaced(&wanted, at, &spaces);
        }
        mended.push(line);
    }
    (share(same, total) >= SAME).then_some(mended)
}

/// A text without its spaces, and the bytes before which they stood.
fn compact(text: &str) -> (String, HashSet<usize>) {
    let mut letters = String::with_capacity(text.len());
    let mut spaces = HashSet::new();
    for c in text.chars() {
        if c.is_whitespace() {
            spaces.insert(letters.len());
        } else {
            letters.push(c);
        }
    }
    (letters, spaces)
}

fn spaced(letters: &str, start: usize, spaces: &HashSet<usize>) -> String {
    let mut text = String::with_capacity(letters.len() + letters.len() / 4);
    for (at, c) in letters.char_indices() {
        if at > 0 && spaces.contains(&(start + at)) {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lines: &[&str]) -> Vec<Line> {
        lines.iter().filter_map(|line| Line::unplaced(line)).collect()
    }

    fn chosen(first: &[&str], second: &str) -> Vec<String> {
        let lines = choose(Some(page(first)), || Some(second.to_owned())).unwrap();
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn good_words_need_no_second_opinion() {
        let first = page(&["Beautiful is better than ugly."]);
        assert_eq!(choose(Some(first.clone()), || panic!("not asked")), Some(first));
    }

    #[test]
    fn the_second_engines_spaces_mend_the_lines() {
        let first = ["Be aut if ul is bet te r", "th an ug ly no w"];
        let second = "Beautiful is\nbetter than ugly now";
        assert_eq!(chosen(&first, second), ["Beautiful is better", "than ugly now"]);
    }

    #[test]
    fn holes_in_words_are_filled_from_the_second_text() {
        let rest = "and of the many words that stand around it in a page of text without any such fault";
        let first = ["An e\0cient, di\0\0cult", "question \0 of style", rest];
        let second = "An efficient,\ndifficult question of style";
        assert_eq!(chosen(&first, second), ["An efficient, difficult", "question of style", rest]);
        assert_eq!(chosen(&["An e\0cient answer", rest], "other words"), ["An ecient answer", rest]);
        let alone = page(&["one two three \0 four five"]);
        assert_eq!(choose(Some(alone), || panic!("not asked")).unwrap()[0].text, "one two three four five");
    }

    #[test]
    fn other_characters_replace_the_page() {
        let first = ["\u{e001}\u{e002} \u{e003}\u{e004}\u{e005} \u{e006}"];
        assert_eq!(chosen(&first, "Now is better\nthan never"), ["Now is better", "than never"]);
        // A second text that is no better changes nothing.
        assert_eq!(chosen(&["a b c d e f"], "ab cd ef"), ["a b c d e f"]);
    }

    #[test]
    fn what_only_the_second_engine_reads_is_kept() {
        let lines = choose(None, || Some("Hello there\n\nagain".to_owned())).unwrap();
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<&str>>(), ["Hello there", "again"]);
        assert_eq!(choose(None, || None), None);
    }
}
