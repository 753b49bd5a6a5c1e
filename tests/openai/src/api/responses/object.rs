//! The response object, at its beginning and at its end.

use serde_json::{Value, json};

use crate::api::responses::Answer;
use crate::api::responses::request::Request;
use crate::script::Ending;

/// As it is while nothing has been said.
pub(crate) fn begun(request: &Request, answer: &Answer) -> Value {
    shown(request, answer, "in_progress", &[], &Value::Null)
}

/// As it is at the end.
pub(crate) fn finished(request: &Request, answer: &Answer) -> Value {
    let status = match answer.ending {
        Ending::Completed => "completed",
        Ending::Incomplete(_) => "incomplete",
        Ending::Failed(_) | Ending::ErrorEvent(_) => "failed",
    };
    let output_tokens = answer.output_tokens + answer.reasoning_tokens;
    let usage = json!({
        "input_tokens": answer.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": answer.input_tokens + output_tokens,
    });
    let mut whole = shown(request, answer, status, &answer.output, &usage);
    match &answer.ending {
        Ending::Completed => whole["completed_at"] = answer.created_at.into(),
        Ending::Incomplete(reason) => whole["incomplete_details"] = json!({"reason": reason}),
        Ending::Failed(code) | Ending::ErrorEvent(code) => {
            whole["error"] = json!({"code": code, "message": message(code)});
        }
    }
    whole
}

/// The words of a failure with this code.
pub(crate) fn message(code: &str) -> String {
    match code {
        "vector_store_timeout" => "The vector store did not answer in time.".to_owned(),
        "rate_limit_exceeded" => "Rate limit reached for this model.".to_owned(),
        _ => "The server had an error while processing your request.".to_owned(),
    }
}

fn shown(request: &Request, answer: &Answer, status: &str, output: &[Value], usage: &Value) -> Value {
    let sent = |field: &str, usual: Value| request.body.get(field).filter(|v| !v.is_null()).cloned().unwrap_or(usual);
    let effort = request.body.get("reasoning").map_or(Value::Null, |reasoning| reasoning["effort"].clone());
    let conversation = request.conversation.as_ref().map(|id| json!({"id": id}));
    json!({
        "id": answer.id,
        "object": "response",
        "created_at": answer.created_at,
        "status": status,
        "completed_at": null,
        "background": false,
        "conversation": conversation,
        "error": null,
        "incomplete_details": null,
        "instructions": sent("instructions", Value::Null),
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": sent("max_tool_calls", Value::Null),
        "metadata": sent("metadata", json!({})),
        "model": request.model,
        "output": output,
        "parallel_tool_calls": sent("parallel_tool_calls", json!(true)),
        "previous_response_id": request.previous,
        "prompt_cache_key": sent("prompt_cache_key", Value::Null),
        "reasoning": {"effort": effort, "summary": null},
        "safety_identifier": sent("safety_identifier", Value::Null),
        "service_tier": "default",
        "store": request.store,
        "temperature": sent("temperature", json!(1.0)),
        "text": sent("text", json!({"format": {"type": "text"}})),
        "tool_choice": sent("tool_choice", json!("auto")),
        "tools": sent("tools", json!([])),
        "top_logprobs": sent("top_logprobs", json!(0)),
        "top_p": sent("top_p", json!(1.0)),
        "truncation": sent("truncation", json!("disabled")),
        "usage": usage,
    })
}
