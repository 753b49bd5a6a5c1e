//! The protocol's one endpoint.
//!
//! Existence, ownership and state are checked before the first byte; a message is committed before it is acknowledged.

use axum::Extension;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use serde_json::json;

use crate::chatkit::{self, Event, Item, Request, ThreadObject, frame};
use crate::model::item::Cue;
use crate::model::thread::{
    FeedbackKind, ItemContent, Order, PageQuery, Principal, Thread, ThreadItem, ThreadStatus, UserMessage,
};
use crate::serve::answering::{self, Question};
use crate::serve::busy::Slot;
use crate::serve::error::ApiError;
use crate::serve::state::AppState;
use crate::serve::{body, route};
use crate::store::{Feedback, StoreError};

/// `POST /knowledge/chatkit`
pub async fn handle(
    State(state): State<AppState>,
    Extension(who): Extension<Principal>,
    request: HttpRequest,
) -> Result<Response, ApiError> {
    let body = body::read_json(request).await?;
    match chatkit::parse(&body)? {
        Request::Create { message } => create(&state, who, message).await,
        Request::AddUserMessage { thread_id, message } => add_user_message(&state, who, &thread_id, message).await,
        Request::Retry { thread_id, item_id } => retry(&state, who, &thread_id, item_id).await,
        Request::Get { thread_id } => get(&state, &who, &thread_id).await,
        Request::ListThreads { page } => {
            let threads = state.store.threads(&who, &page).await?;
            Ok(route::json(&chatkit::threads_page(&threads)))
        }
        Request::Rename { thread_id, title } => {
            let thread = state.store.rename(&who, &thread_id, &title).await?;
            Ok(route::json(&ThreadObject::from(&thread)))
        }
        Request::Delete { thread_id } => delete(&state, &who, &thread_id).await,
        Request::ListItems { thread_id, page } => {
            let items = state.store.items(&who, &thread_id, &page).await?;
            Ok(route::json(&chatkit::items_page(&items)))
        }
        Request::Feedback { thread_id, item_ids, kind } => {
            give_feedback(&state, &who, &thread_id, item_ids, kind).await
        }
    }
}

async fn create(state: &AppState, who: Principal, message: UserMessage) -> Result<Response, ApiError> {
    let thread = Thread {
        id: state.ids.new_id("thr"),
        created_at: state.clock.now(),
        title: None,
        title_is_users: false,
        status: ThreadStatus::Active,
    };
    let slot = take_slot(state, &thread.id).await?;
    let item = user_item(state, &thread, &message);
    state.store.create_thread(&who, &thread, &item).await?;
    let created = frame(&Event::ThreadCreated { thread: (&thread).into() });
    let question = Question {
        who,
        opening: vec![created, acknowledge(&item)],
        changes: Vec::new(),
        message: Some((item.id, message)),
        cue: Cue::Message,
        thread,
        slot,
    };
    Ok(answering::start(state, question))
}

async fn add_user_message(
    state: &AppState,
    who: Principal,
    thread_id: &str,
    message: UserMessage,
) -> Result<Response, ApiError> {
    // Looked up before the slot is taken: whether another's thread is busy is nobody's business.
    state.store.thread(&who, thread_id).await?;
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
        slot,
    };
    Ok(answering::start(state, question))
}

async fn retry(state: &AppState, who: Principal, thread_id: &str, item_id: String) -> Result<Response, ApiError> {
    state.store.item(&who, thread_id, &item_id).await?;
    let slot = take_slot(state, thread_id).await?;
    let thread = state.store.thread(&who, thread_id).await?;
    let message = state.store.rewind(&who, thread_id, &item_id).await?;
    let question = Question {
        who,
        opening: Vec::new(),
        changes: Vec::new(),
        message: Some((item_id, message)),
        cue: Cue::Message,
        thread,
        slot,
    };
    Ok(answering::start(state, question))
}

async fn get(state: &AppState, who: &Principal, thread_id: &str) -> Result<Response, ApiError> {
    let thread = state.store.thread(who, thread_id).await?;
    let page = PageQuery::new(None, Order::Asc, None);
    let items = state.store.items(who, thread_id, &page).await?;
    Ok(route::json(&chatkit::thread_with_items(&thread, &items)))
}

/// Deleting is idempotent, as in the reference: gone, another's and unknown are the same answer.
async fn delete(state: &AppState, who: &Principal, thread_id: &str) -> Result<Response, ApiError> {
    match state.store.delete_thread(who, thread_id).await {
        Ok(()) | Err(StoreError::NoSuchThread) => Ok(route::json(&json!({}))),
        Err(error) => Err(error.into()),
    }
}

async fn give_feedback(
    state: &AppState,
    who: &Principal,
    thread_id: &str,
    item_ids: Vec<String>,
    kind: FeedbackKind,
) -> Result<Response, ApiError> {
    let feedback = Feedback { item_ids, kind, given_at: state.clock.now() };
    state.store.set_feedback(who, thread_id, &feedback).await?;
    Ok(route::json(&json!({})))
}

async fn take_slot(state: &AppState, thread_id: &str) -> Result<Slot, ApiError> {
    if !state.load.has_room_for_answer(state.answers.len()) {
        state.metrics.refused("answers");
        return Err(ApiError::busy("too many answers are being given; try again in a moment"));
    }
    state
        .busy
        .take(thread_id)
        .await
        .ok_or_else(|| ApiError::conflict("this thread is being answered; wait for the answer or cancel it"))
}

fn user_item(state: &AppState, thread: &Thread, message: &UserMessage) -> ThreadItem {
    ThreadItem {
        id: state.ids.new_id("msg"),
        thread_id: thread.id.clone(),
        created_at: state.clock.now(),
        content: ItemContent::UserMessage(message.clone()),
    }
}

fn acknowledge(item: &ThreadItem) -> String {
    frame(&Event::ItemDone { item: Item::from(item) })
}
