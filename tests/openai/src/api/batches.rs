//! `/vector_stores/{id}/file_batches`: many files attached at once.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::api::fields::Checked;
use crate::api::{Asked, Fields, Refusal, Reply, shapes, store_files, stores};
use crate::world::{Batch, World};

const MAX_FILES: usize = 2_000;

type Attachment = (String, Map<String, Value>, Value);

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let store_id = asked.param(0);
    let attachments = attachments(&asked.fields())?;
    stores::usable(world, store_id)?;
    for (file_id, _, _) in &attachments {
        store_files::attachable(world, file_id)?;
    }
    store_files::limit_writes(world, store_id, attachments.len())?;
    let id = world.id("vsfb_");
    let files = attachments.iter().map(|(file_id, _, _)| file_id.clone()).collect();
    for (file_id, attributes, chunking) in attachments {
        store_files::add(world, store_id, &file_id, attributes, chunking)?;
    }
    let created_at = world.unix();
    world.batches.put(id.clone(), Batch { store_id: store_id.to_owned(), created_at, files, cancelled: false });
    shown(world, store_id, &id)
}

pub(crate) fn get(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let (store_id, id) = (asked.param(0), asked.param(1));
    let reply = shown(world, store_id, id)?;
    let files: HashSet<String> = here(world, store_id, id)?.files.iter().cloned().collect();
    store_files::look(world, store_id, |file_id| files.contains(file_id));
    Ok(reply)
}

pub(crate) fn cancel(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let (store_id, id) = (asked.param(0), asked.param(1));
    let files = here(world, store_id, id)?.files.clone();
    if let Some(store) = world.stores.get_mut(store_id) {
        for file_id in &files {
            if let Some(entry) = store.files.get_mut(file_id) {
                entry.ingestion.cancel();
            }
        }
    }
    if let Some(batch) = world.batches.get_mut(id) {
        batch.cancelled = true;
    }
    shown(world, store_id, id)
}

pub(crate) fn files(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let (store_id, id) = (asked.param(0), asked.param(1));
    let files = here(world, store_id, id)?.files.iter().cloned().collect();
    store_files::listing(world, asked, store_id, Some(&files))
}

fn here<'a>(world: &'a World, store_id: &str, id: &str) -> Checked<&'a Batch> {
    stores::here(world, store_id)?;
    let batch = world.batches.get(id).filter(|batch| batch.store_id == store_id);
    batch.ok_or_else(|| Refusal::not_found("vector store file batch", id))
}

/// What is to be attached, out of either form of the body.
fn attachments(fields: &Fields<'_>) -> Checked<Vec<Attachment>> {
    fields.only(&["file_ids", "files", "chunking_strategy"], &["attributes"])?;
    let common = (shapes::attributes(fields)?, shapes::chunking(fields)?);
    let ids = fields.strings("file_ids", 1..=MAX_FILES)?;
    let files = fields.array("files", 1..=MAX_FILES)?;
    match (ids, files) {
        (Some(_), Some(_)) => Err(Refusal::exclusive("file_ids", "files")),
        (None, None) => Err(Refusal::missing("file_ids")),
        (Some(ids), None) => {
            Ok(ids.into_iter().map(|id| (id.to_owned(), common.0.clone(), common.1.clone())).collect())
        }
        (None, Some(files)) => {
            let places = files.iter().enumerate();
            places.map(|(at, file)| attachment(&Fields::at(file, &format!("files[{at}]"))?)).collect()
        }
    }
}

fn attachment(fields: &Fields<'_>) -> Checked<Attachment> {
    fields.only(&["file_id", "chunking_strategy"], &["attributes"])?;
    let file_id = fields.need_string("file_id")?.to_owned();
    Ok((file_id, shapes::attributes(fields)?, shapes::chunking(fields)?))
}

fn shown(world: &World, store_id: &str, id: &str) -> Checked<Reply> {
    let batch = here(world, store_id, id)?;
    let store = stores::here(world, store_id)?;
    // A file that was detached meanwhile takes no part any more.
    let status = |file_id: &String| store.attached(file_id).map_or("cancelled", |entry| entry.ingestion.status());
    let counts = store_files::counts(batch.files.iter().map(status));
    let state = if batch.cancelled {
        "cancelled"
    } else if counts["in_progress"] != 0 {
        "in_progress"
    } else if counts["failed"] == counts["total"] {
        "failed"
    } else {
        "completed"
    };
    Ok(Reply::Json(json!({
        "id": id,
        "object": "vector_store.files_batch",
        "created_at": batch.created_at,
        "vector_store_id": store_id,
        "status": state,
        "file_counts": counts,
    })))
}
