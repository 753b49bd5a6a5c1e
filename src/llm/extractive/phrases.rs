//! The few sentences that are ours, in the language of the question.

use crate::text::{Language, stop, words};

struct Phrases {
    language: &'static str,
    no_answer: &'static str,
    near: &'static str,
}

/// English comes first: it is the fall-back.
const PHRASES: &[Phrases] = &[
    Phrases {
        language: "eng",
        no_answer: "I could not find an answer to this in the documents.",
        near: "These may be related:",
    },
    Phrases {
        language: "deu",
        no_answer: "Dazu habe ich in den Dokumenten keine Antwort gefunden.",
        near: "Verwandt sein könnten:",
    },
    Phrases {
        language: "fra",
        no_answer: "Je n’ai pas trouvé de réponse à cette question dans les documents.",
        near: "Ces documents pourraient s’en approcher :",
    },
    Phrases {
        language: "spa",
        no_answer: "No he encontrado una respuesta a esto en los documentos.",
        near: "Esto podría estar relacionado:",
    },
    Phrases {
        language: "ita",
        no_answer: "Non ho trovato una risposta nei documenti.",
        near: "Questi potrebbero essere pertinenti:",
    },
    Phrases {
        language: "nld",
        no_answer: "Ik heb hierop geen antwoord gevonden in de documenten.",
        near: "Dit komt misschien in de buurt:",
    },
    Phrases {
        language: "por",
        no_answer: "Não encontrei resposta a isto nos documentos.",
        near: "Estes podem estar relacionados:",
    },
];

/// Says that the documents do not answer, and which come near.
pub(super) fn refusal(question: &str, near: &[&str]) -> String {
    let phrases = phrases_for(question);
    let mut text = phrases.no_answer.to_owned();
    if !near.is_empty() {
        text.push_str("\n\n");
        text.push_str(phrases.near);
        for title in near {
            text.push_str("\n- ");
            text.push_str(title);
        }
    }
    text
}

fn phrases_for(question: &str) -> &'static Phrases {
    let words = words::words(question);
    let stops = |phrases: &Phrases| {
        let Some(language) = Language::from_code(phrases.language) else {
            return 0;
        };
        words.iter().filter(|word| stop::is_stop_word(word, language)).count()
    };
    let mut best = (&PHRASES[0], stops(&PHRASES[0]));
    for phrases in &PHRASES[1..] {
        let count = stops(phrases);
        if count > best.1 {
            best = (phrases, count);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_speaks_the_questions_language() {
        assert!(refusal("Wie wird das Wetter morgen?", &[]).starts_with("Dazu habe ich"));
        assert!(refusal("How is the weather?", &[]).starts_with("I could not"));
        assert!(refusal("zzz", &["Returns"]).ends_with("- Returns"));
    }
}
