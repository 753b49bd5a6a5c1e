//! From a person's question to the words worth looking for. Never a query parser: user text has no syntax here.

use std::collections::HashSet;

use crate::text::{Language, stop, words};

/// The words of `question`, each once, in order, normalised as a text in the documents' most frequent language.
pub fn all_words(question: &str, languages: &[Language]) -> Vec<String> {
    unique(words::words_in(question, languages.first().copied()))
}

/// The words of `question` that say what it is about, each once, in order; none when it holds stop words alone.
/// `languages` are those of the documents, most frequent first.
pub fn content_words(question: &str, languages: &[Language]) -> Vec<String> {
    let all = all_words(question, languages);
    let Some(spoken) = question_language(question, &all, languages) else {
        return all;
    };
    all.iter()
        .enumerate()
        .filter(|(place, word)| {
            let before = place.checked_sub(1).and_then(|before| all.get(before));
            !stop::is_stop_word(word, spoken) && !before.is_some_and(|how| stop::asks_measure(how, word))
        })
        .map(|(_, word)| word.clone())
        .collect()
}

/// The language whose stop words the question uses most; detection by letters fails on texts this short.
fn question_language(question: &str, words: &[String], languages: &[Language]) -> Option<Language> {
    let count = |language: Language| words.iter().filter(|word| stop::is_stop_word(word, language)).count();
    let candidates: Vec<Language> = if languages.is_empty() { vec![Language::ENGLISH] } else { languages.to_vec() };
    let mut best: Option<(usize, Language)> = None;
    for language in candidates.iter().copied().filter(|language| stop::has_list(*language)) {
        let stops = count(language);
        if best.is_none_or(|(most, _)| stops > most) {
            best = Some((stops, language));
        }
    }
    match best {
        Some((stops, language)) if stops > 0 => Some(language),
        _ => {
            Language::detect(question).filter(|language| candidates.contains(language)).or(candidates.first().copied())
        }
    }
}

fn unique(words: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    words.into_iter().filter(|word| seen.insert(word.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(question: &str, languages: &[&str]) -> Vec<String> {
        let languages: Vec<Language> = languages.iter().filter_map(|code| Language::from_code(code)).collect();
        content_words(question, &languages)
    }

    #[test]
    fn question_words_go() {
        assert_eq!(content("How do I return a lamp?", &["eng"]), ["return", "lamp"]);
        assert_eq!(content("How long do sleeves last?", &["eng"]), ["sleeves", "last"]);
        assert_eq!(content("What is it?", &["eng"]), Vec::<String>::new());
        assert_eq!(content("", &["eng"]), Vec::<String>::new());
    }

    #[test]
    fn a_turkish_question_loses_the_endings_of_its_names() {
        assert_eq!(content("Ankara'nın nüfusu kaç?", &["tur"]), ["ankara", "nüfusu"]);
        assert_eq!(content("IRMAK nerede?", &["tur"]), ["ırmak"]);
    }

    #[test]
    fn stop_words_are_those_of_the_questions_language() {
        assert_eq!(content("Wie kann ich die Lampe zurückgeben?", &["eng", "deu"]), ["lampe", "zurückgeben"]);
        assert_eq!(content("How do I die cut paper?", &["eng", "deu"]), ["die", "cut", "paper"]);
    }
}
