//! The languages whose words are stemmed; everything else is compared as written.

use rust_stemmers::Algorithm;

/// A language, by its ISO 639-3 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language(whatlang::Lang);

/// Below this share of certainty a guess is not used.
const MIN_CONFIDENCE: f64 = 0.5;
/// Fewer letters than this tell no language.
const MIN_LETTERS: usize = 40;

impl Language {
    /// English.
    pub const ENGLISH: Self = Self(whatlang::Lang::Eng);

    /// The language with this ISO 639-3 code.
    pub fn from_code(code: &str) -> Option<Self> {
        whatlang::Lang::from_code(code).map(Self)
    }

    /// Its ISO 639-3 code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The language of a longer text; `None` when that is not sure.
    pub fn detect(text: &str) -> Option<Self> {
        let guess = whatlang::detect(text)?;
        let letters = text.chars().filter(|letter| letter.is_alphabetic()).take(MIN_LETTERS).count();
        let sure = guess.is_reliable() || guess.confidence() >= MIN_CONFIDENCE;
        (sure && letters >= MIN_LETTERS).then(|| Self(guess.lang()))
    }

    /// Whether its capital I is a letter of its own, without a dot, and an apostrophe parts names from endings.
    pub(crate) fn has_dotless_i(self) -> bool {
        matches!(self.0, whatlang::Lang::Tur | whatlang::Lang::Aze)
    }

    /// Whether marks make other words, and everybody writes them.
    pub(crate) fn tells_words_by_marks(self) -> bool {
        matches!(self.0, whatlang::Lang::Vie)
    }

    /// Whether it writes compounds as one word.
    pub fn joins_compounds(self) -> bool {
        use whatlang::Lang;
        matches!(self.0, Lang::Deu | Lang::Nld | Lang::Swe | Lang::Dan | Lang::Nob | Lang::Fin | Lang::Hun | Lang::Afr)
    }

    /// Whether every noun has a capital letter, and a capital names nothing.
    pub fn capitalises_nouns(self) -> bool {
        matches!(self.0, whatlang::Lang::Deu)
    }

    /// The Snowball algorithm for it, when there is one.
    pub(crate) fn stemmer(self) -> Option<Algorithm> {
        use whatlang::Lang;
        Some(match self.0 {
            Lang::Ara => Algorithm::Arabic,
            Lang::Dan => Algorithm::Danish,
            Lang::Nld => Algorithm::Dutch,
            Lang::Eng => Algorithm::English,
            Lang::Fin => Algorithm::Finnish,
            Lang::Fra => Algorithm::French,
            Lang::Deu => Algorithm::German,
            Lang::Ell => Algorithm::Greek,
            Lang::Hun => Algorithm::Hungarian,
            Lang::Ita => Algorithm::Italian,
            Lang::Nob => Algorithm::Norwegian,
            Lang::Por => Algorithm::Portuguese,
            Lang::Ron => Algorithm::Romanian,
            Lang::Rus => Algorithm::Russian,
            Lang::Spa => Algorithm::Spanish,
            Lang::Swe => Algorithm::Swedish,
            Lang::Tam => Algorithm::Tamil,
            Lang::Tur => Algorithm::Turkish,
            _ => return None,
        })
    }
}
