//! The events of a streamed answer, in the documented order.

use serde_json::{Value, json};

use crate::api::responses::request::Request;
use crate::api::responses::{Answer, object};
use crate::script::Ending;

/// All events, from `response.created` to the final one.
pub(crate) fn of(request: &Request, answer: &Answer, whole: &Value) -> Vec<Value> {
    let mut events = Events { list: Vec::new(), obfuscate: request.obfuscate };
    let begun = object::begun(request, answer);
    events.push("response.created", json!({"response": begun}));
    events.push("response.in_progress", json!({"response": begun}));
    for (at, item) in answer.output.iter().enumerate() {
        match item["type"].as_str() {
            Some("file_search_call") => events.search(at, item),
            Some("reasoning") => events.reasoning(at, item),
            _ => events.message(at, item),
        }
    }
    match &answer.ending {
        Ending::Completed => events.push("response.completed", json!({"response": whole})),
        Ending::Incomplete(_) => events.push("response.incomplete", json!({"response": whole})),
        Ending::Failed(_) => events.push("response.failed", json!({"response": whole})),
        Ending::ErrorEvent(code) => events.error(code),
    }
    events.list
}

struct Events {
    list: Vec<Value>,
    obfuscate: bool,
}

impl Events {
    fn push(&mut self, kind: &str, fields: Value) {
        let mut event = json!({"type": kind, "sequence_number": self.list.len()});
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
            event.extend(fields);
        }
        self.list.push(event);
    }

    /// A piece of text, with padding that hides its length unless the client wants none.
    fn delta(&mut self, kind: &str, mut fields: Value, delta: &str) {
        fields["delta"] = delta.into();
        if self.obfuscate {
            let padding = 16 - delta.len() % 16;
            fields["obfuscation"] = "k3Xq9ZbW1mT7cRpL"[..padding].into();
        }
        self.push(kind, fields);
    }

    fn search(&mut self, at: usize, item: &Value) {
        let mut begun = item.clone();
        begun["status"] = "in_progress".into();
        begun["queries"] = json!([]);
        begun["results"] = Value::Null;
        let place = json!({"output_index": at, "item_id": item["id"]});
        self.push("response.output_item.added", json!({"output_index": at, "item": begun}));
        self.push("response.file_search_call.in_progress", place.clone());
        self.push("response.file_search_call.searching", place.clone());
        self.push("response.file_search_call.completed", place);
        self.push("response.output_item.done", json!({"output_index": at, "item": item}));
    }

    fn reasoning(&mut self, at: usize, item: &Value) {
        let mut begun = item.clone();
        begun["summary"] = json!([]);
        self.push("response.output_item.added", json!({"output_index": at, "item": begun}));
        for (index, part) in item["summary"].as_array().into_iter().flatten().enumerate() {
            let place = json!({"item_id": item["id"], "output_index": at, "summary_index": index});
            let with = |field: &str, value: Value| {
                let mut fields = place.clone();
                fields[field] = value;
                fields
            };
            let text = part["text"].as_str().unwrap_or_default();
            let empty = json!({"type": "summary_text", "text": ""});
            self.push("response.reasoning_summary_part.added", with("part", empty));
            self.delta("response.reasoning_summary_text.delta", place.clone(), text);
            self.push("response.reasoning_summary_text.done", with("text", text.into()));
            self.push("response.reasoning_summary_part.done", with("part", part.clone()));
        }
        self.push("response.output_item.done", json!({"output_index": at, "item": item}));
    }

    fn message(&mut self, at: usize, item: &Value) {
        let mut begun = item.clone();
        begun["status"] = "in_progress".into();
        begun["content"] = json!([]);
        self.push("response.output_item.added", json!({"output_index": at, "item": begun}));
        for (index, part) in item["content"].as_array().into_iter().flatten().enumerate() {
            let place = json!({"item_id": item["id"], "output_index": at, "content_index": index});
            if part["type"] == "refusal" {
                self.refusal(&place, part);
            } else {
                self.text(&place, part);
            }
        }
        self.push("response.output_item.done", json!({"output_index": at, "item": item}));
    }

    fn text(&mut self, place: &Value, part: &Value) {
        let with = |fields: Value| merged(place, fields);
        let text = part["text"].as_str().unwrap_or_default();
        let empty = json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
        self.push("response.content_part.added", with(json!({"part": empty})));
        let annotations: Vec<&Value> = part["annotations"].as_array().into_iter().flatten().collect();
        let mut announced = 0;
        let mut said = 0;
        let pieces = pieces(text);
        for (at, piece) in pieces.iter().enumerate() {
            self.delta("response.output_text.delta", with(json!({"logprobs": []})), piece);
            said += piece.chars().count();
            let last = at + 1 == pieces.len();
            while let Some(annotation) = annotations.get(announced)
                && (last || annotation["index"].as_u64().is_some_and(|index| index <= said as u64))
            {
                self.annotation(place, announced, annotation);
                announced += 1;
            }
        }
        for (at, annotation) in annotations.iter().enumerate().skip(announced) {
            self.annotation(place, at, annotation);
        }
        self.push("response.output_text.done", with(json!({"text": text, "logprobs": []})));
        self.push("response.content_part.done", with(json!({"part": part})));
    }

    fn annotation(&mut self, place: &Value, at: usize, annotation: &Value) {
        let fields = merged(place, json!({"annotation_index": at, "annotation": annotation}));
        self.push("response.output_text.annotation.added", fields);
    }

    fn refusal(&mut self, place: &Value, part: &Value) {
        let with = |fields: Value| merged(place, fields);
        let words = part["refusal"].as_str().unwrap_or_default();
        self.push("response.content_part.added", with(json!({"part": {"type": "refusal", "refusal": ""}})));
        for piece in pieces(words) {
            self.delta("response.refusal.delta", with(json!({})), piece);
        }
        self.push("response.refusal.done", with(json!({"refusal": words})));
        self.push("response.content_part.done", with(json!({"part": part})));
    }

    /// Breaks the stream in the middle of its text with an `error` event.
    fn error(&mut self, code: &str) {
        let deltas = self.list.iter().enumerate().filter(|(_, event)| event["type"] == "response.output_text.delta");
        let places: Vec<usize> = deltas.map(|(at, _)| at).collect();
        let keep = places.get(places.len() / 2).map_or(self.list.len(), |at| at + 1);
        self.list.truncate(keep);
        self.push("error", json!({"code": code, "message": object::message(code), "param": null}));
    }
}

fn merged(place: &Value, fields: Value) -> Value {
    let mut merged = place.clone();
    if let (Some(merged), Value::Object(fields)) = (merged.as_object_mut(), fields) {
        merged.extend(fields);
    }
    merged
}

/// The text in pieces of a few words, as a model gives it.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(' ') {
        if at - start >= 8 {
            pieces.push(&text[start..at]);
            start = at;
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}
