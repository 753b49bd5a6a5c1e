//! Rules between the events of one stream, applied to every whole stream that the other cases saw.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::smoke::case::{Case, CaseResult, Stop};
use crate::smoke::expect::ensure;
use crate::smoke::lab::Lab;
use crate::smoke::told::{Told, text};

/// Where the protocol says it.
const RULE: &str = "the event stream of an answer: order";

/// A row whose look is a rule applied to every stream.
macro_rules! stream_case {
    ($name:literal, $summary:literal, $source:expr, $rule:path) => {
        Case::new($name, $summary, $source, |lab| Box::pin(every(lab, $rule))).last()
    };
}

pub(super) const CASES: &[Case] = &[
    stream_case!("stream/thread-first", "a new thread is announced first, and once", RULE, thread_first),
    stream_case!(
        "stream/message-next",
        "the visitor's message is acknowledged before the answer begins",
        RULE,
        message_next
    ),
    stream_case!(
        "stream/options-before-answer",
        "stream_options come before the bot's first event",
        "always sent before the responder's first event",
        options_before_answer
    ),
    stream_case!("stream/added-before-updated", "an item is added before it is updated", RULE, added_before_updated),
    stream_case!("stream/done-once", "an item is done once", "rules: send done exactly once per item", done_once),
    stream_case!(
        "stream/nothing-after-done",
        "an item is not updated when it is done",
        "rules: never update an item that is not open",
        nothing_after_done
    ),
    stream_case!(
        "stream/nothing-left-open",
        "what was added is done or removed at the end, or an error was told",
        RULE,
        nothing_left_open
    ),
    stream_case!("stream/same-thread", "every item is of the same thread", "objects: thread_id", same_thread),
    stream_case!("stream/same-identity", "an item keeps its type and its time from added to done", RULE, same_identity),
    stream_case!(
        "stream/added-empty",
        "an answer is added without content",
        "the event stream: content []",
        added_empty
    ),
    stream_case!(
        "stream/parts-in-order",
        "the parts of an answer are added in order, empty, before their text comes",
        RULE,
        parts_in_order
    ),
    stream_case!("stream/text-of-deltas", "the text of a finished answer is that of its deltas", RULE, text_of_deltas),
    stream_case!(
        "stream/part-done",
        "a finished part has the whole text",
        "the event stream: content_part.done with the whole text",
        part_done
    ),
    stream_case!(
        "stream/annotations",
        "the annotations of a finished answer are those that were told",
        RULE,
        annotations
    ),
    stream_case!(
        "stream/annotation-order",
        "annotations are counted 0, 1, 2 within their part",
        "annotation_index 0,1,2… counted per content part",
        annotation_order
    ),
    stream_case!(
        "stream/annotation-position",
        "an annotation stands within its text",
        "objects: Annotation.index",
        annotation_position
    ),
    stream_case!(
        "stream/end-after-error",
        "after an error no item follows",
        "errors: the stream ends; a thread.updated may follow",
        end_after_error
    ),
    stream_case!("stream/empty-deltas", "no delta is empty", "the event stream: text_delta", no_empty_delta).advisory(),
];

/// Applies a rule to every whole stream. The first that breaks it is the reason.
async fn every(lab: &Lab, rule: fn(&Told) -> CaseResult) -> CaseResult {
    let seen = lab.seen().await?;
    for seen in seen.iter().filter(|seen| seen.status == 200 && seen.is_stream && seen.is_whole) {
        rule(&seen.told).map_err(|stop| match stop {
            Stop::Fail(why) => Stop::Fail(format!("in a stream of `{}`: {why}", seen.told.kind)),
            other => other,
        })?;
    }
    Ok(())
}

fn item_id(event: &Value) -> &str {
    event["item_id"].as_str().or_else(|| event["item"]["id"].as_str()).unwrap_or_default()
}

fn thread_first(told: &Told) -> CaseResult {
    // Requests of odd bodies have names of their own, which say nothing about what was asked.
    if !told.kind.starts_with("threads.") {
        return Ok(());
    }
    let found: Vec<usize> = told
        .events
        .iter()
        .enumerate()
        .filter(|(_, event)| event["type"] == "thread.created")
        .map(|(at, _)| at)
        .collect();
    let expected: &[usize] = if told.kind == "threads.create" { &[0] } else { &[] };
    ensure(found == expected, || format!("`thread.created` stands at {found:?}"))
}

/// Whether an event is one of the bot's: what answers, and not what acknowledges.
fn is_bots(event: &Value) -> bool {
    match event["type"].as_str().unwrap_or_default() {
        // An error may be the whole stream of what never reached the bot.
        "thread.created" | "thread.updated" | "stream_options" | "thread.item.replaced" | "error" => false,
        "thread.item.done" => event["item"]["type"] != "user_message",
        _ => true,
    }
}

fn message_next(told: &Told) -> CaseResult {
    if !matches!(told.kind.as_str(), "threads.create" | "threads.add_user_message") {
        return Ok(());
    }
    let message = told.position(|event| event["type"] == "thread.item.done" && event["item"]["type"] == "user_message");
    let answer = told.position(is_bots);
    ensure(message.is_some_and(|message| answer.is_none_or(|answer| message < answer)), || {
        "the message is not acknowledged, or too late".to_owned()
    })
}

fn options_before_answer(told: &Told) -> CaseResult {
    let options = told.position(|event| event["type"] == "stream_options");
    let Some(answer) = told.position(is_bots) else { return Ok(()) };
    ensure(options.is_some_and(|options| options < answer), || "they come too late, or not at all".to_owned())
}

fn added_before_updated(told: &Told) -> CaseResult {
    let mut added = BTreeSet::new();
    for event in &told.events {
        match event["type"].as_str() {
            Some("thread.item.added") => drop(added.insert(item_id(event))),
            // An item of an earlier turn may be updated as well: a widget, for example.
            Some("thread.item.updated") if event["update"]["type"].as_str().is_some_and(is_text) => {
                ensure(added.contains(item_id(event)), || "an answer is updated that was never added".to_owned())?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_text(update: &str) -> bool {
    update.starts_with("assistant_message.")
}

fn done_once(told: &Told) -> CaseResult {
    let mut done = BTreeSet::new();
    for event in told.of("thread.item.done") {
        ensure(done.insert(item_id(event)), || "an item is done twice".to_owned())?;
    }
    Ok(())
}

fn nothing_after_done(told: &Told) -> CaseResult {
    let mut done = BTreeSet::new();
    for event in &told.events {
        match event["type"].as_str() {
            Some("thread.item.done") => drop(done.insert(item_id(event))),
            Some("thread.item.updated" | "thread.item.added") => {
                let is_text =
                    event["type"] == "thread.item.added" || event["update"]["type"].as_str().is_some_and(is_text);
                ensure(!is_text || !done.contains(item_id(event)), || "an item changes after it was done".to_owned())?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn nothing_left_open(told: &Told) -> CaseResult {
    if told.of("error").next().is_some() {
        return Ok(());
    }
    let closed: BTreeSet<&str> =
        told.of("thread.item.done").chain(told.of("thread.item.removed")).map(item_id).collect();
    let open = told.of("thread.item.added").filter(|event| !closed.contains(item_id(event))).count();
    ensure(open == 0, || format!("{open} items were added and never done"))
}

fn same_thread(told: &Told) -> CaseResult {
    let items = told.events.iter().filter_map(|event| event["item"]["thread_id"].as_str());
    let threads: BTreeSet<&str> = items.chain(told.thread_id()).collect();
    ensure(threads.len() <= 1, || format!("its items are of {} threads", threads.len()))
}

fn same_identity(told: &Told) -> CaseResult {
    let added: BTreeMap<&str, &Value> =
        told.of("thread.item.added").map(|event| (item_id(event), &event["item"])).collect();
    for event in told.of("thread.item.done") {
        if let Some(item) = added.get(item_id(event)) {
            let is_same = ["type", "created_at"].iter().all(|key| item[key] == event["item"][key]);
            ensure(is_same, || "an item is done with another type or time than it was added with".to_owned())?;
        }
    }
    Ok(())
}

fn added_empty(told: &Told) -> CaseResult {
    let mut answers = told.of("thread.item.added").filter(|event| event["item"]["type"] == "assistant_message");
    ensure(answers.all(|event| event["item"]["content"].as_array().is_some_and(Vec::is_empty)), || {
        "an answer is added with content".to_owned()
    })
}

fn parts_in_order(told: &Told) -> CaseResult {
    let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
    for event in told.of("thread.item.updated") {
        let update = &event["update"];
        let (Some(kind), Some(at)) = (update["type"].as_str(), update["content_index"].as_u64()) else { continue };
        let known = parts.entry(item_id(event)).or_default();
        if kind == "assistant_message.content_part.added" {
            ensure(at == *known, || format!("part {at} is added where part {known} belongs"))?;
            ensure(update["content"]["text"] == "", || "a part is added with text".to_owned())?;
            *known += 1;
        } else {
            ensure(at < *known, || format!("part {at} changes before it is added"))?;
        }
    }
    Ok(())
}

/// The finished answers that were told from their beginning, each with its updates of this type.
fn answers<'a>(told: &'a Told, update: &'a str) -> impl Iterator<Item = (&'a Value, Vec<&'a Value>)> {
    let added: BTreeSet<&str> = told.of("thread.item.added").map(item_id).collect();
    told.done("assistant_message").filter(move |item| added.contains(item["id"].as_str().unwrap_or_default())).map(
        move |item| {
            let id = item["id"].as_str().unwrap_or_default();
            (item, told.updates(update).filter(|(of, _)| *of == id).map(|(_, update)| update).collect())
        },
    )
}

fn text_of_deltas(told: &Told) -> CaseResult {
    for (item, deltas) in answers(told, "assistant_message.content_part.text_delta") {
        let joined: String = deltas.iter().filter_map(|update| update["delta"].as_str()).collect();
        ensure(joined == text(item), || {
            format!("the deltas have {} characters, the answer {}", joined.chars().count(), text(item).chars().count())
        })?;
    }
    Ok(())
}

fn part_done(told: &Told) -> CaseResult {
    for (item, done) in answers(told, "assistant_message.content_part.done") {
        for update in done {
            let at = usize::try_from(update["content_index"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
            ensure(item["content"].get(at).is_some_and(|part| part["text"] == update["content"]["text"]), || {
                format!("part {at} was done with another text than the answer has")
            })?;
        }
    }
    Ok(())
}

fn annotations(told: &Told) -> CaseResult {
    for (item, added) in answers(told, "assistant_message.content_part.annotation_added") {
        let told: Vec<&Value> = added.iter().map(|update| &update["annotation"]).collect();
        let parts = item["content"].as_array().into_iter().flatten();
        let kept: Vec<&Value> = parts.flat_map(|part| part["annotations"].as_array().into_iter().flatten()).collect();
        ensure(told == kept, || format!("{} were told, {} are there, or others", told.len(), kept.len()))?;
    }
    Ok(())
}

fn annotation_order(told: &Told) -> CaseResult {
    let mut next: BTreeMap<(&str, u64), u64> = BTreeMap::new();
    for (item, update) in told.updates("assistant_message.content_part.annotation_added") {
        let part = update["content_index"].as_u64().unwrap_or_default();
        let next = next.entry((item, part)).or_default();
        let found = update["annotation_index"].as_u64();
        ensure(found == Some(*next), || format!("annotation {next} has the index {found:?}"))?;
        *next += 1;
    }
    Ok(())
}

fn annotation_position(told: &Told) -> CaseResult {
    let parts = told.done("assistant_message").flat_map(|item| item["content"].as_array().into_iter().flatten());
    for part in parts {
        // The unit is not stated; UTF-16 is the widest that servers use.
        let units = part["text"].as_str().unwrap_or_default().encode_utf16().count() as u64;
        for mark in part["annotations"].as_array().into_iter().flatten() {
            let at = mark["index"].as_u64().unwrap_or_default();
            ensure(at <= units, || format!("a mark stands at {at}, and the text has {units}"))?;
        }
    }
    Ok(())
}

fn end_after_error(told: &Told) -> CaseResult {
    let Some(error) = told.position(|event| event["type"] == "error") else { return Ok(()) };
    let after = told.events[error + 1..].iter().filter(|event| event["type"] != "thread.updated").count();
    ensure(after == 0, || format!("{after} events follow it"))
}

fn no_empty_delta(told: &Told) -> CaseResult {
    let mut deltas = told.updates("assistant_message.content_part.text_delta");
    ensure(deltas.all(|(_, update)| update["delta"] != ""), || "a delta is empty".to_owned())
}
