//! Pieces of what a visitor attached, placed among the hits of the index.
//!
//! They have no place in the index's statistics, so they are ranked by the question's own words. They never crowd out
//! the documents: at most half of an answer's pieces are theirs, unless there is nothing else.

use std::collections::HashSet;
use std::panic::resume_unwind;

use crate::model::{Hit, QueryTerm};
use crate::text::{Language, words};

/// What a piece is worth that holds none of the question's words, as a share of the best hit: "what does it say?" asks
/// for it all the same.
const UNASKED_SHARE: f32 = 0.2;

/// The best `limit` of both, best first. There may be megabytes of text to look through, which no async thread does.
pub(super) async fn place(found: Vec<Hit>, attached: Vec<Hit>, terms: &[QueryTerm], limit: usize) -> Vec<Hit> {
    if attached.is_empty() {
        return found;
    }
    let terms = terms.to_vec();
    let ranking = tokio::task::spawn_blocking(move || rank(found, attached, &terms, limit)).await;
    // Without a panic it was given up with its runtime, and nobody waits any more.
    ranking.unwrap_or_else(|error| error.try_into_panic().map_or_else(|_| Vec::new(), |panic| resume_unwind(panic)))
}

fn rank(found: Vec<Hit>, attached: Vec<Hit>, terms: &[QueryTerm], limit: usize) -> Vec<Hit> {
    let top = found.iter().map(|hit| hit.score).fold(0.0, f32::max);
    let top = if top > 0.0 { top } else { 1.0 };
    let mut attached: Vec<Hit> = attached
        .into_iter()
        .map(|hit| Hit { score: top * (UNASKED_SHARE + (1.0 - UNASKED_SHARE) * share(terms, &hit)), ..hit })
        .collect();
    // Equals stay in the order of their file.
    attached.sort_by(|one, other| other.score.total_cmp(&one.score));
    attached.truncate((limit / 2).max(1).max(limit.saturating_sub(found.len())));
    let mut all = found;
    all.truncate(limit.saturating_sub(attached.len()));
    all.append(&mut attached);
    all.sort_by(|one, other| other.score.total_cmp(&one.score));
    all
}

/// The share of the question's weight that a piece, its headings and its file's name hold.
fn share(terms: &[QueryTerm], hit: &Hit) -> f32 {
    let language = hit.language.as_deref().and_then(Language::from_code);
    let text = format!("{}\n{}\n{}", hit.title, hit.chunk.heading_path.join("\n"), hit.chunk.text);
    // The question's forms are stems of the documents' languages, which may not be the piece's.
    let mut present: HashSet<String> = words::terms(&text, language).into_iter().collect();
    present.extend(words::words(&text));
    let weight = |holds: bool| -> f32 {
        let held = |term: &&QueryTerm| !holds || term.forms.iter().any(|form| present.contains(form));
        terms.iter().filter(held).map(|term| term.weight).sum()
    };
    let all = weight(false);
    if all > 0.0 { weight(true) / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::llm::tests::hit;

    fn scored(text: &str, score: f32) -> Hit {
        Hit { score, ..hit(text) }
    }

    fn texts(hits: &[Hit]) -> Vec<&str> {
        hits.iter().map(|hit| hit.chunk.text.as_str()).collect()
    }

    fn term(word: &str) -> QueryTerm {
        QueryTerm { forms: vec![word.to_owned()], weight: 1.0, known: true }
    }

    #[test]
    fn what_was_attached_is_ranked_by_the_question() {
        let found = vec![scored("one", 8.0), scored("two", 4.0), scored("three", 2.0), scored("four", 1.0)];
        let attached = vec![hit("Alpha."), hit("The invoice says lamp."), hit("The invoice.")];
        let terms = [term("invoice"), term("lamp")];
        let all = rank(found.clone(), attached.clone(), &terms, 4);
        assert_eq!(texts(&all), ["one", "The invoice says lamp.", "The invoice.", "two"]);
        assert_eq!(rank(found.clone(), Vec::new(), &terms, 4), found);
        assert_eq!(texts(&rank(Vec::new(), attached, &terms, 4)), ["The invoice says lamp.", "The invoice.", "Alpha."]);
    }

    /// H19: a long text that somebody attached holds up nobody else.
    #[tokio::test]
    async fn long_texts_are_ranked_on_a_thread_of_their_own() {
        let attached = vec![hit("The invoice says lamp, and a good deal more that nobody asked for."); 2_000];
        let terms = [term("lamp")];
        let mut placing = Box::pin(place(vec![scored("Found.", 1.0)], attached, &terms, 4));
        assert!(placing.as_mut().now_or_never().is_none(), "it was done here and now");
        assert_eq!(placing.await.len(), 4);
    }
}
