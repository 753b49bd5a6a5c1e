//! Shapes that several calls share: attributes, metadata, chunking, expiry, filters.

use serde_json::{Map, Value, json};

use crate::api::fields::{Checked, Fields};
use crate::api::refusal::Refusal;

const MAX_PAIRS: usize = 16;
const MAX_KEY: usize = 64;
const MAX_VALUE: usize = 512;
const MAX_FILTER_DEPTH: usize = 16;

/// `attributes`: at most 16, keys of 64 characters, values strings of 512 characters, numbers or booleans.
pub(crate) fn attributes(fields: &Fields<'_>) -> Checked<Map<String, Value>> {
    pairs(fields, "attributes", |value| value.is_string() || value.is_number() || value.is_boolean())
}

/// `metadata`: the same with strings only.
pub(crate) fn metadata(fields: &Fields<'_>) -> Checked<Map<String, Value>> {
    pairs(fields, "metadata", Value::is_string)
}

fn pairs(fields: &Fields<'_>, field: &str, allowed: fn(&Value) -> bool) -> Checked<Map<String, Value>> {
    let Some(object) = fields.object(field)? else { return Ok(Map::new()) };
    let name = fields.name(field);
    if object.map().len() > MAX_PAIRS {
        let message = format!("Invalid '{name}': too many properties. Expected at most {MAX_PAIRS}.");
        return Err(Refusal::bad("object_above_max_properties", &name, message));
    }
    for (key, value) in object.map() {
        let place = format!("{name}.{key}");
        if key.chars().count() > MAX_KEY {
            let message = format!("Invalid '{name}': a key is longer than {MAX_KEY} characters.");
            return Err(Refusal::bad("string_above_max_length", &name, message));
        }
        if !allowed(value) {
            return Err(Refusal::wrong_type(&place, "another type"));
        }
        if value.as_str().is_some_and(|text| text.chars().count() > MAX_VALUE) {
            let message = format!("Invalid '{place}': string too long. Expected at most {MAX_VALUE} characters.");
            return Err(Refusal::bad("string_above_max_length", &place, message));
        }
    }
    Ok(object.map().clone())
}

/// `chunking_strategy`, as answers show it.
pub(crate) fn chunking(fields: &Fields<'_>) -> Checked<Value> {
    let auto = json!({"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}});
    let Some(strategy) = fields.object("chunking_strategy")? else { return Ok(auto) };
    strategy.need("type")?;
    if strategy.one_of("type", &["auto", "static"])? == Some("auto") {
        strategy.only(&["type"], &[])?;
        return Ok(auto);
    }
    strategy.only(&["type", "static"], &[])?;
    strategy.need("static")?;
    let Some(sizes) = strategy.object("static")? else { return Ok(auto) };
    sizes.only(&["max_chunk_size_tokens", "chunk_overlap_tokens"], &[])?;
    sizes.need("max_chunk_size_tokens")?;
    sizes.need("chunk_overlap_tokens")?;
    let size = sizes.integer("max_chunk_size_tokens", 100..=4096)?.unwrap_or(800);
    let overlap = sizes.integer("chunk_overlap_tokens", 0..=4096)?.unwrap_or(400);
    if overlap > size / 2 {
        return Err(Refusal::value(&sizes.name("chunk_overlap_tokens"), "it exceeds half of the chunk size"));
    }
    Ok(json!({"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}))
}

/// `expires_after` of a store, in days.
pub(crate) fn store_expiry(fields: &Fields<'_>) -> Checked<Option<u64>> {
    let Some(expiry) = fields.object("expires_after")? else { return Ok(None) };
    expiry.only(&["anchor", "days"], &[])?;
    expiry.need("anchor")?;
    expiry.need("days")?;
    expiry.one_of("anchor", &["last_active_at"])?;
    expiry.integer("days", 1..=365)
}

/// Checks a filter and everything in it.
pub(crate) fn filter(value: &Value, place: &str) -> Checked<()> {
    nested_filter(value, place, MAX_FILTER_DEPTH)
}

fn nested_filter(value: &Value, place: &str, depth: usize) -> Checked<()> {
    let fields = Fields::at(value, place)?;
    let kind = fields.need_string("type")?;
    if matches!(kind, "and" | "or") {
        fields.only(&["type", "filters"], &[])?;
        fields.need("filters")?;
        let filters = fields.array("filters", 1..=usize::MAX)?.into_iter().flatten();
        let deeper = depth.checked_sub(1).ok_or_else(|| Refusal::value(place, "it is nested too deeply"))?;
        return filters
            .enumerate()
            .try_for_each(|(at, inner)| nested_filter(inner, &format!("{place}.filters[{at}]"), deeper));
    }
    fields.only(&["type", "key", "value"], &[])?;
    fields.one_of("type", &["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"])?;
    fields.need_string("key")?;
    compared(kind, fields.need("value")?, &fields.name("value"))
}

fn compared(kind: &str, value: &Value, place: &str) -> Checked<()> {
    let simple = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let fits = match kind {
        "in" | "nin" => value.as_array().is_some_and(|list| list.iter().all(simple)),
        "gt" | "gte" | "lt" | "lte" => value.is_number() || value.is_string(),
        _ => simple(value),
    };
    if fits { Ok(()) } else { Err(Refusal::wrong_type(place, "another type")) }
}
