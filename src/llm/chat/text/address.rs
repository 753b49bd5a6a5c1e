//! Addresses in text: where one begins, how far it reaches, which stand in the documents.

use std::collections::HashSet;

use crate::model::Hit;

/// What a page makes a link of, in lower case.
const BEGINNINGS: [&str; 4] = ["https://", "http://", "ftp://", "www."];
/// What a link in an answer may begin with; an address without a scheme leads nowhere known.
const LINKED: [&str; 3] = ["https://", "http://", "mailto:"];
/// No address is longer, in bytes.
pub(super) const MAX_BYTES: usize = 2048;

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// The beginning of an address, of so many bytes.
    Of(usize),
    /// Something else.
    None,
    /// More text decides.
    Unknown,
}

/// Whether an address begins at the start of `text`.
pub(super) fn beginning(text: &str, is_end: bool) -> Beginning {
    for begins in BEGINNINGS {
        let shared = begins.bytes().zip(text.bytes()).take_while(|(one, other)| *one == other.to_ascii_lowercase());
        let shared = shared.count();
        if shared == begins.len() {
            return match text[shared..].chars().next() {
                None if !is_end => Beginning::Unknown,
                Some(next) if next.is_alphanumeric() || "[:/@-_%".contains(next) => Beginning::Of(shared),
                _ => Beginning::None,
            };
        }
        if shared > 0 && shared == text.len() && !is_end {
            return Beginning::Unknown;
        }
    }
    Beginning::None
}

/// How many bytes of `text` belong to the address that begins it. Punctuation at the end belongs to the sentence.
pub(super) fn length(text: &str) -> usize {
    let mut depth = 0_i32;
    let end = text.char_indices().find(|(at, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth < 0 || *at >= MAX_BYTES || c.is_whitespace() || c.is_control() || "<>\"`|\\^{}[]。、，）」』".contains(*c)
    });
    let address = &text[..end.map_or(text.len(), |(at, _)| at)];
    address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~']).len()
}

/// The addresses that stand literally in what was retrieved: the only ones an answer may link to.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<String>);

impl Known {
    /// Those of these hits.
    pub(super) fn of(hits: &[Hit]) -> Self {
        let mut known = Self::default();
        for hit in hits {
            known.add(&hit.chunk.text);
        }
        known
    }

    /// Those of this text, too.
    pub(super) fn add(&mut self, text: &str) {
        for (at, _) in text.char_indices() {
            let begins = LINKED.iter().any(|scheme| text[at..].starts_with(scheme));
            if begins {
                self.0.insert(text[at..at + length(&text[at..])].to_owned());
            }
        }
    }

    /// Whether it is one of them, whole.
    pub(super) fn holds(&self, address: &str) -> bool {
        self.0.contains(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::hit;

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        let address = |text: &str| text[..length(text)].to_owned();
        assert_eq!(address("https://a.example/b_(c)?d=1). Next"), "https://a.example/b_(c)?d=1");
        assert_eq!(address("https://a.example>, x"), "https://a.example");
        assert_eq!(beginning("HTTPS://a", false), Beginning::Of(8));
        assert_eq!(beginning("htt", false), Beginning::Unknown);
        assert_eq!(beginning("htt", true), Beginning::None);
        assert_eq!(beginning("hat", false), Beginning::None);
        assert_eq!(beginning("www. no", true), Beginning::None);
    }

    #[test]
    fn only_whole_addresses_are_known() {
        let known = Known::of(&[hit("See https://help.example.com/returns. Or mailto:a@b.example")]);
        assert!(known.holds("https://help.example.com/returns") && known.holds("mailto:a@b.example"));
        assert!(!known.holds("https://help.example.co") && !known.holds("https://help.example.com/returns?x"));
    }
}
