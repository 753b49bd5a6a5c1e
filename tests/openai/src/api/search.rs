//! Search over the text files of a store: windows of text, ranked by the words they share with the query.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::api::fields::Checked;
use crate::api::{Asked, Fields, Refusal, Reply, shapes, stores};
use crate::world::{Spent, World};

/// About 800 tokens of text, and half of it again with the next window.
const WINDOW: usize = 3_200;
const STEP: usize = 1_600;
const MAX_QUERY: usize = 4_096;

/// A window that shares words with the query.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) file_id: String,
    pub(crate) filename: String,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) text: String,
    pub(crate) score: f64,
}

/// What a search is asked.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) words: String,
    pub(crate) max: usize,
    pub(crate) filter: Option<Value>,
    pub(crate) threshold: f64,
}

pub(crate) fn search(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let store_id = asked.param(0);
    let fields = asked.fields();
    fields.only(&["query", "rewrite_query", "max_num_results", "filters", "ranking_options"], &[])?;
    let queries = queries(&fields)?;
    fields.boolean("rewrite_query")?;
    let max = fields.integer("max_num_results", 1..=50)?.unwrap_or(10);
    let filter = checked_filter(&fields)?;
    let mut threshold = 0.0;
    if let Some(ranking) = fields.object("ranking_options")? {
        ranking.only(&["ranker", "score_threshold"], &[])?;
        ranking.one_of("ranker", &["none", "auto", "default-2024-11-15"])?;
        threshold = ranking.number("score_threshold", 0.0..=1.0)?.unwrap_or(0.0);
    }
    stores::usable(world, store_id)?;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let hits = hits(world, &[store_id], &Wanted { words: queries.join(" "), max, filter, threshold });
    let data: Vec<Value> = hits.iter().map(shown).collect();
    Ok(Reply::Json(json!({
        "object": "vector_store.search_results.page",
        "search_query": queries,
        "data": data,
        "has_more": false,
        "next_page": null,
    })))
}

/// The best windows of these stores.
pub(crate) fn hits(world: &mut World, store_ids: &[&str], wanted: &Wanted) -> Vec<Hit> {
    let mut found = Vec::new();
    for store_id in store_ids {
        stores::touch(world, store_id);
        world.spend("", Spent { searched: vec![(*store_id).to_owned()], ..Spent::default() });
        let Some(store) = world.stores.get(store_id) else { continue };
        for (file_id, entry) in store.files.iter() {
            let passes = wanted.filter.as_ref().is_none_or(|filter| passes(filter, &entry.attributes));
            let file = world.files.get(file_id).filter(|file| file.is_here() && file.kept.is_text);
            let (Some(file), true) = (file, passes && entry.gone.is_none() && entry.ingestion.is_completed()) else {
                continue;
            };
            for text in windows(file.kept.content.as_deref().unwrap_or_default()) {
                let (file_id, filename) = (file_id.to_owned(), entry.filename.clone());
                found.push(Hit { file_id, filename, attributes: entry.attributes.clone(), text, score: 0.0 });
            }
        }
    }
    ranked(found, wanted)
}

/// The object of a hit.
pub(crate) fn shown(hit: &Hit) -> Value {
    json!({
        "file_id": hit.file_id,
        "filename": hit.filename,
        "score": hit.score,
        "attributes": hit.attributes,
        "content": [{"type": "text", "text": hit.text}],
    })
}

/// The text in overlapping windows that end between words where they can.
pub(crate) fn windows(content: &[u8]) -> Vec<String> {
    let text = text(content);
    let mut windows = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = boundary(&text, (start + WINDOW).min(text.len()));
        windows.push(text[start..end].to_owned());
        if end == text.len() {
            break;
        }
        start = boundary(&text, start + STEP);
    }
    windows
}

/// Checks a filter in the field of this name.
pub(crate) fn checked_filter(fields: &Fields<'_>) -> Checked<Option<Value>> {
    let Some(filter) = fields.get("filters") else { return Ok(None) };
    shapes::filter(filter, &fields.name("filters"))?;
    Ok(Some(filter.clone()))
}

fn queries(fields: &Fields<'_>) -> Checked<Vec<String>> {
    let query = fields.need("query")?;
    let queries = match query {
        Value::String(text) => vec![text.clone()],
        _ => fields.strings("query", 1..=usize::MAX)?.unwrap_or_default().into_iter().map(str::to_owned).collect(),
    };
    for text in &queries {
        if text.is_empty() {
            return Err(Refusal::value("query", "it is empty"));
        }
        if text.chars().count() > MAX_QUERY {
            let message = format!("Invalid 'query': string too long. Expected at most {MAX_QUERY} characters.");
            return Err(Refusal::bad("string_above_max_length", "query", message));
        }
    }
    Ok(queries)
}

/// Scores each window by the share of the query's words in it, rare words counting more.
fn ranked(mut hits: Vec<Hit>, wanted: &Wanted) -> Vec<Hit> {
    let asked: HashSet<String> = words(&wanted.words).collect();
    let texts: Vec<HashSet<String>> = hits.iter().map(|hit| words(&hit.text).collect()).collect();
    let weight: HashMap<&str, f64> = asked
        .iter()
        .map(|word| {
            let holding = texts.iter().filter(|text| text.contains(word)).count();
            (word.as_str(), (1.0 + (1.0 + hits.len() as f64) / (1.0 + holding as f64)).ln())
        })
        .collect();
    let all: f64 = weight.values().sum();
    for (hit, text) in hits.iter_mut().zip(&texts) {
        let shared: f64 = weight.iter().filter(|(word, _)| text.contains(**word)).map(|(_, weight)| weight).sum();
        hit.score = if all > 0.0 { (shared / all * 10_000.0).round() / 10_000.0 } else { 0.0 };
    }
    hits.retain(|hit| hit.score > 0.0 && hit.score >= wanted.threshold);
    hits.sort_by(|one, other| other.score.total_cmp(&one.score));
    hits.truncate(wanted.max);
    hits
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1).map(str::to_lowercase)
}

fn text(content: &[u8]) -> String {
    let utf16 = |from: fn([u8; 2]) -> u16| {
        let units = content[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match content {
        [0xFF, 0xFE, ..] => utf16(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => utf16(u16::from_be_bytes),
        _ => String::from_utf8_lossy(content).into_owned(),
    }
}

/// The last end of a word before `at`, within reason; never inside a character.
fn boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let mut at = at;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let near = text[..at].rfind(char::is_whitespace).filter(|space| at - space < 200 && *space > 0);
    near.unwrap_or(at)
}

/// Whether attributes pass a filter that was checked.
fn passes(filter: &Value, attributes: &Map<String, Value>) -> bool {
    let kind = filter["type"].as_str().unwrap_or_default();
    let mut inner = filter["filters"].as_array().into_iter().flatten();
    match kind {
        "and" => return inner.all(|filter| passes(filter, attributes)),
        "or" => return inner.any(|filter| passes(filter, attributes)),
        _ => {}
    }
    let wanted = &filter["value"];
    let found = filter["key"].as_str().and_then(|key| attributes.get(key));
    let Some(found) = found else { return matches!(kind, "ne" | "nin") };
    let among = || wanted.as_array().is_some_and(|list| list.iter().any(|value| same(found, value)));
    match kind {
        "eq" => same(found, wanted),
        "ne" => !same(found, wanted),
        "in" => among(),
        "nin" => !among(),
        _ => ordered(kind, found, wanted),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

fn ordered(kind: &str, found: &Value, wanted: &Value) -> bool {
    let order = match (found.as_f64(), wanted.as_f64(), found.as_str(), wanted.as_str()) {
        (Some(found), Some(wanted), _, _) => found.total_cmp(&wanted),
        (_, _, Some(found), Some(wanted)) => found.cmp(wanted),
        _ => return false,
    };
    match kind {
        "gt" => order.is_gt(),
        "gte" => order.is_ge(),
        "lt" => order.is_lt(),
        _ => order.is_le(),
    }
}
