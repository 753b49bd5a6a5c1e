//! `/files`: upload, list, show, delete, contents.

use serde_json::{Value, json};

use crate::api::fields::{Checked, in_range};
use crate::api::{Asked, Form, Refusal, Reply};
use crate::world::{Kept, StoredFile, World};

const PURPOSES: &[&str] = &["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];
/// Files for batches end by themselves after 30 days.
const BATCH_LIVES: u64 = 30 * 86_400;

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let form = std::mem::take(&mut asked.form);
    let purpose = checked_purpose(&form)?;
    let lives = checked_expiry(&form)?.or((purpose == "batch").then_some(BATCH_LIVES));
    let file = form.file.filter(|file| file.field == "file").ok_or_else(|| Refusal::missing("file"))?;
    let filename = file.filename.as_deref().map(base_name).filter(|name| !name.is_empty());
    let filename = filename.ok_or_else(|| Refusal::value("file", "it needs a file name"))?.to_owned();
    limit_uploads(world)?;
    let id = add(world, filename, purpose, lives, file.kept);
    Ok(Reply::Json(world.files.get(&id).map_or(Value::Null, |file| shown(&id, file))))
}

pub(crate) fn list(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    asked.query.only(&["purpose", "limit", "order", "after"])?;
    let purpose = asked.query.get("purpose").map(str::to_owned);
    let paging = asked.query.paging(10_000, 10_000, asked.pages_shift)?;
    let files = world.files.iter().filter(|(_, file)| purpose.as_ref().is_none_or(|wanted| *wanted == file.purpose));
    paging.page(files, shown).map(Reply::Json)
}

pub(crate) fn get(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let file = here(world, asked.param(0))?;
    Ok(Reply::Json(shown(asked.param(0), file)))
}

pub(crate) fn delete(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    here(world, id)?;
    world.delete_file(id);
    Ok(Reply::Json(json!({"id": id, "object": "file", "deleted": true})))
}

pub(crate) fn content(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let file = here(world, asked.param(0))?;
    if file.purpose == "assistants" {
        return Err(Refusal::malformed("Not allowed to download files of purpose: assistants"));
    }
    Ok(Reply::Bytes(file.kept.content.as_deref().unwrap_or_default().to_vec()))
}

/// A file that is not deleted.
pub(crate) fn here<'a>(world: &'a World, id: &str) -> Checked<&'a StoredFile> {
    world.files.get(id).filter(|file| file.is_here()).ok_or_else(|| Refusal::not_found("file", id))
}

/// Keeps a new file; gives its id.
pub(crate) fn add(world: &mut World, filename: String, purpose: String, lives: Option<u64>, kept: Kept) -> String {
    let id = world.id("file-");
    let created_at = world.unix();
    let expires_at = lives.map(|seconds| created_at + seconds);
    world.put_file(id.clone(), StoredFile { filename, purpose, created_at, expires_at, kept, gone: None });
    id
}

/// The object of a file.
pub(crate) fn shown(id: &str, file: &StoredFile) -> Value {
    let mut shown = json!({
        "id": id,
        "object": "file",
        "bytes": file.kept.bytes,
        "created_at": file.created_at,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
    });
    if let Some(at) = file.expires_at {
        shown["expires_at"] = at.into();
    }
    shown
}

/// Takes one upload from the minute's.
pub(crate) fn limit_uploads(world: &mut World) -> Checked<()> {
    let Some(limit) = world.rules.uploads_per_minute else { return Ok(()) };
    let now = world.now();
    world.rates.take("uploads", 1, limit, now).map_err(|wait| Refusal::rate_limited(Some(wait)))
}

/// The last part of a name, as the service keeps it.
pub(crate) fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn checked_purpose(form: &Form) -> Checked<String> {
    const FIELDS: &[&str] = &["purpose", "expires_after[anchor]", "expires_after[seconds]"];
    if let Some(refusal) = &form.refused {
        return Err(refusal.clone());
    }
    if let Some((name, _)) = form.texts.iter().find(|(name, _)| !FIELDS.contains(&name.as_str())) {
        return Err(Refusal::unknown(name));
    }
    let purpose = text(form, "purpose").ok_or_else(|| Refusal::missing("purpose"))?;
    if !PURPOSES.contains(&purpose) {
        return Err(Refusal::value("purpose", &format!("supported are {}", PURPOSES.join(", "))));
    }
    Ok(purpose.to_owned())
}

fn checked_expiry(form: &Form) -> Checked<Option<u64>> {
    let (anchor, seconds) = (text(form, "expires_after[anchor]"), text(form, "expires_after[seconds]"));
    match (anchor, seconds) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Refusal::missing("expires_after[anchor]")),
        (Some(_), None) => Err(Refusal::missing("expires_after[seconds]")),
        (Some("created_at"), Some(seconds)) => {
            let name = "expires_after[seconds]";
            let seconds = seconds.parse().map_err(|_| Refusal::wrong_type(name, "an integer"))?;
            in_range(name, seconds, 3_600..=2_592_000).map(Some)
        }
        (Some(_), Some(_)) => Err(Refusal::value("expires_after[anchor]", "supported is created_at")),
    }
}

fn text<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.texts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
