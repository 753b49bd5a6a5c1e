//! What to look for, given a question and what was said before, and what is found.

use crate::answer::Turn;
use crate::index::{IndexError, SearchQuery, VectorStore};
use crate::model::{Hit, QueryTerm};
use crate::text::words;

/// A question with fewer content words than this is read together with the one before it.
const MIN_CONTENT_WORDS: usize = 2;

/// What was found, and the words it was found by.
#[derive(Debug)]
pub struct Retrieved {
    /// Best first.
    pub hits: Vec<Hit>,
    /// The words of the question that say what it is about.
    pub terms: Vec<QueryTerm>,
}

/// Looks for what answers the turn's question.
pub async fn retrieve(index: &dyn VectorStore, turn: &Turn, limit: usize) -> Result<Retrieved, IndexError> {
    let mut text = turn.question.clone();
    let mut terms = index.weigh(&text).await?;
    if let Some(before) = turn.history.last()
        && terms.len() < MIN_CONTENT_WORDS
        && goes_on(&text)
    {
        // "And for used items?" says what it is about only together with the question before it.
        text = format!("{} {text}", before.question);
        terms = index.weigh(&text).await?;
    }
    let hits = index.search(&SearchQuery { text, limit, distinct_documents: false }).await?;
    Ok(Retrieved { hits, terms })
}

/// Whether this asks on from what was said: "and gift cards?" does, "thanks" does not.
fn goes_on(question: &str) -> bool {
    const OPENINGS: [&str; 24] = [
        "and", "but", "or", "also", "what", "when", "where", "who", "which", "how", "why", "und", "aber", "oder",
        "was", "wann", "wo", "wer", "wie", "warum", "et", "y", "e", "en",
    ];
    let first = words::words(question).into_iter().next().unwrap_or_default();
    question.trim_end().ends_with(['?', '？', '؟']) || OPENINGS.contains(&first.as_str())
}
