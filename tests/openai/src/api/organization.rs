//! `/organization/…`: what was spent, in buckets of time. For the key of administrators only.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::fields::Checked;
use crate::api::{Asked, Query, Refusal, Reply};
use crate::world::{Spent, World};

const DAY: u64 = 86_400;
const PROJECT: &str = "proj_standin";
/// Dollars a token, whatever the model: reports are added up, not checked against a price list.
const INPUT_PRICE: f64 = 0.000_000_4;
const OUTPUT_PRICE: f64 = 0.000_001_6;
const SEARCH_PRICE: f64 = 0.002_5;

/// The part of time a report is about.
struct Span {
    start: u64,
    end: u64,
    width: u64,
    limit: usize,
    page: u64,
}

/// What a report is made of: whether a dimension is grouped by, and how sums are shown.
struct Report<'a> {
    groups: Vec<&'a str>,
    dimension: &'static str,
    key: fn(&Spent) -> Vec<String>,
    result: fn(&[&Spent], usize) -> Value,
}

pub(crate) fn costs(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let query = &asked.query;
    let lists = ["project_ids", "api_key_ids", "group_by"];
    let span = span(world, query, &["1d"], 180, &lists)?;
    let groups = groups(query, &["project_id", "line_item", "api_key_id"])?;
    let by_item = groups.contains(&"line_item");
    let results = |spent: &[&Spent]| cost_results(spent, by_item, groups.contains(&"project_id"));
    Ok(paged(world, &span, results))
}

pub(crate) fn completions(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let query = &asked.query;
    let lists = ["project_ids", "user_ids", "api_key_ids", "models", "batch", "group_by"];
    let span = span(world, query, &["1m", "1h", "1d"], 1_440, &lists)?;
    let groups = groups(query, &["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"])?;
    let report = Report {
        groups,
        dimension: "model",
        key: |spent| if spent.output_tokens > 0 { vec![spent.model.clone()] } else { Vec::new() },
        result: |spent, requests| {
            json!({
                "object": "organization.usage.completions.result",
                "input_tokens": spent.iter().map(|one| one.input_tokens).sum::<u64>(),
                "input_cached_tokens": 0,
                "output_tokens": spent.iter().map(|one| one.output_tokens).sum::<u64>(),
                "num_model_requests": requests,
            })
        },
    };
    Ok(paged(world, &span, |spent| grouped(spent, &report)))
}

pub(crate) fn embeddings(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let query = &asked.query;
    let lists = ["project_ids", "user_ids", "api_key_ids", "models", "group_by"];
    let span = span(world, query, &["1m", "1h", "1d"], 1_440, &lists)?;
    let report = Report {
        groups: groups(query, &["project_id", "user_id", "api_key_id", "model"])?,
        dimension: "model",
        key: |spent| if spent.embedded_tokens > 0 { vec![spent.model.clone()] } else { Vec::new() },
        result: |spent, requests| {
            json!({
                "object": "organization.usage.embeddings.result",
                "input_tokens": spent.iter().map(|one| one.embedded_tokens).sum::<u64>(),
                "num_model_requests": requests,
            })
        },
    };
    Ok(paged(world, &span, |spent| grouped(spent, &report)))
}

pub(crate) fn searches(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let query = &asked.query;
    let lists = ["project_ids", "user_ids", "api_key_ids", "vector_store_ids", "group_by"];
    let span = span(world, query, &["1m", "1h", "1d"], 1_440, &lists)?;
    let report = Report {
        groups: groups(query, &["project_id", "user_id", "api_key_id", "vector_store_id"])?,
        dimension: "vector_store_id",
        key: |spent| spent.searched.clone(),
        result: |_, requests| json!({"object": "organization.usage.file_searches.result", "num_requests": requests}),
    };
    Ok(paged(world, &span, |spent| grouped(spent, &report)))
}

pub(crate) fn vector_stores(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let query = &asked.query;
    let span = span(world, query, &["1m", "1h", "1d"], 1_440, &["project_ids", "group_by"])?;
    let by_project = groups(query, &["project_id"])?.contains(&"project_id");
    let files = world.stores.iter().filter(|(_, store)| store.gone.is_none()).flat_map(|(_, store)| store.files.iter());
    let stored: u64 = files.filter(|(_, entry)| entry.ingestion.is_completed()).map(|(_, entry)| entry.bytes).sum();
    let project = by_project.then_some(PROJECT);
    let result =
        json!({"object": "organization.usage.vector_stores.result", "usage_bytes": stored, "project_id": project});
    Ok(paged(world, &span, |_| vec![result.clone()]))
}

fn span(world: &World, query: &Query, widths: &[&str], most: u64, lists: &[&str]) -> Checked<Span> {
    let known: Vec<&str> =
        ["start_time", "end_time", "bucket_width", "limit", "page"].iter().chain(lists).copied().collect();
    query.only(&known)?;
    let start = query.integer("start_time", 0, u64::MAX)?.ok_or_else(|| Refusal::missing("start_time"))?;
    let end = query.integer("end_time", 0, u64::MAX)?.unwrap_or_else(|| world.unix() + 1);
    if end <= start {
        return Err(Refusal::value("end_time", "it is not after 'start_time'"));
    }
    let (width, usual) = match query.one_of("bucket_width", widths)?.unwrap_or("1d") {
        "1m" => (60, 60),
        "1h" => (3_600, 24),
        _ => (DAY, 7),
    };
    let limit = usize::try_from(query.integer("limit", 1, most)?.unwrap_or(usual)).unwrap_or(usize::MAX);
    let page = query.get("page").map(|page| page.strip_prefix("page_").and_then(|at| at.parse().ok()));
    let page = page.map_or(Ok(0), |page| page.ok_or_else(|| Refusal::value("page", "no page has this name")))?;
    Ok(Span { start: start - start % width, end, width, limit, page })
}

fn groups<'a>(query: &'a Query, known: &[&str]) -> Checked<Vec<&'a str>> {
    let groups = query.all("group_by");
    match groups.iter().find(|group| !known.contains(group)) {
        Some(_) => Err(Refusal::value("group_by", &format!("supported are {}", known.join(", ")))),
        None => Ok(groups),
    }
}

/// A page of buckets, each with what its time holds.
fn paged(world: &World, span: &Span, results: impl Fn(&[&Spent]) -> Vec<Value>) -> Reply {
    let mut buckets = Vec::new();
    let mut start = span.start.saturating_add(span.page.saturating_mul(span.width));
    while start < span.end && buckets.len() < span.limit {
        let end = start.saturating_add(span.width).min(span.end);
        let spent: Vec<&Spent> = world.spent.iter().filter(|one| one.at >= start && one.at < end).collect();
        buckets.push(json!({"object": "bucket", "start_time": start, "end_time": end, "results": results(&spent)}));
        start = start.saturating_add(span.width);
    }
    let has_more = start < span.end;
    let next = has_more.then(|| format!("page_{}", span.page + buckets.len() as u64));
    Reply::Json(json!({"object": "page", "data": buckets, "has_more": has_more, "next_page": next}))
}

/// Sums of a bucket, one for each value of the dimension where it is grouped by.
fn grouped(spent: &[&Spent], report: &Report<'_>) -> Vec<Value> {
    let by_dimension = report.groups.contains(&report.dimension);
    let mut sums: BTreeMap<String, (Vec<&Spent>, usize)> = BTreeMap::new();
    for one in spent {
        for key in (report.key)(one) {
            let sum = sums.entry(if by_dimension { key } else { String::new() }).or_default();
            sum.0.push(one);
            sum.1 += 1;
        }
    }
    let project = report.groups.contains(&"project_id").then_some(PROJECT);
    let each = sums.into_iter().map(|(key, (spent, requests))| {
        let mut result = (report.result)(&spent, requests);
        result["project_id"] = project.into();
        result[report.dimension] = if by_dimension { key.into() } else { Value::Null };
        result
    });
    each.collect()
}

fn cost_results(spent: &[&Spent], by_item: bool, by_project: bool) -> Vec<Value> {
    let mut items: Map<String, Value> = Map::new();
    let mut add = |item: String, dollars: f64| {
        let sum = items.entry(item).or_insert(json!(0.0));
        *sum = json!(sum.as_f64().unwrap_or(0.0) + dollars);
    };
    for one in spent {
        if one.input_tokens + one.output_tokens > 0 {
            add(format!("{}, input", one.model), one.input_tokens as f64 * INPUT_PRICE);
            add(format!("{}, output", one.model), one.output_tokens as f64 * OUTPUT_PRICE);
        }
        if !one.searched.is_empty() {
            add("file search tool calls".to_owned(), one.searched.len() as f64 * SEARCH_PRICE);
        }
    }
    let project = by_project.then_some(PROJECT);
    let result = |item: Option<&str>, dollars: f64| {
        json!({
            "object": "organization.costs.result",
            "amount": {"value": dollars, "currency": "usd"},
            "line_item": item,
            "project_id": project,
        })
    };
    if by_item {
        return items.iter().map(|(item, sum)| result(Some(item), sum.as_f64().unwrap_or(0.0))).collect();
    }
    let all: f64 = items.values().filter_map(Value::as_f64).sum();
    if items.is_empty() { Vec::new() } else { vec![result(None, all)] }
}
