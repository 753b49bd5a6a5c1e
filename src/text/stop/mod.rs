//! Words that say nothing about a topic: articles, pronouns, auxiliaries and the words that open a question.

mod eastern;
mod unspaced;
mod western;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::text::Language;
use crate::text::normal::fold;
use crate::text::words::words;

/// Fewer stop words tell no language.
const MIN_STOP_WORDS: usize = 3;

/// The list of each language, by its ISO 639-3 code.
const LISTS: &[(&str, &str)] = &[
    ("eng", western::ENGLISH),
    ("deu", western::GERMAN),
    ("fra", western::FRENCH),
    ("spa", western::SPANISH),
    ("ita", western::ITALIAN),
    ("nld", western::DUTCH),
    ("por", western::PORTUGUESE),
    ("swe", western::SWEDISH),
    ("dan", western::DANISH),
    ("nob", western::NORWEGIAN),
    ("fin", western::FINNISH),
    ("rus", eastern::RUSSIAN),
    ("ukr", eastern::UKRAINIAN),
    ("pol", eastern::POLISH),
    ("ces", eastern::CZECH),
    ("ron", eastern::ROMANIAN),
    ("hun", eastern::HUNGARIAN),
    ("ell", eastern::GREEK),
    ("tur", eastern::TURKISH),
    ("ara", eastern::ARABIC),
    ("hin", eastern::HINDI),
    ("vie", eastern::VIETNAMESE),
];

/// The lists as sets of normalised words, with the spellings of those who leave out the marks.
static SETS: LazyLock<HashMap<&str, HashSet<String>>> =
    LazyLock::new(|| LISTS.iter().map(|(code, list)| (*code, spellings(list, Language::from_code(code)))).collect());

static COMMON_ENGLISH: LazyLock<HashSet<&str>> =
    LazyLock::new(|| western::COMMON_ENGLISH.split_ascii_whitespace().collect());

fn spellings(list: &str, language: Option<Language>) -> HashSet<String> {
    let mut all: HashSet<String> = list.split_ascii_whitespace().flat_map(words).collect();
    if !language.is_some_and(Language::tells_words_by_marks) {
        all.extend(all.clone().into_iter().map(fold));
    }
    all
}

/// The language whose stop words `words` hold most, when there are enough and no other language has as many. Texts of a
/// few lines tell their language by them.
pub fn language_by_stop_words(words: &[String]) -> Option<Language> {
    let mut counts: Vec<(usize, &str)> =
        LISTS.iter().map(|(code, _)| (words.iter().filter(|word| SETS[code].contains(*word)).count(), *code)).collect();
    counts.sort_unstable_by(|one, other| other.cmp(one));
    let (best, code) = counts[0];
    let is_clear = best >= MIN_STOP_WORDS && best * 4 >= words.len() && best >= counts[1].0 + 2;
    if is_clear { Language::from_code(code) } else { None }
}

/// Whether `word` (of [`words`]) is a stop or question word of `language`. Pairs of unspaced characters are judged by
/// their script, whatever the language.
pub fn is_stop_word(word: &str, language: Language) -> bool {
    SETS.get(language.code()).is_some_and(|set| set.contains(word)) || unspaced::is_stop_pair(word)
}

/// Whether `word` is one of the words that fill everyday speech: it may be looked for, but says little.
pub fn is_common_word(word: &str, language: Language) -> bool {
    (language == Language::ENGLISH && COMMON_ENGLISH.contains(word)) || unspaced::is_chinese_grammar(word)
}

/// Whether there is a list for `language`.
pub fn has_list(language: Language) -> bool {
    SETS.contains_key(language.code())
}

/// Whether `word` after `how` asks for a measure: "how long", "wie lange". It says nothing about a topic then.
pub fn asks_measure(how: &str, word: &str) -> bool {
    match how {
        "how" => matches!(
            word,
            "long" | "old" | "far" | "soon" | "often" | "big" | "large" | "many" | "much" | "quickly" | "fast"
        ),
        "wie" => {
            matches!(word, "lange" | "lang" | "oft" | "viel" | "viele" | "weit" | "alt" | "hoch" | "groß" | "schnell")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_stop(word: &str, code: &str) -> bool {
        is_stop_word(word, Language::from_code(code).expect("a language"))
    }

    #[test]
    fn every_list_is_of_a_known_language_and_holds_question_words() {
        for (code, question) in [
            ("eng", "which"),
            ("deu", "welche"),
            ("spa", "donde"),
            ("fra", "ou"),
            ("rus", "когда"),
            ("ukr", "коли"),
            ("pol", "kiedy"),
            ("ces", "proč"),
            ("tur", "nasıl"),
            ("ara", "متي"),
            ("ell", "που"),
            ("hin", "कब"),
            ("fin", "missä"),
            ("swe", "varför"),
            ("vie", "khi"),
        ] {
            assert!(is_stop(question, code), "{code} {question}");
        }
        for (code, _) in LISTS {
            assert!(Language::from_code(code).is_some_and(has_list), "{code}");
        }
    }

    #[test]
    fn what_names_something_stays() {
        assert!(!is_stop("refund", "eng") && !is_stop("договор", "rus") && !is_stop("契約", "jpn"));
    }
}
