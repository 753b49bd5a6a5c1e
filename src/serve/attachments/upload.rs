//! The way of bytes from a request to their place: bounded, staged, judged, scanned, read, and only then kept.
//!
//! No more of a file than a piece is in memory. What is refused leaves nothing behind. How the bytes come (declared,
//! chunked) makes no difference to the bound; compressed they are not taken (H1).

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use tokio::io::AsyncRead;

use crate::blobs::Staged;
use crate::config::settings::AttachmentSettings;
use crate::model::attachment::{Attachment, AttachmentUsage};
use crate::model::thread::Principal;
use crate::serve::attachments::judge::{self, Kind};
use crate::serve::attachments::scan::{self, Verdict};
use crate::serve::attachments::slots::UploadSlot;
use crate::serve::attachments::text::{self, Reading};
use crate::serve::attachments::{blob_name, bounds, clean, name, refused, too_large};
use crate::serve::connections::Peer;
use crate::serve::error::{ApiError, log_cause};
use crate::serve::limits::AddressKey;
use crate::serve::request_id;
use crate::serve::state::AppState;
use crate::store::StoreError;

/// How long the bytes of one file may take to come.
const DEADLINE: Duration = Duration::from_mins(10);

/// Bytes that passed everything, and wait for a row that names them.
struct Passed {
    staged: Staged,
    kind: Kind,
    /// `None` when it was read before, or takes too long for now.
    reading: Option<Reading>,
}

/// Takes a slot, or refuses what the headers already say, or that there are too many uploads.
pub fn begin(state: &AppState, who: &Principal, parts: &Parts, max_bytes: u64) -> Result<UploadSlot, ApiError> {
    state.attachments.on()?;
    check_headers(&parts.headers, max_bytes)?;
    let peer = parts.extensions.get::<Peer>();
    let address = peer.map(|Peer(peer)| state.live().limits.address_of(*peer, &parts.headers));
    let slot = state.attachments.slots.take(who, address.map(AddressKey::of));
    slot.ok_or_else(|| ApiError::busy("too many files are being uploaded; try again in a moment"))
}

/// Refuses what is declared to be too much, or encoded.
fn check_headers(headers: &HeaderMap, max_bytes: u64) -> Result<(), ApiError> {
    let is_encoded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_encoded {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::new(status, "unsupported_media_type", "the body must not be encoded"));
    }
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > max_bytes) {
        let message = format!("the body has more than {max_bytes} bytes");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message));
    }
    Ok(())
}

/// The bytes of an announced attachment, once.
pub async fn fill(
    state: &AppState,
    who: &Principal,
    attachment_id: &str,
    from: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Attachment, ApiError> {
    let announced = state.store.attachment(who, attachment_id).await?;
    if announced.sha256.is_some() {
        return Err(StoreError::AttachmentState(announced.id, "uploaded already").into());
    }
    let settings = state.attachments.on()?;
    let passed = pass(state, settings, &announced.name, from).await?;
    let attachment = described(announced, &passed);
    name_bytes(state, who, settings, Naming { attachment, passed, row: Row::Announced }).await
}

/// A file that was not announced.
pub async fn take(
    state: &AppState,
    who: &Principal,
    given_name: &str,
    from: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Attachment, ApiError> {
    let settings = state.attachments.on()?;
    let name = name::label(given_name);
    let passed = pass(state, settings, &name, from).await?;
    let attachment = Attachment {
        id: state.ids.new_id("atc"),
        name,
        mime_type: String::new(),
        size_bytes: 0,
        kind: passed.kind.shown_as(),
        sha256: None,
        thread_id: None,
        created_at: state.clock.now(),
    };
    let attachment = described(attachment, &passed);
    name_bytes(state, who, settings, Naming { attachment, passed, row: Row::New }).await
}

/// Stages the bytes and lets all judges look at them, the cheap ones first.
async fn pass(
    state: &AppState,
    settings: &AttachmentSettings,
    name: &str,
    from: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Passed, ApiError> {
    // Before a byte is read: a kind that is never taken is not worth the transfer.
    let kind = Kind::by_name(name)?;
    let blobs = &state.attachments.blobs;
    let staged = tokio::time::timeout(DEADLINE, blobs.stage(from, settings.max_bytes)).await;
    let staged = staged.map_err(|_| timed_out())?.map_err(|error| match error {
        crate::blobs::BlobError::TooLarge(_) => too_large(settings),
        other => other.into(),
    })?;
    let file = staged.open().map_err(unreadable)?;
    let head = tokio::task::spawn_blocking(move || judge::head(&file)).await.map_err(|_| ApiError::internal())?;
    kind.check(&head.map_err(unreadable)?)?;
    if let Some(socket) = &settings.clamav_socket {
        check_for_viruses(socket, &staged).await?;
    }
    let reading = read(state, &staged, kind).await?;
    Ok(Passed { staged, kind, reading })
}

/// D10: a scan that cannot run means refusal.
async fn check_for_viruses(socket: &str, staged: &Staged) -> Result<(), ApiError> {
    let file = staged.open().map_err(unreadable)?;
    match scan::scan(socket, file).await {
        Ok(Verdict::Clean) => Ok(()),
        Ok(Verdict::Infected(signature)) => {
            // The signature alone: what is in the file is nobody's to see.
            tracing::warn!(?signature, sha256 = staged.name.as_str(), "an attached file is infected");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(ApiError::new(status, "attachment_infected", "the virus scanner found something in the file"))
        }
        Err(error) => {
            log_cause("an attached file could not be scanned, and is refused", &error);
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(ApiError::new(status, "scan_unavailable", "files cannot be checked for viruses now; try again later"))
        }
    }
}

/// Reads a document whose text is not known yet. Its reader is also the last judge of what it is.
async fn read(state: &AppState, staged: &Staged, kind: Kind) -> Result<Option<Reading>, ApiError> {
    let Kind::Document(format) = kind else { return Ok(None) };
    match text::known(state, &staged.name, format).await {
        Some(Reading::Refused(why)) => return Err(refused(why)),
        Some(_) => return Ok(None),
        None => {}
    }
    let file = staged.open().map_err(unreadable)?;
    match text::read(&state.attachments, &staged.name, file, format).await {
        Some(Reading::Refused(why)) => Err(refused(why)),
        reading => Ok(reading),
    }
}

fn described(attachment: Attachment, passed: &Passed) -> Attachment {
    Attachment {
        mime_type: passed.kind.media_type().to_owned(),
        size_bytes: passed.staged.bytes,
        kind: passed.kind.shown_as(),
        sha256: Some(passed.staged.name.as_str().to_owned()),
        ..attachment
    }
}

/// Whether a row for the attachment is there already.
enum Row {
    Announced,
    New,
}

/// Bytes that passed everything, and the attachment that is to name them.
struct Naming {
    attachment: Attachment,
    passed: Passed,
    row: Row,
}

/// Keeps the bytes and lets a row name them, in this order. No sweep runs in between, also when the caller hangs up:
/// a row that is on its way to the store must find its bytes.
async fn name_bytes(
    state: &AppState,
    who: &Principal,
    settings: &AttachmentSettings,
    naming: Naming,
) -> Result<Attachment, ApiError> {
    let (state, who, bounds) = (state.clone(), who.clone(), bounds(settings));
    let naming = async move { name_bytes_now(&state, &who, &bounds, naming).await };
    let named = tokio::spawn(request_id::scope(request_id::current(), naming)).await;
    named.unwrap_or_else(|error| {
        log_cause("an upload ended with a bug", &error);
        Err(ApiError::internal())
    })
}

async fn name_bytes_now(
    state: &AppState,
    who: &Principal,
    bounds: &AttachmentUsage,
    Naming { attachment, passed, row }: Naming,
) -> Result<Attachment, ApiError> {
    let naming = state.attachments.naming.read().await;
    let (name, bytes) = (passed.staged.name.clone(), passed.staged.bytes);
    state.attachments.blobs.keep(passed.staged).await?;
    if let (Kind::Document(format), Some(reading)) = (passed.kind, &passed.reading) {
        text::remember(state, &name, format, reading).await;
    }
    let named = match row {
        Row::Announced => state.store.finish_upload(who, &attachment, bounds).await,
        Row::New => state.store.add_attachment(who, &attachment, bounds).await,
    };
    drop(naming);
    if let Err(error) = named {
        clean::forget(state, blob_name(&attachment).into_iter().collect()).await;
        return Err(error.into());
    }
    state.metrics.uploaded(bytes);
    Ok(attachment)
}

/// Why bytes stopped coming, as the caller should know it.
pub fn broken_off(error: &(dyn Error + 'static)) -> ApiError {
    match io_kind(error) {
        Some(ErrorKind::TimedOut) => timed_out(),
        Some(ErrorKind::FileTooLarge) => {
            let message = "the form holds more beside its file than it should";
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
        }
        _ => ApiError::bad_request("the body is broken off"),
    }
}

/// The kind of the innermost error that has one of ours.
fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut next = Some(error);
    let mut found = None;
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        found = kind.filter(|kind| matches!(kind, ErrorKind::TimedOut | ErrorKind::FileTooLarge)).or(found);
        next = error.source();
    }
    found
}

fn timed_out() -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body took too long")
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unreadable(error: io::Error) -> ApiError {
    log_cause("a staged file cannot be read", &error);
    ApiError::internal()
}
