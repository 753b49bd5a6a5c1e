//! What is no question: greetings and thanks get a short fixed reply, without documents and without the model.

use crate::text::words;

/// A message of more words is a question, however it begins.
const MAX_WORDS: usize = 4;

struct Talk {
    /// In lower case.
    words: &'static [&'static str],
    reply: &'static str,
}

/// Words that may stand beside those of the table.
const FILLERS: &[&str] = &[
    "you", "very", "much", "there", "so", "a", "lot", "ok", "okay", "great", "again", "all", "everyone", "sehr",
    "schön", "dir", "ihnen", "beaucoup", "muchas", "mille", "to", "für", "alles", "dank",
];

const TALK: &[Talk] = &[
    Talk {
        words: &["thanks", "thank", "thx", "cheers", "ty"],
        reply: "You are welcome! Ask me anything about the documents.",
    },
    Talk {
        words: &["hello", "hi", "hey", "greetings", "morning"],
        reply: "Hello! Ask me anything about the documents.",
    },
    Talk { words: &["bye", "goodbye"], reply: "Goodbye!" },
    Talk {
        words: &["danke", "dankeschön", "vielen"],
        reply: "Gern geschehen! Fragen Sie mich alles, was in den Dokumenten steht.",
    },
    Talk { words: &["hallo", "moin", "servus"], reply: "Hallo! Fragen Sie mich alles, was in den Dokumenten steht." },
    Talk { words: &["merci"], reply: "Avec plaisir ! Posez-moi vos questions sur les documents." },
    Talk { words: &["bonjour", "salut", "bonsoir"], reply: "Bonjour ! Posez-moi vos questions sur les documents." },
    Talk { words: &["gracias"], reply: "¡De nada! Pregúntame lo que quieras sobre los documentos." },
    Talk { words: &["hola"], reply: "¡Hola! Pregúntame lo que quieras sobre los documentos." },
    Talk { words: &["grazie"], reply: "Prego! Chiedimi pure dei documenti." },
    Talk { words: &["ciao", "buongiorno"], reply: "Ciao! Chiedimi pure dei documenti." },
    Talk { words: &["obrigado", "obrigada"], reply: "De nada! Pergunte-me sobre os documentos." },
    Talk { words: &["bedankt", "dankjewel"], reply: "Graag gedaan! Vraag me alles over de documenten." },
    Talk { words: &["спасибо"], reply: "Пожалуйста! Спрашивайте о документах." },
    Talk {
        words: &["привет", "здравствуйте"], reply: "Здравствуйте! Спрашивайте о документах."
    },
];

/// The reply to a message that is nothing but a greeting or thanks.
pub(in crate::llm) fn reply(message: &str) -> Option<&'static str> {
    let words = words::words(message);
    if words.is_empty() || words.len() > MAX_WORDS {
        return None;
    }
    let talk = |word: &String| TALK.iter().find(|talk| talk.words.contains(&word.as_str()));
    if !words.iter().all(|word| talk(word).is_some() || FILLERS.contains(&word.as_str())) {
        return None;
    }
    words.iter().find_map(talk).map(|talk| talk.reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_asks_nothing_is_small_talk() {
        for message in ["Thanks!", "thank you very much", "Hi there", "Vielen Dank", "hola", "Спасибо!", "OK, thanks"]
        {
            assert!(reply(message).is_some(), "{message}");
        }
        for message in ["", "ok", "hi, refunds?", "Thanks, and how long?", "What is a hello page?", "all"] {
            assert_eq!(reply(message), None, "{message}");
        }
    }
}
