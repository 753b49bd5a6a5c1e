//! `/conversations`: turns kept by the service.

use serde_json::{Value, json};

use crate::api::fields::Checked;
use crate::api::responses::input;
use crate::api::{Asked, Refusal, Reply, shapes};
use crate::world::{Conversation, Ordered, World, or_null};

const MAX_ITEMS: usize = 20;

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let fields = asked.fields();
    fields.only(&[], &["items", "metadata"])?;
    let metadata = Value::Object(shapes::metadata(&fields)?);
    let items = input::list(&fields, "items", 0..=MAX_ITEMS)?;
    let id = world.id("conv_");
    let conversation = Conversation { created_at: world.unix(), metadata, items: Ordered::default() };
    world.conversations.put(id.clone(), conversation);
    append(world, &id, items);
    shown(world, &id)
}

pub(crate) fn get(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    shown(world, asked.param(0))
}

pub(crate) fn update(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    let fields = asked.fields();
    fields.only(&[], &["metadata"])?;
    if !fields.map().contains_key("metadata") {
        return Err(Refusal::missing("metadata"));
    }
    let metadata = Value::Object(shapes::metadata(&fields)?);
    if let Some(conversation) = world.conversations.get_mut(id) {
        conversation.metadata = metadata;
    }
    shown(world, id)
}

pub(crate) fn delete(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    world.conversations.remove(id).ok_or_else(|| Refusal::not_found("conversation", id))?;
    Ok(Reply::Json(json!({"id": id, "object": "conversation.deleted", "deleted": true})))
}

pub(crate) fn items(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    asked.query.only(&["limit", "order", "after", "include"])?;
    let paging = asked.query.paging(20, 100, asked.pages_shift)?;
    let conversation = here(world, asked.param(0))?;
    paging.page(conversation.items.iter(), |_, item| item.clone()).map(Reply::Json)
}

pub(crate) fn add_items(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    here(world, id)?;
    let fields = asked.fields();
    fields.only(&["items"], &[])?;
    fields.need("items")?;
    let items = input::list(&fields, "items", 1..=MAX_ITEMS)?;
    let added = append(world, id, items);
    let ends = |item: Option<&Value>| or_null(item.map(|item| item["id"].clone()));
    Ok(Reply::Json(json!({
        "object": "list",
        "first_id": ends(added.first()),
        "last_id": ends(added.last()),
        "has_more": false,
        "data": added,
    })))
}

/// Puts items at the end, each under an id.
pub(crate) fn append(world: &mut World, id: &str, items: Vec<Value>) -> Vec<Value> {
    let with_ids: Vec<Value> = items
        .into_iter()
        .map(|mut item| {
            if !item["id"].is_string() {
                item["id"] = world.id("msg_").into();
            }
            item
        })
        .collect();
    if let Some(conversation) = world.conversations.get_mut(id) {
        for item in &with_ids {
            conversation.items.put(item["id"].as_str().unwrap_or_default().to_owned(), item.clone());
        }
    }
    with_ids
}

fn here<'a>(world: &'a World, id: &str) -> Checked<&'a Conversation> {
    world.conversations.get(id).ok_or_else(|| Refusal::not_found("conversation", id))
}

fn shown(world: &World, id: &str) -> Checked<Reply> {
    let conversation = here(world, id)?;
    Ok(Reply::Json(json!({
        "id": id,
        "object": "conversation",
        "created_at": conversation.created_at,
        "metadata": conversation.metadata,
    })))
}
