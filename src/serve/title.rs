//! A thread's automatic title: what its first exchange is about.
//!
//! The question says it best, and before the answer. Where it says nothing yet ("hi", "I have a question"), the answer
//! does: by the document it cites, or by its first sentence. No model is asked, and the same exchange gives the same
//! title.

use std::ops::Range;

use crate::model::Answer;
use crate::text::{sentence, words};

/// Characters of an automatic title at the most, the ellipsis not counted.
const MAX_CHARS: usize = 60;
/// With more words than this a message says something, whatever they are.
const MAX_SMALL_TALK: usize = 10;

/// Words of messages that only open a conversation, in the languages that visitors often write.
const SMALL_TALK: &str = "
    a afternoon all am and anybody anyone are ask can could day do evening everyone for get good greetings have hello
    help hey hi hiya i i'd i'm is like may me morning my need ok okay one please quick question questions some something
    test testing thank thanks there to want with would you your

    abend bitte danke eine frage fragen guten habe hallo helfen hilfe ich kannst können mir moin morgen servus sie tag

    ai aide ayuda bom bonjour bonsoir buenas buenos buongiorno ciao dia días domanda goedemorgen hoi hola j'ai merci
    olá pregunta salut tardes tengo une una vraag
";

/// The first words of a question, on one line; `None` if it does not say what it is about.
pub fn of_question(question: &str) -> Option<String> {
    automatic_title(question).filter(|_| !is_small_talk(question))
}

/// What an answer is about: the document that it cites first, or its first sentence. An answer that knows nothing is
/// about nothing.
pub fn of_answer(answer: &Answer) -> Option<String> {
    if answer.refused {
        return None;
    }
    let cited = answer.citations.first().and_then(|citation| automatic_title(&citation.title));
    cited.or_else(|| automatic_title(first_sentence(&answer.text)))
}

fn is_small_talk(question: &str) -> bool {
    let words = words::words(question);
    words.len() <= MAX_SMALL_TALK && words.iter().all(|word| SMALL_TALK.split_whitespace().any(|one| one == word))
}

fn first_sentence(text: &str) -> &str {
    let first: Range<usize> = sentence::sentences(text).first().cloned().unwrap_or(0..text.len());
    &text[first]
}

/// The beginning of a text on one line, at most 60 characters and an ellipsis; `None` if nothing of it can be shown.
pub fn automatic_title(text: &str) -> Option<String> {
    let line: String = text.chars().map(|each| if each.is_control() { ' ' } else { each }).collect();
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let Some((end, _)) = line.char_indices().nth(MAX_CHARS) else {
        return Some(line.to_owned());
    };
    let (head, rest) = line.split_at(end);
    // A word that ends exactly here stays whole; a cut word goes, unless it is all there is (or nearly so).
    let whole = match head.rfind(char::is_whitespace) {
        Some(space) if !rest.starts_with(char::is_whitespace) && space >= head.len() / 2 => &head[..space],
        _ => head,
    };
    Some(format!("{}…", whole.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_questions_are_their_own_title() {
        assert_eq!(of_question(" a\nb ").as_deref(), Some("a b"));
        assert_eq!(of_question("\n\u{0}"), None);
    }

    #[test]
    fn long_questions_end_on_a_word() {
        let title = of_question(&"refund ".repeat(20)).unwrap();
        assert!(title.ends_with("refund…"), "{title}");
        assert!(title.chars().count() <= 61);
    }

    #[test]
    fn words_without_spaces_are_cut_by_characters() {
        let title = of_question(&"返".repeat(100)).unwrap();
        assert_eq!(title.chars().count(), 61);
    }

    #[test]
    fn what_only_opens_a_conversation_is_no_title() {
        for said in ["hi", "Hello!", "hello, I have a question", "Guten Tag", "👋", "?", "Can you help me please?"] {
            assert_eq!(of_question(said), None, "{said}");
        }
        for said in ["q", "Hi, where is my order?", "refunds", "Frage zur Rücksendung", "返品", "[[slow]] q"] {
            assert_eq!(of_question(said).as_deref(), Some(said));
        }
    }

    #[test]
    fn an_answer_is_about_its_document_or_its_first_sentence() {
        let said = |text: &str| Answer { text: text.to_owned(), ..Answer::default() };
        assert_eq!(of_answer(&said("I help with orders. Ask away.")).as_deref(), Some("I help with orders."));
        assert_eq!(of_answer(&said(" \n")), None);
        assert_eq!(of_answer(&Answer { refused: true, ..said("No idea.") }), None);
    }
}
