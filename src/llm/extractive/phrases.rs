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
    Phrases {
        language: "rus",
        no_answer: "В документах нет ответа на этот вопрос.",
        near: "Возможно, близко по теме:",
    },
    Phrases {
        language: "ukr",
        no_answer: "У документах немає відповіді на це запитання.",
        near: "Можливо, близько за темою:",
    },
    Phrases { language: "pol", no_answer: "W dokumentach nie ma odpowiedzi na to pytanie.", near: "Pokrewne tematy:" },
    Phrases { language: "tur", no_answer: "Belgelerde bu sorunun yanıtını bulamadım.", near: "Yakın konular:" },
    Phrases {
        language: "ara", no_answer: "لم أجد في المستندات إجابة عن هذا السؤال.", near: "مواضيع قريبة:"
    },
    Phrases { language: "cmn", no_answer: "文档中没有找到这个问题的答案。", near: "相近的主题：" },
    Phrases {
        language: "jpn", no_answer: "文書の中に、この質問への答えは見つかりませんでした。", near: "近い話題："
    },
    Phrases {
        language: "kor", no_answer: "문서에서 이 질문에 대한 답을 찾지 못했습니다.", near: "가까운 주제:"
    },
];

/// Says that the documents do not answer, and which come near.
pub(super) fn refusal(question: &str, near: &[String]) -> String {
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
    if let Some(code) = unspaced_language(question) {
        return PHRASES.iter().find(|phrases| phrases.language == code).unwrap_or(&PHRASES[0]);
    }
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

/// The language of a question that its script tells: Japanese mixes Kana with Han.
fn unspaced_language(question: &str) -> Option<&'static str> {
    let has = |range: std::ops::RangeInclusive<char>| question.chars().any(|letter| range.contains(&letter));
    if has('\u{3041}'..='\u{30fa}') {
        Some("jpn")
    } else if has('\u{ac00}'..='\u{d7a3}') {
        Some("kor")
    } else {
        has('\u{4e00}'..='\u{9fff}').then_some("cmn")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_speaks_the_questions_language() {
        assert!(refusal("Wie wird das Wetter morgen?", &[]).starts_with("Dazu habe ich"));
        assert!(refusal("Какая завтра будет погода?", &[]).starts_with("В документах"));
        assert!(refusal("Yarın hava nasıl olacak?", &[]).starts_with("Belgelerde"));
        assert!(refusal("ما هو الطقس غدا؟", &[]).starts_with("لم أجد"));
        assert!(refusal("明日の天気は？", &[]).starts_with("文書"));
        assert!(refusal("明天天气怎么样？", &[]).starts_with("文档"));
        assert!(refusal("내일 날씨는 어때요?", &[]).starts_with("문서"));
        assert!(refusal("How is the weather?", &[]).starts_with("I could not"));
        assert!(refusal("zzz", &["Returns".to_owned()]).ends_with("- Returns"));
    }
}
