//! The stub keeps what its table promises.

use super::*;
use crate::llm::tests::hit;

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
