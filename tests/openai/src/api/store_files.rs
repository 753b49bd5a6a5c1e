//! `/vector_stores/{id}/files`: attach, list, show, update, detach, contents.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::api::fields::Checked;
use crate::api::{Asked, Refusal, Reply, files, search, shapes, stores};
use crate::fault::Act;
use crate::world::{Attached, Ingestion, StoredFile, World};

/// The kinds the service reads, and whether they are text.
const KINDS: &[(&str, bool)] = &[
    ("c", true),
    ("cpp", true),
    ("cs", true),
    ("css", true),
    ("doc", false),
    ("docx", false),
    ("go", true),
    ("html", true),
    ("java", true),
    ("js", true),
    ("json", true),
    ("md", true),
    ("pdf", false),
    ("php", true),
    ("pptx", false),
    ("py", true),
    ("rb", true),
    ("sh", true),
    ("tex", true),
    ("ts", true),
    ("txt", true),
];
/// What files may be for if they are to be searched.
const PURPOSES: &[&str] = &["assistants", "user_data"];
const STATUSES: &[&str] = &["in_progress", "completed", "failed", "cancelled"];

pub(crate) fn attach(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let store_id = asked.param(0);
    let fields = asked.fields();
    fields.only(&["file_id", "chunking_strategy"], &["attributes"])?;
    let file_id = fields.need_string("file_id")?;
    let attributes = shapes::attributes(&fields)?;
    let chunking = shapes::chunking(&fields)?;
    stores::usable(world, store_id)?;
    attachable(world, file_id)?;
    if world.rules.refuse_unsupported_on_attach && kind(&files::here(world, file_id)?.filename).is_none() {
        return Err(Refusal::bad("unsupported_file", "file_id", "This file type is not supported for retrieval."));
    }
    limit_writes(world, store_id, 1)?;
    add(world, store_id, file_id, attributes, chunking)?;
    one(world, store_id, file_id)
}

pub(crate) fn list(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let store_id = asked.param(0).to_owned();
    stores::here(world, &store_id)?;
    listing(world, asked, &store_id, None)
}

pub(crate) fn get(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let (store_id, file_id) = (asked.param(0), asked.param(1));
    stores::here(world, store_id)?;
    let reply = one(world, store_id, file_id)?;
    look(world, store_id, |id| id == file_id);
    Ok(reply)
}

pub(crate) fn update(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let (store_id, file_id) = (asked.param(0), asked.param(1));
    stores::usable(world, store_id)?;
    let fields = asked.fields();
    fields.only(&[], &["attributes"])?;
    if !fields.map().contains_key("attributes") {
        return Err(Refusal::missing("attributes"));
    }
    let attributes = shapes::attributes(&fields)?;
    one(world, store_id, file_id)?;
    if let Some(entry) = world.stores.get_mut(store_id).and_then(|store| store.files.get_mut(file_id)) {
        entry.attributes = attributes;
    }
    stores::touch(world, store_id);
    one(world, store_id, file_id)
}

pub(crate) fn detach(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let (store_id, file_id) = (asked.param(0), asked.param(1));
    stores::here(world, store_id)?;
    one(world, store_id, file_id)?;
    let until = world.now() + world.delete_lag();
    if let Some(entry) = world.stores.get_mut(store_id).and_then(|store| store.files.get_mut(file_id)) {
        entry.gone = Some(until);
    }
    stores::touch(world, store_id);
    world.watch(store_id);
    world.settle();
    Ok(Reply::Json(json!({"id": file_id, "object": "vector_store.file.deleted", "deleted": true})))
}

pub(crate) fn content(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let (store_id, file_id) = (asked.param(0), asked.param(1));
    let entry = stores::here(world, store_id)?.attached(file_id);
    entry.ok_or_else(|| Refusal::not_found("file", file_id))?;
    let kept = &files::here(world, file_id)?.kept;
    let texts = search::windows(kept.content.as_deref().unwrap_or_default());
    let data: Vec<Value> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
    let page = json!({
        "object": "vector_store.file_content.page",
        "data": data,
        "has_more": false,
        "next_page": null,
    });
    Ok(Reply::Json(page))
}

/// A page of the files of a store, or of those among `ids`. Whoever looks sees what is under way once more as it was.
pub(crate) fn listing(
    world: &mut World,
    asked: &Asked,
    store_id: &str,
    ids: Option<&HashSet<String>>,
) -> Checked<Reply> {
    asked.query.only(&["limit", "order", "after", "before", "filter"])?;
    let filter = asked.query.one_of("filter", STATUSES)?;
    let paging = asked.query.paging(20, 100, asked.pages_shift)?;
    let among = |id: &str| ids.is_none_or(|ids| ids.contains(id));
    let store = stores::here(world, store_id)?;
    let entries = store
        .files
        .iter()
        .filter(|(id, entry)| filter.is_none_or(|wanted| entry.ingestion.status() == wanted) && among(id));
    let page = paging.page(entries, |id, entry| shown(store_id, id, entry))?;
    let listed: Vec<&str> = page["data"].as_array().into_iter().flatten().filter_map(|e| e["id"].as_str()).collect();
    look(world, store_id, |id| listed.contains(&id));
    Ok(Reply::Json(page))
}

/// Attaches a file, or attaches it anew in its place.
pub(crate) fn add(
    world: &mut World,
    store_id: &str,
    file_id: &str,
    attributes: Map<String, Value>,
    chunking: Value,
) -> Checked<()> {
    let file = files::here(world, file_id)?;
    let (filename, bytes, fails) = (file.filename.clone(), file.kept.bytes, verdict(file));
    let struck = |matching: &str| {
        filename.contains(matching) || attributes.values().any(|v| v.as_str().is_some_and(|v| v.contains(matching)))
    };
    let fails = match world.armed.state(|act| matches!(act, Act::FileFails { matching, .. } if struck(matching))) {
        Some(Act::FileFails { code, message, .. }) => Some((code, message)),
        _ => fails,
    };
    let stuck = match world.armed.state(|act| matches!(act, Act::FileStuck { matching, .. } if struck(matching))) {
        Some(Act::FileStuck { until_attached_again: true, .. }) => world.stuck_once.insert(file_id.to_owned()),
        other => other.is_some(),
    };
    let ingestion = Ingestion::begin(world.now(), world.rules.ingestion, fails, stuck);
    let created_at = world.unix();
    let entry = Attached { filename, created_at, attributes, chunking, ingestion, bytes, gone: None };
    if let Some(store) = world.stores.get_mut(store_id) {
        store.files.remove_if(file_id, |entry| entry.gone.is_some());
        store.files.put(file_id.to_owned(), entry);
    }
    stores::touch(world, store_id);
    world.watch(store_id);
    Ok(())
}

/// Takes one write of this store and so many attached files from the minute's.
pub(crate) fn limit_writes(world: &mut World, store_id: &str, files: usize) -> Checked<()> {
    let now = world.now();
    if let Some(limit) = world.rules.store_writes_per_minute {
        world.rates.take(store_id, 1, limit, now).map_err(|wait| Refusal::rate_limited(Some(wait)))?;
    }
    limit_attached(world, files)
}

/// Takes so many attached files from the minute's.
pub(crate) fn limit_attached(world: &mut World, files: usize) -> Checked<()> {
    if files == 0 {
        return Ok(());
    }
    let now = world.now();
    if let Some(limit) = world.rules.attached_per_minute {
        let files = u32::try_from(files).unwrap_or(u32::MAX);
        world.rates.take("attached", files, limit, now).map_err(|wait| Refusal::rate_limited(Some(wait)))?;
    }
    Ok(())
}

/// Checks that a file may be attached at all.
pub(crate) fn attachable(world: &World, file_id: &str) -> Checked<()> {
    let purpose = files::here(world, file_id)?.purpose.as_str();
    if PURPOSES.contains(&purpose) {
        return Ok(());
    }
    Err(Refusal::value("file_id", &format!("files of purpose {purpose} cannot be searched")))
}

/// How many are in each state.
pub(crate) fn counts<'a>(statuses: impl Iterator<Item = &'a str>) -> Value {
    let mut counts = [0_u64; 4];
    let mut total = 0_u64;
    for status in statuses {
        total += 1;
        if let Some(at) = STATUSES.iter().position(|known| *known == status) {
            counts[at] += 1;
        }
    }
    let [in_progress, completed, failed, cancelled] = counts;
    json!({
        "in_progress": in_progress,
        "completed": completed,
        "failed": failed,
        "cancelled": cancelled,
        "total": total,
    })
}

/// Notes that somebody has seen these files under way.
pub(crate) fn look(world: &mut World, store_id: &str, seen: impl Fn(&str) -> bool) {
    if let Some(store) = world.stores.get_mut(store_id) {
        let entries = store.files.iter_mut().filter(|(id, _)| seen(id));
        entries.for_each(|(_, entry)| entry.ingestion.look());
    }
}

fn one(world: &World, store_id: &str, file_id: &str) -> Checked<Reply> {
    let entry = stores::here(world, store_id)?.attached(file_id);
    let entry = entry.ok_or_else(|| Refusal::not_found("file", file_id))?;
    Ok(Reply::Json(shown(store_id, file_id, entry)))
}

fn shown(store_id: &str, id: &str, entry: &Attached) -> Value {
    let error = entry.ingestion.error().map(|(code, message)| json!({"code": code, "message": message}));
    json!({
        "id": id,
        "object": "vector_store.file",
        "usage_bytes": if entry.ingestion.is_completed() { entry.bytes } else { 0 },
        "created_at": entry.created_at,
        "vector_store_id": store_id,
        "status": entry.ingestion.status(),
        "last_error": error.unwrap_or(Value::Null),
        "chunking_strategy": entry.chunking,
        "attributes": entry.attributes,
    })
}

/// Whether the service reads files with this name's extension, and as text.
fn kind(filename: &str) -> Option<bool> {
    let extension = filename.rsplit_once('.')?.1.to_ascii_lowercase();
    KINDS.iter().find(|(known, _)| *known == extension).map(|(_, is_text)| *is_text)
}

/// Code and message of the failure this file comes to.
fn verdict(file: &StoredFile) -> Option<(String, String)> {
    let failure = match kind(&file.filename) {
        None => ("unsupported_file", "The file type is not supported."),
        Some(_) if file.kept.bytes == 0 => ("invalid_file", "The file is empty."),
        Some(true) if !file.kept.is_text => ("invalid_file", "The file could not be decoded as text."),
        Some(_) => return None,
    };
    Some((failure.0.to_owned(), failure.1.to_owned()))
}
