//! The form of every object and event that the other cases saw.

use std::collections::BTreeSet;

use crate::smoke::case::{Case, CaseResult, Stop};
use crate::smoke::lab::Lab;
use crate::smoke::shape::{self, Rule};

/// A row whose look is one rule of form applied to everything.
macro_rules! form_case {
    ($name:literal, $summary:literal, $source:literal, $rule:path) => {
        Case::new($name, $summary, $source, |lab| Box::pin(every(lab, $rule))).last()
    };
}

pub(super) const CASES: &[Case] = &[
    form_case!(
        "shape/threads",
        "threads have id, time, status, metadata and a page of items",
        "objects: Thread",
        Rule::Thread
    ),
    form_case!(
        "shape/pages",
        "pages have data and has_more, and after just when there is more",
        "pagination: Page",
        Rule::Page
    ),
    form_case!("shape/items", "every item has id, thread, time and type", "objects: every item", Rule::Item),
    form_case!(
        "shape/user-messages",
        "visitors' messages have all their fields",
        "objects: user_message",
        Rule::UserMessage
    ),
    form_case!(
        "shape/answers",
        "answers have parts with text and annotations",
        "objects: AssistantContent",
        Rule::AssistantMessage
    ),
    form_case!(
        "shape/annotations",
        "annotations have a whole source",
        "objects: Annotation, sources",
        Rule::Annotation
    ),
    form_case!("shape/other-items", "items of other kinds have all their fields", "objects: items", Rule::OtherItem),
    form_case!("shape/attachments", "attachments have all their fields", "objects: Attachment", Rule::Attachment),
    form_case!("shape/events", "events have all their fields", "event types", Rule::Event),
    form_case!("shape/updates", "updates have all their fields", "updates", Rule::Update),
    form_case!(
        "shape/errors",
        "errors in a stream have a known code and say whether to retry",
        "errors: inside a stream",
        Rule::Error
    ),
    form_case!("shape/known-types", "every type is the protocol's", "event types, updates, items", Rule::Known),
    form_case!(
        "shape/no-nulls",
        "optional fields are left out, never null",
        "JSON rules: a null field is left out",
        Rule::Null
    ),
    form_case!(
        "shape/no-metadata",
        "metadata stays at the server",
        "JSON rules: metadata is sent as {}",
        Rule::Metadata
    ),
    form_case!("shape/nothing-hidden", "hidden items are never sent", "hidden items: never sent", Rule::Hidden),
    form_case!("time/readable", "times are ISO 8601", "JSON rules: timestamps", Rule::Time),
    form_case!(
        "time/utc",
        "times are in UTC and say so",
        "JSON rules: browsers read a zoneless time as their own",
        Rule::Zone
    ),
];

/// The faults of one rule in everything that was seen. A few of them are the reason.
async fn every(lab: &Lab, rule: Rule) -> CaseResult {
    const TOLD: usize = 3;
    let mut faults = BTreeSet::new();
    for seen in lab.seen().await?.iter().filter(|seen| seen.status == 200) {
        let mut found = Vec::new();
        for value in &seen.told.events {
            if seen.is_stream {
                shape::event(value, &mut found);
            } else {
                found.extend(shape::answer(&seen.told.kind, value));
            }
        }
        faults.extend(found.into_iter().filter(|fault| fault.rule == rule).map(|fault| fault.what));
        if faults.len() >= TOLD {
            break;
        }
    }
    match faults.into_iter().take(TOLD).collect::<Vec<_>>() {
        faults if faults.is_empty() => Ok(()),
        faults => Err(Stop::Fail(faults.join("; "))),
    }
}
