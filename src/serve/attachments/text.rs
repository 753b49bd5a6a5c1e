//! The text of attachments: read once by its hash, cut into chunks, and given to the turns of its thread.
//!
//! Documents are read by worker processes within bounds (D6, D7, D8); what becomes of a file that breaks its reader is
//! a notice. What was read lies beside the bytes and goes with them (S3).

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::blobs::{BlobError, BlobName, DerivedKind};
use crate::docs::READER_VERSION;
use crate::docs::chunk;
use crate::docs::format::{Format, FormatError};
use crate::docs::reader::ReadError;
use crate::model::attachment::Attachment;
use crate::model::thread::Principal;
use crate::model::{Chunk, Hit};
use crate::serve::attachments::judge::Kind;
use crate::serve::attachments::{Attachments, blob_name};
use crate::serve::error::log_cause;
use crate::serve::state::AppState;
use crate::store::StoreError;

/// How long an upload waits for its file to be read, and an answer for all files that are not read yet.
const PATIENCE: Duration = Duration::from_secs(20);
/// Chunks of one attachment that join a conversation, about 4 MB of text.
const MAX_CHUNKS: usize = 4_000;
/// Chunks of all attachments of a thread that join a turn.
const MAX_CHUNKS_OF_THREAD: usize = 8_000;

/// Answers that hold the text of their thread's files at a time, some megabytes each; further ones wait.
pub const AT_ONCE: usize = 8;
/// What is said of a file that there was no time for.
const NOT_NOW: &str = "it cannot be read now; ask again in a moment";

/// What a reader made of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Its text, perhaps only its beginning.
    Text {
        /// The chunks; their document is the bytes' hash.
        chunks: Vec<Chunk>,
        /// Whether text is left out.
        is_cut: bool,
    },
    /// Nothing that can be used, and why.
    Unreadable(String),
    /// It is not what it seems, and why.
    Refused(String),
}

/// What lies beside the bytes.
#[derive(Serialize, Deserialize)]
struct Remembered {
    reader: u32,
    reading: Reading,
}

/// What a thread's attachments give to a turn.
#[derive(Debug, Default)]
pub struct Attached {
    /// Their text in pieces; the document of each is the attachment.
    pub hits: Vec<Hit>,
    /// Attachments whose text is not all there: the id, and why, for people.
    pub gaps: Vec<(Attachment, String)>,
    /// The right to hold the text; to be kept as long as it is.
    pub place: Option<OwnedSemaphorePermit>,
}

/// Reads the document in an open file. `None` when it takes too long for now.
pub async fn read(attachments: &Attachments, name: &BlobName, file: File, format: &'static Format) -> Option<Reading> {
    // The extension alone: a caller's name has no business in a reader.
    let stand_in = format!("attachment.{}", format.extensions[0]);
    let read = tokio::time::timeout(PATIENCE, attachments.reader.read_open(file, &stand_in)).await.ok()?;
    match read {
        Ok(read) if !Kind::Document(format).was_read_as(&read.parsed.format) => {
            Some(Reading::Refused(format!("its name says {}, its contents are {}", format.name, read.parsed.format)))
        }
        Ok(read) => {
            let name = name.as_str().to_owned();
            // It may be megabytes: no work for an async thread.
            tokio::task::spawn_blocking(move || cut(chunk::chunks(&name, &read.parsed.blocks))).await.ok()
        }
        Err(ReadError::Document(error)) if error.is_passing() => None,
        Err(ReadError::Document(error)) => Some(judged(&error)),
        Err(error @ ReadError::Reader(_)) => {
            log_cause("attachments cannot be read", &error);
            None
        }
    }
}

fn cut(mut chunks: Vec<Chunk>) -> Reading {
    let is_cut = chunks.len() > MAX_CHUNKS;
    chunks.truncate(MAX_CHUNKS);
    Reading::Text { chunks, is_cut }
}

/// What is damaged, or something else than it says, is of no use to anybody; the rest may be to a person.
fn judged(error: &FormatError) -> Reading {
    let why = error.to_string();
    match error {
        FormatError::Malformed(_) | FormatError::Unsupported(_) | FormatError::Empty => Reading::Refused(why),
        _ => Reading::Unreadable(why),
    }
}

/// What these bytes were read as before, by the same reader.
pub async fn known(state: &AppState, name: &BlobName, format: &Format) -> Option<Reading> {
    let derived = state.attachments.blobs.derived(name, &kind_of(format)).await;
    let bytes = derived.unwrap_or_else(|error| {
        log_cause("the text of an attachment is not available", &error);
        None
    })?;
    let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice::<Remembered>(&bytes)).await.ok()?;
    parsed.ok().filter(|remembered| remembered.reader == READER_VERSION).map(|remembered| remembered.reading)
}

/// Remembers what kept bytes were read as. Failing costs another reading.
pub async fn remember(state: &AppState, name: &BlobName, format: &Format, reading: &Reading) {
    let remembered = Remembered { reader: READER_VERSION, reading: reading.clone() };
    let bytes = tokio::task::spawn_blocking(move || serde_json::to_vec(&remembered)).await;
    let Ok(Ok(bytes)) = bytes else {
        tracing::error!("the text of an attachment cannot be written as JSON");
        return;
    };
    match state.attachments.blobs.put_derived(name, &kind_of(format), bytes).await {
        Ok(()) | Err(BlobError::Absent) => {}
        Err(error) => log_cause("the text of an attachment is not remembered", &error),
    }
}

fn kind_of(format: &Format) -> DerivedKind {
    DerivedKind::new(format.extensions[0])
}

/// What the attachments of a thread give to a turn, the newest first: what was attached long ago never takes the place
/// of what a message brings. Equal files count once, and once there is no more room none is read.
pub async fn of_thread(state: &AppState, who: &Principal, thread_id: &str) -> Result<Attached, StoreError> {
    let mut attached = Attached::default();
    let attachments = state.store.thread_attachments(who, thread_id).await?;
    if attachments.is_empty() {
        return Ok(attached);
    }
    let waiting = Arc::clone(&state.attachments.texts).acquire_owned();
    attached.place = tokio::time::timeout(PATIENCE, waiting).await.ok().and_then(Result::ok);
    if attached.place.is_none() {
        attached.gaps.extend(attachments.into_iter().rev().map(|attachment| (attachment, NOT_NOW.to_owned())));
        return Ok(attached);
    }
    let deadline = Instant::now() + PATIENCE;
    let mut seen = HashSet::new();
    for attachment in attachments.into_iter().rev() {
        let (Some(name), Ok(kind)) = (blob_name(&attachment), Kind::by_name(&attachment.name)) else { continue };
        if !seen.insert((name.clone(), kind.media_type())) {
            continue;
        }
        let Kind::Document(format) = kind else {
            let why = "the assistant reads text and does not look at pictures";
            attached.gaps.push((attachment, why.to_owned()));
            continue;
        };
        if attached.hits.len() >= MAX_CHUNKS_OF_THREAD {
            attached.gaps.push((attachment, "there is no room for it beside what was attached later".to_owned()));
            continue;
        }
        match reading_of(state, &name, format, deadline).await {
            Some(Reading::Text { chunks, is_cut }) => add(&mut attached, attachment, chunks, is_cut),
            Some(Reading::Unreadable(why) | Reading::Refused(why)) => attached.gaps.push((attachment, why)),
            None => attached.gaps.push((attachment, NOT_NOW.to_owned())),
        }
    }
    Ok(attached)
}

/// The text of one attachment in pieces, when it has any.
pub async fn of_attachment(state: &AppState, attachment: &Attachment) -> Option<Vec<Chunk>> {
    let (Some(name), Ok(Kind::Document(format))) = (blob_name(attachment), Kind::by_name(&attachment.name)) else {
        return None;
    };
    match reading_of(state, &name, format, Instant::now() + PATIENCE).await {
        Some(Reading::Text { chunks, .. }) => Some(chunks),
        _ => None,
    }
}

/// What is known of the bytes, or else read now, as long as there is time.
async fn reading_of(state: &AppState, name: &BlobName, format: &'static Format, deadline: Instant) -> Option<Reading> {
    if let Some(known) = known(state, name, format).await {
        return Some(known);
    }
    let attachments = &state.attachments;
    let file = attachments.blobs.get(name).await;
    let file = file.inspect_err(|error| log_cause("an attachment's bytes are not available", error)).ok()?;
    let reading = tokio::time::timeout_at(deadline, read(attachments, name, file, format)).await.ok()??;
    let _naming = attachments.naming.read().await;
    remember(state, name, format, &reading).await;
    Some(reading)
}

fn add(attached: &mut Attached, attachment: Attachment, chunks: Vec<Chunk>, is_cut: bool) {
    let room = MAX_CHUNKS_OF_THREAD.saturating_sub(attached.hits.len());
    let is_cut = is_cut || chunks.len() > room;
    attached.hits.extend(chunks.into_iter().take(room).map(|chunk| hit(&attachment, chunk)));
    if is_cut {
        attached.gaps.push((attachment, "it is very long; only its beginning is used".to_owned()));
    }
}

fn hit(attachment: &Attachment, chunk: Chunk) -> Hit {
    Hit {
        chunk: Chunk { document_id: attachment.id.clone(), ..chunk },
        path: attachment.name.clone(),
        title: attachment.name.clone(),
        description: None,
        language: None,
        score: 0.0,
    }
}
