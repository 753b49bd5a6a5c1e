//! The body of `POST /responses`, checked field by field.

use serde_json::{Map, Value};

use crate::api::fields::{Checked, Fields};
use crate::api::responses::input;
use crate::api::responses::tools::{self, Search};
use crate::api::{Refusal, models, shapes};

/// Fields that may not be `null`.
const KNOWN: &[&str] =
    &["model", "input", "tools", "tool_choice", "text", "prompt", "user", "service_tier", "prompt_cache_options"];
const NULLABLE: &[&str] = &[
    "background",
    "context_management",
    "conversation",
    "include",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
];
const INCLUDES: &[&str] = &[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
];
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const SUMMARIES: &[&str] = &["auto", "concise", "detailed"];
const TIERS: &[&str] = &["auto", "default", "flex", "scale", "priority", "fast"];

/// What is asked for.
pub(crate) struct Request {
    pub(crate) model: String,
    /// The input as items.
    pub(crate) items: Vec<Value>,
    /// The text of the last message of the user.
    pub(crate) question: String,
    pub(crate) searches: Vec<Search>,
    pub(crate) with_results: bool,
    pub(crate) stream: bool,
    pub(crate) store: bool,
    pub(crate) previous: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) obfuscate: bool,
    pub(crate) max_output_tokens: Option<u64>,
    /// Further calls of tools are ignored.
    pub(crate) max_tool_calls: Option<u64>,
    /// Whether a summary of the reasoning is wanted.
    pub(crate) summary: bool,
    /// The body, for what answers repeat.
    pub(crate) body: Map<String, Value>,
}

impl Request {
    pub(crate) fn read(fields: &Fields<'_>) -> Checked<Self> {
        fields.only(KNOWN, NULLABLE)?;
        let model = fields.need_string("model")?.to_owned();
        check_scalars(fields)?;
        let (summary, effort) = reasoning(fields, &model)?;
        sampling(fields, &model, effort)?;
        check_text(fields)?;
        let stream = fields.boolean("stream")?.unwrap_or(false);
        let items = input::items(fields)?;
        let conversation = conversation(fields)?;
        let previous = fields.string("previous_response_id")?.map(str::to_owned);
        if previous.is_some() && conversation.is_some() {
            return Err(Refusal::exclusive("previous_response_id", "conversation"));
        }
        let include = include(fields)?;
        Ok(Self {
            question: input::question(&items),
            searches: tools::searches(fields)?,
            with_results: include.contains(&"file_search_call.results"),
            obfuscate: obfuscate(fields, stream)?,
            max_output_tokens: fields.integer("max_output_tokens", 16..=u64::MAX)?,
            max_tool_calls: fields.integer("max_tool_calls", 1..=u64::MAX)?,
            store: fields.boolean("store")?.unwrap_or(true),
            body: fields.map().clone(),
            model,
            items,
            stream,
            previous,
            conversation,
            summary,
        })
    }

    /// About four characters a token.
    pub(crate) fn input_tokens(&self) -> u64 {
        let items: usize = self.items.iter().map(|item| item.to_string().len()).sum();
        let instructions = self.body.get("instructions").and_then(Value::as_str).map_or(0, str::len);
        ((items + instructions) as u64).div_ceil(4)
    }
}

fn check_scalars(fields: &Fields<'_>) -> Checked<()> {
    shapes::metadata(fields)?;
    fields.string("instructions")?;
    fields.string("prompt_cache_key")?;
    fields.string("user")?;
    fields.short_string("safety_identifier", 64)?;
    fields.boolean("background")?;
    fields.boolean("parallel_tool_calls")?;
    fields.integer("top_logprobs", 0..=20)?;
    fields.one_of("truncation", &["auto", "disabled"])?;
    fields.one_of("service_tier", TIERS)?;
    fields.one_of("prompt_cache_retention", &["in_memory", "24h"])?;
    fields.object("moderation")?;
    fields.object("prompt_cache_options")?;
    fields.object("prompt")?;
    fields.array("context_management", 1..=usize::MAX)?;
    Ok(())
}

/// Whether a summary is wanted, and the effort.
fn reasoning<'a>(fields: &Fields<'a>, model: &str) -> Checked<(bool, Option<&'a str>)> {
    let Some(reasoning) = fields.object("reasoning")? else { return Ok((false, None)) };
    reasoning.only(&["mode"], &["effort", "summary", "generate_summary", "context"])?;
    let effort = reasoning.one_of("effort", EFFORTS)?;
    let summary = reasoning.one_of("summary", SUMMARIES)?;
    reasoning.one_of("generate_summary", SUMMARIES)?;
    reasoning.one_of("context", &["auto", "current_turn", "all_turns"])?;
    if !models::reasons(model) && (effort.is_some() || summary.is_some()) {
        return Err(unsupported("reasoning.effort"));
    }
    Ok((summary.is_some(), effort))
}

/// Reasoning models are not sampled at a temperature, unless they do not reason.
fn sampling(fields: &Fields<'_>, model: &str, effort: Option<&str>) -> Checked<()> {
    fields.number("temperature", 0.0..=2.0)?;
    fields.number("top_p", 0.0..=1.0)?;
    if !models::reasons(model) || effort == Some("none") {
        return Ok(());
    }
    let sent = ["temperature", "top_p"].into_iter().find(|field| fields.has(field));
    sent.map_or(Ok(()), |field| Err(unsupported(field)))
}

fn unsupported(field: &str) -> Refusal {
    let message = format!("Unsupported parameter: '{field}' is not supported with this model.");
    Refusal::bad("unsupported_parameter", field, message)
}

fn check_text(fields: &Fields<'_>) -> Checked<()> {
    let Some(text) = fields.object("text")? else { return Ok(()) };
    text.only(&["format"], &["verbosity"])?;
    text.one_of("verbosity", &["low", "medium", "high"])?;
    let Some(format) = text.object("format")? else { return Ok(()) };
    format.need_string("type")?;
    format.one_of("type", &["text", "json_object", "json_schema"])?;
    Ok(())
}

fn obfuscate(fields: &Fields<'_>, stream: bool) -> Checked<bool> {
    let Some(options) = fields.object("stream_options")? else { return Ok(true) };
    options.only(&["include_obfuscation"], &[])?;
    if !stream {
        return Err(Refusal::value("stream_options", "it is only allowed when 'stream' is true"));
    }
    Ok(options.boolean("include_obfuscation")?.unwrap_or(true))
}

fn include<'a>(fields: &Fields<'a>) -> Checked<Vec<&'a str>> {
    let include = fields.strings("include", 0..=usize::MAX)?.unwrap_or_default();
    match include.iter().find(|wanted| !INCLUDES.contains(wanted)) {
        Some(_) => Err(Refusal::value("include", &format!("supported are {}", INCLUDES.join(", ")))),
        None => Ok(include),
    }
}

/// An id, or an object with one.
fn conversation(fields: &Fields<'_>) -> Checked<Option<String>> {
    match fields.get("conversation") {
        None => Ok(None),
        Some(Value::String(id)) => Ok(Some(id.clone())),
        Some(_) => {
            let Some(object) = fields.object("conversation")? else { return Ok(None) };
            object.only(&["id"], &[])?;
            object.need_string("id").map(|id| Some(id.to_owned()))
        }
    }
}
