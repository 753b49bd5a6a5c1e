//! From text to comparable terms: one spelling, words, character pairs where a script has no spaces, stems, no marks.
//!
//! Documents and questions go the same way. What makes words of a text is [`words`]; what makes a term of a word is
//! [`term`]: two words are the same to search and answers when their terms are equal.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::Language;
use crate::text::normal::{fold, normalise, plain_number};
use crate::text::stem::Stem;

/// Longer words are cut here; they are noise, and an index has limits.
const MAX_WORD_CHARS: usize = 64;
/// Marks on one character that are kept.
const MAX_MARKS: usize = 4;

/// The words of `text` in order: in one spelling and in lower case, not stemmed. Runs of Han, Kana, Hangul, Thai and
/// other scripts without spaces come as overlapping pairs of characters.
pub fn words(text: &str) -> Vec<String> {
    words_in(text, None)
}

/// [`words`] of a text of this language: it decides on the lower case and on endings behind an apostrophe.
pub fn words_in(text: &str, language: Option<Language>) -> Vec<String> {
    let text = normalise(text, language);
    let mut cutter = Cutter { cuts_endings: language.is_some_and(Language::has_dotless_i), ..Cutter::default() };
    let mut before: Option<(&str, usize)> = None;
    for (start, word) in text.unicode_word_indices() {
        match before {
            Some((first, end)) if is_hyphen(&text[end..start]) => cutter.hyphenated(first, word, start),
            _ => cutter.word(word, start),
        }
        before = Some((word, start + word.len()));
    }
    cutter.flush_lone();
    cutter.words
}

/// The terms of `text` in order: its words, each as a [`term`] of `language`.
pub fn terms(text: &str, language: Option<Language>) -> Vec<String> {
    let stem = Stem::of(language);
    words_in(text, language).into_iter().map(|word| term_of(&stem, word)).collect()
}

/// What a word (of [`words`]) is compared by, as a word of `language`: its stem without marks.
pub fn term(word: &str, language: Option<Language>) -> String {
    term_of(&Stem::of(language), word.to_owned())
}

/// The term of one word as a word of `language`.
pub fn stem_word(word: &str, language: Language) -> String {
    term(word, Some(language))
}

fn term_of(stem: &Stem, word: String) -> String {
    if word.chars().any(|letter| letter.is_ascii_digit() || is_unspaced(letter)) {
        return word;
    }
    let stem_with_marks = stem.apply(word);
    if stem.keeps_marks() { stem_with_marks } else { fold(stem_with_marks) }
}

fn is_hyphen(between: &str) -> bool {
    matches!(between, "-" | "\u{2010}" | "\u{2011}")
}

/// Han, Kana, Hangul, Thai, Lao, Burmese and Khmer: scripts searched by pairs of characters.
pub fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{0e01}'..='\u{0e4e}' | '\u{0e80}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17dd}'
        | '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// Collects words; keeps the last unspaced character until it is known whether another touches it.
#[derive(Default)]
struct Cutter {
    words: Vec<String>,
    /// Whether an apostrophe parts a name from its endings.
    cuts_endings: bool,
    last: Option<Cluster>,
}

/// An unspaced character with its marks.
struct Cluster {
    text: String,
    end: usize,
    is_paired: bool,
}

impl Cutter {
    /// Takes a word that begins at byte `start`. Unicode cuts Han into single characters but keeps runs of Kana and
    /// Hangul, with Latin letters beside them; here every unspaced character is a cluster, and the rest are words.
    fn word(&mut self, word: &str, start: usize) {
        if !word.contains(is_unspaced) {
            self.spaced(word);
            return;
        }
        let mut run = start..start;
        let mut at_cluster = false;
        for (place, letter) in word.char_indices() {
            let place = start + place;
            if is_unspaced(letter) && !is_combining_mark(letter) {
                self.spaced(&word[run.start - start..run.end - start]);
                self.cluster(letter.to_string(), place);
                at_cluster = true;
                run = place + letter.len_utf8()..place + letter.len_utf8();
            } else if at_cluster && is_combining_mark(letter) {
                self.mark(letter, place);
                run = place + letter.len_utf8()..place + letter.len_utf8();
            } else {
                at_cluster = false;
                run.end = place + letter.len_utf8();
            }
        }
        self.spaced(&word[run.start - start..run.end - start]);
    }

    /// Takes a cluster: with the one that it touches it is a pair.
    fn cluster(&mut self, text: String, start: usize) {
        let end = start + text.len();
        let is_paired = match self.last.take() {
            Some(before) if before.end == start => {
                self.words.push(format!("{}{text}", before.text));
                true
            }
            before => {
                self.last = before;
                self.flush_lone();
                false
            }
        };
        self.last = Some(Cluster { text, end, is_paired });
    }

    /// Adds a mark to the last cluster, and to the pair that it is in. More marks than any script stacks are noise.
    fn mark(&mut self, mark: char, start: usize) {
        let Some(last) = self.last.as_mut() else { return };
        last.end = start + mark.len_utf8();
        if last.text.chars().count() > MAX_MARKS {
            return;
        }
        last.text.push(mark);
        if last.is_paired
            && let Some(pair) = self.words.last_mut()
        {
            pair.push(mark);
        }
    }

    /// A character without a neighbour stands for itself.
    fn flush_lone(&mut self) {
        if let Some(lone) = self.last.take().filter(|last| !last.is_paired) {
            self.words.push(lone.text);
        }
    }

    fn spaced(&mut self, run: &str) {
        if run.is_empty() {
            return;
        }
        self.flush_lone();
        // White space with a mark on it is a word to Unicode.
        for part in run.split(|letter: char| matches!(letter, '_' | ':') || letter.is_whitespace()) {
            let plain = without_elision(without_ending(part, self.cuts_endings));
            let plain = plain_number(plain);
            let word: String = plain.chars().filter(|letter| *letter != '\'').take(MAX_WORD_CHARS).collect();
            if !word.is_empty() {
                self.words.push(word);
            }
        }
    }

    /// "e-mail" is also found as "email", and the letter alone would say nothing. Longer parts stand for themselves.
    fn hyphenated(&mut self, first: &str, second: &str, start: usize) {
        let is_letter = first.chars().count() == 1 && first.chars().all(char::is_alphabetic);
        let is_letter = is_letter && !first.contains(is_unspaced) && second.chars().all(char::is_alphabetic);
        if is_letter {
            self.words.pop();
        }
        self.word(second, start);
        if is_letter && !second.contains(is_unspaced) {
            self.words.push(first.chars().chain(second.chars()).take(MAX_WORD_CHARS).collect());
        }
    }
}

/// Without the possessive, and in Turkish without whatever follows the apostrophe of a name.
fn without_ending(word: &str, cuts_endings: bool) -> &str {
    let possessive = word.strip_suffix("'s").unwrap_or(word);
    match possessive.split_once('\'') {
        Some((name, _)) if cuts_endings && !name.is_empty() => name,
        _ => possessive,
    }
}

/// "l'école" is a school: the article, pronoun or preposition that lost its vowel goes.
fn without_elision(word: &str) -> &str {
    const ELIDED: [&str; 27] = [
        "l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "dell", "nell", "all",
        "dall", "sull", "un", "quest", "quell", "dov", "com", "cos", "bell", "tutt", "gl",
    ];
    match word.split_once('\'') {
        Some((elided, rest)) if rest.chars().nth(1).is_some() && ELIDED.contains(&elided) => rest,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_normalised() {
        assert_eq!(words("The Customer’s ﬁrst  ORDER (no. 14)"), ["the", "customer", "first", "order", "no", "14"]);
        assert_eq!(words("don't"), ["dont"]);
        assert_eq!(words("E-mail for pick-up"), ["mail", "email", "for", "pick", "up"]);
        assert_eq!(words("2-3 days, 1,200 EUR"), ["2", "3", "days", "1200", "eur"]);
        assert_eq!(words("…!? "), Vec::<String>::new());
        assert_eq!(words("l’école d'Italie dell'arte"), ["école", "italie", "arte"]);
    }

    #[test]
    fn unspaced_scripts_become_pairs() {
        assert_eq!(words("東京都に"), ["東京", "京都", "都に"]);
        assert_eq!(words("返品 は"), ["返品", "は"]);
        assert_eq!(words("환불 규정"), ["환불", "규정"]);
        assert_eq!(words("iPhoneの設定abc"), ["iphone", "の設", "設定", "abc"]);
        assert_eq!(words("字"), ["字"]);
        assert_eq!(words("สวัสดี"), ["สวั", "วัส", "สดี"]);
    }

    #[test]
    fn terms_follow_the_language() {
        assert_eq!(terms("returning returned returns", Some(Language::ENGLISH)), ["return", "return", "return"]);
        let german = Language::from_code("deu");
        assert_eq!(terms("Lieferungen Straße", german), terms("Lieferung STRASSE", german));
        assert_eq!(terms("covid19", Some(Language::ENGLISH)), ["covid19"]);
        let spanish = Language::from_code("spa");
        assert_eq!(terms("números", spanish), terms("numero", spanish));
        let turkish = Language::from_code("tur");
        assert_eq!(terms("Ankara'nın KAPISI", turkish), terms("Ankara kapısı", turkish));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,60}") {
            for language in [None, Some(Language::ENGLISH), Language::from_code("tur"), Language::from_code("hin")] {
                for word in words_in(&text, language) {
                    proptest::prop_assert!(!word.is_empty() && !word.contains('\''));
                }
                for term in terms(&text, language) {
                    proptest::prop_assert!(!term.is_empty());
                    proptest::prop_assert!(!term.contains(char::is_whitespace), "{:?}", term);
                }
            }
        }

        #[test]
        fn capitals_do_not_count(text in "[a-zA-Zäöüéñ가-힣ぁ-ん一-龥ก-ฮа-я ]{0,40}") {
            proptest::prop_assert_eq!(terms(&text.to_uppercase(), None), terms(&text, None));
        }
    }
}
