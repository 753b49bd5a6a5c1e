//! Which language a document is in.
//!
//! Detection counts only where it is sure. What is too short to tell takes what it declares, or the language of most
//! documents in the folder.

use std::collections::BTreeMap;

use crate::model::{Block, DocumentRecord};

/// How much text is looked at.
const SAMPLE_BYTES: usize = 6_000;

/// A folder of a few lines tells no language, and words must be stemmed as something.
const DEFAULT: &str = "eng";

/// Less text than this is never sure.
const MIN_CHARS: usize = 60;

/// The language of the text, ISO 639-3, when sure.
pub fn detect(blocks: &[Block]) -> Option<String> {
    let text = sample(blocks);
    if text.chars().filter(|c| c.is_alphabetic()).count() < MIN_CHARS {
        return None;
    }
    let found = whatlang::detect(&text)?;
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
