//! What was measured: in which languages embeddings help, and in which they do harm.
//!
//! The file is written by `docs measure` and read by every search. It counts for the model that it names and for no
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::index::hybrid::{folder, temporary_in};

/// No list of languages is longer.
const MAX_BYTES: u64 = 64 * 1024;
/// Fewer questions prove nothing.
const MIN_QUESTIONS: usize = 10;

/// The figures of one language.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How many questions were asked.
    pub questions: usize,
    /// nDCG@10 of the search by words, 0 to 1.
    pub words: f64,
    /// nDCG@10 of the search by words and embeddings, 0 to 1.
    pub fused: f64,
}

/// The figures of all languages, for one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The model.
    pub model: String,
    /// By ISO 639-3 code.
    pub languages: BTreeMap<String, Figures>,
}

impl Measured {
    /// The languages in which the search by words alone is better.
    pub fn worse(&self) -> BTreeSet<String> {
        let worse = self.languages.iter().filter(|(_, figures)| figures.is_worse());
        worse.map(|(language, _)| language.clone()).collect()
    }
}

impl Figures {
    /// Whether enough questions say that embeddings do harm.
    pub fn is_worse(&self) -> bool {
        self.questions >= MIN_QUESTIONS && self.fused < self.words
    }
}

/// Where the figures lie.
pub fn path(state_dir: &Path) -> PathBuf {
    folder(state_dir).join("measured.json")
}

/// Keeps the figures, whole or not at all.
pub fn save(state_dir: &Path, measured: &Measured) -> io::Result<()> {
    std::fs::create_dir_all(folder(state_dir))?;
    let mut file = temporary_in(&folder(state_dir))?;
    serde_json::to_writer_pretty(file.as_file_mut(), measured)?;
    file.as_file().sync_all()?;
    file.persist(path(state_dir)).map_err(|error| error.error)?;
    Ok(())
}

/// The languages in which embeddings of this model were measured worse; none where nothing was measured.
pub fn worse_languages(state_dir: &Path, model: &str) -> BTreeSet<String> {
    let path = path(state_dir);
    let Ok(metadata) = std::fs::metadata(&path) else { return BTreeSet::new() };
    let read = if metadata.len() <= MAX_BYTES { std::fs::read(&path) } else { Ok(Vec::new()) };
    let measured = read.and_then(|bytes| Ok(serde_json::from_slice::<Measured>(&bytes)?));
    match measured {
        Ok(measured) if measured.model == model => measured.worse(),
        Ok(_) => BTreeSet::new(),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "what was measured of embeddings cannot be read");
            BTreeSet::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_worse_with_this_model_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        assert!(worse_languages(folder.path(), "m").is_empty());
        let figures = |words, fused| Figures { questions: 10, words, fused };
        let languages = BTreeMap::from([
            ("eng".to_owned(), figures(0.8, 0.9)),
            ("jpn".to_owned(), figures(0.9, 0.8)),
            ("deu".to_owned(), figures(0.9, 0.9)),
            ("fra".to_owned(), Figures { questions: 9, ..figures(0.9, 0.1) }),
        ]);
        save(folder.path(), &Measured { model: "m".to_owned(), languages }).unwrap();
        assert_eq!(worse_languages(folder.path(), "m"), BTreeSet::from(["jpn".to_owned()]));
        assert!(worse_languages(folder.path(), "other").is_empty());
    }
}
