//! `/chat/completions`: the little that compatible clients need, without tools.

use serde_json::{Value, json};

use crate::api::fields::{Checked, Fields};
use crate::api::{Asked, Refusal, Reply, models};
use crate::world::{Spent, World};

const KNOWN: &[&str] = &[
    "messages",
    "model",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
    "stop",
    "seed",
    "user",
    "store",
    "metadata",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "safety_identifier",
    "prompt_cache_key",
    "service_tier",
    "verbosity",
];
const ROLES: &[&str] = &["developer", "system", "user", "assistant", "tool"];

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let fields = asked.fields();
    fields.only(KNOWN, KNOWN)?;
    let model = fields.need_string("model")?.to_owned();
    check_sampling(&fields, &model)?;
    fields.need("messages")?;
    let asked_text = last_text(&fields)?;
    let stream = fields.boolean("stream")?.unwrap_or(false);
    let with_usage = stream_usage(&fields, stream)?;
    models::check(world, &model)?;
    if !models::writes(&model) {
        return Err(Refusal::value("model", "it writes no text"));
    }
    let script = world.script().unwrap_or_default();
    let text = match script.parts {
        Some(parts) => parts.into_iter().map(|part| part.text).collect(),
        None => format!("You asked: {asked_text}"),
    };
    let (input, output) = (tokens(&asked_text), tokens(&text));
    world.spend(&model, Spent { input_tokens: input, output_tokens: output, ..Spent::default() });
    let usage = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    let head = (world.id("chatcmpl-"), world.unix(), model);
    if stream {
        let usage = with_usage.then_some(usage);
        return Ok(Reply::Events { events: chunks(&head, &text, usage), named: false });
    }
    let message = json!({"role": "assistant", "content": text, "refusal": null, "annotations": []});
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"});
    let mut whole = object(&head, "chat.completion", &json!([choice]));
    whole["usage"] = usage;
    Ok(Reply::Json(whole))
}

type Head = (String, u64, String);

fn check_sampling(fields: &Fields<'_>, model: &str) -> Checked<()> {
    fields.number("temperature", 0.0..=2.0)?;
    fields.number("top_p", 0.0..=1.0)?;
    fields.integer("max_tokens", 1..=u64::MAX)?;
    fields.integer("max_completion_tokens", 1..=u64::MAX)?;
    fields.integer("n", 1..=1)?;
    let effort = fields.one_of("reasoning_effort", &["none", "minimal", "low", "medium", "high", "xhigh", "max"])?;
    let refused: &[&str] = match (models::reasons(model), effort) {
        (true, Some("none")) => &["max_tokens"],
        (true, _) => &["max_tokens", "temperature", "top_p"],
        (false, _) => &["reasoning_effort"],
    };
    let sent = refused.iter().find(|field| fields.has(field));
    sent.map_or(Ok(()), |field| {
        let message = format!("Unsupported parameter: '{field}' is not supported with this model.");
        Err(Refusal::bad("unsupported_parameter", field, message))
    })
}

/// The text of the last message.
fn last_text(fields: &Fields<'_>) -> Checked<String> {
    let mut last = String::new();
    for (at, message) in fields.array("messages", 1..=usize::MAX)?.into_iter().flatten().enumerate() {
        let message = Fields::at(message, &format!("messages[{at}]"))?;
        message.need_string("role")?;
        message.one_of("role", ROLES)?;
        let content = message.need("content")?;
        last = if let Some(text) = content.as_str() {
            text.to_owned()
        } else {
            let parts = message.array("content", 1..=usize::MAX)?.into_iter().flatten();
            parts.filter_map(|part| part["text"].as_str()).collect()
        };
    }
    Ok(last)
}

fn stream_usage(fields: &Fields<'_>, stream: bool) -> Checked<bool> {
    let Some(options) = fields.object("stream_options")? else { return Ok(false) };
    options.only(&["include_usage", "include_obfuscation"], &[])?;
    if !stream {
        return Err(Refusal::value("stream_options", "it is only allowed when 'stream' is true"));
    }
    Ok(options.boolean("include_usage")?.unwrap_or(false))
}

fn chunks(head: &Head, text: &str, usage: Option<Value>) -> Vec<Value> {
    let chunk = |delta: Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        object(head, "chat.completion.chunk", &json!([choice]))
    };
    let mut chunks = vec![chunk(json!({"role": "assistant", "content": ""}), None)];
    chunks.extend(text.split_inclusive(' ').map(|word| chunk(json!({"content": word}), None)));
    chunks.push(chunk(json!({}), Some("stop")));
    if let Some(usage) = usage {
        let mut last = object(head, "chat.completion.chunk", &json!([]));
        last["usage"] = usage;
        chunks.push(last);
    }
    chunks
}

fn object((id, created, model): &Head, kind: &str, choices: &Value) -> Value {
    json!({"id": id, "object": kind, "created": created, "model": model, "choices": choices})
}

fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4).max(1)
}
