//! Files that visitors attach: announced or sent at once, judged, kept, read, and forgotten with their thread.
//!
//! A file belongs to whoever sent it and to nobody else; another's id and an unknown one are the same answer (A15,
//! A16). Its bytes lie under their hash, its name is a label (D9), and it is never served active (D3). Bytes are kept
//! before a row names them and removed after none does, so a kill at any moment leaves at most bytes without a name,
//! which the next sweep removes.

pub mod clean;
pub mod judge;
mod name;
mod scan;
mod slots;
pub mod text;
pub mod upload;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::{RwLock, Semaphore};

use crate::blobs::{BlobError, BlobName, BlobStore};
use crate::chatkit::{AttachmentObject, UploadDescriptor};
use crate::config::settings::AttachmentSettings;
use crate::docs::reader::OpenReader;
use crate::model::attachment::{Attachment, AttachmentKind, AttachmentUsage};
use crate::model::thread::Principal;
use crate::serve::attachments::judge::{Kind, Refusal};
use crate::serve::attachments::slots::Slots;
use crate::serve::error::{ApiError, log_cause};
use crate::serve::route;
use crate::serve::state::AppState;
use crate::store::StoreError;

/// Attachments of one message at the most.
pub const MAX_OF_MESSAGE: usize = 10;
/// Characters of a media type at the most that is taken over from a caller.
const MAX_TYPE_CHARS: usize = 127;

/// The server's part for attachments.
pub struct Attachments {
    /// What may be taken in; `None` when nothing may. What is there already stays served, and goes with its thread.
    settings: Option<AttachmentSettings>,
    blobs: Arc<dyn BlobStore>,
    reader: Arc<dyn OpenReader>,
    slots: Slots,
    /// Answers that may hold the text of their thread's files at the same time.
    texts: Arc<Semaphore>,
    /// Held for reading from when bytes are kept until a row names them; for writing while unnamed bytes are removed.
    naming: RwLock<()>,
    /// What addresses begin with, without a slash at the end; empty without a `PUBLIC_URL`.
    base: String,
}

impl Attachments {
    /// Puts the parts together. Addresses begin with the public URL, and never with what a request says (H10).
    pub fn new(
        settings: Option<AttachmentSettings>,
        blobs: Arc<dyn BlobStore>,
        reader: Arc<dyn OpenReader>,
        public_url: Option<&str>,
    ) -> Self {
        let base = public_url.unwrap_or_default().trim_end_matches('/').to_owned();
        let texts = Arc::new(Semaphore::new(text::AT_ONCE));
        Self { settings, blobs, reader, slots: Slots::default(), texts, naming: RwLock::default(), base }
    }

    /// What a page needs to offer attachments; null when there are none.
    pub fn offer(&self) -> Value {
        self.settings.as_ref().map_or(Value::Null, |settings| {
            json!({"max_bytes": settings.max_bytes, "max_count": MAX_OF_MESSAGE, "accept": judge::accepted()})
        })
    }

    /// Bytes of one file at the most; 0 when none is taken.
    pub fn max_bytes(&self) -> u64 {
        self.settings.as_ref().map_or(0, |settings| settings.max_bytes)
    }

    /// Gives back the memory of readers that nobody needs for now.
    fn rest(&self) {
        if self.slots.are_free() {
            self.reader.rest();
        }
    }

    /// The settings, or 501.
    fn on(&self) -> Result<&AttachmentSettings, ApiError> {
        self.settings.as_ref().ok_or_else(|| {
            let message = "attachments are not supported by this server";
            ApiError::new(StatusCode::NOT_IMPLEMENTED, "not_supported", message)
        })
    }

    /// Where the bytes of an announced attachment go.
    fn descriptor(&self, attachment: &Attachment) -> UploadDescriptor {
        let url = format!("{}/knowledge/attachments/{}/content", self.base, attachment.id);
        UploadDescriptor { url, method: "PUT", headers: BTreeMap::new() }
    }
}

/// `attachments.create`: announces a file, and tells where its bytes go. The type is the caller's word until then.
pub async fn create(
    state: &AppState,
    who: &Principal,
    name: &str,
    size_bytes: u64,
    mime_type: &str,
) -> Result<Response, ApiError> {
    let settings = state.attachments.on()?;
    let name = name::label(name);
    let kind = Kind::by_name(&name)?;
    check_size(size_bytes, settings)?;
    let attachment = Attachment {
        id: state.ids.new_id("atc"),
        name,
        mime_type: claimed_type(mime_type, kind),
        size_bytes,
        kind: kind.shown_as(),
        sha256: None,
        thread_id: None,
        created_at: state.clock.now(),
    };
    state.store.add_attachment(who, &attachment, &bounds(settings)).await?;
    let descriptor = state.attachments.descriptor(&attachment);
    Ok(route::json(&AttachmentObject::from(&attachment).with_upload(descriptor)))
}

/// `attachments.delete`: idempotent like the deletion of threads; gone, another's and unknown are the same answer. What
/// a message has stays until its thread goes.
pub async fn delete(state: &AppState, who: &Principal, attachment_id: &str) -> Result<Response, ApiError> {
    state.attachments.on()?;
    match state.store.delete_attachment(who, attachment_id).await {
        Ok(attachment) => clean::forget(state, names_of(&[attachment])).await,
        Err(StoreError::NoSuchAttachment) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(route::json(&json!({})))
}

/// The attachments of a new message, each of which must be the caller's, uploaded, and no other message's.
pub async fn claim(state: &AppState, who: &Principal, ids: &[String]) -> Result<Vec<Attachment>, ApiError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    state.attachments.on()?;
    if ids.len() > MAX_OF_MESSAGE {
        return Err(ApiError::bad_request(format!("a message has at most {MAX_OF_MESSAGE} attachments")));
    }
    let mut claimed: Vec<Attachment> = Vec::with_capacity(ids.len());
    for id in ids {
        if claimed.iter().any(|other| other.id == *id) {
            return Err(ApiError::bad_request("an attachment is named twice"));
        }
        let attachment = state.store.attachment(who, id).await?;
        if attachment.sha256.is_none() {
            return Err(StoreError::AttachmentState(attachment.id, "not uploaded yet").into());
        }
        if attachment.thread_id.is_some() {
            return Err(StoreError::AttachmentState(attachment.id, "part of a message already").into());
        }
        claimed.push(attachment);
    }
    Ok(claimed)
}

/// An uploaded attachment of the caller's, and its bytes.
pub async fn open(
    state: &AppState,
    who: &Principal,
    attachment_id: &str,
) -> Result<(Attachment, std::fs::File), ApiError> {
    let attachment = state.store.attachment(who, attachment_id).await?;
    let name = blob_name(&attachment).ok_or(StoreError::NoSuchAttachment)?;
    let file = state.attachments.blobs.get(&name).await.map_err(|error| {
        log_cause("an attachment's bytes are not available", &error);
        ApiError::not_found("the attachment's file is not available")
    })?;
    Ok((attachment, file))
}

/// The types that are served as what they are; anything else is nobody's.
pub fn served_type(attachment: &Attachment) -> Option<&'static str> {
    match (Kind::by_name(&attachment.name).ok()?, attachment.kind) {
        (Kind::Document(format), AttachmentKind::File) => Some(format.media_type),
        (Kind::Image(media_type), AttachmentKind::Image) => Some(media_type),
        _ => None,
    }
}

fn check_size(size_bytes: u64, settings: &AttachmentSettings) -> Result<(), ApiError> {
    if size_bytes > settings.max_bytes { Err(too_large(settings)) } else { Ok(()) }
}

fn too_large(settings: &AttachmentSettings) -> ApiError {
    let message = format!("the file has more than {} MiB", settings.max_bytes / (1024 * 1024));
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

fn bounds(settings: &AttachmentSettings) -> AttachmentUsage {
    AttachmentUsage { of_principal: settings.visitor_bytes, in_all: settings.total_bytes }
}

/// What the caller says, where it has the form of a media type (RFC 6838 §4.2).
fn claimed_type(claim: &str, kind: Kind) -> String {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let has_form = claim.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    if has_form && claim.len() <= MAX_TYPE_CHARS { claim.to_ascii_lowercase() } else { kind.media_type().to_owned() }
}

fn blob_name(attachment: &Attachment) -> Option<BlobName> {
    BlobName::parse(attachment.sha256.as_deref()?)
}

fn names_of(attachments: &[Attachment]) -> Vec<BlobName> {
    attachments.iter().filter_map(blob_name).collect()
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        refused(refusal.to_string())
    }
}

/// The file is not taken for what it is.
fn refused(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "attachment_refused", message)
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::TooLarge(max_bytes) => {
                let message = format!("the file has more than {max_bytes} bytes");
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            }
            BlobError::Source(error) => upload::broken_off(&error),
            BlobError::Absent => StoreError::NoSuchAttachment.into(),
            BlobError::Full(_) => {
                log_cause("there is no room for attachments", &error);
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "no_space", "there is no room for attachments now")
            }
            BlobError::Io(_) => {
                log_cause("the bytes of attachments fail", &error);
                Self::internal()
            }
        }
    }
}
