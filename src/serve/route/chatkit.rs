//! The protocol's one endpoint.
//!
//! Existence, ownership and state are checked before the first byte; what changes is committed before it is acknowledged.

mod action;
mod reply;
mod thread;
mod turn;

use axum::Extension;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;

use crate::chatkit::{self, Request};
use crate::model::thread::Principal;
use crate::serve::attachments;
use crate::serve::body;
use crate::serve::error::ApiError;
use crate::serve::state::AppState;

/// `POST /knowledge/chatkit`
pub async fn handle(
    State(state): State<AppState>,
    Extension(who): Extension<Principal>,
    request: HttpRequest,
) -> Result<Response, ApiError> {
    let body = body::read_json(request).await?;
    let state = &state;
    match chatkit::parse(&body)? {
        Request::Create { input } => turn::create(state, who, input).await,
        Request::AddUserMessage { thread_id, input } => turn::add_user_message(state, who, &thread_id, input).await,
        Request::Retry { thread_id, item_id } => turn::retry(state, who, &thread_id, item_id).await,
        Request::AddToolOutput { thread_id, output } => reply::tool_output(state, who, &thread_id, output).await,
        Request::AddStructuredInput { thread_id, item_id, submission } => {
            reply::structured_input(state, who, (&thread_id, &item_id), &submission).await
        }
        Request::CustomAction(input) => action::stream(state, who, input).await,
        Request::SyncCustomAction(input) => action::at_once(state, &who, input).await,
        Request::Get { thread_id } => thread::get(state, &who, &thread_id).await,
        Request::ListThreads { page } => thread::list(state, &who, &page).await,
        Request::Rename { thread_id, title } => thread::rename(state, &who, &thread_id, &title).await,
        Request::Delete { thread_id } => thread::delete(state, &who, &thread_id).await,
        Request::ListItems { thread_id, page } => thread::items(state, &who, &thread_id, &page).await,
        Request::Feedback { thread_id, item_ids, kind } => {
            thread::give_feedback(state, &who, &thread_id, (item_ids, kind)).await
        }
        Request::CreateAttachment { name, size_bytes, mime_type } => {
            attachments::create(state, &who, &name, size_bytes, &mime_type).await
        }
        Request::DeleteAttachment { attachment_id } => attachments::delete(state, &who, &attachment_id).await,
        Request::Transcribe => Err(ApiError::not_supported("`input.transcribe`")),
    }
}
