//! A document as a page to read, with the quoted words marked.

use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::docs::format::plain;
use crate::model::attachment::Attachment;
use crate::model::thread::Principal;
use crate::model::{Chunk, DocumentRecord, Locator};
use crate::serve::attachments::text;
use crate::serve::error::ApiError;
use crate::serve::preview::{Wanted, render};
use crate::serve::route::documents;
use crate::serve::state::AppState;

/// Our own style, and nothing else: no script, no form, no frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Longer than every quote that an answer makes, in bytes.
const MAX_QUOTE_BYTES: usize = 4_000;
/// Longer than every name of a sheet and every heading, in bytes.
const MAX_NAME_BYTES: usize = 400;
/// Previews that are made at a time: each holds the whole text of its document.
const AT_ONCE: usize = 4;
/// Previews that are made or waited for at a time; more are refused, and may come again.
const AT_ALL: usize = 32;

/// Those of documents wait for nothing of a visitor's.
static OF_DOCUMENTS: Queue = Queue::new();
/// Those of attachments may wait until a file is read.
static OF_ATTACHMENTS: Queue = Queue::new();

/// How many previews are made and waited for.
struct Queue {
    slots: Semaphore,
    places: Semaphore,
}

impl Queue {
    const fn new() -> Self {
        Self { slots: Semaphore::const_new(AT_ONCE), places: Semaphore::const_new(AT_ALL) }
    }
}

/// What is wanted. All of it may be left out.
#[derive(Debug, Deserialize)]
pub struct Params {
    page: Option<u32>,
    slide: Option<u32>,
    sheet: Option<String>,
    heading: Option<String>,
    quote: Option<String>,
    part: Option<usize>,
}

/// `GET /knowledge/documents/{document_id}/preview`
pub async fn show(
    State(state): State<AppState>,
    document_id: Result<Path<String>, PathRejection>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Path(document_id) = document_id?;
    let Query(params) = params?;
    let wanted = wanted(params)?;
    let record = documents::record(&state, &document_id).await?;
    let chunks = async { Ok(state.index.chunks(&document_id).await?) };
    page(&state, record, chunks, (wanted, &OF_DOCUMENTS)).await
}

/// `GET /knowledge/attachments/{attachment_id}/preview`: for its owner alone.
pub async fn of_attachment(
    State(state): State<AppState>,
    Extension(who): Extension<Principal>,
    attachment_id: Result<Path<String>, PathRejection>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Path(attachment_id) = attachment_id?;
    let Query(params) = params?;
    let wanted = wanted(params)?;
    let attachment = state.store.attachment(&who, &attachment_id).await?;
    let chunks = async {
        let chunks = text::of_attachment(&state, &attachment).await;
        chunks.ok_or_else(|| ApiError::not_found("the attachment has no text"))
    };
    page(&state, record_of(&attachment), chunks, (wanted, &OF_ATTACHMENTS)).await
}

/// An attachment as if it were indexed.
fn record_of(attachment: &Attachment) -> DocumentRecord {
    DocumentRecord {
        document_id: attachment.id.clone(),
        path: attachment.name.clone(),
        title: attachment.name.clone(),
        description: None,
        tags: Vec::new(),
        roles: Vec::new(),
        language: None,
        language_borrowed: false,
        sha256: attachment.sha256.clone().unwrap_or_default(),
        recipe: String::new(),
        bytes: attachment.size_bytes,
        modified_ns: None,
        ctime_ns: None,
        inode: None,
        title_from_name: true,
        // No viewer of PDF opens at a page: an attachment is a download.
        format: plain::FORMAT.name.to_owned(),
        indexed_at: attachment.created_at,
        chunks: 0,
    }
}

async fn page(
    state: &AppState,
    record: DocumentRecord,
    chunks: impl Future<Output = Result<Vec<Chunk>, ApiError>>,
    (wanted, queue): (Wanted, &'static Queue),
) -> Result<Response, ApiError> {
    let _place =
        queue.places.try_acquire().map_err(|_| ApiError::busy("many previews are asked for at once; try again"))?;
    let slot = queue.slots.acquire().await.map_err(|_| ApiError::internal())?;
    let chunks = chunks.await?;
    let name = state.live().assistant_name.clone();
    // The slot goes with the work: a reader who leaves does not end it.
    let making = tokio::task::spawn_blocking(move || {
        let page = render(&record, &chunks, &wanted, &name);
        drop(slot);
        page
    });
    let page = making.await.map_err(|_| ApiError::internal())?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, HTML), (header::CONTENT_SECURITY_POLICY, POLICY)], page)
        .into_response())
}

fn wanted(params: Params) -> Result<Wanted, ApiError> {
    let bounded = |text: Option<String>, name: &str, max_bytes: usize| match text {
        Some(text) if text.len() > max_bytes => {
            Err(ApiError::bad_request(format!("`{name}` has more than {max_bytes} bytes")))
        }
        other => Ok(other.filter(|text| !text.trim().is_empty())),
    };
    let place = Locator {
        page: params.page,
        slide: params.slide,
        sheet: bounded(params.sheet, "sheet", MAX_NAME_BYTES)?,
        heading: bounded(params.heading, "heading", MAX_NAME_BYTES)?,
        ..Locator::default()
    };
    Ok(Wanted { place, quote: bounded(params.quote, "quote", MAX_QUOTE_BYTES)?, part: params.part })
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, OF_ATTACHMENTS};
    use crate::serve::tests::bot::Bot;

    /// H23: visitors whose files take long to read hold up their own previews, and nobody's of the documents.
    #[tokio::test]
    async fn slow_attachments_hold_up_no_document() {
        let bot = Bot::usual().await;
        let browser = bot.browser().await;
        let _reading = OF_ATTACHMENTS.slots.acquire_many(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
        let shown = browser.get("/knowledge/documents/refund_policy/preview");
        let shown = tokio::time::timeout(std::time::Duration::from_secs(10), shown).await.expect("it comes");
        assert_eq!(shown.status(), 200);
        bot.stop().await;
    }
}
