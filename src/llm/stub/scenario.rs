//! What the stub can be made to do by the first word of a message.

use serde_json::json;

use crate::llm::stub::{Pace, Step, items, text};
use crate::llm::{ChatRequest, LlmError, ModelEvent};
use crate::model::item::{Beside, NoticeLevel, Which};
use crate::model::thread::{ItemContent, ThreadStatus};

/// Deltas of a slow answer.
const SLOW_WORDS: usize = 100;
/// Deltas of a long answer.
const LONG_WORDS: usize = 5_000;

/// Something that a message can ask for.
pub struct Scenario {
    /// The message begins with this word in double brackets.
    pub word: &'static str,
    /// What happens.
    pub summary: &'static str,
    /// How fast.
    pub(super) pace: Pace,
    /// What is done.
    pub(super) steps: fn(&ChatRequest) -> Vec<Step>,
}

/// All scenarios. A new one is a row.
pub const SCENARIOS: &[Scenario] = &[
    row("workflow", "a workflow that names the documents found, then the answer", |request| {
        beside_then(items::workflow(request), text::answer(request))
    }),
    row("tool", "a pending call of the page's tool `open_document`; its output is answered", |request| {
        told(vec![Beside::ItemDone(items::tool_call(request))])
    }),
    row("form", "a form of two questions; filled in, it is answered", |_| told(vec![Beside::ItemDone(items::form())])),
    row("widget", "a card; its actions are `refresh`, `update` and `remove`", |_| {
        told(vec![Beside::ItemDone(items::card("Refund status: paid"))])
    }),
    row("task", "a step on its own, then the answer", |request| {
        beside_then(vec![Beside::ItemDone(items::task())], text::answer(request))
    }),
    row("image", "a picture that comes in two steps", |_| told(items::image())),
    row("hidden", "two hidden items, which no client ever sees, then the answer", |request| {
        beside_then(items::hidden(), text::answer(request))
    }),
    row("end", "the answer, then an end of the turn", |request| {
        then_beside(request, Beside::ItemDone(ItemContent::EndOfTurn {}))
    }),
    row("links", "an answer with annotations of all kinds", |request| events(text::with_links(request))),
    row("emoji", "emoji and right-to-left text around a citation", |request| events(text::with_emoji(request))),
    row("notice", "a notice, then the answer", |request| beside_then(vec![notice()], text::answer(request))),
    row("effect", "an effect in the page, then the answer", |request| {
        let data = items::object(json!({"theme": "dark", "until": null}));
        beside_then(vec![Beside::Effect { name: "set_theme".to_owned(), data }], text::answer(request))
    }),
    row("title", "the answer, then another title unless a visitor gave one", |request| {
        then_beside(request, Beside::Title("A title by the stub".to_owned()))
    }),
    row("lock", "the answer, then the thread is locked", |request| {
        let reason = Some("The stub locked this thread.".to_owned());
        then_beside(request, Beside::Status(ThreadStatus::Locked { reason }))
    }),
    row("close", "the answer, then the thread is closed", |request| {
        let reason = Some("The stub closed this thread.".to_owned());
        then_beside(request, Beside::Status(ThreadStatus::Closed { reason }))
    }),
    row("replace", "a card, which then becomes another", |_| {
        let replaced =
            Beside::ItemReplaced { which: Which::Last, content: items::card("Refund status: paid yesterday") };
        told(vec![Beside::ItemDone(items::card("Refund status: on its way")), replaced])
    }),
    row("remove", "a card, which is then removed, then the answer", |request| {
        let card = Beside::ItemDone(items::card("Refund status: unknown"));
        beside_then(vec![card, Beside::ItemRemoved { which: Which::Last }], text::answer(request))
    }),
    row("error", "the beginning of an answer, then a failure", |_| {
        let mut steps = events(text::deltas("This answer ends"));
        steps.push(Err(LlmError::Temporary("the stub was asked to fail".to_owned())));
        steps
    }),
    Scenario {
        word: "slow",
        summary: "an answer of 100 words, 50 milliseconds a word",
        pace: Pace::Slow,
        steps: |_| events(text::counted(SLOW_WORDS)),
    },
    Scenario {
        word: "long",
        summary: "an answer of 5,000 words without a pause",
        pace: Pace::AtOnce,
        steps: |_| events(text::counted(LONG_WORDS)),
    },
];

/// The scenario that a message asks for.
pub(super) fn named(message: &str) -> Option<&'static Scenario> {
    let (word, _) = message.trim_start().strip_prefix("[[")?.split_once("]]")?;
    SCENARIOS.iter().find(|scenario| scenario.word == word)
}

const fn row(word: &'static str, summary: &'static str, steps: fn(&ChatRequest) -> Vec<Step>) -> Scenario {
    Scenario { word, summary, pace: Pace::Usual, steps }
}

fn notice() -> Beside {
    Beside::Notice {
        level: NoticeLevel::Info,
        message: "The shop is closed on **Monday**.".to_owned(),
        title: Some("Opening hours".to_owned()),
    }
}

fn events(events: Vec<ModelEvent>) -> Vec<Step> {
    events.into_iter().map(Ok).collect()
}

fn told(told: Vec<Beside>) -> Vec<Step> {
    told.into_iter().map(|beside| Ok(ModelEvent::Beside(beside))).collect()
}

fn beside_then(first: Vec<Beside>, then: Vec<ModelEvent>) -> Vec<Step> {
    told(first).into_iter().chain(events(then)).collect()
}

fn then_beside(request: &ChatRequest, last: Beside) -> Vec<Step> {
    events(text::answer(request)).into_iter().chain(told(vec![last])).collect()
}
