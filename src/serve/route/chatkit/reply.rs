//! Turns that answer what the page did for the bot: the output of a tool, a form that was filled in.
//!
//! Whether the model knows what to do with it is asked before anything changes.

use axum::response::Response;
use serde_json::Value;

use crate::chatkit::{Event, Item, frame};
use crate::model::item::{Cue, InputSubmission};
use crate::model::thread::{ItemContent, Principal, Thread, ThreadItem};
use crate::serve::answering::{self, Question};
use crate::serve::busy::Slot;
use crate::serve::error::ApiError;
use crate::serve::route::chatkit::turn::take_slot;
use crate::serve::route::visible_item;
use crate::serve::state::AppState;

/// Items among which the newest visible one is looked for.
const NEWEST: u32 = 20;

/// What a tool of the page gave: the newest item must be its pending call. No event tells the completed call.
pub(super) async fn tool_output(
    state: &AppState,
    who: Principal,
    thread_id: &str,
    output: Value,
) -> Result<Response, ApiError> {
    let (thread, slot) = take_thread(state, &who, thread_id).await?;
    let newest = state.store.recent(&who, thread_id, NEWEST).await?;
    if let Some(ItemContent::ClientToolCall(call)) =
        newest.into_iter().map(|item| item.content).find(|content| !content.is_hidden())
    {
        check_taken(state, &Cue::ToolOutput(call), "the output of a tool")?;
    }
    let item = state.store.complete_tool_call(&who, thread_id, output).await?;
    let ItemContent::ClientToolCall(call) = item.content else {
        return Err(ApiError::internal());
    };
    Ok(answer(state, who, (thread, slot), (Cue::ToolOutput(call), Vec::new())))
}

/// A form that was filled in. What became of it is told before it is answered.
pub(super) async fn structured_input(
    state: &AppState,
    who: Principal,
    (thread_id, item_id): (&str, &str),
    submission: &InputSubmission,
) -> Result<Response, ApiError> {
    if let ItemContent::StructuredInput(form) = visible_item(state, &who, thread_id, item_id).await?.content {
        check_taken(state, &Cue::Form(form), "a form")?;
    }
    let (thread, slot) = take_thread(state, &who, thread_id).await?;
    let item = state.store.fill_form(&who, thread_id, item_id, submission).await?;
    let replaced = told(&item);
    let ItemContent::StructuredInput(form) = item.content else {
        return Err(ApiError::internal());
    };
    Ok(answer(state, who, (thread, slot), (Cue::Form(form), vec![replaced])))
}

/// Refuses what the model would not know what to do with.
pub(super) fn check_taken(state: &AppState, cue: &Cue, what: &str) -> Result<(), ApiError> {
    if state.live().engine.takes(cue) { Ok(()) } else { Err(ApiError::not_supported(what)) }
}

/// The thread as it is once nothing else answers in it.
pub(super) async fn take_thread(
    state: &AppState,
    who: &Principal,
    thread_id: &str,
) -> Result<(Thread, Slot), ApiError> {
    // Looked up before the slot is taken: whether another's thread is busy is nobody's business.
    state.store.thread(who, thread_id).await?;
    let slot = take_slot(state, thread_id).await?;
    Ok((state.store.thread(who, thread_id).await?, slot))
}

/// Starts a turn that begins with no message.
pub(super) fn answer(
    state: &AppState,
    who: Principal,
    (thread, slot): (Thread, Slot),
    (cue, changes): (Cue, Vec<String>),
) -> Response {
    answering::start(
        state,
        Question { who, thread, is_new: false, message: None, cue, opening: Vec::new(), changes, slot },
    )
}

fn told(item: &ThreadItem) -> String {
    frame(&Event::ItemReplaced { item: Item::from(item) })
}
