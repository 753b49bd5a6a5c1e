//! Stems: what the forms of one word have in common, by the rules of its language.

use rust_stemmers::Stemmer;

use crate::text::Language;

/// A stemmer, made once for many words.
pub struct Stem {
    kind: Kind,
    keeps_marks: bool,
}

enum Kind {
    Snowball(Stemmer),
    /// Endings that are taken away, longest first.
    Endings(&'static [&'static str]),
    None,
}

/// A stem keeps this many letters.
const MIN_STEM_CHARS: usize = 2;

impl Stem {
    /// The stemmer for `language`; words of other languages stay as they are.
    pub fn of(language: Option<Language>) -> Self {
        let snowball = language.and_then(Language::stemmer).map(|algorithm| Kind::Snowball(Stemmer::create(algorithm)));
        let endings = || language.and_then(|language| endings(language.code())).map(Kind::Endings);
        let keeps_marks = language.is_some_and(Language::tells_words_by_marks);
        Self { kind: snowball.or_else(endings).unwrap_or(Kind::None), keeps_marks }
    }

    /// Whether words that differ in marks alone stay different.
    pub fn keeps_marks(&self) -> bool {
        self.keeps_marks
    }

    /// The stem of one normalised word; never empty.
    pub fn apply(&self, word: String) -> String {
        match &self.kind {
            Kind::Snowball(stemmer) => {
                let stem = stemmer.stem(&word);
                if stem.is_empty() { word } else { stem.into_owned() }
            }
            Kind::Endings(endings) => without_ending(word, endings),
            Kind::None => word,
        }
    }
}

fn without_ending(mut word: String, endings: &[&str]) -> String {
    let letters = word.chars().count();
    let stem = endings.iter().find_map(|ending| {
        let stem = word.strip_suffix(ending)?;
        (letters >= ending.chars().count() + MIN_STEM_CHARS).then_some(stem.len())
    });
    if let Some(length) = stem {
        word.truncate(length);
    }
    word
}

/// Inflections of languages that Snowball's collection here has no algorithm for.
fn endings(code: &str) -> Option<&'static [&'static str]> {
    match code {
        "hin" | "mar" | "nep" => Some(HINDI),
        "pol" => Some(POLISH),
        "ces" | "slk" => Some(CZECH),
        "ukr" => Some(UKRAINIAN),
        _ => None,
    }
}

/// Case, number, gender and the endings of verbs.
const HINDI: &[&str] = &[
    "ियाँ",
    "ियां",
    "ियों",
    "ाएगी",
    "ाएगा",
    "ाओगी",
    "ाओगे",
    "एंगी",
    "ेंगी",
    "एंगे",
    "ेंगे",
    "ूंगी",
    "ूंगा",
    "ातीं",
    "नाओं",
    "नाएं",
    "ताओं",
    "ताएं",
    "ाकर",
    "ाइए",
    "ाईं",
    "ाया",
    "ेगी",
    "ेगा",
    "ोगी",
    "ोगे",
    "ाने",
    "ाना",
    "ाते",
    "ाती",
    "ाता",
    "तीं",
    "ाओं",
    "ाएं",
    "ुओं",
    "ुएं",
    "ुआं",
    "कर",
    "ाओ",
    "िए",
    "ाई",
    "ाए",
    "ने",
    "नी",
    "ना",
    "ते",
    "ती",
    "ता",
    "ों",
    "ें",
    "ीं",
    "ां",
    "ो",
    "े",
    "ू",
    "ु",
    "ी",
    "ि",
    "ा",
];

const POLISH: &[&str] = &[
    "owania", "owanie", "owaniu", "iejszy", "ościach", "ościami", "ości", "ość", "owego", "owemu", "owych", "owymi",
    "owej", "iego", "iemu", "ania", "anie", "aniu", "enia", "enie", "eniu", "iach", "iami", "ego", "emu", "ych", "ymi",
    "ich", "imi", "ach", "ami", "iem", "owi", "owe", "owa", "owy", "ów", "om", "em", "ej", "ym", "im", "ie", "ia", "ą",
    "ę", "a", "e", "i", "o", "u", "y",
];

const CZECH: &[&str] = &[
    "ovského", "ostech", "ostmi", "osti", "ost", "ového", "ovému", "ových", "ovými", "ové", "ová", "ový", "ého", "ému",
    "ých", "ými", "ách", "ami", "ech", "ích", "ími", "ové", "ovi", "ům", "em", "ům", "ou", "ám", "ů", "á", "é", "í",
    "ý", "ě", "a", "e", "i", "o", "u", "y",
];

const UKRAINIAN: &[&str] = &[
    "ування",
    "уванні",
    "ювання",
    "остями",
    "ості",
    "істю",
    "ість",
    "ого",
    "ому",
    "ими",
    "іми",
    "ами",
    "ями",
    "ові",
    "еві",
    "ання",
    "анні",
    "ення",
    "енні",
    "ах",
    "ях",
    "ам",
    "ям",
    "ою",
    "ею",
    "ий",
    "ій",
    "их",
    "іх",
    "им",
    "ім",
    "ої",
    "єю",
    "ів",
    "їв",
    "ом",
    "ем",
    "єм",
    "а",
    "я",
    "о",
    "е",
    "є",
    "и",
    "і",
    "ї",
    "у",
    "ю",
    "ь",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn stem(word: &str, code: &str) -> String {
        Stem::of(Language::from_code(code)).apply(word.to_owned())
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for (code, one, other) in [
            ("eng", "refunds", "refund"),
            ("hin", "किताबें", "किताबों"),
            ("pol", "zwrotów", "zwroty"),
            ("ces", "smlouvy", "smlouvou"),
            ("ukr", "книги", "книгою"),
        ] {
            assert_eq!(stem(one, code), stem(other, code), "{one} {other}");
        }
        assert_eq!(stem("को", "hin"), "को");
        assert_eq!(stem("refunds", "jpn"), "refunds");
    }

    #[test]
    fn longer_endings_come_first() {
        for list in [HINDI, POLISH, CZECH, UKRAINIAN] {
            for (place, ending) in list.iter().enumerate() {
                let shadowed = list[..place].iter().any(|before| ending.ends_with(before) && ending != before);
                assert!(!shadowed, "{ending} is never reached");
            }
        }
    }
}
