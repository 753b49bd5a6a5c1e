//! What turns do beside adding items: replace, remove, complete, fill in, lock.

use serde_json::{Value, json};

use super::{answer_item, begin, item, on_every_backend, principal, user_item};
use crate::model::item::{
    CallStatus, ClientToolCall, HiddenContext, InputAnswer, InputOption, InputQuestion, InputStatus, InputSubmission,
    StructuredInput,
};
use crate::model::thread::{ItemContent, Order, PageQuery, ThreadItem, ThreadStatus};
use crate::store::{Store, StoreError};

#[tokio::test]
async fn a_replaced_item_keeps_id_time_and_place() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        let (first, last) = (answer_item(&thread.id, "first"), answer_item(&thread.id, "last"));
        store.add_item(&who, &first).await.unwrap();
        store.add_item(&who, &last).await.unwrap();
        let later = jiff::Timestamp::from_microsecond(1_800_000_000_000_000).unwrap();
        let other = ThreadItem { id: first.id.clone(), created_at: later, ..answer_item(&thread.id, "other") };
        let replaced = store.replace_item(&who, &other).await.unwrap();
        assert_eq!(replaced, ThreadItem { content: other.content.clone(), ..first.clone() });
        let page = store.items(&who, &thread.id, &PageQuery::new(None, Order::Asc, None)).await.unwrap();
        assert_eq!(page.data, [question, replaced, last]);
        let unknown = answer_item(&thread.id, "unknown");
        assert!(matches!(store.replace_item(&who, &unknown).await, Err(StoreError::NoSuchItem)));
    })
    .await;
}

#[tokio::test]
async fn a_removed_item_is_gone_alone() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        let answer = answer_item(&thread.id, "a");
        store.add_item(&who, &answer).await.unwrap();
        store.remove_item(&who, &thread.id, &answer.id).await.unwrap();
        assert!(matches!(store.remove_item(&who, &thread.id, &answer.id).await, Err(StoreError::NoSuchItem)));
        assert!(matches!(store.item(&who, &thread.id, &answer.id).await, Err(StoreError::NoSuchItem)));
        let (elsewhere, _) = begin(store, &who, "q").await;
        assert!(matches!(store.remove_item(&who, &elsewhere.id, &question.id).await, Err(StoreError::NoSuchItem)));
        assert_eq!(store.recent(&who, &thread.id, 10).await.unwrap(), [question]);
    })
    .await;
}

#[tokio::test]
async fn the_newest_items_come_newest_first() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        let answer = answer_item(&thread.id, "a");
        store.add_item(&who, &answer).await.unwrap();
        let newest = store.recent(&who, &thread.id, 1).await.unwrap();
        assert_eq!(newest.len(), 1);
        assert_eq!(newest[0], answer);
        assert_eq!(store.recent(&who, &thread.id, 10).await.unwrap(), [answer, question]);
        assert_eq!(store.recent(&who, &thread.id, 0).await.unwrap(), []);
    })
    .await;
}

fn call(thread_id: &str, call_id: &str) -> ThreadItem {
    let call = ClientToolCall {
        status: CallStatus::Pending,
        call_id: call_id.to_owned(),
        name: "get_location".to_owned(),
        arguments: serde_json::Map::new(),
        output: None,
    };
    item(thread_id, ItemContent::ClientToolCall(call))
}

#[tokio::test]
async fn a_tool_call_is_completed_once() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        let nothing = store.complete_tool_call(&who, &thread.id, json!(1)).await;
        assert!(matches!(nothing, Err(StoreError::NothingPending)));
        let (forgotten, newest) = (call(&thread.id, "call_1"), call(&thread.id, "call_2"));
        let hidden = item(&thread.id, ItemContent::HiddenContextItem(HiddenContext { content: json!("x") }));
        for item in [&forgotten, &newest, &hidden] {
            store.add_item(&who, item).await.unwrap();
        }
        let completed = store.complete_tool_call(&who, &thread.id, json!({ "city": "Graz" })).await.unwrap();
        assert_eq!(completed.id, newest.id);
        match &completed.content {
            ItemContent::ClientToolCall(call) => {
                assert_eq!(call.status, CallStatus::Completed);
                assert_eq!(call.output, Some(json!({ "city": "Graz" })));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(store.recent(&who, &thread.id, 10).await.unwrap(), [hidden, completed, question]);
        let again = store.complete_tool_call(&who, &thread.id, json!(2)).await;
        assert!(matches!(again, Err(StoreError::NothingPending)));
        let last = call(&thread.id, "call_3");
        store.add_item(&who, &last).await.unwrap();
        store.add_item(&who, &user_item(&thread.id, "never mind")).await.unwrap();
        let late = store.complete_tool_call(&who, &thread.id, json!(3)).await;
        assert!(matches!(late, Err(StoreError::NothingPending)), "the conversation went on");
    })
    .await;
}

#[tokio::test]
async fn a_result_of_null_completes_too() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, _) = begin(store, &who, "q").await;
        store.add_item(&who, &call(&thread.id, "call_1")).await.unwrap();
        let completed = store.complete_tool_call(&who, &thread.id, Value::Null).await.unwrap();
        assert!(matches!(&completed.content, ItemContent::ClientToolCall(call) if call.output.is_none()));
        assert!(store.complete_tool_call(&who, &thread.id, Value::Null).await.is_err());
    })
    .await;
}

/// Two results for one call at the same time: one of them counts.
#[tokio::test]
async fn of_two_results_at_once_one_counts() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, _) = begin(store, &who, "q").await;
        store.add_item(&who, &call(&thread.id, "call_1")).await.unwrap();
        let complete = |output| store.complete_tool_call(&who, &thread.id, output);
        let (one, other) = tokio::join!(complete(json!(1)), complete(json!(2)));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    })
    .await;
}

fn form(thread_id: &str) -> ThreadItem {
    let options = ["red", "blue"].map(|value| InputOption { value: value.to_owned() }).to_vec();
    let choice = |id: &str, multiple| InputQuestion::MultipleChoice {
        id: id.to_owned(),
        question: "Which?".to_owned(),
        options: options.clone(),
        multiple,
        answer: None,
    };
    let text =
        InputQuestion::Freeform { id: "why".to_owned(), question: "Why?".to_owned(), description: None, answer: None };
    let inputs = vec![choice("one", false), choice("many", true), text];
    item(thread_id, ItemContent::StructuredInput(StructuredInput { status: InputStatus::Pending, inputs }))
}

fn answers_of(item: &ThreadItem) -> Vec<(Vec<String>, bool)> {
    let ItemContent::StructuredInput(form) = &item.content else { panic!("{item:?}") };
    let answer_of = |question: &InputQuestion| match question {
        InputQuestion::MultipleChoice { answer, .. } | InputQuestion::Freeform { answer, .. } => {
            answer.clone().map(|answer| (answer.values, answer.skipped)).unwrap()
        }
    };
    form.inputs.iter().map(answer_of).collect()
}

#[tokio::test]
async fn a_form_is_filled_in_once() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        let pending = form(&thread.id);
        store.add_item(&who, &pending).await.unwrap();
        let both = || InputAnswer { values: vec!["red".to_owned(), "blue".to_owned()], skipped: false };
        let submission = InputSubmission {
            status: InputStatus::Answered,
            answers: vec![("one".to_owned(), both()), ("many".to_owned(), both()), ("other".to_owned(), both())],
        };
        let filled = store.fill_form(&who, &thread.id, &pending.id, &submission).await.unwrap();
        let values = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        let expected = [(values(&["red"]), false), (values(&["red", "blue"]), false), (Vec::new(), true)];
        assert_eq!(answers_of(&filled), expected);
        assert_eq!(store.item(&who, &thread.id, &pending.id).await.unwrap(), filled);
        for item_id in [&pending.id, &question.id] {
            let refused = store.fill_form(&who, &thread.id, item_id, &submission).await;
            assert!(matches!(refused, Err(StoreError::NothingPending)), "{refused:?}");
        }
        let unknown = store.fill_form(&who, &thread.id, "msg_unknown", &submission).await;
        assert!(matches!(unknown, Err(StoreError::NoSuchItem)));
    })
    .await;
}

#[tokio::test]
async fn a_form_is_skipped_as_a_whole() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, _) = begin(store, &who, "q").await;
        let pending = form(&thread.id);
        store.add_item(&who, &pending).await.unwrap();
        let given = InputAnswer { values: vec!["red".to_owned()], skipped: false };
        let submission = InputSubmission { status: InputStatus::Skipped, answers: vec![("one".to_owned(), given)] };
        let filled = store.fill_form(&who, &thread.id, &pending.id, &submission).await.unwrap();
        assert!(answers_of(&filled).iter().all(|(values, skipped)| values.is_empty() && *skipped));
    })
    .await;
}

#[tokio::test]
async fn a_locked_thread_takes_nothing_from_visitors_until_it_is_opened() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        let pending = form(&thread.id);
        store.add_item(&who, &pending).await.unwrap();
        store.add_item(&who, &call(&thread.id, "call_1")).await.unwrap();
        let submission = InputSubmission { status: InputStatus::Skipped, answers: Vec::new() };
        for status in [ThreadStatus::Locked { reason: Some("paid".into()) }, ThreadStatus::Closed { reason: None }] {
            assert_eq!(store.set_status(&who, &thread.id, &status).await.unwrap().status, status);
            let refused = [
                store.add_item(&who, &user_item(&thread.id, "q")).await,
                store.rewind(&who, &thread.id, &question.id).await.map(drop),
                store.complete_tool_call(&who, &thread.id, json!(1)).await.map(drop),
                store.fill_form(&who, &thread.id, &pending.id, &submission).await.map(drop),
            ];
            for (place, result) in refused.into_iter().enumerate() {
                assert!(matches!(result, Err(StoreError::NotActive)), "operation {place}: {result:?}");
            }
        }
        store.set_status(&who, &thread.id, &ThreadStatus::Active).await.unwrap();
        store.complete_tool_call(&who, &thread.id, json!(1)).await.unwrap();
        store.fill_form(&who, &thread.id, &pending.id, &submission).await.unwrap();
        store.add_item(&who, &user_item(&thread.id, "q")).await.unwrap();
    })
    .await;
}

/// A15: another's id and an unknown id are the same answer, and change nothing.
#[tokio::test]
async fn nobody_takes_part_in_anothers_turn() {
    on_every_backend(async |store| {
        let (owner, other) = (principal("owner"), principal("other"));
        let (thread, question) = begin(store, &owner, "mine").await;
        let (pending, call) = (form(&thread.id), call(&thread.id, "call_1"));
        store.add_item(&owner, &pending).await.unwrap();
        store.add_item(&owner, &call).await.unwrap();
        let submission = InputSubmission { status: InputStatus::Skipped, answers: Vec::new() };
        for (who, id) in [(&other, thread.id.as_str()), (&owner, "thr_unknown")] {
            let replacement = ThreadItem { id: question.id.clone(), ..answer_item(id, "not yours") };
            let refused = [
                store.recent(who, id, 10).await.map(drop),
                store.replace_item(who, &replacement).await.map(drop),
                store.remove_item(who, id, &question.id).await,
                store.complete_tool_call(who, id, json!(1)).await.map(drop),
                store.fill_form(who, id, &pending.id, &submission).await.map(drop),
                store.set_status(who, id, &ThreadStatus::Closed { reason: None }).await.map(drop),
                store.thread_attachments(who, id).await.map(drop),
            ];
            for (place, result) in refused.into_iter().enumerate() {
                assert!(matches!(result, Err(StoreError::NoSuchThread)), "operation {place}: {result:?}");
            }
        }
        assert_eq!(store.thread(&owner, &thread.id).await.unwrap(), thread);
        assert_eq!(store.recent(&owner, &thread.id, 10).await.unwrap(), [call, pending, question]);
    })
    .await;
}

/// An item of one's own thread is not reached through another of one's own.
#[tokio::test]
async fn items_are_reached_through_their_thread_only() {
    on_every_backend(items_of_another_thread).await;
}

async fn items_of_another_thread(store: &dyn Store) {
    let who = principal("a");
    let (_, question) = begin(store, &who, "q").await;
    let (elsewhere, _) = begin(store, &who, "q").await;
    let replacement = ThreadItem { id: question.id.clone(), ..answer_item(&elsewhere.id, "x") };
    assert!(matches!(store.replace_item(&who, &replacement).await, Err(StoreError::NoSuchItem)));
    assert!(matches!(store.item(&who, &elsewhere.id, &question.id).await, Err(StoreError::NoSuchItem)));
}
