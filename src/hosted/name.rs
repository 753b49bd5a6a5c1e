//! The names of uploaded files: `<stem>.<store>-<content>.<extension>`.
//!
//! A File of the service has no metadata, so its name says which store it is for and what it holds. An upload whose
//! answer was lost, or that was never attached, is found again by its name; nothing has to be remembered for that.
//! The name says nothing of a document's present path or labels: those stand in attributes. Pure.

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::hosted::prepare::body_part;
use crate::model::file_name;

const MAX_STEM_CHARS: usize = 80;
const STORE_DIGITS: usize = 8;
const CONTENT_DIGITS: usize = 12;
const MAX_EXTENSION_CHARS: usize = 16;

/// What the name of a file of ours says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// For which store it was uploaded: [`store_mark`].
    pub store: String,
    /// What it holds, and of which document: [`content_mark`].
    pub content: String,
}

/// Stands for a store in names: the first 8 hexadecimal digits of SHA-256 of its id.
pub fn store_mark(store_id: &str) -> String {
    hex(&Sha256::digest(store_id))[..STORE_DIGITS].to_owned()
}

/// Stands for what goes up of a document: the first 12 hexadecimal digits of SHA-256 over its id, the hash of its source
/// and what shapes the bytes made of it. Two documents of equal content are two files.
pub fn content_mark(document_id: &str, sha256: &str, recipe: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [document_id, sha256, body_part(recipe)] {
        hasher.update(part);
        hasher.update([0]);
    }
    hex(&hasher.finalize())[..CONTENT_DIGITS].to_owned()
}

impl Name {
    /// The file name, for a document at `path`. The extension is the uploaded file's own.
    pub fn render(&self, path: &str, extension: &str) -> String {
        let file = file_name(path);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let safe = |c: char| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
        let stem: String = stem.chars().map(safe).take(MAX_STEM_CHARS).collect();
        let stem = if stem.is_empty() { "document" } else { &stem };
        format!("{stem}.{}-{}.{extension}", self.store, self.content)
    }

    /// What a file name says; none when it is not one of ours.
    pub fn parse(filename: &str) -> Option<Self> {
        let mut parts = filename.rsplitn(3, '.');
        let (extension, marks, stem) = (parts.next()?, parts.next()?, parts.next()?);
        let (store, content) = marks.split_once('-')?;
        let is_hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let is_ours = is_hex(store, STORE_DIGITS) && is_hex(content, CONTENT_DIGITS);
        let has_ends = !stem.is_empty() && (1..=MAX_EXTENSION_CHARS).contains(&extension.len());
        (is_ours && has_ends).then(|| Self { store: store.to_owned(), content: content.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> Name {
        Name { store: store_mark("vs_1"), content: content_mark("a", "hash", "0123456789abcdef") }
    }

    #[test]
    fn a_name_says_store_document_and_content() {
        assert_eq!(content_mark("a", "h", "01234567aaaaaaaa"), content_mark("a", "h", "01234567bbbbbbbb"));
        for other in [content_mark("b", "hash", "01234567"), content_mark("a", "Hash", "01234567")] {
            assert_ne!(name().content, other);
        }
        assert!(name().render("x/Größe & Maß.PDF", "pdf").starts_with("Größe___Maß."));
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for other in
            ["a.md", "report.12345678-123456789abc", "a.1234567g-123456789abc.md", ".12345678-123456789abc.md", ""]
        {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_read_back(path in ".{0,120}", extension in "[a-z0-9]{1,5}") {
            let made = name().render(&path, &extension);
            prop_assert_eq!(Name::parse(&made), Some(name()), "{}", made);
            prop_assert!(!made.contains('/') && made.chars().count() < 130);
        }
    }
}
