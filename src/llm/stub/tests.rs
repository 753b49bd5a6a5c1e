//! The stub keeps what its table promises.

use super::*;
use crate::llm::tests::hit;
use crate::model::item::Beside;

#[test]
fn there_are_always_six_deltas() {
    for hits in [Vec::new(), vec![hit("Ok.")]] {
        let request = ChatRequest { question: "?".into(), hits, ..ChatRequest::default() };
        let (steps, pace) = steps(&request);
        let texts = steps.iter().filter(|step| matches!(step, Ok(ModelEvent::Text(_)))).count();
        assert!(texts >= text::MIN_DELTAS, "{texts}");
        assert_eq!(pace, Pace::Usual);
    }
}

#[test]
fn a_scenario_is_named_by_the_first_word_alone() {
    let word = |message: &str| scenario::named(message).map(|scenario| scenario.word);
    assert_eq!(word("[[tool]] open it"), Some("tool"));
    assert_eq!(word("  [[long]]"), Some("long"));
    for message in ["tool", "[[tool", "[[nothing]] x", "say [[tool]]", "[[]]", "[tool]]"] {
        assert_eq!(word(message), None, "{message}");
    }
}

#[test]
fn every_scenario_does_something_of_its_own() {
    let request = |question: String| ChatRequest {
        question,
        hits: vec![hit("Refunds take five days.")],
        ..ChatRequest::default()
    };
    let (usual, _) = steps(&request("?".to_owned()));
    for scenario in SCENARIOS {
        let (played, _) = steps(&request(format!("[[{}]] ?", scenario.word)));
        assert!(!played.is_empty() && format!("{played:?}") != format!("{usual:?}"), "{}", scenario.word);
        assert!(!scenario.summary.is_empty(), "{}", scenario.word);
    }
    let words: std::collections::HashSet<_> = SCENARIOS.iter().map(|scenario| scenario.word).collect();
    assert_eq!(words.len(), SCENARIOS.len(), "no word twice");
}

/// What is told is stored as JSON, so it must be readable from it.
#[test]
fn every_item_of_a_scenario_can_be_stored() {
    let hits = vec![hit("Refunds take five days.")];
    let request = ChatRequest { question: "?".into(), hits, ..ChatRequest::default() };
    for scenario in SCENARIOS {
        for step in (scenario.steps)(&request) {
            if let Ok(ModelEvent::Beside(Beside::ItemDone(content) | Beside::ItemReplaced { content, .. })) = step {
                let stored = serde_json::to_string(&content).unwrap();
                let read: Result<ItemContent, _> = serde_json::from_str(&stored);
                assert_eq!(read.map_err(|error| format!("{error}: {stored}")), Ok(content), "{}", scenario.word);
            }
        }
    }
}
