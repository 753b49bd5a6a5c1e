//! `MODEL_BACKEND=stub`: answers every message at a fixed pace, for load and protocol tests.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::llm::{ChatModel, ChatRequest, LlmError, ModelEvent};
use crate::text::sentence;

/// Every answer comes in at least this many deltas.
const MIN_DELTAS: usize = 6;
/// A sentence with fewer words would not fill the deltas.
const WORDS_PER_DELTA: usize = 3;

/// Answers with the first words of the best hit, however weak, and cites them.
#[derive(Debug, Clone, Copy)]
pub struct Stub {
    /// `STUB_DELTA_MS`: the pause before each delta.
    pub delta: Duration,
}

impl ChatModel for Stub {
    fn name(&self) -> &'static str {
        "stub"
    }

    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>> {
        let delta = self.delta;
        let paced = stream::iter(events(&request)).then(move |event| async move {
            if matches!(event, ModelEvent::Text(_)) {
                tokio::time::sleep(delta).await;
            }
            Ok(event)
        });
        paced.boxed()
    }
}

fn events(request: &ChatRequest) -> Vec<ModelEvent> {
    let Some(hit) = request.hits.first() else {
        let mut events = deltas("The stub backend found nothing in the documents that matches this message.");
        events.push(ModelEvent::Refused);
        return events;
    };
    let text = &hit.chunk.text;
    let quote = sentence::sentences(text).first().map_or(text.as_str(), |range| &text[range.clone()]);
    let mut events = deltas(&format!("The stub backend answers with the best match in the documents: {quote}"));
    events.push(ModelEvent::Cite { hit: 0, quote: Some(quote.to_owned()) });
    events
}

fn deltas(text: &str) -> Vec<ModelEvent> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let size = (words.len() / MIN_DELTAS).clamp(1, WORDS_PER_DELTA);
    words.chunks(size).map(|words| ModelEvent::Text(words.concat())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_always_six_deltas() {
        for hits in [Vec::new(), vec![crate::llm::tests::hit("Ok.")]] {
            let request = ChatRequest { question: "?".into(), hits, ..ChatRequest::default() };
            let texts = events(&request).iter().filter(|event| matches!(event, ModelEvent::Text(_))).count();
            assert!(texts >= MIN_DELTAS, "{texts}");
        }
    }
}
