//! The stub's texts.

use crate::llm::{ChatRequest, ModelEvent};
use crate::model::item::{Source, SourceKind};
use crate::text::sentence;

/// Every answer comes in at least this many deltas.
pub(super) const MIN_DELTAS: usize = 6;
/// A sentence with fewer words would not fill the deltas.
const WORDS_PER_DELTA: usize = 3;

/// The best match, cited; without one, a word that there is none.
pub(super) fn answer(request: &ChatRequest) -> Vec<ModelEvent> {
    let Some(quote) = best_quote(request) else {
        let mut events = deltas("The stub backend found nothing in the documents that matches this message.");
        events.push(ModelEvent::Refused);
        return events;
    };
    let mut events = deltas(&format!("The stub backend answers with the best match in the documents: {quote}"));
    events.push(ModelEvent::Cite { hit: 0, quote: Some(quote) });
    events
}

/// Marks of all kinds: a link, a citation when there is something to cite, a thing that the page knows.
pub(super) fn with_links(request: &ChatRequest) -> Vec<ModelEvent> {
    let mut events = deltas("This stands on a page of the web,");
    events.push(ModelEvent::Link(page_of_the_web()));
    events.extend(deltas(" in a document,"));
    events.extend(best_quote(request).map(|quote| ModelEvent::Cite { hit: 0, quote: Some(quote) }));
    events.extend(deltas(" and on the page itself."));
    events.push(ModelEvent::Link(thing()));
    events
}

/// Positions that differ between bytes, UTF-16 units, code points and what is seen.
pub(super) fn with_emoji(request: &ChatRequest) -> Vec<ModelEvent> {
    let mut events = deltas("Returned 👩‍👩‍👧 within 30 days 🎉 é: ");
    events.extend(deltas("يمكنك إرجاع المنتج "));
    events.extend(deltas("ו־אפשר גם כאן"));
    events.extend(best_quote(request).map(|quote| ModelEvent::Cite { hit: 0, quote: Some(quote) }));
    events.extend(deltas(" 🏳️‍🌈 after the mark."));
    events
}

/// Numbered words, one a delta.
pub(super) fn counted(words: usize) -> Vec<ModelEvent> {
    (1..=words).map(|word| ModelEvent::Text(format!("word {word} "))).collect()
}

/// A text in pieces.
pub(super) fn deltas(text: &str) -> Vec<ModelEvent> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let size = (words.len() / MIN_DELTAS).clamp(1, WORDS_PER_DELTA);
    words.chunks(size).map(|words| ModelEvent::Text(words.concat())).collect()
}

fn best_quote(request: &ChatRequest) -> Option<String> {
    let text = &request.hits.first()?.chunk.text;
    let quote = sentence::sentences(text).first().map_or(text.as_str(), |range| &text[range.clone()]);
    Some(quote.to_owned())
}

fn page_of_the_web() -> Source {
    let kind =
        SourceKind::Url { url: "https://example.com/returns".to_owned(), attribution: Some("example.com".to_owned()) };
    Source { title: "Returns".to_owned(), description: None, kind }
}

fn thing() -> Source {
    let kind = SourceKind::Entity {
        id: "order_1".to_owned(),
        icon: Some("document".to_owned()),
        label: Some("Order 1".to_owned()),
        inline_label: None,
        interactive: true,
        data: [("paid".to_owned(), true.into())].into_iter().collect(),
    };
    Source { title: "Order 1".to_owned(), description: None, kind }
}
