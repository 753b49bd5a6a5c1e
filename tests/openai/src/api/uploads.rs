//! `/uploads`: big files in parts.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use md5::Md5;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::fields::Checked;
use crate::api::{Asked, Fields, Refusal, Reply, files};
use crate::world::{Kept, Ordered, PartBytes, Upload, UploadPart, World};

const PURPOSES: &[&str] = &["assistants", "batch", "fine-tune", "vision"];
/// 8 GB, the largest upload.
const MAX_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// An upload ends after an hour.
const LIVES: u64 = 3_600;

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let fields = asked.fields();
    fields.only(&["filename", "purpose", "bytes", "mime_type", "expires_after"], &[])?;
    let filename = files::base_name(fields.need_string("filename")?).to_owned();
    fields.need_string("purpose")?;
    let purpose = fields.one_of("purpose", PURPOSES)?.unwrap_or_default().to_owned();
    fields.need("bytes")?;
    let bytes = fields.integer("bytes", 1..=MAX_BYTES)?.unwrap_or_default();
    fields.need_string("mime_type")?;
    let file_lives = file_expiry(&fields)?;
    files::limit_uploads(world)?;
    let id = world.id("upload_");
    let created_at = world.unix();
    let upload = Upload {
        filename,
        purpose,
        bytes,
        created_at,
        expires_at: created_at + LIVES,
        file_lives,
        status: "pending",
        parts: Ordered::default(),
        file_id: None,
    };
    world.uploads.put(id.clone(), upload);
    shown(world, &id)
}

pub(crate) fn add_part(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0).to_owned();
    let form = std::mem::take(&mut asked.form);
    pending(world, &id)?;
    if let Some(refusal) = form.refused {
        return Err(refusal);
    }
    if let Some((name, _)) = form.texts.first() {
        return Err(Refusal::unknown(name));
    }
    let file = form.file.filter(|file| file.field == "data").ok_or_else(|| Refusal::missing("data"))?;
    let part_id = world.id("part_");
    let created_at = world.unix();
    let part = UploadPart { bytes: file.kept.bytes, content: file.part.unwrap_or(PartBytes::Memory(Vec::new())) };
    let upload = pending(world, &id)?;
    let sent: u64 = upload.parts.iter().map(|(_, part)| part.bytes).sum();
    if sent + part.bytes > upload.bytes {
        return Err(Refusal::value("data", "the parts hold more bytes than the upload was announced with"));
    }
    upload.parts.put(part_id.clone(), part);
    Ok(Reply::Json(json!({"id": part_id, "object": "upload.part", "created_at": created_at, "upload_id": id})))
}

pub(crate) fn complete(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    let fields = asked.fields();
    fields.only(&["part_ids", "md5"], &[])?;
    fields.need("part_ids")?;
    let part_ids = fields.strings("part_ids", 1..=usize::MAX)?.unwrap_or_default();
    let md5 = fields.string("md5")?;
    let spill = !world.rules.keep_bytes;
    let max = world.rules.max_file_bytes;
    let upload = pending(world, id)?;
    check_parts(upload, &part_ids, max)?;
    let (kept, found) = joined(upload, &part_ids, spill)?;
    if md5.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&found)) {
        return Err(Refusal::value("md5", "it is not the checksum of the parts"));
    }
    let (filename, purpose, lives) = (upload.filename.clone(), upload.purpose.clone(), upload.file_lives);
    upload.status = "completed";
    upload.parts = Ordered::default();
    let file_id = files::add(world, filename, purpose, lives, kept);
    if let Some(upload) = world.uploads.get_mut(id) {
        upload.file_id = Some(file_id);
    }
    shown(world, id)
}

pub(crate) fn cancel(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let upload = pending(world, asked.param(0))?;
    upload.status = "cancelled";
    upload.parts = Ordered::default();
    shown(world, asked.param(0))
}

fn file_expiry(fields: &Fields<'_>) -> Checked<Option<u64>> {
    let Some(expiry) = fields.object("expires_after")? else { return Ok(None) };
    expiry.only(&["anchor", "seconds"], &[])?;
    expiry.need("anchor")?;
    expiry.one_of("anchor", &["created_at"])?;
    expiry.need("seconds")?;
    expiry.integer("seconds", 3_600..=2_592_000)
}

/// The upload, if it still takes parts.
fn pending<'a>(world: &'a mut World, id: &str) -> Checked<&'a mut Upload> {
    let now = world.unix();
    let upload = world.uploads.get_mut(id).ok_or_else(|| Refusal::not_found("upload", id))?;
    if upload.status == "pending" && upload.expires_at <= now {
        upload.status = "expired";
        upload.parts = Ordered::default();
    }
    if upload.status == "pending" {
        return Ok(upload);
    }
    Err(Refusal::value("upload_id", &format!("this upload is {}", upload.status)))
}

fn check_parts(upload: &Upload, part_ids: &[&str], max: u64) -> Checked<()> {
    let mut bytes = 0;
    for (at, part_id) in part_ids.iter().enumerate() {
        let part = upload.parts.get(part_id).ok_or_else(|| Refusal::not_found("part", part_id))?;
        if part_ids[..at].contains(part_id) {
            return Err(Refusal::value("part_ids", &format!("'{part_id}' stands there twice")));
        }
        bytes += part.bytes;
    }
    if bytes != upload.bytes {
        let why = format!("the parts hold {bytes} bytes, the upload was announced with {}", upload.bytes);
        return Err(Refusal::value("part_ids", &why));
    }
    if bytes > max && upload.purpose == "assistants" {
        return Err(Refusal::too_large("File is too large."));
    }
    Ok(())
}

/// Joins the parts in this order; gives what is kept of them, and their MD5.
fn joined(upload: &mut Upload, part_ids: &[&str], spill: bool) -> Checked<(Kept, String)> {
    let (mut sha, mut md5, mut text) = (Sha256::new(), Md5::new(), TextCheck::default());
    let mut content = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    for part_id in part_ids {
        let Some(part) = upload.parts.get_mut(part_id) else { continue };
        let mut take = |bytes: &[u8]| {
            sha.update(bytes);
            md5.update(bytes);
            text.take(bytes);
            if !spill {
                content.extend_from_slice(bytes);
            }
        };
        match &mut part.content {
            PartBytes::Memory(bytes) => take(bytes),
            PartBytes::Spilled(file) => {
                file.seek(SeekFrom::Start(0)).map_err(|_| Refusal::server(500))?;
                loop {
                    let read = file.read(&mut buffer).map_err(|_| Refusal::server(500))?;
                    if read == 0 {
                        break;
                    }
                    take(&buffer[..read]);
                }
            }
        }
    }
    let kept = Kept {
        bytes: upload.bytes,
        sha256: hex(&sha.finalize()),
        is_text: text.is_text(),
        content: (!spill).then(|| Arc::from(content)),
    };
    Ok((kept, hex(&md5.finalize())))
}

fn shown(world: &World, id: &str) -> Checked<Reply> {
    let upload = world.uploads.get(id).ok_or_else(|| Refusal::not_found("upload", id))?;
    let file = upload.file_id.as_ref().and_then(|id| Some(files::shown(id, world.files.get(id)?)));
    Ok(Reply::Json(json!({
        "id": id,
        "object": "upload",
        "bytes": upload.bytes,
        "created_at": upload.created_at,
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": upload.status,
        "expires_at": upload.expires_at,
        "file": file.unwrap_or(Value::Null),
    })))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Says of bytes that come in pieces whether they are text: UTF-8, or UTF-16 with its mark.
#[derive(Debug, Default)]
pub(crate) struct TextCheck {
    /// The beginning of a character that a piece ended in.
    rest: Vec<u8>,
    seen: u64,
    broken: bool,
    is_utf16: bool,
}

impl TextCheck {
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        if self.seen == 0 {
            self.is_utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
        }
        self.seen += bytes.len() as u64;
        if self.broken || self.is_utf16 {
            return;
        }
        self.rest.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                self.broken = true;
                0
            }
        };
        self.rest.drain(..valid);
        if self.broken {
            self.rest = Vec::new();
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.is_utf16 || !self.broken && self.rest.is_empty()
    }
}
