//! From a question to scored hits.

use std::collections::{HashMap, HashSet};

use tantivy::collector::TopDocs;
use tantivy::query::{
    Bm25StatisticsProvider, BooleanQuery, BoostQuery, DisjunctionMaxQuery, EmptyQuery, Occur, PhraseQuery, Query,
    TermQuery,
};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, Score, TantivyError, Term};

use crate::index::SearchQuery;
use crate::index::local::snapshot::Snapshot;
use crate::index::query::{all_words, content_words};
use crate::model::{Hit, QueryTerm};
use crate::text::{stop, synonym, words};

/// Unknown words shorter than this are not taken for misspelt ones.
const MIN_MISSPELT_CHARS: usize = 5;
/// What a word of everyday speech is worth, against one that names something.
const COMMON_SHARE: f32 = 0.35;
/// What a pair of neighbouring words counts, against two words on their own.
const PAIR_BOOST: Score = 0.3;
/// Words that may stand between the two of a pair, beyond none.
const PAIR_SLOP: u32 = 2;
/// What a word is worth at least.
const WEIGHT_FLOOR: f64 = 0.5;
/// Words of a question that are looked for; what comes later says little.
const MAX_WORDS: usize = 64;
/// Unknown words for which a stand-in is looked for: each walks through a part of the dictionary.
const MAX_STAND_INS: usize = 8;
/// Of these, words that are looked for within compounds: each walks through the whole dictionary.
const MAX_COMPOUND_PARTS: usize = 3;
/// A shorter word begins or ends too many others.
const MIN_PART_CHARS: usize = 4;
/// Compounds that stand in for one of their parts: the most frequent ones.
const MAX_COMPOUNDS: usize = 24;
/// Entries looked at per hit wanted, in the first try, when only the best chunk of each document counts.
const CHUNKS_PER_DOCUMENT: usize = 8;

/// The content words of `question` with their forms in every language of the documents and their weights.
pub(super) fn weigh(snapshot: &Snapshot, question: &str) -> Result<Vec<QueryTerm>, TantivyError> {
    let content = content_words(question, &snapshot.languages);
    weigh_words(snapshot, content)
}

fn weigh_words(snapshot: &Snapshot, content: Vec<String>) -> Result<Vec<QueryTerm>, TantivyError> {
    let texts = snapshot.total_num_docs()?;
    let mut terms = Vec::new();
    let mut unknown = 0;
    for word in content.into_iter().take(MAX_WORDS) {
        let mut forms = forms_of(snapshot, &word);
        let mut frequency = highest_frequency(snapshot, &forms)?;
        if frequency == 0 && unknown < MAX_STAND_INS {
            unknown += 1;
            let stand_ins = stand_ins(snapshot, &word, &forms, unknown <= MAX_COMPOUND_PARTS)?;
            forms.extend(stand_ins);
            frequency = highest_frequency(snapshot, &forms)?;
        }
        let weight = weight(frequency, texts) * if is_common(snapshot, &word) { COMMON_SHARE } else { 1.0 };
        terms.push(QueryTerm { weight, known: frequency > 0, forms });
    }
    Ok(terms)
}

/// The best hits for `query`, best first; equal scores in the order of document and place.
pub(super) fn search(snapshot: &Snapshot, query: &SearchQuery) -> Result<Vec<Hit>, TantivyError> {
    let mut terms = weigh(snapshot, &query.text)?;
    if terms.is_empty() {
        terms = weigh_words(snapshot, all_words(&query.text, &snapshot.languages))?;
    }
    if query.limit == 0 || !terms.iter().any(|term| term.known) {
        return Ok(Vec::new());
    }
    let engine_query = disjunction(snapshot, &terms);
    let texts = usize::try_from(snapshot.searcher.num_docs()).unwrap_or(usize::MAX).max(1);
    let mut fetch =
        if query.distinct_documents { query.limit.saturating_mul(CHUNKS_PER_DOCUMENT) } else { query.limit };
    loop {
        let found = top(snapshot, engine_query.as_ref(), fetch.min(texts))?;
        let seen = found.len();
        let hits = to_hits(snapshot, found, query)?;
        if hits.len() >= query.limit || seen < fetch {
            return Ok(hits);
        }
        fetch = fetch.saturating_mul(4);
    }
}

fn top(snapshot: &Snapshot, query: &dyn Query, limit: usize) -> Result<Vec<(Score, DocAddress)>, TantivyError> {
    snapshot.searcher.search_with_statistics_provider(query, &TopDocs::with_limit(limit).order_by_score(), snapshot)
}

fn to_hits(
    snapshot: &Snapshot,
    found: Vec<(Score, DocAddress)>,
    query: &SearchQuery,
) -> Result<Vec<Hit>, TantivyError> {
    let mut documents = HashSet::new();
    let mut hits = Vec::new();
    for (score, address) in found {
        let chunk = snapshot.chunk(address)?;
        if query.distinct_documents && !documents.insert(chunk.document_id.clone()) {
            continue;
        }
        let Some(record) = snapshot.record(&chunk.document_id) else {
            continue;
        };
        hits.push(Hit {
            path: record.path.clone(),
            title: record.title.clone(),
            description: record.description.clone(),
            language: record.language.clone(),
            score,
            chunk,
        });
    }
    hits.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| place(one).cmp(&place(other))));
    hits.truncate(query.limit);
    Ok(hits)
}

fn place(hit: &Hit) -> (&str, u32) {
    (&hit.path, hit.chunk.ordinal)
}

/// Any of the words may match; of one word's forms the best counts. Neighbours in the question that are neighbours in
/// a text, too, count a little more.
fn disjunction(snapshot: &Snapshot, terms: &[QueryTerm]) -> Box<dyn Query> {
    let known: Vec<Vec<Term>> =
        terms.iter().filter(|term| term.known).map(|term| known_forms(snapshot, &term.forms)).collect();
    let words = known.iter().map(|forms| best_of(forms.iter().map(word_query).collect()));
    let pairs = known.windows(2).map(|pair| near_each_other(&pair[0], &pair[1]));
    let clauses: Vec<(Occur, Box<dyn Query>)> = words.chain(pairs).map(|query| (Occur::Should, query)).collect();
    Box::new(BooleanQuery::new(clauses))
}

fn near_each_other(forms: &[Term], others: &[Term]) -> Box<dyn Query> {
    let mut pairs = Vec::new();
    for form in forms {
        pairs.extend(others.iter().filter(|other| *other != form).map(|other| pair_query(form, other)));
    }
    Box::new(BoostQuery::new(best_of(pairs), PAIR_BOOST))
}

fn best_of(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(DisjunctionMaxQuery::new(queries)),
    }
}

fn word_query(term: &Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term.clone(), IndexRecordOption::WithFreqs))
}

fn pair_query(one: &Term, other: &Term) -> Box<dyn Query> {
    let mut query = PhraseQuery::new(vec![one.clone(), other.clone()]);
    query.set_slop(PAIR_SLOP);
    Box::new(query)
}

/// The forms that some text holds. A form that none holds would only cost time.
fn known_forms(snapshot: &Snapshot, forms: &[String]) -> Vec<Term> {
    let terms = forms.iter().map(|form| Term::from_field_text(snapshot.fields.terms, form));
    terms.filter(|term| snapshot.doc_freq(term).is_ok_and(|frequency| frequency > 0)).collect()
}

/// What may be meant by a word that no text holds: its closest known meaning, or else the compounds that it is a part
/// of, or else what a slip of the keys makes of it.
fn stand_ins(
    snapshot: &Snapshot,
    word: &str,
    forms: &[String],
    looks_into_compounds: bool,
) -> Result<Vec<String>, TantivyError> {
    for language in &snapshot.languages {
        for meaning in synonym::meanings(word, *language) {
            let form = words::stem_word(meaning, *language);
            if highest_frequency(snapshot, std::slice::from_ref(&form))? > 0 {
                return Ok(vec![form]);
            }
        }
    }
    if looks_into_compounds {
        let compounds = compounds(snapshot, word, forms)?;
        if !compounds.is_empty() {
            return Ok(compounds);
        }
    }
    Ok(nearest_term(snapshot, forms)?.into_iter().collect())
}

/// The indexed terms that begin or end with one of `forms`, most frequent first: a Mülltonne is about Müll. None where
/// no document is in a language that joins words.
fn compounds(snapshot: &Snapshot, word: &str, forms: &[String]) -> Result<Vec<String>, TantivyError> {
    let joining = snapshot.languages.iter().filter(|language| language.joins_compounds());
    let parts: HashSet<String> = joining.map(|language| words::stem_word(word, *language)).collect();
    let is_part = |form: &&String| form.chars().count() >= MIN_PART_CHARS && form.chars().all(char::is_alphabetic);
    let parts: Vec<&String> = forms.iter().filter(|form| parts.contains(*form)).filter(is_part).collect();
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: HashMap<String, u64> = HashMap::new();
    for segment in snapshot.searcher.segment_readers() {
        let index = segment.inverted_index(snapshot.fields.terms)?;
        let mut stream = index.terms().stream()?;
        while stream.advance() {
            let term = stream.key();
            if parts.iter().any(|part| term.starts_with(part.as_bytes()) || term.ends_with(part.as_bytes()))
                && let Ok(term) = std::str::from_utf8(term)
            {
                *found.entry(term.to_owned()).or_default() += u64::from(stream.value().doc_freq);
            }
        }
    }
    let mut found: Vec<(String, u64)> = found.into_iter().collect();
    found.sort_by(|(one, few), (other, many)| many.cmp(few).then_with(|| one.cmp(other)));
    Ok(found.into_iter().take(MAX_COMPOUNDS).map(|(term, _)| term).collect())
}

fn is_common(snapshot: &Snapshot, word: &str) -> bool {
    snapshot.languages.iter().any(|language| stop::is_common_word(word, *language))
}

fn forms_of(snapshot: &Snapshot, word: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for language in &snapshot.languages {
        let stem = words::stem_word(word, *language);
        if !forms.contains(&stem) {
            forms.push(stem);
        }
    }
    // Documents whose language is not known are indexed as written.
    if !forms.iter().any(|form| form == word) {
        forms.push(word.to_owned());
    }
    forms
}

fn highest_frequency(snapshot: &Snapshot, forms: &[String]) -> Result<u64, TantivyError> {
    let mut highest = 0;
    for form in forms {
        highest = highest.max(snapshot.doc_freq(&Term::from_field_text(snapshot.fields.terms, form))?);
    }
    Ok(highest)
}

/// What a word tells: from a floor for one that every text holds to 1 above it for one that none holds. In between it
/// follows BM25's inverse document frequency; the floor keeps the words of a small folder, all frequent, worth something.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a weight needs no more precision")]
fn weight(frequency: u64, texts: u64) -> f32 {
    let inverse = |frequency: f64, texts: f64| (1.0 + (texts - frequency + 0.5) / (frequency + 0.5)).ln();
    let (frequency, texts) = (frequency as f64, texts.max(frequency) as f64);
    (WEIGHT_FLOOR + inverse(frequency, texts) / inverse(0.0, texts)) as f32
}

/// The indexed term that one slip of the keys makes out of one of `forms`: the most frequent one of them.
fn nearest_term(snapshot: &Snapshot, forms: &[String]) -> Result<Option<String>, TantivyError> {
    let mut candidates: HashMap<String, u64> = HashMap::new();
    for form in forms.iter().filter(|form| is_correctable(form)) {
        let Some(first) = form.chars().next() else {
            continue;
        };
        let upper = char::from_u32(first as u32 + 1).unwrap_or(char::MAX);
        for segment in snapshot.searcher.segment_readers() {
            let index = segment.inverted_index(snapshot.fields.terms)?;
            let mut stream = index.terms().range().ge(first.to_string()).lt(upper.to_string()).into_stream()?;
            while stream.advance() {
                let Ok(term) = std::str::from_utf8(stream.key()) else {
                    continue;
                };
                if is_correctable(term) && is_one_slip(form, term) {
                    *candidates.entry(term.to_owned()).or_default() += u64::from(stream.value().doc_freq);
                }
            }
        }
    }
    Ok(candidates
        .into_iter()
        .max_by(|(one, few), (other, many)| few.cmp(many).then_with(|| other.cmp(one)))
        .map(|(term, _)| term))
}

fn is_correctable(word: &str) -> bool {
    word.chars().all(char::is_alphabetic) && word.chars().count() >= MIN_MISSPELT_CHARS
}

/// Whether one letter more or less, two swapped neighbours, or one likely wrong letter make `one` out of `other`.
fn is_one_slip(one: &str, other: &str) -> bool {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same_start = one.iter().zip(&other).take_while(|(left, right)| left == right).count();
    let (left, right) = (&one[same_start..], &other[same_start..]);
    let same_end = left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count();
    let (left, right) = (&left[..left.len() - same_end], &right[..right.len() - same_end]);
    match (left, right) {
        ([], []) => true,
        // At the end of a word, a letter more makes another word of it: factor and factory.
        ([], [_]) | ([_], []) => same_end > 0,
        ([wrong], [right]) => is_likely_slip(*wrong, *right),
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

/// Vowels are mixed up, and keys beside each other. Other letters make other words: Iceland is not Ireland.
fn is_likely_slip(wrong: char, right: char) -> bool {
    const VOWELS: &str = "aeiouyäöü";
    const ROWS: [&str; 3] = ["qwertzuiop", "asdfghjkl", "yxcvbnm"];
    let beside = |row: &str| {
        let place = |letter: char| row.chars().position(|key| key == letter);
        place(wrong).zip(place(right)).is_some_and(|(one, other)| one.abs_diff(other) == 1)
    };
    (VOWELS.contains(wrong) && VOWELS.contains(right)) || ROWS.iter().any(|row| beside(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_found_and_two_are_not() {
        assert!(is_one_slip("refnud", "refund"));
        assert!(is_one_slip("reffund", "refund"));
        assert!(!is_one_slip("factor", "factory"));
        assert!(is_one_slip("refnd", "refund"));
        assert!(is_one_slip("refumd", "refund"));
        assert!(!is_one_slip("iceland", "ireland"));
        assert!(!is_one_slip("rfnud", "refund"));
        assert!(!is_one_slip("warranty", "delivery"));
    }

    #[test]
    fn rare_words_weigh_more() {
        assert!(weight(1, 100) > weight(50, 100));
        assert!(weight(0, 100) > weight(1, 100));
        assert!(weight(100, 100) > 0.0);
    }
}
