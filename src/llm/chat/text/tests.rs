//! Whole answers through all steps.

use proptest::strategy::Strategy;

use super::*;
use crate::llm::tests::hit;

fn hits() -> Vec<Hit> {
    vec![
        hit("Returns are free. Refunds reach your card in five working days."),
        hit("Gift cards take one day. See https://help.example.com/cards for more."),
    ]
}

/// The events of a text that comes in these pieces, texts joined.
fn events<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Vec<ModelEvent> {
    let mut writer = Writer::new(hits(), 2);
    let mut all: Vec<ModelEvent> = Vec::new();
    for piece in pieces {
        all.extend(writer.push(piece));
    }
    all.extend(writer.finish());
    let mut joined: Vec<ModelEvent> = Vec::new();
    for event in all {
        match (joined.last_mut(), event) {
            (Some(ModelEvent::Text(text)), ModelEvent::Text(more)) => text.push_str(&more),
            (_, event) => joined.push(event),
        }
    }
    joined
}

fn text(text: &str) -> ModelEvent {
    ModelEvent::Text(text.to_owned())
}

fn cite(hit: usize, quote: &str) -> ModelEvent {
    ModelEvent::Cite { hit, quote: Some(quote.to_owned()) }
}

#[test]
fn an_answer_is_told_with_its_citations() {
    let answer =
        "<think>Which? [2]</think>\n\nYour refund takes five working days [1]. Gift cards\u{202e} one day [2][7].\n";
    let expected = vec![
        text("Your refund takes five working days"),
        cite(0, "Refunds reach your card in five working days."),
        text(". Gift cards one day"),
        cite(1, "Gift cards take one day."),
        ModelEvent::InventedMarker,
        text("."),
    ];
    assert_eq!(events([answer]), expected);
}

/// M10: what cites nothing is not told.
#[test]
fn an_answer_without_a_citation_gives_nothing() {
    assert_eq!(events(["Paris is the capital of France."]), []);
    assert_eq!(events(["Paris [9] is."]), [ModelEvent::InventedMarker]);
}

/// Every way the parts of answers follow each other.
fn answers() -> impl Strategy<Value = String> {
    let parts = [
        "[1]",
        "[2]",
        "[1, 2]",
        "[1-3]",
        "【1】",
        "[^1]",
        "[source 1]",
        "([2])",
        "[9]",
        "[0]",
        "[",
        "]",
        "(",
        ")",
        "`",
        "```\n",
        "\n",
        "\n\n",
        " ",
        ". ",
        ".",
        ",",
        ":",
        "<think>",
        "</think>",
        "<",
        ">",
        "<br>",
        "![a](https://e.example)",
        "[b](https://help.example.com/cards)",
        "https://help.example.com/cards",
        "https://",
        "www.",
        "e",
        "h",
        "é",
        "退款",
        "👩\u{200d}💻",
        "\u{202e}",
        "Refunds take",
        "five days",
        "array",
        "<img src=x>",
        "!",
    ];
    proptest::collection::vec(proptest::sample::select(parts.to_vec()), 0..20).prop_map(|parts| parts.concat())
}

proptest::proptest! {
    /// M3, M4: where a text is cut into pieces decides nothing.
    #[test]
    fn any_split_gives_the_same_events(answer in answers(), sizes in proptest::collection::vec(1_usize..6, 1..12)) {
        let letters: Vec<char> = answer.chars().collect();
        let mut pieces: Vec<String> = Vec::new();
        let (mut at, mut turn) = (0, 0);
        while at < letters.len() {
            let end = (at + sizes[turn % sizes.len()]).min(letters.len());
            pieces.push(letters[at..end].iter().collect());
            (at, turn) = (end, turn + 1);
        }
        let whole = events([answer.as_str()]);
        proptest::prop_assert_eq!(events(pieces.iter().map(String::as_str)), whole);
    }
}
