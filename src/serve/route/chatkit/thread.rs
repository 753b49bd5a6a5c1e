//! Reading, naming, rating and deleting threads.

use axum::response::Response;
use serde_json::json;

use crate::chatkit::{self, ThreadObject};
use crate::model::thread::{FeedbackKind, Order, PageQuery, Principal};
use crate::serve::attachments;
use crate::serve::error::ApiError;
use crate::serve::route;
use crate::serve::route::visible_item;
use crate::serve::state::AppState;
use crate::store::{Feedback, StoreError};

/// One thread with its first items.
pub(super) async fn get(state: &AppState, who: &Principal, thread_id: &str) -> Result<Response, ApiError> {
    let thread = state.store.thread(who, thread_id).await?;
    let page = PageQuery::new(None, Order::Asc, None);
    let items = state.store.items(who, thread_id, &page).await?;
    Ok(route::json(&chatkit::thread_with_items(&thread, &items)))
}

/// The caller's threads.
pub(super) async fn list(state: &AppState, who: &Principal, page: &PageQuery) -> Result<Response, ApiError> {
    let threads = state.store.threads(who, page).await?;
    Ok(route::json(&chatkit::threads_page(&threads)))
}

/// A thread's items. An item that no caller may know of is no cursor.
pub(super) async fn items(
    state: &AppState,
    who: &Principal,
    thread_id: &str,
    page: &PageQuery,
) -> Result<Response, ApiError> {
    if let Some(after) = &page.after {
        visible_item(state, who, thread_id, after).await.map_err(|error| match error {
            StoreError::NoSuchItem => StoreError::NoSuchCursor,
            other => other,
        })?;
    }
    let items = state.store.items(who, thread_id, page).await?;
    Ok(route::json(&chatkit::items_page(&items)))
}

/// A title that a visitor chose.
pub(super) async fn rename(
    state: &AppState,
    who: &Principal,
    thread_id: &str,
    title: &str,
) -> Result<Response, ApiError> {
    let thread = state.store.rename(who, thread_id, title).await?;
    Ok(route::json(&ThreadObject::from(&thread)))
}

/// Deleting is idempotent, as in the reference: gone, another's and unknown are the same answer.
pub(super) async fn delete(state: &AppState, who: &Principal, thread_id: &str) -> Result<Response, ApiError> {
    let bytes = attachments::clean::bytes_of_thread(state, who, thread_id).await;
    match state.store.delete_thread(who, thread_id).await {
        Ok(()) => {
            state.busy.thread_is_gone(thread_id);
            attachments::clean::forget(state, bytes).await;
        }
        Err(StoreError::NoSuchThread) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(route::json(&json!({})))
}

/// What a visitor thinks of some items. One that no caller may know of is none.
pub(super) async fn give_feedback(
    state: &AppState,
    who: &Principal,
    thread_id: &str,
    (item_ids, kind): (Vec<String>, FeedbackKind),
) -> Result<Response, ApiError> {
    for item_id in &item_ids {
        visible_item(state, who, thread_id, item_id).await?;
    }
    let feedback = Feedback { item_ids, kind, given_at: state.clock.now() };
    state.store.set_feedback(who, thread_id, &feedback).await?;
    Ok(route::json(&json!({})))
}
