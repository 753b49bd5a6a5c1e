//! From words that another service found to the place in our own chunks where they stand.
//!
//! The service reads and cuts documents in its own way, so the texts are compared by their letters alone, as runs that
//! both have. Nothing is located on a guess: where too little agrees there is no place. Pure, and linear in the size
//! of the document.

mod fold;
mod runs;

use std::ops::Range;

use crate::answer::locate::fold::Folded;
use crate::answer::locate::runs::{Needle, Run};
use crate::docs::rendition::mark;
use crate::docs::text::is_unspaced;
use crate::model::Chunk;

/// No service returns more at once, in bytes; what is beyond is not looked at.
const MAX_FOUND_BYTES: usize = 64 * 1024;
/// Letters of a shingle: two or three words.
const SHINGLE: usize = 12;
/// The same in scripts without blanks.
const DENSE_SHINGLE: usize = 5;
/// Runs of fewer shingles than this may agree by chance, and say nothing about whose text it is.
const TELLING_SHINGLES: usize = 2;
/// Fewer letters say nothing about a place.
const MIN_LETTERS: usize = 8;
/// The same in scripts without blanks.
const DENSE_MIN_LETTERS: usize = 4;
/// Where most of a text is not in the document, only a run of this many letters places the rest: some eight words.
const MIN_RUN: usize = 40;
/// The same in scripts without blanks.
const DENSE_MIN_RUN: usize = 15;
/// Letters between two runs of one quote, in the chunk.
const MAX_GAP: usize = 60;

/// Where words stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Which chunk, an index into those that were looked at.
    pub chunk: usize,
    /// The words in the chunk's text, in bytes; whole words, never empty.
    pub range: Range<usize>,
    /// Whether the found text has these words byte for byte.
    pub exact: bool,
    /// How much of the found text's letters the document has: 0 to 1.
    pub share: f32,
}

/// Finds the chunk that holds most of a text, and the words in it. None where it cannot be told.
///
/// `chunks` are those of one document, in order. The text may be longer than a chunk, and may hold marks of place.
pub fn locate(found_text: &str, chunks: &[Chunk]) -> Option<Place> {
    let found_text = &found_text[..found_text.floor_char_boundary(MAX_FOUND_BYTES)];
    let (found, places) = Folded::without_marks(found_text);
    let limits = Limits::of(&found);
    if found.letters.len() < limits.min_letters {
        return None;
    }
    let needle = Needle::new(&found.letters, limits.shingle.min(found.letters.len()));
    let candidates = candidates(&needle, chunks);
    let share = share(&candidates, found.letters.len(), limits.shingle * TELLING_SHINGLES);
    let best = best(&candidates, chunks, &places)?;
    let longest = best.runs.iter().map(|run| run.len).max().unwrap_or_default();
    let smaller = found.letters.len().min(best.letters);
    if share < 0.5 && (longest < limits.min_run || best.covered() * 2 < smaller) {
        return None;
    }
    let text = &chunks[best.chunk].text;
    let range = quote(text, &best.runs)?;
    let exact = found_text.contains(&text[range.clone()]);
    Some(Place { chunk: best.chunk, range, exact, share })
}

/// How much must agree, by script.
struct Limits {
    shingle: usize,
    min_letters: usize,
    min_run: usize,
}

impl Limits {
    fn of(found: &Folded) -> Self {
        if found.is_dense() {
            Self { shingle: DENSE_SHINGLE, min_letters: DENSE_MIN_LETTERS, min_run: DENSE_MIN_RUN }
        } else {
            Self { shingle: SHINGLE, min_letters: MIN_LETTERS, min_run: MIN_RUN }
        }
    }
}

/// A chunk that has something in common with the text.
struct Candidate {
    chunk: usize,
    /// Letters of the chunk.
    letters: usize,
    runs: Vec<Run>,
}

impl Candidate {
    fn covered(&self) -> usize {
        self.runs.iter().map(|run| run.len).sum()
    }
}

fn candidates(needle: &Needle<'_>, chunks: &[Chunk]) -> Vec<Candidate> {
    let mut folded = Folded::default();
    let mut candidates = Vec::new();
    for (chunk, Chunk { text, .. }) in chunks.iter().enumerate() {
        folded.read(text);
        let runs = needle.runs(&folded.letters);
        if !runs.is_empty() {
            candidates.push(Candidate { chunk, letters: folded.letters.len(), runs });
        }
    }
    candidates
}

/// How much of the text's letters stand in some chunk, in runs that do not agree by chance: long ones, and such as are
/// all of the chunk or of the text.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more precision")]
fn share(candidates: &[Candidate], letters: usize, telling: usize) -> f32 {
    let mut covered = vec![false; letters];
    for candidate in candidates {
        let telling = telling.min(candidate.letters).min(letters);
        for run in candidate.runs.iter().filter(|run| run.len >= telling) {
            covered[run.needle..run.needle + run.len].fill(true);
        }
    }
    covered.iter().filter(|covered| **covered).count() as f32 / letters.max(1) as f32
}

/// The candidate that has most of the text. Among equals one at a place that the text's own marks name, then the one
/// whose neighbours have most of it, then the first.
fn best<'a>(candidates: &'a [Candidate], chunks: &[Chunk], places: &[String]) -> Option<&'a Candidate> {
    let most = candidates.iter().map(Candidate::covered).max()?;
    let is_named = |candidate: &Candidate| {
        let Chunk { spans, locator, .. } = &chunks[candidate.chunk];
        let mut locators = spans.iter().map(|span| &span.locator).chain([locator]);
        locators.any(|locator| mark::coarse(locator).is_some_and(|place| places.contains(&place)))
    };
    let beside = |at: usize| -> usize {
        let near = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|near| candidates.get(near));
        near.filter(|near| near.chunk.abs_diff(candidates[at].chunk) == 1).map(Candidate::covered).sum()
    };
    let equals = candidates.iter().enumerate().filter(|(_, candidate)| candidate.covered() == most);
    // Of equal keys the last one wins, so that the order is turned around.
    let (_, best) = equals.rev().max_by_key(|(at, candidate)| (is_named(candidate), beside(*at)))?;
    Some(best)
}

/// The words of a chunk that the runs cover: of runs that are apart, those that have most.
fn quote(text: &str, runs: &[Run]) -> Option<Range<usize>> {
    let chain = chains(runs).max_by_key(|chain| chain.iter().map(|run| run.len).sum::<usize>())?;
    let (first, last) = (chain.first()?, chain.last()?);
    let mut folded = Folded::default();
    folded.read(text);
    let start = *folded.starts.get(first.start)? as usize;
    let end = *folded.starts.get(last.start + last.len - 1)? as usize;
    let end = end + text[end..].chars().next().map_or(0, char::len_utf8);
    Some(whole_words(text, start..end))
}

/// Neighbouring runs that belong together.
fn chains(runs: &[Run]) -> impl Iterator<Item = &[Run]> {
    runs.chunk_by(|before, run| run.start - (before.start + before.len) <= MAX_GAP && run.needle > before.needle)
}

/// Words that a window cut in two are left out, and the mark that ends a sentence comes along.
fn whole_words(text: &str, raw: Range<usize>) -> Range<usize> {
    let is_letter = |c: char| c.is_alphanumeric() && !is_unspaced(c);
    let cuts = |at: usize| {
        text[..at].chars().next_back().is_some_and(is_letter) && text[at..].chars().next().is_some_and(is_letter)
    };
    let inner = &text[raw.clone()];
    let start = if cuts(raw.start) { inner.find(|c| !is_letter(c)).map(|at| raw.start + at) } else { Some(raw.start) };
    let end = if cuts(raw.end) { inner.rfind(|c| !is_letter(c)).map(|at| raw.start + at) } else { Some(raw.end) };
    let Some((start, end)) = start.zip(end).filter(|(start, end)| start < end) else { return raw };
    let closing = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !matches!(c, '(' | '[' | '{' | '“' | '|');
    let closed = text[end..].find(|c| !closing(c)).map_or(text.len(), |more| end + more);
    let skipped = text[start..closed].find(|c: char| !c.is_whitespace() && (c.is_alphanumeric() || start == raw.start));
    let start = start + skipped.unwrap_or_default();
    let end = start + text[start..closed].trim_end().len();
    if start < end { start..end } else { raw }
}

#[cfg(test)]
mod tests;
