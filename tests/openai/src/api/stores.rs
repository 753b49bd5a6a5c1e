//! `/vector_stores`: create, list, show, update, delete.

use serde_json::{Value, json};

use crate::api::fields::Checked;
use crate::api::{Asked, Refusal, Reply, shapes, store_files};
use crate::world::{Store, World, or_null};

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let fields = asked.fields();
    let known = &["file_ids", "name", "description", "expires_after", "chunking_strategy"];
    fields.only(known, &["metadata"])?;
    let file_ids = fields.strings("file_ids", 0..=500)?.unwrap_or_default();
    let store = Store {
        name: fields.string("name")?.unwrap_or_default().to_owned(),
        description: fields.string("description")?.map(str::to_owned),
        metadata: shapes::metadata(&fields)?,
        created_at: world.unix(),
        last_active_at: world.unix(),
        expires_after_days: shapes::store_expiry(&fields)?,
        ..Store::default()
    };
    let chunking = shapes::chunking(&fields)?;
    for id in &file_ids {
        store_files::attachable(world, id)?;
    }
    store_files::limit_attached(world, file_ids.len())?;
    let id = world.id("vs_");
    world.stores.put(id.clone(), store);
    for file_id in file_ids {
        store_files::add(world, &id, file_id, serde_json::Map::new(), chunking.clone())?;
    }
    Ok(Reply::Json(shown(world, &id)))
}

pub(crate) fn list(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    asked.query.only(&["limit", "order", "after", "before"])?;
    let paging = asked.query.paging(20, 100, asked.pages_shift)?;
    let ids: Vec<String> = world.stores.iter().map(|(id, _)| id.to_owned()).collect();
    let objects: Vec<(String, Value)> = ids.into_iter().map(|id| (id.clone(), shown(world, &id))).collect();
    let entries = objects.iter().map(|(id, object)| (id.as_str(), object));
    paging.page(entries, |_, object| object.clone()).map(Reply::Json)
}

pub(crate) fn get(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    here(world, id)?;
    let shown = shown(world, id);
    store_files::look(world, id, |_| true);
    Ok(Reply::Json(shown))
}

pub(crate) fn update(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    here(world, id)?;
    let fields = asked.fields();
    fields.only(&[], &["name", "expires_after", "metadata"])?;
    let name = fields.string("name")?;
    let metadata = shapes::metadata(&fields)?;
    let days = shapes::store_expiry(&fields)?;
    let now = world.unix();
    if let Some(store) = world.stores.get_mut(id) {
        if let Some(name) = name {
            name.clone_into(&mut store.name);
        }
        if fields.map().contains_key("metadata") {
            store.metadata = metadata;
        }
        if fields.map().contains_key("expires_after") {
            store.expires_after_days = days;
        }
        store.last_active_at = now;
    }
    Ok(Reply::Json(shown(world, id)))
}

pub(crate) fn delete(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    here(world, id)?;
    let until = world.now() + world.delete_lag();
    if let Some(store) = world.stores.get_mut(id) {
        store.gone = Some(until);
    }
    world.settle();
    Ok(Reply::Json(json!({"id": id, "object": "vector_store.deleted", "deleted": true})))
}

/// A store that is not deleted.
pub(crate) fn here<'a>(world: &'a World, id: &str) -> Checked<&'a Store> {
    let store = world.stores.get(id).filter(|store| store.gone.is_none());
    store.ok_or_else(|| Refusal::not_found("vector store", id))
}

/// A store that is neither deleted nor expired.
pub(crate) fn usable(world: &mut World, id: &str) -> Checked<()> {
    here(world, id)?;
    if world.is_expired(id) {
        return Err(Refusal::value("vector_store_id", &format!("the vector store '{id}' is expired")));
    }
    Ok(())
}

/// Notes that a store was used, which puts off its end.
pub(crate) fn touch(world: &mut World, id: &str) {
    let now = world.unix();
    if let Some(store) = world.stores.get_mut(id) {
        store.last_active_at = now;
    }
}

/// The object of a store.
pub(crate) fn shown(world: &mut World, id: &str) -> Value {
    let expired = world.is_expired(id);
    let Some(store) = world.stores.get(id) else { return Value::Null };
    let counts = store_files::counts(store.entries().map(|(_, entry)| entry.ingestion.status()));
    let completed = store.entries().filter(|(_, entry)| entry.ingestion.is_completed());
    let usage: u64 = completed.map(|(_, entry)| entry.bytes).sum();
    json!({
        "id": id,
        "object": "vector_store",
        "created_at": store.created_at,
        "name": store.name,
        "description": store.description,
        "usage_bytes": usage,
        "file_counts": counts,
        "status": store.status(expired),
        "expires_after": or_null(store.expires_after_days.map(|days| json!({"anchor": "last_active_at", "days": days}))),
        "expires_at": or_null(store.expires_at()),
        "last_active_at": store.last_active_at,
        "metadata": store.metadata,
    })
}
