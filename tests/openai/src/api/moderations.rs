//! `/moderations`: text with the word `flag-me` is flagged, everything else passes.

use serde_json::{Map, Value, json};

use crate::api::fields::{Checked, Fields};
use crate::api::{Asked, Refusal, Reply, models};
use crate::world::World;

const MARK: &str = "flag-me";
const MODEL: &str = "omni-moderation-latest";
/// The category a mark falls into is the first; the second says whether pictures are judged by it too.
const CATEGORIES: &[(&str, bool)] = &[
    ("violence", true),
    ("violence/graphic", true),
    ("hate", false),
    ("hate/threatening", false),
    ("harassment", false),
    ("harassment/threatening", false),
    ("illicit", false),
    ("illicit/violent", false),
    ("self-harm", true),
    ("self-harm/intent", true),
    ("self-harm/instructions", true),
    ("sexual", true),
    ("sexual/minors", false),
];

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let fields = asked.fields();
    fields.only(&["input", "model"], &[])?;
    let model = fields.string("model")?.unwrap_or(MODEL);
    models::check(world, model)?;
    if !model.contains("moderation") {
        return Err(Refusal::value("model", "it does not moderate"));
    }
    let results: Vec<Value> = texts(&fields)?.iter().map(|text| result(text)).collect();
    Ok(Reply::Json(json!({"id": world.id("modr-"), "model": model, "results": results})))
}

/// One text for each result: a string, each string of a list, or the parts of one message.
fn texts(fields: &Fields<'_>) -> Checked<Vec<String>> {
    let input = fields.need("input")?;
    if let Some(text) = input.as_str() {
        return Ok(vec![text.to_owned()]);
    }
    let list = fields.array("input", 1..=usize::MAX)?.into_iter().flatten();
    if list.clone().all(Value::is_string) {
        return Ok(list.filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let mut joined = String::new();
    for (at, part) in list.enumerate() {
        let part = Fields::at(part, &format!("input[{at}]"))?;
        part.need_string("type")?;
        if part.one_of("type", &["text", "image_url"])? == Some("text") {
            part.only(&["type", "text"], &[])?;
            joined.push_str(part.need_string("text")?);
        } else {
            part.only(&["type", "image_url"], &[])?;
            part.need("image_url")?;
        }
    }
    Ok(vec![joined])
}

fn result(text: &str) -> Value {
    let flagged = text.contains(MARK);
    let each = |value: &dyn Fn(bool, bool) -> Value| -> Map<String, Value> {
        let categories = CATEGORIES.iter().enumerate();
        categories.map(|(at, (name, pictures))| ((*name).to_owned(), value(flagged && at == 0, *pictures))).collect()
    };
    json!({
        "flagged": flagged,
        "categories": each(&|hit, _| hit.into()),
        "category_scores": each(&|hit, _| if hit { json!(0.98) } else { json!(0.0001) }),
        "category_applied_input_types": each(&|_, _| json!(["text"])),
    })
}
