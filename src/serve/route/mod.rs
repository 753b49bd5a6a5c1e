//! The routes: one file a resource.

pub mod attachments;
pub mod chatkit;
pub mod citations;
pub mod documents;
pub mod health;
pub mod info;
pub mod page;
pub mod preview;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::model::thread::{Principal, ThreadItem};
use crate::serve::state::AppState;
use crate::store::StoreError;

/// An item that callers may know of: one for the model alone is none.
async fn visible_item(
    state: &AppState,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
) -> Result<ThreadItem, StoreError> {
    let item = state.store.item(who, thread_id, item_id).await?;
    if item.content.is_hidden() { Err(StoreError::NoSuchItem) } else { Ok(item) }
}

/// A good answer in JSON, exactly as the reference labels it.
pub(in crate::serve) fn json<T: Serialize>(value: &T) -> Response {
    json_with(StatusCode::OK, value)
}

/// An answer in JSON with this status.
pub fn json_with<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let body = serde_json::to_string(value).expect("answers have text keys and no fallible part");
    let content_type = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
