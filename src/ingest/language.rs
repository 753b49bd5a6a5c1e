//! Which language a document is in.
//!
//! Detection counts only where it is sure. What is too short to tell takes what it declares, or the language of most
//! documents in the folder.

use std::collections::BTreeMap;

use crate::model::{Block, DocumentRecord};
use crate::text::stop;
use crate::text::words::words;

/// How much text is looked at.
const SAMPLE_BYTES: usize = 6_000;

/// A folder of a few lines tells no language, and words must be stemmed as something.
const DEFAULT: &str = "eng";

/// Fewer letters of a script may be a name or a word of greeting.
const MIN_OF_SCRIPT: usize = 4;

/// Less text than this is never sure by its letters.
const MIN_CHARS: usize = 60;

/// The language of the text, ISO 639-3, when sure.
pub fn detect(blocks: &[Block]) -> Option<String> {
    let text = sample(blocks);
    if let Some(code) = by_script(&text) {
        return Some(code.to_owned());
    }
    detect_by_letters(&text).or_else(|| {
        let words = words(&text);
        stop::language_by_stop_words(&words).map(|language| language.code().to_owned())
    })
}

/// A script that one language alone uses names it, however short the text is.
fn by_script(text: &str) -> Option<&'static str> {
    let (mut kana, mut hangul, mut thai, mut greek, mut all) = (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for letter in text.chars().filter(|letter| letter.is_alphabetic()) {
        all += 1;
        match letter {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{ac00}'..='\u{d7af}' => hangul += 1,
            '\u{e00}'..='\u{e7f}' => thai += 1,
            '\u{370}'..='\u{3ff}' => greek += 1,
            _ => {}
        }
    }
    let is = |count: usize, part: usize| count >= MIN_OF_SCRIPT && count * part >= all;
    // Japanese mixes its own letters with Chinese ones, and technical texts with Latin ones.
    match () {
        () if is(hangul, 3) => Some("kor"),
        () if is(kana, 5) => Some("jpn"),
        () if is(thai, 2) => Some("tha"),
        () if is(greek, 2) => Some("ell"),
        () => None,
    }
}

fn detect_by_letters(text: &str) -> Option<String> {
    if text.chars().filter(|c| c.is_alphabetic()).count() < MIN_CHARS {
        return None;
    }
    let found = whatlang::detect(text)?;
    found.is_reliable().then(|| found.lang().code().to_owned())
}

/// What a document declares, as ISO 639-3; `None` for what nobody knows.
pub fn declared(tag: &str) -> Option<String> {
    let code = tag.split(['-', '_']).next()?.trim().to_ascii_lowercase();
    let three = match code.as_str() {
        "en" => "eng",
        "de" => "deu",
        "fr" => "fra",
        "es" => "spa",
        "it" => "ita",
        "pt" => "por",
        "nl" => "nld",
        "da" => "dan",
        "sv" => "swe",
        "nb" | "no" | "nn" => "nob",
        "fi" => "fin",
        "ru" => "rus",
        "tr" => "tur",
        "hu" => "hun",
        "ro" => "ron",
        "ar" => "ara",
        "el" => "ell",
        "ta" => "tam",
        "pl" => "pol",
        "cs" => "ces",
        "uk" => "ukr",
        "ja" => "jpn",
        "zh" => "cmn",
        "ko" => "kor",
        other => return whatlang::Lang::from_code(other).map(|lang| lang.code().to_owned()),
    };
    Some(three.to_owned())
}

/// Counts languages and tells which is the most frequent.
#[derive(Debug, Default)]
pub struct Majority {
    counts: BTreeMap<String, usize>,
}

impl Majority {
    /// Of the documents that tell a language; one that borrowed its own tells none.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a DocumentRecord>) -> Self {
        let mut majority = Self::default();
        for record in records.into_iter().filter(|record| !record.language_borrowed) {
            majority.count(record.language.as_deref());
        }
        majority
    }

    /// Counts one document.
    pub fn count(&mut self, language: Option<&str>) {
        if let Some(language) = language {
            *self.counts.entry(language.to_owned()).or_default() += 1;
        }
    }

    /// The language of more documents than any other; without one, the usual language of such folders.
    pub fn language_or_default(&self) -> Option<String> {
        self.language().or_else(|| Some(DEFAULT.to_owned()))
    }

    /// The language of more documents than any other.
    pub fn language(&self) -> Option<String> {
        let best = self.counts.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))?;
        Some(best.0.clone())
    }
}

/// Pieces from the beginning, the middle and the end: a document may begin with a foreign preface.
fn sample(blocks: &[Block]) -> String {
    let total: usize = blocks.iter().map(|block| block.text.len() + 1).sum();
    let every = (total / SAMPLE_BYTES).max(1);
    let mut text = String::new();
    for block in blocks.iter().step_by(every) {
        let room = SAMPLE_BYTES.saturating_sub(text.len());
        if room == 0 {
            break;
        }
        text.push_str(&block.text[..block.text.floor_char_boundary(room)]);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::format::blocks::{Blocks, Place};

    fn of(text: &str) -> Option<String> {
        let mut blocks = Blocks::default();
        blocks.paragraph(text, Place::default());
        detect(&blocks.finish())
    }

    #[test]
    fn short_texts_tell_their_language_by_script_or_stop_words() {
        let found = |text| of(text).unwrap_or_default();
        assert_eq!(found("返品は三十日以内にお願いします。"), "jpn");
        assert_eq!(found("환불은 오 일 걸립니다."), "kor");
        assert_eq!(found("Die Tonnen für den Müll stehen im Hof, und der Hof ist zu."), "deu");
        assert_eq!(found("The lions are in the house and on the roof."), "eng");
        for unknown in ["Stint 7, Heron 9, Curlew 8", "SKU 12-4 A4", "返品"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
    }
}
