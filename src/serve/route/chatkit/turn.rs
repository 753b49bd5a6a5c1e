//! Turns that answer a message: a new thread, another message, the same message again.

use axum::response::Response;

use crate::chatkit::{Event, Item, MessageInput, frame};
use crate::model::item::Cue;
use crate::model::thread::{ItemContent, Principal, Thread, ThreadItem, ThreadStatus, UserMessage};
use crate::serve::answering::{self, Question};
use crate::serve::attachments;
use crate::serve::busy::Slot;
use crate::serve::error::ApiError;
use crate::serve::limits::{self, Day};
use crate::serve::route::visible_item;
use crate::serve::state::AppState;
use crate::serve::title;

/// A new thread with its first message.
pub(super) async fn create(state: &AppState, who: Principal, input: MessageInput) -> Result<Response, ApiError> {
    let message = load_message(state, &who, input).await?;
    let thread = Thread {
        id: state.ids.new_id("thr"),
        created_at: state.clock.now(),
        // Stored with the thread and told after it: one write for both.
        title: title::of_question(&message.text()),
        title_is_users: false,
        status: ThreadStatus::Active,
    };
    let slot = take_slot(state, &thread.id).await?;
    let item = user_item(state, &thread, &message);
    state.store.create_thread(&who, &thread, &item).await?;
    let untitled = Thread { title: None, ..thread.clone() };
    let created = frame(&Event::ThreadCreated { thread: (&untitled).into() });
    let question = Question {
        who,
        opening: vec![created, acknowledge(&item)],
        changes: Vec::new(),
        message: Some((item.id, message)),
        cue: Cue::Message,
        thread,
        is_new: true,
        slot,
    };
    Ok(answering::start(state, question))
}

/// Another message.
pub(super) async fn add_user_message(
    state: &AppState,
    who: Principal,
    thread_id: &str,
    input: MessageInput,
) -> Result<Response, ApiError> {
    // Looked up before the slot is taken: whether another's thread is busy is nobody's business.
    state.store.thread(&who, thread_id).await?;
    let message = load_message(state, &who, input).await?;
    let slot = take_slot(state, thread_id).await?;
    let thread = state.store.thread(&who, thread_id).await?;
    let item = user_item(state, &thread, &message);
    state.store.add_item(&who, &item).await?;
    let question = Question {
        who,
        opening: vec![acknowledge(&item)],
        changes: Vec::new(),
        message: Some((item.id, message)),
        cue: Cue::Message,
        thread,
        is_new: false,
        slot,
    };
    Ok(answering::start(state, question))
}

/// The same message again: what came after it is removed, with what was attached to it.
pub(super) async fn retry(
    state: &AppState,
    who: Principal,
    thread_id: &str,
    item_id: String,
) -> Result<Response, ApiError> {
    visible_item(state, &who, thread_id, &item_id).await?;
    let slot = take_slot(state, thread_id).await?;
    let thread = state.store.thread(&who, thread_id).await?;
    let bytes = attachments::clean::bytes_of_thread(state, &who, thread_id).await;
    let message = state.store.rewind(&who, thread_id, &item_id).await?;
    attachments::clean::forget(state, bytes).await;
    let question = Question {
        who,
        opening: Vec::new(),
        changes: Vec::new(),
        message: Some((item_id, message)),
        cue: Cue::Message,
        thread,
        is_new: false,
        slot,
    };
    Ok(answering::start(state, question))
}

/// The right to answer in a thread.
pub(super) async fn take_slot(state: &AppState, thread_id: &str) -> Result<Slot, ApiError> {
    if !state.load.has_room_for_answer(state.answers.len()) {
        state.metrics.refused("answers");
        return Err(ApiError::busy("too many answers are being given; try again in a moment"));
    }
    check_daily(state).await?;
    state
        .busy
        .take(thread_id)
        .await
        .ok_or_else(|| ApiError::conflict("this thread is being answered; wait for the answer or cancel it"))
}

/// Refuses when the answers of this day took all the tokens that they may.
async fn check_daily(state: &AppState) -> Result<(), ApiError> {
    let Some(bound) = state.live().daily_tokens else { return Ok(()) };
    let today = Day::of(state.clock.now());
    if !limits::is_spent(bound, &state.store.usage(&today.query()).await?) {
        return Ok(());
    }
    state.metrics.refused("daily_tokens");
    Err(ApiError::spent(today.left))
}

/// The message with what is attached to it, which must be the caller's.
async fn load_message(state: &AppState, who: &Principal, input: MessageInput) -> Result<UserMessage, ApiError> {
    let attachments = attachments::claim(state, who, &input.attachment_ids).await?;
    Ok(UserMessage { attachments, ..input.message })
}

fn user_item(state: &AppState, thread: &Thread, message: &UserMessage) -> ThreadItem {
    let mut message = message.clone();
    for attachment in &mut message.attachments {
        attachment.thread_id = Some(thread.id.clone());
    }
    ThreadItem {
        id: state.ids.new_id("msg"),
        thread_id: thread.id.clone(),
        created_at: state.clock.now(),
        content: ItemContent::UserMessage(message),
    }
}

fn acknowledge(item: &ThreadItem) -> String {
    frame(&Event::ItemDone { item: Item::from(item) })
}
