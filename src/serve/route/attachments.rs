//! The bytes of attachments, in and out, for their owner alone.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, Multipart};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use tokio_util::io::StreamReader;

use crate::chatkit::AttachmentObject;
use crate::model::attachment::Attachment;
use crate::model::thread::Principal;
use crate::serve::attachments::{self, upload};
use crate::serve::error::ApiError;
use crate::serve::file::conditional::{self, Validators};
use crate::serve::file::opened::{Look, Opened};
use crate::serve::file::treatment;
use crate::serve::route::{self, documents};
use crate::serve::state::AppState;

/// A visitor's own file stays with the visitor.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");
/// How long the next bytes of an upload may take to come.
const IDLE: Duration = Duration::from_secs(30);
/// Bytes that a form may hold before, between and beside its file.
const MAX_FORM_BYTES: u64 = 64 * 1024;
/// Bytes of a refused body that are still read, so that the client gets to see the refusal; and for how long.
const MAX_DRAINED_BYTES: u64 = 8 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// The field of a form that holds the file.
const FIELD: &str = "file";

type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// `PUT /knowledge/attachments/{attachment_id}/content`
pub async fn put(
    State(state): State<AppState>,
    Extension(who): Extension<Principal>,
    attachment_id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path(attachment_id) = attachment_id?;
    let (parts, body) = request.into_parts();
    let mut bytes = StreamReader::new(pieces(body));
    let begun = upload::begin(&state, &who, &parts, state.attachments.max_bytes());
    let filled = match begun {
        Ok(_slot) => upload::fill(&state, &who, &attachment_id, &mut bytes).await,
        Err(refusal) => Err(refusal),
    };
    match filled {
        Ok(attachment) => Ok(route::json(&AttachmentObject::from(&attachment))),
        Err(refusal) => {
            tokio::spawn(drain(bytes.into_inner()));
            Err(refusal)
        }
    }
}

/// `POST /knowledge/attachments`: a form with the file.
pub async fn post(
    State(state): State<AppState>,
    Extension(who): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let max_bytes = state.attachments.max_bytes() + MAX_FORM_BYTES;
    let _slot = match upload::begin(&state, &who, &parts, max_bytes) {
        Ok(slot) => slot,
        Err(refusal) => {
            tokio::spawn(drain(pieces(body)));
            return Err(refusal);
        }
    };
    let allowance = Allowance::default();
    let body = Body::from_stream(metered(pieces(body), allowance.clone()));
    let mut form = Multipart::from_request(Request::from_parts(parts, body), &state).await.map_err(|_| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        ApiError::new(status, "unsupported_media_type", "the content type must be multipart/form-data")
    })?;
    let taken = take_from(&state, &who, &mut form, &allowance).await;
    match taken {
        Ok(attachment) => Ok(route::json(&AttachmentObject::from(&attachment))),
        Err(refusal) => {
            allowance.refill(MAX_DRAINED_BYTES);
            tokio::spawn(tokio::time::timeout(DRAIN_TIMEOUT, async move {
                while let Ok(Some(_)) = form.next_field().await {}
            }));
            Err(refusal)
        }
    }
}

async fn take_from(
    state: &AppState,
    who: &Principal,
    form: &mut Multipart,
    allowance: &Allowance,
) -> Result<Attachment, ApiError> {
    while let Some(field) = form.next_field().await.map_err(|error| upload::broken_off(&error))? {
        if field.name() != Some(FIELD) {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        let mut bytes = StreamReader::new(file_of(field, allowance.clone()));
        return upload::take(state, who, &name, &mut bytes).await;
    }
    Err(ApiError::bad_request(format!("the form has no field `{FIELD}`")))
}

/// `GET` and `HEAD /knowledge/attachments/{attachment_id}/file`
pub async fn file(
    State(state): State<AppState>,
    Extension(who): Extension<Principal>,
    method: Method,
    headers: HeaderMap,
    attachment_id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(attachment_id) = attachment_id?;
    let (attachment, file) = attachments::open(&state, &who, &attachment_id).await?;
    let media_type = attachments::served_type(&attachment);
    let opened = tokio::task::spawn_blocking(move || open(file, media_type)).await.map_err(|_| ApiError::internal())?;
    let (opened, look) = opened.map_err(|error| {
        tracing::warn!(%error, "an attachment's file is not available");
        ApiError::not_found("the attachment's file is not available")
    })?;
    let treatment = treatment::of_attachment(&attachment, media_type, &look);
    // The bytes never change under their hash.
    let etag = format!("\"{}\"", attachment.sha256.as_deref().unwrap_or_default());
    let validators = Validators { etag, modified: None };
    let verdict = conditional::judge(&method, &headers, &validators, opened.metadata.len());
    let mut response = documents::answer(opened, treatment, &validators, verdict)?;
    response.headers_mut().insert(header::CACHE_CONTROL, PRIVATE);
    Ok(response)
}

/// Looks into a text for its encoding.
fn open(file: std::fs::File, media_type: Option<&str>) -> io::Result<(Opened, Look)> {
    let metadata = file.metadata()?;
    let mut opened = Opened { file, metadata };
    let is_text = media_type.is_some_and(|media_type| media_type.contains(';'));
    let look = if is_text { opened.look()? } else { Look::default() };
    Ok((opened, look))
}

/// The pieces of a body; one that does not come in time ends them.
fn pieces(body: Body) -> Pieces {
    let pieces = body.into_data_stream().map_err(io::Error::other);
    let timed = tokio_stream::StreamExt::timeout(pieces, IDLE);
    Box::pin(timed.map(|piece| piece.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))))
}

/// Reads and drops what a refused request still sends: a connection that is closed on unread bytes is reset, and the
/// refusal with it.
async fn drain(mut pieces: Pieces) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            read += piece.len() as u64;
            if read > MAX_DRAINED_BYTES {
                break;
            }
        }
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, reading).await.is_err() {
        tracing::debug!("a refused upload went on");
    }
}

/// How many bytes of a form may still come that belong to no file.
#[derive(Clone)]
struct Allowance(Arc<AtomicU64>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(MAX_FORM_BYTES)))
    }
}

impl Allowance {
    fn refill(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// Whether bytes may come, and takes them off.
    fn takes(&self, bytes: u64) -> bool {
        // A piece that is larger than what is left is the last one: its beginning may belong to the file.
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)));
        before.is_ok_and(|left| left > 0)
    }
}

/// Pieces for a form's parser, one at a time: it takes in all that it is offered, and what it has taken in it holds in
/// memory. Headers and fields that never end come to the end of the allowance.
fn metered(mut pieces: Pieces, allowance: Allowance) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let mut is_paused = false;
    futures_util::stream::poll_fn(move |context| {
        if std::mem::take(&mut is_paused) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = std::task::ready!(pieces.as_mut().poll_next(context));
        is_paused = piece.is_some();
        Poll::Ready(piece.map(|piece| match piece {
            Ok(piece) if !allowance.takes(piece.len() as u64) => Err(ErrorKind::FileTooLarge.into()),
            other => other,
        }))
    })
}

/// The bytes of the file; as long as it comes, the rest of the form may.
fn file_of(field: Field<'_>, allowance: Allowance) -> Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + '_>> {
    let refilled = field.map(move |piece| {
        allowance.refill(MAX_FORM_BYTES);
        piece.map_err(io::Error::other)
    });
    Box::pin(refilled)
}
