//! What is looked at when all others have run: times, errors, and whether the server is well.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, taken};
use crate::smoke::lab::Lab;

pub(super) const CASES: &[Case] = &[
    case!(
        "time/in-order",
        "the times of a thread's items do not go back",
        "pagination: ordering is by creation",
        in_order
    )
    .last(),
    case!("time/now", "times are those of now", "objects: created_at", now).last(),
    case!(
        "errors/no-5xx",
        "no request was answered with a 5xx other than 501 and 503",
        "rules: never answer 5xx to a bad request",
        no_5xx
    )
    .last(),
    case!("errors/json", "every refusal is a JSON object", "errors: one shape for all", errors_are_json).last(),
    case!("errors/one-shape", "every refusal has the same shape", "errors: one shape for all", one_shape)
        .advisory()
        .last(),
    case!(
        "errors/no-details",
        "no refusal shows paths, stacks, statements or names of libraries",
        "rules: never leak internals",
        no_details
    )
    .last(),
    case!(
        "health/still-well",
        "after everything the server answers within two seconds",
        "rules: a bad request ends nothing",
        still_well
    )
    .last(),
];

/// Words that stand in errors from inside, in several languages.
const INSIDE: [&str; 15] = [
    "Traceback (most recent",
    "File \"/",
    "site-packages",
    "panicked at",
    ".rs:",
    ".py\"",
    "/home/",
    "/usr/",
    "node_modules",
    "at Object.",
    "goroutine ",
    "SELECT ",
    "INSERT ",
    "sqlite3.",
    "Exception:",
];

/// What of a text comes from inside.
pub(super) fn leak(text: &str) -> Option<&'static str> {
    INSIDE.into_iter().find(|word| text.contains(word))
}

async fn in_order(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let items = lab.items(&talk.thread).await?;
    let times: Vec<&str> = items.iter().filter_map(|item| item["created_at"].as_str()).collect();
    // Times of one form compare as texts once the fraction, which whole seconds lack, is put apart.
    let key = |time: &str| {
        let (second, fraction) = time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), ""));
        (second.to_owned(), format!("{fraction:0<9}"))
    };
    ensure(times.windows(2).all(|pair| key(pair[0]) <= key(pair[1])), || {
        "an item is older than the one before".to_owned()
    })
}

async fn now(lab: &Lab) -> CaseResult {
    const TOLERANCE_S: i64 = 15 * 60;
    let talk = lab.ask(crate::smoke::lab::QUESTION).await?;
    let created = talk.told.of("thread.created").find_map(|event| event["thread"]["created_at"].as_str());
    let Some(time) = created.and_then(|time| time.parse::<Timestamp>().ok()) else {
        return Err(Stop::Skip("the time says no zone, so it cannot be compared".to_owned()));
    };
    let off = (time.as_second() - Timestamp::now().as_second()).abs();
    ensure(off < TOLERANCE_S, || format!("the server's time is {off} seconds from ours"))
}

async fn no_5xx(lab: &Lab) -> CaseResult {
    let seen = lab.seen().await?;
    let broken: Vec<String> = seen
        .iter()
        .filter(|seen| seen.status >= 500 && !matches!(seen.status, 501 | 503))
        .map(|seen| format!("`{}` gave {}", seen.told.kind, seen.status))
        .collect();
    ensure(broken.is_empty(), || format!("{} answers, among them {}", broken.len(), broken[0]))
}

async fn errors_are_json(lab: &Lab) -> CaseResult {
    let seen = lab.seen().await?;
    // What an intermediary or the HTTP layer refuses before there is a request of the protocol may be plain.
    let refusals =
        seen.iter().filter(|seen| (400..500).contains(&seen.status) && ![405, 408, 414, 431].contains(&seen.status));
    for refusal in refusals {
        let is_object = refusal.told.events.first().is_some_and(serde_json::Value::is_object);
        ensure(is_object && refusal.content_type.ends_with("json"), || {
            format!("`{}` gave {} with `{}`", refusal.told.kind, refusal.status, refusal.content_type)
        })?;
    }
    Ok(())
}

async fn one_shape(lab: &Lab) -> CaseResult {
    let seen = lab.seen().await?;
    let refusals = seen.iter().filter(|seen| (400..500).contains(&seen.status) && seen.status != 405);
    let mut shapes: Vec<Vec<&str>> = refusals
        .filter_map(|seen| seen.told.events.first()?.as_object())
        .map(|fields| fields.keys().map(String::as_str).collect())
        .collect();
    shapes.sort_unstable();
    shapes.dedup();
    ensure(shapes.len() <= 1, || format!("there are {} shapes: {shapes:?}", shapes.len()))
}

async fn no_details(lab: &Lab) -> CaseResult {
    for seen in lab.seen().await?.iter().filter(|seen| seen.status >= 400) {
        let found = seen.error.as_deref().and_then(leak);
        ensure(found.is_none(), || format!("an answer to `{}` has `{}`", seen.told.kind, found.unwrap_or_default()))?;
    }
    Ok(())
}

async fn still_well(lab: &Lab) -> CaseResult {
    const LIMIT: Duration = Duration::from_secs(2);
    let since = Instant::now();
    taken(&lab.one.call("threads.list", json!({ "limit": 1 })).await?)?;
    ensure(since.elapsed() < LIMIT, || format!("it took {} ms", since.elapsed().as_millis()))
}
