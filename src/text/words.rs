//! From text to comparable terms: NFKC, lower case, words, character bigrams where a script has no spaces, stems.

use rust_stemmers::Stemmer;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::Language;

/// Longer words are cut here; they are noise, and an index has limits.
const MAX_WORD_CHARS: usize = 64;

/// The words of `text` in order: normalised and in lower case, not stemmed. Runs of Han, Kana and Hangul
/// come as overlapping pairs of characters.
pub fn words(text: &str) -> Vec<String> {
    let text: String = text.nfkc().collect::<String>().to_lowercase();
    let mut words = Vec::new();
    let mut before: Option<(&str, usize)> = None;
    for (start, word) in text.unicode_word_indices() {
        match before {
            Some((first, end)) if is_hyphen(&text[end..start]) => join_hyphenated(first, word, &mut words),
            _ => split_scripts(word, &mut words),
        }
        before = Some((word, start + word.len()));
    }
    join_lone_cjk(&text, words)
}

/// The terms of `text` in order: its [`words`], stemmed as words of `language`.
pub fn terms(text: &str, language: Option<Language>) -> Vec<String> {
    let stemmer = language.and_then(Language::stemmer).map(Stemmer::create);
    let words = words(text);
    match stemmer {
        Some(stemmer) => words.into_iter().map(|word| stem(&stemmer, word)).collect(),
        None => words,
    }
}

/// The stem of one word as a word of `language`.
pub fn stem_word(word: &str, language: Language) -> String {
    match language.stemmer() {
        Some(algorithm) => stem(&Stemmer::create(algorithm), word.to_owned()),
        None => word.to_owned(),
    }
}

fn stem(stemmer: &Stemmer, word: String) -> String {
    if word.chars().any(|letter| letter.is_ascii_digit() || is_unspaced(letter)) {
        return word;
    }
    let stem = stemmer.stem(&word);
    if stem.is_empty() { word } else { stem.into_owned() }
}

fn is_hyphen(between: &str) -> bool {
    matches!(between, "-" | "\u{2010}" | "\u{2011}")
}

/// "e-mail" is also found as "email", and the letter alone would say nothing. Longer parts stand for themselves.
fn join_hyphenated(first: &str, second: &str, words: &mut Vec<String>) {
    let is_letter = first.chars().count() == 1 && first.chars().all(char::is_alphabetic);
    if is_letter {
        words.pop();
    }
    split_scripts(second, words);
    if is_letter && second.chars().all(char::is_alphabetic) {
        words.push(first.chars().chain(second.chars()).take(MAX_WORD_CHARS).collect());
    }
}

/// Han, Hiragana, Katakana and Hangul: scripts searched by pairs of characters.
pub fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// Unicode word boundaries cut Han into single characters but keep Kana and Hangul runs; here every unspaced
/// character becomes a word of its own (marked by its script), and other runs lose their possessive ending.
fn split_scripts(word: &str, words: &mut Vec<String>) {
    let mut run = String::new();
    for letter in word.chars() {
        if is_unspaced(letter) {
            push_run(&mut run, words);
            words.push(letter.to_string());
        } else {
            run.push(letter);
        }
    }
    push_run(&mut run, words);
}

fn push_run(run: &mut String, words: &mut Vec<String>) {
    let plain = run.replace('\u{2019}', "'");
    let plain = plain.strip_suffix("'s").unwrap_or(&plain);
    for part in plain.split(['_', ':']).filter(|part| !part.is_empty()) {
        words.push(part.replace('\'', "").chars().take(MAX_WORD_CHARS).collect());
    }
    run.clear();
}

/// Pairs up neighbouring unspaced characters: those that touch in `text`.
fn join_lone_cjk(text: &str, words: Vec<String>) -> Vec<String> {
    if !text.chars().any(is_unspaced) {
        return words.into_iter().filter(|word| !word.is_empty()).collect();
    }
    let mut joined = Vec::with_capacity(words.len());
    let mut rest = text;
    let mut previous: Option<(String, bool)> = None;
    for word in words {
        let alone = word.chars().all(is_unspaced) && !word.is_empty();
        if !alone {
            flush_single(&mut previous, &mut joined);
            joined.push(word);
            continue;
        }
        let place = rest.find(&word);
        let touches = place == Some(0);
        if let Some(place) = place {
            rest = &rest[place + word.len()..];
        }
        match previous.take() {
            Some((before, _)) if touches => {
                joined.push(format!("{before}{word}"));
                previous = Some((word, true));
            }
            other => {
                previous = other;
                flush_single(&mut previous, &mut joined);
                previous = Some((word, false));
            }
        }
    }
    flush_single(&mut previous, &mut joined);
    joined.retain(|word| !word.is_empty());
    joined
}

/// A character without a neighbour stands for itself.
fn flush_single(previous: &mut Option<(String, bool)>, joined: &mut Vec<String>) {
    if let Some((single, false)) = previous.take() {
        joined.push(single);
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
        assert_eq!(words("2-3 days"), ["2", "3", "days"]);
        assert_eq!(words("…!? "), Vec::<String>::new());
    }

    #[test]
    fn unspaced_scripts_become_pairs() {
        assert_eq!(words("東京都に"), ["東京", "京都", "都に"]);
        assert_eq!(words("返品 は"), ["返品", "は"]);
        assert_eq!(words("환불 규정"), ["환불", "규정"]);
        assert_eq!(words("iPhoneの設定abc"), ["iphone", "の設", "設定", "abc"]);
        assert_eq!(words("字"), ["字"]);
    }

    #[test]
    fn stems_follow_the_language() {
        assert_eq!(terms("returning returned returns", Some(Language::ENGLISH)), ["return", "return", "return"]);
        let german = Language::from_code("deu");
        assert_eq!(terms("Lieferungen", german), terms("Lieferung", german));
        assert_eq!(terms("covid19", Some(Language::ENGLISH)), ["covid19"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,60}") {
            for word in words(&text) {
                proptest::prop_assert!(!word.is_empty());
                proptest::prop_assert!(word.chars().count() <= MAX_WORD_CHARS + 1);
            }
        }
    }
}
