//! What an extractive answer looks like.

use super::*;
use crate::llm::tests::{hit, hit_of};
use crate::model::{BlockKind, Hit, QueryTerm};
use crate::text::{Language, words};

fn request(question: &str, content: &[(&str, bool)], hits: Vec<Hit>) -> ChatRequest {
    let terms = content
        .iter()
        .map(|(word, known)| QueryTerm {
            forms: vec![words::stem_word(word, Language::ENGLISH)],
            weight: if *known { 2.0 } else { 5.0 },
            known: *known,
        })
        .collect();
    ChatRequest { question: question.into(), hits, terms, ..ChatRequest::default() }
}

fn answer(request: &ChatRequest) -> (String, Vec<ModelEvent>) {
    let events = compose(request);
    let text = events
        .iter()
        .filter_map(|event| match event {
            ModelEvent::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    (text, events)
}

fn quotes(events: &[ModelEvent]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            ModelEvent::Cite { quote, .. } => quote.clone(),
            _ => None,
        })
        .collect()
}

#[test]
fn a_sentence_comes_with_its_neighbours_and_a_true_quote() {
    let text = "Refunds go to the card you paid with. They take five working days. Gift cards take one day.";
    let request = request("How long does a refund take?", &[("refund", true), ("take", true)], vec![hit(text)]);
    let (answer, events) = answer(&request);
    assert_eq!(answer, text);
    assert_eq!(quotes(&events), [text]);
}

#[test]
fn a_list_is_whole_and_has_its_lead_in() {
    let blocks = [
        (BlockKind::Paragraph, "To cancel an order:"),
        (BlockKind::ListItem, "1. Open your orders."),
        (BlockKind::ListItem, "2. Choose the order."),
        (BlockKind::ListItem, "3. Press Cancel."),
        (BlockKind::Paragraph, "Something else."),
    ];
    let request = request("cancel order", &[("cancel", true), ("order", true)], vec![hit_of(&blocks)]);
    let (answer, _) = answer(&request);
    assert_eq!(answer, "To cancel an order:\n1. Open your orders.\n2. Choose the order.\n3. Press Cancel.");
}

#[test]
fn a_row_comes_under_its_header() {
    let mut blocks = vec![(BlockKind::TableRow { header: true }, "| Country | Days |")];
    let rows: Vec<String> = (0..20).map(|row| format!("| Land{row} | {row} |")).collect();
    blocks.extend(rows.iter().map(|row| (BlockKind::TableRow { header: false }, row.as_str())));
    let request = request("delivery to Land7", &[("land7", true)], vec![hit_of(&blocks)]);
    let (answer, events) = answer(&request);
    assert_eq!(answer, "| Country | Days |\n| --- | --- |\n| Land7 | 7 |");
    assert_eq!(quotes(&events), ["| Land7 | 7 |"]);
}

#[test]
fn weak_evidence_is_refused() {
    let hits = vec![hit("We deliver to Austria within three days.")];
    let request = request("deliver to Australia", &[("deliver", true), ("australia", false)], hits);
    let (text, events) = answer(&request);
    assert!(text.starts_with("I could not find"), "{text}");
    assert!(events.contains(&ModelEvent::Refused) && quotes(&events).is_empty());
}

#[test]
fn no_question_words_and_no_hits_are_refused() {
    assert!(answer(&request("", &[], vec![hit("text")])).1.contains(&ModelEvent::Refused));
    assert!(answer(&request("refund", &[("refund", true)], Vec::new())).1.contains(&ModelEvent::Refused));
}
