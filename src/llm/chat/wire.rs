//! What goes to `POST /chat/completions` and what comes back, as OpenAI defines it and compatible servers understand.
//!
//! Requests say what was decided and nothing else; answers are read leniently, since servers differ.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::usage::Usage;

/// A request.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<usize>,
}

/// What a stream holds beside the answer.
#[derive(Debug, Serialize)]
pub(super) struct StreamOptions {
    /// One more event at the end, with the tokens counted.
    pub(super) include_usage: bool,
}

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::llm) enum Role {
    /// The operator.
    System,
    /// The visitor, and what stands in documents.
    User,
    /// The model.
    Assistant,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::llm) struct Message {
    pub(in crate::llm) role: Role,
    pub(in crate::llm) content: String,
}

/// An event of a stream, or the whole answer of a server that does not stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk {
    pub(super) choices: Option<Vec<Choice>>,
    pub(super) error: Option<Value>,
    usage: Value,
}

impl Chunk {
    /// What the server counted; none when it counts otherwise than OpenAI, or not.
    pub(super) fn usage(&self) -> Option<Usage> {
        let count = |name: &str| self.usage.pointer(name).and_then(Value::as_u64);
        Some(Usage {
            input_tokens: count("/prompt_tokens")?,
            cached_tokens: count("/prompt_tokens_details/cached_tokens").unwrap_or_default(),
            cache_write_tokens: count("/prompt_tokens_details/cache_write_tokens").unwrap_or_default(),
            output_tokens: count("/completion_tokens").unwrap_or_default(),
            reasoning_tokens: count("/completion_tokens_details/reasoning_tokens").unwrap_or_default(),
            ..Usage::default()
        })
    }
}

/// The one answer that was asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    /// More of it.
    pub(super) delta: Option<Said>,
    /// All of it.
    pub(super) message: Option<Said>,
    pub(super) finish_reason: Option<String>,
}

/// What a model says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    /// A text, or parts of which some are texts.
    content: Value,
    reasoning_content: Value,
    reasoning: Value,
    refusal: Value,
}

impl Said {
    /// The text.
    pub(super) fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            _ => String::new(),
        }
    }

    /// Whether the model thinks, and does not speak yet.
    pub(super) fn thinks(&self) -> bool {
        [&self.reasoning_content, &self.reasoning].into_iter().any(has_text)
    }

    /// Whether the model says that it will not answer.
    pub(super) fn declines(&self) -> bool {
        has_text(&self.refusal)
    }
}

fn has_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// What a server says of a failure. Its own words may repeat the prompt, so only its codes leave this module.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    /// `code` and `type`, joined, for people: short and harmless.
    pub(super) code: String,
    /// The parameter it is about, if it says so.
    pub(super) param: String,
    /// Its words, in lower case, to look for names in; never told.
    pub(super) message: String,
}

impl Complaint {
    /// Reads `error` of an answer: an object, or a text as some servers have it.
    pub(super) fn of(error: &Value) -> Self {
        let word = |key: &str| match &error[key] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let message = error.as_str().map_or_else(|| word("message"), str::to_owned).to_lowercase();
        let mut codes = vec![word("code"), word("type")];
        codes.retain(|code| is_code(code));
        codes.dedup();
        Self { code: codes.join(", "), param: word("param"), message }
    }

    /// Reads the body of a failed request, whatever it is.
    pub(super) fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = [&body["error"], &body["detail"]].into_iter().find(|error| !error.is_null());
        // Some servers put the parts of the error at the top.
        Self::of(error.unwrap_or(&body))
    }

    /// Whether its code or words hold one of these.
    pub(super) fn speaks_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.code.contains(word) || self.message.contains(word))
    }
}

/// Whether this is a code and no sentence: words of a server are not told.
pub(in crate::llm) fn is_code(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=48).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn complaints_are_read_in_every_form() {
        let read = |body: Value| Complaint::read(body.to_string().as_bytes());
        let full = read(
            json!({ "error": { "message": "No 'X'", "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value" } }),
        );
        assert_eq!(
            (full.code.as_str(), full.param.as_str()),
            ("unsupported_value, invalid_request_error", "temperature")
        );
        assert!(full.speaks_of(&["no 'x'"]));
        assert_eq!(read(json!({ "error": "model not found" })).message, "model not found");
        assert_eq!(read(json!({ "detail": "Not Found" })).message, "not found");
        assert_eq!(read(json!({ "message": "m", "code": 400 })).code, "400");
        assert_eq!(Complaint::read(b"<html>").code, "");
        // The words of a visitor are no code.
        assert_eq!(read(json!({ "error": { "code": "how long do refunds take?" } })).code, "");
    }

    #[test]
    fn tokens_are_read_where_they_are_counted() {
        let usage = |value: Value| serde_json::from_value::<Chunk>(json!({ "usage": value })).unwrap().usage();
        let full = json!({ "prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16,
            "prompt_tokens_details": { "cached_tokens": 4 }, "completion_tokens_details": { "reasoning_tokens": 3 } });
        let read = usage(full).unwrap();
        assert_eq!((read.input_tokens, read.cached_tokens, read.output_tokens, read.reasoning_tokens), (9, 4, 7, 3));
        assert_eq!(usage(json!({ "prompt_tokens": 9, "prompt_tokens_details": null })).unwrap().output_tokens, 0);
        for none in [json!(null), json!({}), json!({ "prompt_tokens": -1 }), json!("many"), json!([1])] {
            assert_eq!(usage(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn texts_are_read_from_strings_and_parts() {
        let said = |value: Value| serde_json::from_value::<Said>(value).unwrap();
        assert_eq!(said(json!({ "content": "a", "role": "assistant", "extra": 1 })).text(), "a");
        assert_eq!(said(json!({ "content": [{ "type": "text", "text": "a" }, { "type": "x" }] })).text(), "a");
        assert_eq!(said(json!({ "content": null })).text(), "");
        assert!(said(json!({ "reasoning_content": "hm" })).thinks() && said(json!({ "refusal": "no" })).declines());
    }
}
