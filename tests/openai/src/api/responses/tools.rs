//! The tools of an answer: file search, done; functions, accepted and never called.

use serde_json::Value;

use crate::api::fields::{Checked, Fields};
use crate::api::{Refusal, search};

/// A search in stores that the model may do.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) store_ids: Vec<String>,
    pub(crate) max: usize,
    pub(crate) filter: Option<Value>,
    pub(crate) threshold: f64,
}

/// The searches to be done: none where the choice forbids tools.
pub(crate) fn searches(fields: &Fields<'_>) -> Checked<Vec<Search>> {
    let mut searches = Vec::new();
    let tools = fields.array("tools", 0..=128)?.into_iter().flatten();
    let mut kinds = Vec::new();
    for (at, tool) in tools.enumerate() {
        let tool = Fields::at(tool, &format!("tools[{at}]"))?;
        let kind = tool.need_string("type")?;
        tool.one_of("type", &["file_search", "function"])?;
        kinds.push(kind);
        if kind == "file_search" {
            searches.push(file_search(&tool)?);
        } else {
            function(&tool)?;
        }
    }
    if choice(fields, &kinds)? { Ok(searches) } else { Ok(Vec::new()) }
}

fn file_search(tool: &Fields<'_>) -> Checked<Search> {
    tool.only(&["type", "vector_store_ids", "max_num_results", "ranking_options"], &["filters"])?;
    tool.need("vector_store_ids")?;
    let store_ids = tool.strings("vector_store_ids", 1..=usize::MAX)?.unwrap_or_default();
    let max = tool.integer("max_num_results", 1..=50)?.unwrap_or(20);
    let filter = search::checked_filter(tool)?;
    let mut threshold = 0.0;
    if let Some(ranking) = tool.object("ranking_options")? {
        ranking.only(&["ranker", "score_threshold", "hybrid_search"], &[])?;
        ranking.one_of("ranker", &["auto", "default-2024-11-15"])?;
        threshold = ranking.number("score_threshold", 0.0..=1.0)?.unwrap_or(0.0);
        if let Some(hybrid) = ranking.object("hybrid_search")? {
            hybrid.only(&["embedding_weight", "text_weight"], &[])?;
            hybrid.need("embedding_weight")?;
            hybrid.need("text_weight")?;
            hybrid.number("embedding_weight", 0.0..=f64::MAX)?;
            hybrid.number("text_weight", 0.0..=f64::MAX)?;
        }
    }
    let store_ids = store_ids.into_iter().map(str::to_owned).collect();
    Ok(Search { store_ids, max: usize::try_from(max).unwrap_or(usize::MAX), filter, threshold })
}

fn function(tool: &Fields<'_>) -> Checked<()> {
    tool.only(&["type", "name", "defer_loading"], &["description", "parameters", "strict"])?;
    tool.need_string("name")?;
    tool.object("parameters")?;
    tool.boolean("strict").map(drop)
}

/// Whether tools may be used at all.
fn choice(fields: &Fields<'_>, kinds: &[&str]) -> Checked<bool> {
    let Some(choice) = fields.get("tool_choice") else { return Ok(true) };
    if choice.is_string() {
        return Ok(fields.one_of("tool_choice", &["none", "auto", "required"])? != Some("none"));
    }
    let choice = Fields::at(choice, "tool_choice")?;
    let kind = choice.need_string("type")?;
    choice.one_of("type", &["file_search", "function", "allowed_tools"])?;
    if kind == "file_search" {
        choice.only(&["type"], &[])?;
    }
    if kind != "allowed_tools" && !kinds.contains(&kind) {
        return Err(Refusal::value("tool_choice", &format!("'{kind}' is not among 'tools'")));
    }
    Ok(true)
}
