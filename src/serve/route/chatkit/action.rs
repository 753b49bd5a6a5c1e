//! Actions: a widget was touched, or the page acts by itself.

use axum::response::Response;
use serde::Serialize;

use crate::answer::{AnswerError, Turn};
use crate::chatkit::{ActionInput, Item};
use crate::llm::LlmError;
use crate::model::item::{Cue, Widget};
use crate::model::thread::{ItemContent, Principal, ThreadItem, ThreadStatus};
use crate::serve::error::{ApiError, log_cause};
use crate::serve::route;
use crate::serve::route::chatkit::reply::{answer, check_taken, take_thread};
use crate::serve::route::visible_item;
use crate::serve::state::AppState;
use crate::store::StoreError;

/// The answer to an action that is answered at once.
#[derive(Serialize)]
struct Acted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_item: Option<Item<'a>>,
}

/// An action that is answered by a stream.
pub(super) async fn stream(state: &AppState, who: Principal, input: ActionInput) -> Result<Response, ApiError> {
    let thread_id = input.thread_id.clone();
    let (cue, _) = load(state, &who, input).await?;
    let (thread, slot) = take_thread(state, &who, &thread_id).await?;
    check_active(&thread.status)?;
    Ok(answer(state, who, (thread, slot), (cue, Vec::new())))
}

/// An action that is answered at once, also while an answer streams. What the widget becomes is stored: who reads the
/// thread again sees what it saw last.
pub(super) async fn at_once(state: &AppState, who: &Principal, input: ActionInput) -> Result<Response, ApiError> {
    let (cue, widget) = load(state, who, input).await?;
    let content = state.live().engine.act(Turn { cue, ..Turn::default() }).await.map_err(|error| failed(&error))?;
    let changed = match (content, widget) {
        (Some(content), Some(widget)) if !content.is_hidden() => {
            Some(state.store.replace_item(who, &ThreadItem { content, ..widget }).await?)
        }
        _ => None,
    };
    Ok(route::json(&Acted { updated_item: changed.as_ref().map(Item::from) }))
}

/// What the turn begins with, and the widget's item: everything is there, the caller's, and known to the model.
async fn load(state: &AppState, who: &Principal, input: ActionInput) -> Result<(Cue, Option<ThreadItem>), ApiError> {
    let ActionInput { thread_id, item_id, action } = input;
    let thread = state.store.thread(who, &thread_id).await?;
    let item = match &item_id {
        Some(item_id) => Some(visible_item(state, who, &thread_id, item_id).await?),
        None => None,
    };
    let widget = item.as_ref().map(|item| Ok::<_, ApiError>((item.id.clone(), widget_of(item)?))).transpose()?;
    let cue = Cue::Action { action, widget };
    check_taken(state, &cue, "an action")?;
    check_active(&thread.status)?;
    Ok((cue, item))
}

/// An action that may be tried again says so.
fn failed(error: &AnswerError) -> ApiError {
    log_cause("an action failed", error);
    match error {
        AnswerError::Model(LlmError::Busy(_) | LlmError::Slow(_)) => ApiError::busy("the assistant is busy"),
        _ => ApiError::internal(),
    }
}

fn widget_of(item: &ThreadItem) -> Result<Widget, ApiError> {
    match &item.content {
        ItemContent::Widget(widget) => Ok(widget.clone()),
        _ => Err(ApiError::bad_request("the item is not a widget")),
    }
}

fn check_active(status: &ThreadStatus) -> Result<(), StoreError> {
    if *status == ThreadStatus::Active { Ok(()) } else { Err(StoreError::NotActive) }
}
