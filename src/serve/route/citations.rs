//! The citations of an answer: the reference's keys, and where exactly in the document.

use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::model::thread::{ItemContent, Principal, ThreadItem};
use crate::model::{Citation, LineRange};
use crate::serve::error::ApiError;
use crate::serve::route;
use crate::serve::state::AppState;
use crate::store::StoreError;

/// What is asked for.
#[derive(Deserialize)]
pub struct Params {
    /// An assistant message; without one, the newest with citations.
    item: Option<String>,
}

/// Here null is written, not left out.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "documentIds")]
    document_ids: BTreeSet<&'a str>,
    citations: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    document_id: Option<&'a str>,
    filename: &'a str,
    title: &'a str,
    description: Option<&'a str>,
    annotation_index: usize,
    page: Option<u32>,
    slide: Option<u32>,
    sheet: Option<&'a str>,
    rows: Option<LineRange>,
    heading: Option<&'a str>,
    quote: &'a str,
    /// Said only where the place is not known: all others keep the reference's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    located: Option<bool>,
}

/// `GET /knowledge/threads/{thread_id}/citations`
pub async fn show(
    State(state): State<AppState>,
    Extension(who): Extension<Principal>,
    thread_id: Result<Path<String>, PathRejection>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Path(thread_id) = thread_id?;
    let Query(params) = params?;
    let item = match params.item {
        Some(item_id) => route::visible_item(&state, &who, &thread_id, &item_id).await.map(Some),
        None => state.store.newest_cited(&who, &thread_id).await,
    };
    let item = item.map_err(not_found)?;
    let citations = item.as_ref().map_or(&[][..], citations_of);
    Ok(route::json(&Body {
        document_ids: citations.iter().filter_map(document_id).collect(),
        citations: citations.iter().map(entry).collect(),
    }))
}

fn not_found(error: StoreError) -> ApiError {
    match error {
        StoreError::NoSuchThread => ApiError::from(error).say("Thread not found").detail(),
        StoreError::NoSuchItem => ApiError::from(error).say("Item not found").detail(),
        other => other.into(),
    }
}

fn citations_of(item: &ThreadItem) -> &[Citation] {
    match &item.content {
        ItemContent::AssistantMessage(message) => &message.citations,
        _ => &[],
    }
}

fn entry(citation: &Citation) -> Entry<'_> {
    Entry {
        document_id: document_id(citation),
        filename: citation.filename(),
        title: &citation.title,
        description: citation.description.as_deref(),
        annotation_index: citation.index,
        page: citation.locator.page,
        slide: citation.locator.slide,
        sheet: citation.locator.sheet.as_deref(),
        rows: citation.locator.rows,
        heading: citation.locator.heading.as_deref(),
        quote: &citation.quote,
        located: (!citation.located).then_some(false),
    }
}

/// The document, when it can be opened here.
fn document_id(citation: &Citation) -> Option<&str> {
    Some(citation.document_id.as_str()).filter(|document_id| !document_id.is_empty())
}
