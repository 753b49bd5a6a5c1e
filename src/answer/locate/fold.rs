//! A text as its letters and digits alone: what is left when blanks, punctuation, Markdown, hyphens at line ends,
//! ligatures, accents and case are gone, so that two extractions of one page read the same.

use unicode_normalization::UnicodeNormalization as _;

use crate::docs::rendition::mark;

/// Letters and digits, folded, each with the byte at which its character begins.
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) letters: Vec<char>,
    pub(super) starts: Vec<u32>,
}

impl Folded {
    /// Folds another text in the same memory.
    pub(super) fn read(&mut self, text: &str) {
        self.letters.clear();
        self.starts.clear();
        self.push(text, 0);
    }

    /// Folds a text without its marks of place, which are returned.
    pub(super) fn without_marks(text: &str) -> (Self, Vec<String>) {
        let (mut folded, mut places, mut start) = (Self::default(), Vec::new(), 0);
        for line in text.split_inclusive('\n') {
            if mark::is_mark(line) {
                places.extend(mark::named_place(line).map(str::to_owned));
            } else {
                folded.push(line, start);
            }
            start += line.len();
        }
        (folded, places)
    }

    fn push(&mut self, text: &str, offset: usize) {
        for (at, c) in text.char_indices() {
            let at = u32::try_from(offset + at).unwrap_or(u32::MAX);
            if c.is_ascii() {
                if c.is_ascii_alphanumeric() {
                    self.letters.push(c.to_ascii_lowercase());
                    self.starts.push(at);
                }
                continue;
            }
            for letter in std::iter::once(c).nfkd().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
                self.letters.push(letter);
                self.starts.push(at);
            }
        }
    }

    /// Whether most of it is written without blanks, where one character says as much as half a word.
    pub(super) fn is_dense(&self) -> bool {
        let dense = self.letters.iter().filter(|c| **c >= '\u{2e80}').count();
        dense * 2 > self.letters.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_layout_changes_is_gone() {
        let letters = |text: &str| {
            let mut folded = Folded::default();
            folded.read(text);
            folded.letters.into_iter().collect::<String>()
        };
        assert_eq!(
            letters("**Effi\u{ad}cient** de-\nlivery | Über €5.00"),
            letters("eﬃcient delivery U\u{308}BER 500")
        );
        let (folded, places) = Folded::without_marks("ab\n[page 3: X]\ncd\n");
        assert_eq!((folded.letters, folded.starts), (vec!['a', 'b', 'c', 'd'], vec![0, 1, 15, 16]));
        assert_eq!(places, ["page 3"]);
    }
}
