//! What the hosted search found in this turn: which piece of a file supports a claim.
//!
//! A citation of the service names a file. Only files that were found in the same turn can be cited; where the service
//! does not tell what it found, the file has to be in the store.

use std::collections::HashSet;

use crate::model::Found;
use crate::openai::responses::SearchResult;
use crate::openai::search::RESTRICTED;
use crate::openai::vector_store::{Attribute, Attributes};
use crate::text::{sentence, words};

/// A found piece.
struct Piece {
    file_id: String,
    text: String,
}

/// All that was found.
#[derive(Default)]
pub(super) struct Sources {
    pieces: Vec<Piece>,
    /// Searches whose results came: each is told more than once.
    searches: HashSet<String>,
    has_results: bool,
}

impl Sources {
    /// How many searches were made.
    pub(super) fn searches(&self) -> usize {
        self.searches.len()
    }

    /// Whether the service tells what it finds.
    pub(super) fn has_results(&self) -> bool {
        self.has_results
    }

    /// How many files were found.
    pub(super) fn files(&self) -> usize {
        self.pieces.iter().map(|piece| piece.file_id.as_str()).collect::<HashSet<&str>>().len()
    }

    /// Whether this file was found.
    pub(super) fn knows(&self, file_id: &str) -> bool {
        self.pieces.iter().any(|piece| piece.file_id == file_id)
    }

    /// Takes what a search found; gives what was not known.
    pub(super) fn take(&mut self, search_id: &str, results: Option<&[SearchResult]>) -> Vec<Found> {
        self.searches.insert(search_id.to_owned());
        self.has_results |= results.is_some();
        let mut found = Vec::new();
        // The filter lets none of the restricted ones through; a service that ignores it is not followed.
        for result in results.unwrap_or_default().iter().filter(|result| !is_restricted(&result.attributes)) {
            let is_known = |piece: &Piece| piece.file_id == result.file_id && piece.text == result.text;
            if !self.pieces.iter().any(is_known) {
                self.pieces.push(Piece { file_id: result.file_id.clone(), text: result.text.clone() });
                found.push(Found {
                    text: result.text.clone(),
                    score: result.score,
                    ..named(&result.filename, &result.attributes)
                });
            }
        }
        found
    }

    /// Takes a file of which no piece is known; a restricted one is no source here either.
    pub(super) fn add(&mut self, file_id: &str, file_name: &str, attributes: &Attributes) -> Option<Found> {
        if is_restricted(attributes) {
            return None;
        }
        self.pieces.push(Piece { file_id: file_id.to_owned(), text: String::new() });
        Some(named(file_name, attributes))
    }

    /// The piece of this file that says most of a claim, by its number, and its sentence that does.
    pub(super) fn choose(&self, file_id: &str, claim: &str) -> Option<(usize, Option<String>)> {
        let claimed: HashSet<String> = words::terms(claim, None).into_iter().collect();
        let mut best: Option<(usize, usize, Option<String>)> = None;
        for (number, piece) in self.pieces.iter().enumerate().filter(|(_, piece)| piece.file_id == file_id) {
            let (shared, sentence) = best_sentence(&piece.text, &claimed);
            // The first of equals: the service puts the best first.
            if best.as_ref().is_none_or(|(most, _, _)| shared > *most) {
                best = Some((shared, number, sentence.map(str::to_owned)));
            }
        }
        best.map(|(_, number, sentence)| (number, sentence))
    }
}

/// The sentence that shares most words with a claim, and how many; none when no word is shared, as across languages.
fn best_sentence<'a>(text: &'a str, claimed: &HashSet<String>) -> (usize, Option<&'a str>) {
    let mut best = (0, None);
    for range in sentence::sentences(text) {
        let sentence = &text[range];
        let said: HashSet<String> = words::terms(sentence, None).into_iter().collect();
        let shared = said.intersection(claimed).count();
        if shared > best.0 {
            best = (shared, Some(sentence));
        }
    }
    best
}

fn is_restricted(attributes: &Attributes) -> bool {
    attributes.get(RESTRICTED) == Some(&Attribute::Flag(true))
}

/// What the file's attributes say of its document.
fn named(file_name: &str, attributes: &Attributes) -> Found {
    let text = |key: &str| match attributes.get(key) {
        Some(Attribute::Text(text)) if !text.trim().is_empty() => Some(text.clone()),
        _ => None,
    };
    Found {
        document_id: text("document_id"),
        path: text("path"),
        title: text("title"),
        file_name: file_name.to_owned(),
        ..Found::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(file_id: &str, text: &str) -> SearchResult {
        let path = Attribute::Text(format!("{file_id}.md"));
        SearchResult {
            file_id: file_id.to_owned(),
            text: text.to_owned(),
            attributes: Attributes::from([("path".to_owned(), path)]),
            ..SearchResult::default()
        }
    }

    #[test]
    fn the_piece_and_the_sentence_that_say_it_are_chosen() {
        let mut sources = Sources::default();
        let results = [
            result("a", "Returns are free. They take a label."),
            result("a", "Gift cards take one day. Refunds take five working days."),
            result("b", "Lamps."),
        ];
        assert_eq!(sources.take("fs_1", Some(&results)).len(), 3);
        assert!(sources.take("fs_1", Some(&results)).is_empty(), "told twice, known once");
        assert_eq!((sources.searches(), sources.files()), (1, 2));
        let chosen = sources.choose("a", "A refund takes five working days");
        assert_eq!(chosen, Some((1, Some("Refunds take five working days.".to_owned()))));
        assert_eq!(sources.choose("a", "Übermorgen"), Some((0, None)));
        assert_eq!(sources.choose("c", "Lamps"), None);
    }

    /// A20, M2: a document for some readers only is no source, whatever the service finds.
    #[test]
    fn restricted_documents_are_no_sources() {
        let mut secret = result("a", "Salaries.");
        secret.attributes.insert(RESTRICTED.to_owned(), Attribute::Flag(true));
        let mut sources = Sources::default();
        assert!(sources.take("fs_1", Some(&[secret])).is_empty());
        assert!(!sources.knows("a") && sources.has_results());
        let restricted = Attributes::from([(RESTRICTED.to_owned(), Attribute::Flag(true))]);
        assert_eq!(sources.add("b", "b.md", &restricted), None, "looked up, it is none either");
        assert!(!sources.knows("b"));
    }
}
