//! `MODEL_BACKEND=extractive`: answers with the documents' own sentences. No key, no other service.
//!
//! The sentences that say most about the question are shown with their neighbours, lists with their lead-in, table
//! rows under their header, each cited. When the evidence is weak it says that the documents do not answer.

mod name;
mod passage;
mod phrases;
mod related;
mod select;
mod unit;

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::llm::extractive::passage::Passage;
use crate::llm::{ChatModel, ChatRequest, LlmError, ModelEvent};
use crate::model::Hit;

/// Words sent in one delta.
const WORDS_PER_DELTA: usize = 6;

/// Answers with the best sentences of what was retrieved.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extractive;

impl ChatModel for Extractive {
    fn name(&self) -> &'static str {
        "extractive"
    }

    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>> {
        // Choosing words is computing, not waiting: it happens off the async threads.
        let work = tokio::task::spawn_blocking(move || compose(&request));
        stream::once(work)
            .flat_map(|events| match events {
                Ok(events) => stream::iter(events.into_iter().map(Ok)).left_stream(),
                Err(error) => {
                    let failed = LlmError::Temporary(format!("writing the answer failed: {error}"));
                    stream::once(async move { Err(failed) }).right_stream()
                }
            })
            .boxed()
    }
}

fn compose(request: &ChatRequest) -> Vec<ModelEvent> {
    let passages = select::passages(request);
    if passages.is_empty() {
        return refusal(request);
    }
    let mut events = Vec::new();
    let mut label = None;
    for (place, passage) in passages.iter().enumerate() {
        if place > 0 {
            events.push(ModelEvent::Text("\n\n".into()));
        }
        let document = &request.hits[passage.hit].chunk.document_id;
        let is_new = label.replace((document, &passage.label)) != Some((document, &passage.label));
        // Out of its place a sentence needs its heading; an answer of one passage is read as a whole.
        if passages.len() > 1 && is_new {
            events.push(ModelEvent::Text(format!("**{}**\n\n", passage.label)));
        }
        write_passage(passage, &mut events);
    }
    events
}

fn write_passage(passage: &Passage, events: &mut Vec<ModelEvent>) {
    let words: Vec<&str> = passage.text.split_inclusive(' ').collect();
    events.extend(words.chunks(WORDS_PER_DELTA).map(|words| ModelEvent::Text(words.concat())));
    events.push(ModelEvent::Cite { hit: passage.hit, quote: Some(passage.quote.clone()) });
}

/// Topics offered at the most where the documents do not answer.
const MAX_NEAR: usize = 3;

/// Says that the documents do not answer, and which come near.
pub(super) fn refusal(request: &ChatRequest) -> Vec<ModelEvent> {
    let mut near: Vec<String> = Vec::new();
    for hit in request.hits.iter().filter(|hit| select::is_near(request, hit)) {
        let topic = topic(hit);
        if !near.contains(&topic) {
            near.push(topic);
        }
    }
    near.truncate(MAX_NEAR);
    vec![ModelEvent::Text(phrases::refusal(&request.question, &near)), ModelEvent::Refused]
}

/// What a hit is about: its document's title, and the heading it stands under.
fn topic(hit: &Hit) -> String {
    match hit.chunk.heading_path.last().filter(|heading| !heading.is_empty() && **heading != hit.title) {
        Some(heading) => format!("{} – {heading}", hit.title),
        None => hit.title.clone(),
    }
}

#[cfg(test)]
mod tests;
