//! What to look for, given a question and what was said before, and what is found.

use crate::answer::follow::{Follows, follows};
use crate::answer::{Turn, attached};
use crate::index::{IndexError, SearchQuery, VectorStore};
use crate::llm::Exchange;
use crate::model::{Hit, QueryTerm};

/// Questions that are read back for what a question is about: each may itself point further back.
const MAX_BACK: usize = 3;
/// What a word of an earlier question weighs against one of the question itself.
const EARLIER_SHARE: f32 = 0.5;

/// What was found, and the words it was found by.
#[derive(Debug)]
pub struct Retrieved {
    /// Best first.
    pub hits: Vec<Hit>,
    /// The words of the question that say what it is about.
    pub terms: Vec<QueryTerm>,
}

/// Looks for what answers the turn's question, in the index and in what is attached, which is taken: it may be long.
pub async fn retrieve(index: &dyn VectorStore, turn: &mut Turn, limit: usize) -> Result<Retrieved, IndexError> {
    let Retrieved { hits, terms } = search(index, turn, limit).await?;
    let hits = attached::place(hits, std::mem::take(&mut turn.attached), &terms, limit).await;
    Ok(Retrieved { hits, terms })
}

/// The same of what is attached alone: another service looks for the rest.
pub async fn retrieve_attached(
    index: &dyn VectorStore,
    turn: &mut Turn,
    limit: usize,
) -> Result<Retrieved, IndexError> {
    let attached = std::mem::take(&mut turn.attached);
    if attached.is_empty() {
        return Ok(Retrieved { hits: Vec::new(), terms: Vec::new() });
    }
    let terms = index.weigh(&turn.question).await?;
    let hits = attached::place(Vec::new(), attached, &terms, limit).await;
    Ok(Retrieved { hits, terms })
}

async fn search(index: &dyn VectorStore, turn: &Turn, limit: usize) -> Result<Retrieved, IndexError> {
    let question = turn.question.clone();
    if turn.history.is_empty() {
        let query = SearchQuery { text: question, limit, distinct_documents: false };
        let (terms, hits) = index.look_up(&query).await?;
        return Ok(Retrieved { hits, terms });
    }
    let own = index.weigh(&question).await?;
    match follows(&question, own.len()) {
        Follows::Not => found(index, question, own, limit).await,
        Follows::Wholly => {
            // "And for used items?" says what it is about only together with the question before it.
            let joined = format!("{} {question}", context(index, &turn.history).await?);
            let terms = index.weigh(&joined).await?;
            found(index, joined, terms, limit).await
        }
        // A word that no document holds begins something new, whatever the others point at.
        Follows::Partly if own.iter().any(|term| !term.known) => found(index, question, own, limit).await,
        Follows::Partly => {
            let joined = format!("{} {question}", context(index, &turn.history).await?);
            let terms = with_earlier(own.clone(), index.weigh(&joined).await?);
            let alone = found(index, question, own, limit).await?;
            let together = found(index, joined, Vec::new(), limit).await?;
            Ok(Retrieved { hits: fuse(alone.hits, together.hits, limit), terms })
        }
    }
}

async fn found(
    index: &dyn VectorStore,
    text: String,
    terms: Vec<QueryTerm>,
    limit: usize,
) -> Result<Retrieved, IndexError> {
    let hits = index.search(&SearchQuery { text, limit, distinct_documents: false }).await?;
    Ok(Retrieved { hits, terms })
}

/// The questions before, back to the first one that stands for itself.
async fn context(index: &dyn VectorStore, history: &[Exchange]) -> Result<String, IndexError> {
    let mut questions: Vec<&str> = Vec::new();
    for exchange in history.iter().rev().take(MAX_BACK) {
        questions.insert(0, &exchange.question);
        let words = index.weigh(&exchange.question).await?.len();
        if follows(&exchange.question, words) == Follows::Not && words > 0 {
            break;
        }
    }
    Ok(questions.join(" "))
}

/// The question's own words, and those of earlier ones, which weigh less.
fn with_earlier(own: Vec<QueryTerm>, joined: Vec<QueryTerm>) -> Vec<QueryTerm> {
    let earlier: Vec<QueryTerm> = joined
        .into_iter()
        .filter(|term| !own.iter().any(|known| known.forms.iter().any(|form| term.forms.contains(form))))
        .map(|term| QueryTerm { weight: term.weight * EARLIER_SHARE, ..term })
        .collect();
    own.into_iter().chain(earlier).collect()
}

/// The best of two searches, whose scores are no common measure: each counts as a share of its best.
fn fuse(one: Vec<Hit>, other: Vec<Hit>, limit: usize) -> Vec<Hit> {
    let mut fused = shares(one);
    for hit in shares(other) {
        match fused.iter_mut().find(|known| known.chunk.chunk_id == hit.chunk.chunk_id) {
            Some(known) => known.score += hit.score,
            None => fused.push(hit),
        }
    }
    fused.sort_by(|one, other| other.score.total_cmp(&one.score));
    fused.truncate(limit);
    fused
}

fn shares(hits: Vec<Hit>) -> Vec<Hit> {
    let top = hits.iter().map(|hit| hit.score).fold(f32::MIN_POSITIVE, f32::max);
    hits.into_iter().map(|hit| Hit { score: hit.score / top, ..hit }).collect()
}
