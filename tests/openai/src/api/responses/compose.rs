//! What an answer says: from its script, or from the best hits.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::api::responses::Answer;
use crate::api::responses::request::Request;
use crate::api::responses::tools::Search;
use crate::api::search::{self, Hit, Wanted};
use crate::script::{Cited, Ending, IndexMeaning, ScriptedAnswer, ScriptedCitation, ScriptedPart};
use crate::world::World;

/// Searches and writes.
pub(crate) fn answer(world: &mut World, request: &Request) -> Answer {
    let script = world.script().unwrap_or_default();
    let created_at = world.unix();
    let mut hits = Vec::new();
    let mut output = Vec::new();
    if script.reasoning {
        output.push(reasoning(world, request));
    }
    for wanted in calls(request, script.searches) {
        let store_ids: Vec<&str> = wanted.store_ids.iter().map(String::as_str).collect();
        let (max, filter, threshold) = (wanted.max, wanted.filter.clone(), wanted.threshold);
        let found =
            search::hits(world, &store_ids, &Wanted { words: request.question.clone(), max, filter, threshold });
        output.push(search_call(world, request, &found));
        hits.extend(found);
    }
    let mut ending = script.ending.clone();
    let content = content(request, &script, &hits, &mut ending);
    let output_tokens = content.iter().map(tokens).sum();
    if !content.is_empty() {
        let status = if matches!(ending, Ending::Incomplete(_)) { "incomplete" } else { "completed" };
        let id = world.id("msg_");
        output.push(json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": content}));
    }
    let retrieved: u64 = hits.iter().map(|hit| (hit.text.len() as u64).div_ceil(4)).sum();
    Answer {
        id: world.id("resp_"),
        created_at,
        output,
        ending,
        input_tokens: request.input_tokens() + retrieved,
        output_tokens,
        reasoning_tokens: if script.reasoning { 64 } else { 0 },
    }
}

/// The searches that are made: as often as the model wants, and no more often than was allowed.
fn calls(request: &Request, times: u32) -> impl Iterator<Item = &Search> {
    let wanted = request.searches.len().saturating_mul(usize::try_from(times).unwrap_or(usize::MAX));
    let allowed = request.max_tool_calls.map_or(usize::MAX, |calls| usize::try_from(calls).unwrap_or(usize::MAX));
    request.searches.iter().cycle().take(wanted.min(allowed))
}

fn reasoning(world: &mut World, request: &Request) -> Value {
    let summary = if request.summary {
        json!([{"type": "summary_text", "text": "Looking for what the documents say."}])
    } else {
        json!([])
    };
    json!({"id": world.id("rs_"), "type": "reasoning", "summary": summary})
}

fn search_call(world: &mut World, request: &Request, hits: &[Hit]) -> Value {
    let result = |hit: &Hit| {
        json!({
            "attributes": hit.attributes,
            "file_id": hit.file_id,
            "filename": hit.filename,
            "score": hit.score,
            "text": hit.text,
        })
    };
    let results = request.with_results.then(|| hits.iter().map(result).collect::<Vec<_>>());
    json!({
        "id": world.id("fs_"),
        "type": "file_search_call",
        "status": "completed",
        "queries": [request.question],
        "results": results,
    })
}

/// The parts of the message; none of them means no message.
fn content(request: &Request, script: &ScriptedAnswer, hits: &[Hit], ending: &mut Ending) -> Vec<Value> {
    if let Some(refusal) = &script.refusal {
        return vec![json!({"type": "refusal", "refusal": refusal})];
    }
    let mut parts = match (&script.parts, &script.ending) {
        (Some(parts), _) => parts.clone(),
        (None, Ending::Failed(_)) => Vec::new(),
        (None, _) => vec![written(request, hits)],
    };
    let most = request.max_output_tokens.and_then(|tokens| usize::try_from(tokens.saturating_mul(4)).ok());
    let most = match ending {
        Ending::Incomplete(_) => Some(parts.iter().map(|part| part.text.chars().count()).sum::<usize>() / 2),
        _ => most,
    };
    if let Some(most) = most
        && cut(&mut parts, most)
        && *ending == Ending::Completed
    {
        *ending = Ending::Incomplete("max_output_tokens".to_owned());
    }
    parts.iter().map(|part| shown(part, script.index, hits)).collect()
}

/// Cuts the text to so many characters; says whether anything was lost.
fn cut(parts: &mut Vec<ScriptedPart>, most: usize) -> bool {
    let mut left = most;
    let mut lost = false;
    parts.retain_mut(|part| {
        let chars = part.text.chars().count();
        if chars > left {
            part.text = part.text.chars().take(left).collect();
            part.citations.retain(|citation| citation.at <= left);
            lost = true;
        }
        let keep = left > 0 || chars == 0;
        left = left.saturating_sub(chars);
        keep
    });
    lost
}

fn shown(part: &ScriptedPart, meaning: IndexMeaning, hits: &[Hit]) -> Value {
    let mut files: Vec<&str> = Vec::new();
    for hit in hits {
        if !files.contains(&hit.file_id.as_str()) {
            files.push(&hit.file_id);
        }
    }
    let annotations = part.citations.iter().filter_map(|citation| {
        let (file_id, filename) = match &citation.cited {
            Cited::Hit(at) => hits.get(*at).map(|hit| (hit.file_id.as_str(), hit.filename.as_str()))?,
            Cited::File { id, filename } => (id.as_str(), filename.as_str()),
        };
        let index = match meaning {
            IndexMeaning::CharacterOffset => citation.at,
            IndexMeaning::ListIndex => files.iter().position(|known| *known == file_id).unwrap_or(files.len()),
        };
        Some(json!({"type": "file_citation", "file_id": file_id, "filename": filename, "index": index}))
    });
    let annotations: Vec<Value> = annotations.collect();
    json!({"type": "output_text", "text": part.text, "annotations": annotations, "logprobs": []})
}

/// The best sentence of each of the best two files, with a citation at its end.
fn written(request: &Request, hits: &[Hit]) -> ScriptedPart {
    let mut part = ScriptedPart::default();
    let mut used = HashSet::new();
    for (at, hit) in hits.iter().enumerate() {
        if used.len() == 2 || !used.insert(hit.file_id.as_str()) {
            continue;
        }
        if !part.text.is_empty() {
            part.text.push(' ');
        }
        part.text.push_str(&best_sentence(&hit.text, &request.question));
        part.citations.push(ScriptedCitation { cited: Cited::Hit(at), at: part.text.chars().count() });
    }
    if part.text.is_empty() {
        "I could not find this in the documents.".clone_into(&mut part.text);
    }
    part
}

/// The sentence that shares most words with the question.
fn best_sentence(text: &str, question: &str) -> String {
    let lower = |text: &str| -> HashSet<String> {
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_lowercase).collect()
    };
    let asked = lower(question);
    let sentences = text.split_inclusive(['.', '!', '?', '\n']).map(str::trim).filter(|sentence| !sentence.is_empty());
    // Of equally good ones `max_by_key` gives the last; the first is wanted.
    let best = sentences.rev().max_by_key(|sentence| lower(sentence).intersection(&asked).count());
    best.unwrap_or_default().chars().take(400).collect()
}

fn tokens(part: &Value) -> u64 {
    let text = part["text"].as_str().or(part["refusal"].as_str()).unwrap_or_default();
    (text.len() as u64).div_ceil(4).max(1)
}
