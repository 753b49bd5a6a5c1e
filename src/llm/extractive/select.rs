//! Which pieces answer: evidence is the weight of the question's words that a piece and its headings hold.

use crate::llm::ChatRequest;
use crate::llm::extractive::name;
use crate::llm::extractive::passage::{self, Passage};
use crate::llm::extractive::unit::{self, Unit};
use crate::model::{BlockKind, Chunk, Hit, QueryTerm};
use crate::text::words;

/// A hit that holds less of the question's weight than this does not answer it.
const MIN_COVERAGE: f32 = 0.46;
/// The same for a question in a script without spaces: of its pairs of characters many lie across two words, and
/// these two stand apart in the text.
const MIN_PAIR_COVERAGE: f32 = 0.34;
/// What a name that no document holds weighs, against another word: what is asked of it stands nowhere.
const UNKNOWN_NAME_SHARE: f32 = 1.6;
/// A hit that holds this much of it is near enough to be offered.
const NEAR_COVERAGE: f32 = 0.25;
/// What a word in the heading right above counts, against one in the sentence itself.
const HEADING_SHARE: f32 = 0.85;
/// What a word in the title or an outer heading counts.
const CONTEXT_SHARE: f32 = 0.5;
/// How much of a sentence's value is its hit's place in the ranking.
const RANK_SHARE: f32 = 0.5;
/// What a number adds where the question asks for one, as a share of the question's weight.
const NUMBER_BONUS: f32 = 0.08;
/// A further passage is shown when it is worth this share of the best.
const FURTHER_SHARE: f32 = 0.85;
/// Or when it adds this share of the question's weight.
const ADDED_SHARE: f32 = 0.18;
/// A further passage is worth at least this share of the best, whatever it adds.
const FURTHER_FLOOR: f32 = 0.5;
/// Passages at the most.
const MAX_PASSAGES: usize = 3;
/// Characters of all passages at the most; the first is always shown.
const MAX_CHARS: usize = 1400;

struct Scored {
    unit: Unit,
    score: f32,
}

/// The passages that answer, in readable order; none when the evidence is weak.
pub(super) fn passages(request: &ChatRequest) -> Vec<Passage> {
    let enough = min_coverage(request);
    let weights = evidence_weights(request);
    if !request.hits.iter().any(|hit| coverage(request, &weights, hit) >= enough) {
        return Vec::new();
    }
    let mut scored = scored_units(request);
    scored.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut choice = Choice::new(request, &scored);
    for candidate in &scored {
        if choice.passages.len() == MAX_PASSAGES {
            break;
        }
        if choice.is_worth(candidate) {
            choice.add(candidate);
        }
    }
    readable_order(request, choice.passages)
}

/// What was chosen so far.
struct Choice<'a> {
    request: &'a ChatRequest,
    scored: &'a [Scored],
    covered: Vec<f32>,
    passages: Vec<Passage>,
}

impl<'a> Choice<'a> {
    fn new(request: &'a ChatRequest, scored: &'a [Scored]) -> Self {
        Self { request, scored, covered: vec![0.0; request.terms.len()], passages: Vec::new() }
    }

    /// The best always is; a further one when it is nearly as good, or good and about other words of the question.
    fn is_worth(&self, candidate: &Scored) -> bool {
        let Some(best) = self.scored.first().map(|unit| unit.score) else {
            return false;
        };
        if self.passages.is_empty() {
            return true;
        }
        if self.passages.iter().any(|passage| passage.holds(&candidate.unit)) {
            return false;
        }
        let added = share(self.request, &only_in(&candidate.unit.holds, &self.covered));
        candidate.score >= best * FURTHER_SHARE || (added >= ADDED_SHARE && candidate.score >= best * FURTHER_FLOOR)
    }

    /// Adds the passage around the candidate, unless it is too long by now or says what is already said.
    fn add(&mut self, candidate: &Scored) {
        let unit = &candidate.unit;
        let passage = passage::around(&self.request.hits[unit.hit], unit, &scored_in(self.scored, unit));
        let length: usize = self.passages.iter().map(|passage| passage.text.len()).sum();
        let fits = self.passages.is_empty() || length + passage.text.len() <= MAX_CHARS;
        let said = self.passages.iter().any(|other| other.overlaps(&passage) || other.text.contains(&passage.quote));
        if fits && !said {
            mark(&mut self.covered, &unit.holds);
            self.passages.push(passage);
        }
    }
}

/// Whether a hit comes near the question.
pub(super) fn is_near(request: &ChatRequest, hit: &Hit) -> bool {
    coverage(request, &plain_weights(request), hit) >= NEAR_COVERAGE
}

/// Between the two bounds, by how much of the question is pairs of characters.
fn min_coverage(request: &ChatRequest) -> f32 {
    let is_pair = |term: &QueryTerm| term.forms.iter().any(|form| form.contains(words::is_unspaced));
    let pairs: f32 = request.terms.iter().filter(|term| is_pair(term)).map(|term| term.weight).sum();
    let all: f32 = plain_weights(request).iter().sum();
    let part = if all > 0.0 { pairs / all } else { 0.0 };
    MIN_COVERAGE + (MIN_PAIR_COVERAGE - MIN_COVERAGE) * part
}

fn plain_weights(request: &ChatRequest) -> Vec<f32> {
    request.terms.iter().map(|term| term.weight).collect()
}

/// The weights of the question's words, those of unknown names raised.
fn evidence_weights(request: &ChatRequest) -> Vec<f32> {
    let names = name::names(&request.question, request.hits.first().and_then(unit::language_of));
    let is_unknown_name = |term: &QueryTerm| !term.known && term.forms.iter().any(|form| names.contains(form));
    let weigh = |term: &QueryTerm| term.weight * if is_unknown_name(term) { UNKNOWN_NAME_SHARE } else { 1.0 };
    request.terms.iter().map(weigh).collect()
}

/// The share of the question's weight that the hit holds, its title, its headings and what else of the same section
/// was found right beside it included: a long paragraph is cut in two, and so is what it says.
fn coverage(request: &ChatRequest, weights: &[f32], hit: &Hit) -> f32 {
    let beside = request.hits.iter().filter(|other| is_beside(&hit.chunk, &other.chunk));
    let mut whole = format!("{}\n{}\n{}", hit.title, hit.chunk.heading_path.join("\n"), hit.chunk.text);
    for other in beside {
        whole.push('\n');
        whole.push_str(&other.chunk.text);
    }
    weighted_share(weights, &unit::matches(&request.terms, &whole, unit::language_of(hit)))
}

fn is_beside(one: &Chunk, other: &Chunk) -> bool {
    one.document_id == other.document_id
        && one.ordinal.abs_diff(other.ordinal) == 1
        && one.heading_path == other.heading_path
}

fn scored_units(request: &ChatRequest) -> Vec<Scored> {
    let top = request.hits.iter().map(|hit| hit.score).fold(f32::MIN_POSITIVE, f32::max);
    let wants_number = asks_for_number(&request.question);
    let mut scored = Vec::new();
    for (place, hit) in request.hits.iter().enumerate() {
        let language = unit::language_of(hit);
        let (heading, above) = headings(hit);
        let under = unit::matches(&request.terms, &heading, language);
        let around = unit::matches(&request.terms, &above, language);
        let rank = 1.0 - RANK_SHARE + RANK_SHARE * (hit.score / top).clamp(0.0, 1.0);
        for unit in unit::units(&request.terms, place, hit) {
            let own = share(request, &unit.holds);
            let above = either(&under, &header_matches(request, hit, unit.span));
            let from_heading = share(request, &only_in(&above, &unit.holds)) * HEADING_SHARE;
            let said = either(&unit.holds, &above);
            let from_context = share(request, &only_in(&around, &said)) * CONTEXT_SHARE;
            let digits = hit.chunk.text[unit.range.clone()].bytes().any(|byte| byte.is_ascii_digit());
            let bonus = if wants_number && digits { NUMBER_BONUS } else { 0.0 };
            scored.push(Scored { score: (own + from_heading + from_context + bonus) * rank, unit });
        }
    }
    scored
}

/// What the header of its table says of a row: "Saturday" answers only under "Ghent".
fn header_matches(request: &ChatRequest, hit: &Hit, row: usize) -> Vec<f32> {
    let none = vec![0.0; request.terms.len()];
    if !matches!(hit.chunk.spans[row].kind, BlockKind::TableRow { header: false }) {
        return none;
    }
    let header = hit.chunk.spans[..row].iter().rev().find(|span| span.kind == BlockKind::TableRow { header: true });
    let text = header.and_then(|header| hit.chunk.text.get(header.start..header.end));
    text.map_or(none, |text| unit::matches(&request.terms, text, unit::language_of(hit)))
}

/// The heading right above the hit, and what stands above that.
fn headings(hit: &Hit) -> (String, String) {
    let Some((heading, outer)) = hit.chunk.heading_path.split_last() else {
        return (String::new(), hit.title.clone());
    };
    (heading.clone(), format!("{}\n{}", hit.title, outer.join("\n")))
}

/// The units of the same hit with their scores, in the order of the text.
fn scored_in<'a>(scored: &'a [Scored], unit: &Unit) -> Vec<(&'a Unit, f32)> {
    let mut of_hit: Vec<(&Unit, f32)> =
        scored.iter().filter(|other| other.unit.hit == unit.hit).map(|other| (&other.unit, other.score)).collect();
    of_hit.sort_by_key(|(unit, _)| unit.range.start);
    of_hit
}

/// Passages of one document stand in its order, at the place of the best of them.
fn readable_order(request: &ChatRequest, chosen: Vec<Passage>) -> Vec<Passage> {
    let mut documents: Vec<&str> = Vec::new();
    for passage in &chosen {
        let document = request.hits[passage.hit].chunk.document_id.as_str();
        if !documents.contains(&document) {
            documents.push(document);
        }
    }
    let mut placed: Vec<(usize, u32, usize, Passage)> = chosen
        .into_iter()
        .map(|passage| {
            let chunk = &request.hits[passage.hit].chunk;
            let document = documents.iter().position(|id| *id == chunk.document_id).unwrap_or(usize::MAX);
            (document, chunk.ordinal, passage.start, passage)
        })
        .collect();
    placed.sort_by_key(|(document, ordinal, start, _)| (*document, *ordinal, *start));
    placed.into_iter().map(|(_, _, _, passage)| passage).collect()
}

fn share(request: &ChatRequest, holds: &[f32]) -> f32 {
    weighted_share(&plain_weights(request), holds)
}

fn weighted_share(weights: &[f32], holds: &[f32]) -> f32 {
    let total: f32 = weights.iter().sum();
    let held: f32 = weights.iter().zip(holds).map(|(weight, holds)| weight * holds).sum();
    if total > 0.0 { held / total } else { 0.0 }
}

fn only_in(these: &[f32], not_those: &[f32]) -> Vec<f32> {
    these.iter().zip(not_those).map(|(here, there)| (here - there).max(0.0)).collect()
}

fn either(these: &[f32], those: &[f32]) -> Vec<f32> {
    these.iter().zip(those).map(|(here, there)| here.max(*there)).collect()
}

fn mark(covered: &mut [f32], holds: &[f32]) {
    for (covered, holds) in covered.iter_mut().zip(holds) {
        *covered = covered.max(*holds);
    }
}

/// Questions for an amount, a price, a time or a span.
fn asks_for_number(question: &str) -> bool {
    const OPENINGS: &[&str] = &[
        "how many",
        "how much",
        "how long",
        "how old",
        "how far",
        "how soon",
        "how often",
        "how big",
        "when ",
        "what time",
        "wie viel",
        "wie lange",
        "wie oft",
        "wann ",
        "combien",
        "quand ",
        "cuánto",
        "cuánta",
        "cuándo",
        "quanto",
        "quando",
        "hoeveel",
        "wanneer",
    ];
    let question = question.to_lowercase();
    OPENINGS.iter().any(|opening| question.contains(opening))
}
