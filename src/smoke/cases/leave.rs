//! Hanging up, asking twice at once, and many at once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, need, need_taken, refused_with, taken};
use crate::smoke::lab::{Lab, QUESTION, add, create};
use crate::smoke::told::{Told, id, text};

/// Where the protocol says it.
const RULE: &str = "cancellation and disconnects: clean-up after a hang-up must outlive the request";

pub(super) const CASES: &[Case] = &[
    case!("hang-up/message-kept", "the visitor's message survives a hang-up", RULE, message_kept),
    case!("hang-up/partial-kept", "what was shown of an answer is kept after a hang-up", RULE, partial_kept),
    case!("hang-up/goes-on", "the thread takes the next message after a hang-up", RULE, goes_on),
    case!("hang-up/nothing-twice", "a hang-up leaves one message and at most one answer", RULE, nothing_twice),
    case!("hang-up/hidden-note", "a note about the hang-up is not shown", "hidden items are never sent", hidden_note),
    case!(
        "busy/second-message",
        "a second message while one is answered is refused with 409 or waits",
        "two requests on one thread are not serialised by the library",
        second_message
    ),
    case!("busy/other-thread", "another thread is answered meanwhile", "one answer at a time per thread", other_thread),
    case!("busy/reading", "a thread can be read while it is answered", "one answer at a time per thread", reading),
    case!(
        "busy/many-on-one-thread",
        "five messages at once on one thread leave whole turns in order",
        "two requests on one thread are not serialised by the library",
        many_on_one
    ),
    case!("busy/ten-threads", "ten threads are made and answered at once", "concurrency", ten_threads),
    case!("busy/twenty-readers", "twenty lists are read at once", "concurrency", twenty_readers),
];

/// A long question, asked in a stream that is read until its text begins.
async fn begun(lab: &Lab) -> Result<(crate::smoke::call::Live, Told), Stop> {
    let mut live = lab.one.open("threads.create", create(&format!("[[slow]] {QUESTION}"))).await?;
    let told = live.until(|told| told.updates("assistant_message.content_part.text_delta").nth(1).is_some()).await?;
    Ok((live, told))
}

/// The items of a thread once they are as asked, or as they are when the time is over.
async fn settled(lab: &Lab, thread: &str, is_it: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>, Stop> {
    const ATTEMPTS: u32 = 40;
    const PAUSE: Duration = Duration::from_millis(150);
    let mut items = lab.items(thread).await?;
    for _ in 0..ATTEMPTS {
        if is_it(&items) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        items = lab.items(thread).await?;
    }
    Ok(items)
}

fn answers(items: &[Value]) -> impl Iterator<Item = &Value> {
    items.iter().filter(|item| item["type"] == "assistant_message")
}

async fn message_kept(lab: &Lab) -> CaseResult {
    let (live, told) = begun(lab).await?;
    drop(live);
    let items = lab.items(need(told.thread_id(), "a thread")?).await?;
    ensure(items.iter().any(|item| Some(id(item)) == told.user_id()), || "the message is gone".to_owned())
}

async fn partial_kept(lab: &Lab) -> CaseResult {
    let (live, told) = begun(lab).await?;
    drop(live);
    let items = settled(lab, need(told.thread_id(), "a thread")?, |items| answers(items).next().is_some()).await?;
    let kept = answers(&items).next().map(text);
    let kept = kept.ok_or_else(|| Stop::Fail("nothing of the answer is kept".to_owned()))?;
    ensure(kept.starts_with(told.deltas().trim_end()), || "what is kept is not what was shown".to_owned())
}

/// The next message, once the thread takes it.
async fn next_message(lab: &Lab, thread: &str) -> CaseResult {
    const ATTEMPTS: u32 = 20;
    for _ in 0..ATTEMPTS {
        let reply = lab.one.call("threads.add_user_message", add(thread, "And then?")).await?;
        if reply.status != 409 {
            taken(&reply)?;
            return ensure(reply.told().answer().is_some(), || "the next message has no answer".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(Stop::Fail("the thread is still busy".to_owned()))
}

async fn goes_on(lab: &Lab) -> CaseResult {
    let (live, told) = begun(lab).await?;
    drop(live);
    next_message(lab, need(told.thread_id(), "a thread")?).await
}

async fn nothing_twice(lab: &Lab) -> CaseResult {
    let (live, told) = begun(lab).await?;
    drop(live);
    let thread = need(told.thread_id(), "a thread")?;
    settled(lab, thread, |items| answers(items).next().is_some()).await?;
    next_message(lab, thread).await?;
    let items = lab.items(thread).await?;
    let messages = items.iter().filter(|item| item["type"] == "user_message").count();
    let answers = answers(&items).count();
    ensure(messages == 2 && answers <= 2, || format!("two messages left {messages} messages and {answers} answers"))
}

async fn hidden_note(lab: &Lab) -> CaseResult {
    let (live, told) = begun(lab).await?;
    drop(live);
    let items = settled(lab, need(told.thread_id(), "a thread")?, |items| answers(items).next().is_some()).await?;
    let is_hidden = |item: &Value| item["type"].as_str().is_some_and(|kind| kind.contains("hidden"));
    ensure(!items.iter().any(is_hidden), || "a hidden item is listed".to_owned())
}

async fn second_message(lab: &Lab) -> CaseResult {
    let (live, told) = begun(lab).await?;
    let thread = need(told.thread_id(), "a thread")?;
    let second = lab.one.call("threads.add_user_message", add(thread, "And then?"));
    let (first, second) = tokio::join!(live.rest(), second);
    let (first, second) = (first?, second?);
    refused_with(&second, &[200, 409, 423, 429])?;
    ensure(first.answer().is_some(), || "the first answer did not come to an end".to_owned())?;
    let items = lab.items(thread).await?;
    turns_are_whole(&items)
}

/// Every message is followed by its answer before the next message comes.
fn turns_are_whole(items: &[Value]) -> CaseResult {
    let kinds = items.iter().filter_map(|item| item["type"].as_str()).filter(|kind| kind.ends_with("_message"));
    let kinds: Vec<&str> = kinds.collect();
    let is_whole = kinds.chunks(2).all(|turn| matches!(turn, ["user_message", "assistant_message"] | ["user_message"]));
    ensure(is_whole, || format!("the thread holds {}", kinds.join(", ")))
}

async fn other_thread(lab: &Lab) -> CaseResult {
    let (live, _) = begun(lab).await?;
    let reply = lab.one.call("threads.create", create(QUESTION)).await?;
    drop(live);
    taken(&reply)?;
    ensure(reply.told().answer().is_some(), || "the other thread has no answer".to_owned())
}

async fn reading(lab: &Lab) -> CaseResult {
    let (live, told) = begun(lab).await?;
    let thread = lab.get(need(told.thread_id(), "a thread")?).await?;
    drop(live);
    taken(&thread)
}

async fn many_on_one(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let sent = (0..5).map(|at| lab.one.call("threads.add_user_message", add(&talk.thread, &format!("And {at}?"))));
    let mut taken = 0;
    for reply in join_all(sent).await {
        let reply = reply?;
        refused_with(&reply, &[200, 409, 423, 429])?;
        taken += usize::from(reply.status == 200);
    }
    ensure(taken > 0, || "none of the five was taken".to_owned())?;
    let items = lab.items(&talk.thread).await?;
    let messages = items.iter().filter(|item| item["type"] == "user_message").count();
    ensure(messages == taken + 1, || {
        format!("{taken} messages were taken, and {} are there", messages.saturating_sub(1))
    })?;
    turns_are_whole(&items)
}

async fn ten_threads(lab: &Lab) -> CaseResult {
    let replies = join_all((0..10).map(|_| lab.one.call("threads.create", create(QUESTION)))).await;
    for reply in replies {
        let reply = reply?;
        need_taken(&reply).map_err(|_| Stop::Fail(reply.describe()))?;
        ensure(reply.told().answer().is_some(), || "one of them has no answer".to_owned())?;
    }
    Ok(())
}

async fn twenty_readers(lab: &Lab) -> CaseResult {
    for reply in join_all((0..20).map(|_| lab.one.call("threads.list", json!({ "limit": 5 })))).await {
        taken(&reply?)?;
    }
    Ok(())
}
