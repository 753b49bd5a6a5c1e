//! Names in a question: the words that its writer set in capitals.

use std::collections::HashSet;

use crate::text::{Language, sentence, words};

/// The words of `question` (as [`words::words`] gives them) written with a capital where the language has no other
/// reason for one. None where every noun has a capital, or every word of the question.
pub(super) fn names(question: &str, language: Option<Language>) -> HashSet<String> {
    if language.is_some_and(Language::capitalises_nouns) {
        return HashSet::new();
    }
    let mut inner: Vec<&str> = Vec::new();
    for range in sentence::sentences(question) {
        inner.extend(question[range].split_whitespace().skip(1));
    }
    let is_capital = |word: &&&str| word.chars().find(|letter| letter.is_alphabetic()).is_some_and(char::is_uppercase);
    let capitals: Vec<&&str> = inner.iter().filter(is_capital).collect();
    if capitals.len() == inner.len() && inner.len() > 1 {
        return HashSet::new();
    }
    capitals.into_iter().flat_map(|word| words::words(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(question: &str, code: &str) -> Vec<String> {
        let mut found: Vec<String> = names(question, Language::from_code(code)).into_iter().collect();
        found.sort();
        found
    }

    #[test]
    fn capitals_within_a_sentence_are_names() {
        assert_eq!(sorted("When is your shop in Lisbon open?", "eng"), ["lisbon"]);
        assert_eq!(sorted("Где находится Эльбрус?", "rus"), ["эльбрус"]);
        assert!(sorted("How long? The parcel is late.", "eng").is_empty());
        assert!(sorted("WHERE IS MY PARCEL", "eng").is_empty());
        assert!(sorted("Wann kommt mein Paket?", "deu").is_empty());
        assert!(sorted("返品はいつ？", "jpn").is_empty());
    }
}
