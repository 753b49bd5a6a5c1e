//! `/models`: those of the day, with the dates they end.

use serde_json::{Value, json};

use crate::api::fields::Checked;
use crate::api::{Asked, Refusal, Reply};
use crate::world::World;

/// Name, when it came (Unix seconds), when it ends.
const MODELS: &[(&str, u64, Option<&str>)] = &[
    ("gpt-6-luna", 1_788_220_800, None),
    ("gpt-6-sol", 1_788_220_800, None),
    ("gpt-6.1-sol", 1_790_812_800, None),
    ("gpt-6-astra", 1_788_220_800, None),
    ("gpt-5.6-sol", 1_780_272_000, None),
    ("gpt-5.6-terra", 1_780_272_000, None),
    ("gpt-5.6-luna", 1_780_272_000, None),
    ("gpt-5.4", 1_772_668_800, None),
    ("gpt-5.4-mini", 1_772_668_800, None),
    ("gpt-5.4-nano", 1_772_668_800, Some("2027-04-01")),
    ("gpt-5.1", 1_763_000_000, Some("2027-04-01")),
    ("gpt-5", 1_754_524_800, Some("2026-12-11")),
    ("gpt-5-mini", 1_754_524_800, Some("2026-12-11")),
    ("gpt-5-nano", 1_754_524_800, Some("2026-12-11")),
    ("gpt-4.1", 1_744_588_800, Some("2027-01-14")),
    ("gpt-4.1-mini", 1_744_588_800, Some("2027-01-14")),
    ("gpt-4o", 1_715_299_200, Some("2027-01-14")),
    ("gpt-4o-mini", 1_721_260_800, Some("2027-01-14")),
    ("omni-moderation-latest", 1_731_628_800, None),
    ("text-embedding-3-large", 1_705_968_000, None),
    ("text-embedding-3-small", 1_705_968_000, None),
];

pub(crate) fn list(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    asked.query.only(&[])?;
    let here = MODELS.iter().filter(|(name, ..)| exists(world, name));
    let data: Vec<Value> = here.map(|(name, created, ends)| shown(name, *created, *ends)).collect();
    Ok(Reply::Json(json!({"object": "list", "data": data})))
}

pub(crate) fn get(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let wanted = asked.param(0);
    check(world, wanted)?;
    let (name, created, ends) =
        MODELS.iter().find(|(name, ..)| *name == wanted).ok_or_else(|| Refusal::no_model(wanted))?;
    Ok(Reply::Json(shown(name, *created, *ends)))
}

/// Refuses models that are unknown or have ended.
pub(crate) fn check(world: &World, name: &str) -> Checked<()> {
    if exists(world, name) { Ok(()) } else { Err(Refusal::no_model(name)) }
}

/// Whether a model reasons, and so refuses to be sampled at a temperature.
pub(crate) fn reasons(name: &str) -> bool {
    ["gpt-5", "gpt-6", "o1", "o3", "o4"].iter().any(|family| name.starts_with(family))
}

/// Whether a model writes text.
pub(crate) fn writes(name: &str) -> bool {
    name.starts_with("gpt-")
}

fn exists(world: &World, name: &str) -> bool {
    let known = MODELS.iter().any(|(known, ..)| *known == name);
    known && !world.rules.ended_models.iter().any(|ended| ended == name)
}

fn shown(name: &str, created: u64, ends: Option<&str>) -> Value {
    json!({"id": name, "object": "model", "created": created, "owned_by": "system", "shutdown_date": ends})
}
