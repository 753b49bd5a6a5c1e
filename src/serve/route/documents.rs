//! The documents: what there is, and the files themselves.
//!
//! A file is found by the id of its record, never by a path of the caller's.

use std::io::{self, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path as FolderPath;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::model::{DocumentRecord, file_name};
use crate::serve::error::ApiError;
use crate::serve::file::conditional::{self, Validators, Verdict};
use crate::serve::file::opened::{Look, Opened, open_within};
use crate::serve::file::treatment::{Treatment, is_text, treatment};
use crate::serve::route;
use crate::serve::state::AppState;

/// One person's browser may keep a copy, and asks each time whether it still holds.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

#[derive(Serialize)]
struct List<'a> {
    documents: Vec<Entry<'a>>,
}

/// Here null is written, not left out.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    filename: &'a str,
    title: &'a str,
    description: Option<&'a str>,
}

/// `GET /knowledge/documents`
pub async fn list(State(state): State<AppState>) -> Result<Response, ApiError> {
    let records = state.index.records().await?;
    Ok(route::json(&List { documents: records.iter().map(entry).collect() }))
}

fn entry(record: &DocumentRecord) -> Entry<'_> {
    Entry {
        id: &record.document_id,
        filename: file_name(&record.path),
        title: &record.title,
        description: record.description.as_deref(),
    }
}

/// `GET` and `HEAD /knowledge/documents/{document_id}/file`
pub async fn file(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    document_id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(document_id) = document_id?;
    let record = record(&state, &document_id).await?;
    let (docs_dir, of) = (state.docs_dir.clone(), record.clone());
    let opened = tokio::task::spawn_blocking(move || open(&docs_dir, &of)).await.map_err(|_| ApiError::internal())?;
    let (opened, treatment) = opened.map_err(|error| {
        tracing::warn!(document.id = %record.document_id, %error, "a document's file is not available");
        ApiError::not_found("File not available").detail()
    })?;
    let validators = conditional::validators(&record, &opened, SystemTime::from(state.clock.now()));
    let verdict = conditional::judge(&method, &headers, &validators, opened.metadata.len());
    answer(opened, treatment, &validators, verdict)
}

/// Opens the file, and looks into it where that says how to label it.
fn open(docs_dir: &FolderPath, record: &DocumentRecord) -> io::Result<(Opened, Treatment)> {
    let mut opened = open_within(docs_dir, &record.path)?;
    let look = if is_text(record) { opened.look()? } else { Look::default() };
    Ok((opened, treatment(record, &look)))
}

/// The record of a document, or the reference's 404.
pub async fn record(state: &AppState, document_id: &str) -> Result<DocumentRecord, ApiError> {
    let record = state.index.record(document_id).await?;
    record.ok_or_else(|| ApiError::not_found("Document not found").detail())
}

/// The answer about an opened file that a conditional request gets.
pub fn answer(
    opened: Opened,
    treatment: Treatment,
    validators: &Validators,
    verdict: Verdict,
) -> Result<Response, ApiError> {
    let size = opened.metadata.len();
    let mut headers = common(treatment, validators);
    match verdict {
        Verdict::Whole => body(StatusCode::OK, headers, opened, 0..size),
        Verdict::Part(bytes) => {
            let range = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
            headers.insert(header::CONTENT_RANGE, visible(range));
            body(StatusCode::PARTIAL_CONTENT, headers, opened, bytes)
        }
        Verdict::NotModified => {
            headers.remove(header::CONTENT_TYPE);
            Ok((StatusCode::NOT_MODIFIED, headers).into_response())
        }
        Verdict::PreconditionFailed => {
            let status = StatusCode::PRECONDITION_FAILED;
            Err(ApiError::new(status, "precondition_failed", "File is another version").detail())
        }
        Verdict::Unsatisfiable => {
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            let mut refused = ApiError::new(status, "range", "File has no such range").detail().into_response();
            refused.headers_mut().insert(header::CONTENT_RANGE, visible(format!("bytes */{size}")));
            Ok(refused)
        }
    }
}

/// What every good answer says, 304 included: it renews what a browser keeps.
fn common(treatment: Treatment, validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, treatment.media_type);
    headers.insert(header::CONTENT_DISPOSITION, treatment.disposition);
    headers.insert(header::CONTENT_SECURITY_POLICY, treatment.policy);
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, visible(validators.etag.clone()));
    if let Some(modified) = validators.modified {
        headers.insert(header::LAST_MODIFIED, visible(httpdate::fmt_http_date(modified)));
    }
    headers
}

fn visible(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("hashes, numbers and dates are visible ASCII")
}

/// Streams a part of the file: never more than promised, should it grow meanwhile.
fn body(status: StatusCode, mut headers: HeaderMap, opened: Opened, bytes: Range<u64>) -> Result<Response, ApiError> {
    let length = bytes.end - bytes.start;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let mut file = opened.file;
    file.seek(SeekFrom::Start(bytes.start)).map_err(|error| {
        tracing::warn!(%error, "a document's file cannot be read from within");
        ApiError::internal()
    })?;
    let file = tokio::fs::File::from_std(file).take(length);
    Ok((status, headers, Body::from_stream(ReaderStream::new(file))).into_response())
}
