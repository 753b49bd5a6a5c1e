//! `/embeddings`: vectors in which equal words point the same way, so that they can be told apart and compared.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::fields::{Checked, Fields};
use crate::api::{Asked, Refusal, Reply, models};
use crate::fault::scramble;
use crate::world::{Spent, World};

const MAX_INPUTS: usize = 2_048;
/// About 8,192 tokens.
const MAX_CHARS: usize = 8_192 * 4;

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let fields = asked.fields();
    fields.only(&["input", "model", "encoding_format", "dimensions", "user"], &[])?;
    let model = fields.need_string("model")?;
    models::check(world, model)?;
    let usual = match model {
        "text-embedding-3-small" => 1_536,
        "text-embedding-3-large" => 3_072,
        _ => return Err(Refusal::value("model", "it makes no embeddings")),
    };
    fields.string("user")?;
    let dimensions = fields.integer("dimensions", 1..=usual)?.unwrap_or(usual);
    let in_base64 = fields.one_of("encoding_format", &["float", "base64"])? == Some("base64");
    let inputs = inputs(&fields)?;
    let tokens: u64 = inputs.iter().map(|text| (text.len() as u64).div_ceil(4)).sum();
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let vector = vector(text, dimensions);
            let embedding = if in_base64 { packed(&vector).into() } else { json!(vector) };
            json!({"object": "embedding", "index": at, "embedding": embedding})
        })
        .collect();
    world.spend(model, Spent { embedded_tokens: tokens, ..Spent::default() });
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    Ok(Reply::Json(json!({"object": "list", "data": data, "model": model, "usage": usage})))
}

/// Texts; lists of tokens are taken as the text of their numbers.
fn inputs(fields: &Fields<'_>) -> Checked<Vec<String>> {
    let input = fields.need("input")?;
    let texts = if let Value::String(text) = input {
        vec![text.clone()]
    } else {
        let list = fields.array("input", 1..=MAX_INPUTS)?.into_iter().flatten();
        if list.clone().all(Value::is_u64) {
            vec![input.to_string()]
        } else {
            list.enumerate().map(|(at, value)| entry(value, at)).collect::<Checked<_>>()?
        }
    };
    match texts.iter().find(|text| text.is_empty() || text.len() > MAX_CHARS) {
        Some(text) if text.is_empty() => Err(Refusal::value("input", "it is empty")),
        Some(_) => Err(Refusal::value("input", "it exceeds 8192 tokens")),
        None => Ok(texts),
    }
}

fn entry(value: &Value, at: usize) -> Checked<String> {
    let is_tokens = value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_u64));
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None if is_tokens => Ok(value.to_string()),
        None => Err(Refusal::wrong_type(&format!("input[{at}]"), "a string or an array of tokens")),
    }
}

/// The sum of one direction for each word, of length one.
fn vector(text: &str, dimensions: u64) -> Vec<f32> {
    let mut sum = vec![0.0_f32; usize::try_from(dimensions).unwrap_or(0)];
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words.map(str::to_lowercase) {
        let seed = word.bytes().fold(7_u64, |hash, byte| scramble(hash ^ u64::from(byte)));
        for (at, value) in sum.iter_mut().enumerate() {
            let bits = scramble(seed.wrapping_add(at as u64));
            *value += f32::from(u16::try_from(bits >> 48).unwrap_or(0)) / 32_767.5 - 1.0;
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut sum {
            *value /= length;
        }
    } else if let Some(first) = sum.first_mut() {
        *first = 1.0;
    }
    sum
}

/// Little-endian 32-bit floats in base64.
fn packed(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}
