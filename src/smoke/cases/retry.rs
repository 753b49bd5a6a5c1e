//! `threads.retry_after_item`: answers a message again, and removes what came after it.

use serde_json::json;

use crate::smoke::call::Reply;
use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, refused, refused_with, taken};
use crate::smoke::lab::{Lab, QUESTION};
use crate::smoke::told::{Told, id};

pub(super) const CASES: &[Case] = &[
    case!(
        "retry/answers-again",
        "a message is answered again",
        "what each request does: retry_after_item",
        answers_again
    ),
    case!(
        "retry/removes-newer",
        "everything newer than the message is gone",
        "what each request does: all newer items are deleted",
        removes_newer
    ),
    case!(
        "retry/keeps-older",
        "everything older and the message itself stay",
        "retry removes what it must and nothing else",
        keeps_older
    ),
    case!("retry/no-new-thread", "it announces no new thread", "the event stream of an answer", no_new_thread),
    case!(
        "retry/unknown-item",
        "an unknown item is refused with 404 before the stream",
        "errors: retry of an unknown item",
        unknown_item
    ),
    case!(
        "retry/unknown-thread",
        "an unknown thread is refused with 404 before the stream",
        "errors: unknown thread in a streaming request",
        unknown_thread
    ),
    case!(
        "retry/answer",
        "an answer is no message to retry: refused with a 4xx",
        "errors: retry of a non-user item",
        retry_answer
    ),
    case!(
        "retry/item-of-another-thread",
        "an item of another thread is unknown in this one",
        "item ids must belong to the thread in the request",
        foreign_item
    ),
    case!(
        "retry/refused-removes-nothing",
        "a refused retry removes nothing",
        "validate everything before anything is touched",
        refused_removes_nothing
    ),
    case!(
        "retry/feedback-stays-usable",
        "feedback on an answer that a retry removed is answered properly",
        "errors: never 5xx",
        feedback_after
    ),
];

async fn retry(lab: &Lab, thread: &str, item: &str) -> Result<Reply, Stop> {
    lab.one.call("threads.retry_after_item", json!({ "thread_id": thread, "item_id": item })).await
}

/// A thread with two questions, of which the first was tried again.
async fn retried(lab: &Lab) -> Result<(String, String, Vec<String>, Told), Stop> {
    let talk = lab.ask(QUESTION).await?;
    lab.say(&talk.thread, "And then?").await?;
    let before = lab.items(&talk.thread).await?.iter().map(|item| id(item).to_owned()).collect();
    let reply = retry(lab, &talk.thread, talk.user_id()?).await?;
    taken(&reply)?;
    Ok((talk.thread.clone(), talk.user_id()?.to_owned(), before, reply.told()))
}

async fn answers_again(lab: &Lab) -> CaseResult {
    let (thread, _, before, told) = retried(lab).await?;
    let answer = told.answer_id().ok_or_else(|| Stop::Fail("the stream has no finished answer".to_owned()))?;
    ensure(!before.iter().any(|old| old == answer), || "the answer has the id of an older item".to_owned())?;
    ensure(lab.item(&thread, answer).await?.is_some(), || "the new answer is not stored".to_owned())
}

async fn removes_newer(lab: &Lab) -> CaseResult {
    let (thread, message, before, _) = retried(lab).await?;
    let after = lab.items(&thread).await?;
    let newer = before.iter().skip_while(|old| **old != message).skip(1);
    let left = newer.filter(|old| after.iter().any(|item| id(item) == old.as_str())).count();
    ensure(left == 0, || format!("{left} newer items are still there"))
}

async fn keeps_older(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let second = lab.say(&talk.thread, "And then?").await?;
    let message = second.user_id().ok_or_else(|| Stop::Unknown("it needs a second message".to_owned()))?;
    let before = lab.items(&talk.thread).await?;
    taken(&retry(lab, &talk.thread, message).await?)?;
    let after = lab.items(&talk.thread).await?;
    let kept =
        before.iter().take_while(|item| id(item) != message).chain(before.iter().filter(|item| id(item) == message));
    for item in kept {
        ensure(after.contains(item), || format!("`{}` is gone or changed", id(item)))?;
    }
    Ok(())
}

async fn no_new_thread(lab: &Lab) -> CaseResult {
    let (.., told) = retried(lab).await?;
    ensure(told.of("thread.created").next().is_none(), || "there is a `thread.created`".to_owned())
}

async fn unknown_item(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    refused_with(&retry(lab, &talk.thread, "msg_00000000000000000000000000000000").await?, &[404])
}

async fn unknown_thread(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    refused_with(&retry(lab, "thr_00000000000000000000000000000000", talk.user_id()?).await?, &[404])
}

async fn retry_answer(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    refused(&retry(lab, &talk.thread, talk.answer_id()?).await?)
}

async fn foreign_item(lab: &Lab) -> CaseResult {
    let (talk, other) = (lab.ask(QUESTION).await?, lab.sample().await?);
    refused_with(&retry(lab, &talk.thread, other.user_id()?).await?, &[404])
}

async fn refused_removes_nothing(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    lab.say(&talk.thread, "And then?").await?;
    let before = lab.items(&talk.thread).await?;
    retry(lab, &talk.thread, "msg_00000000000000000000000000000000").await?;
    ensure(lab.items(&talk.thread).await? == before, || "the list is another now".to_owned())
}

async fn feedback_after(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let answer = talk.answer_id()?;
    retry(lab, &talk.thread, talk.user_id()?).await?;
    let params = json!({ "thread_id": talk.thread, "item_ids": [answer], "kind": "negative" });
    crate::smoke::expect::answered(&lab.one.call("items.feedback", params).await?)
}
