//! What a turn does to a thread beside adding items: filling forms in, ending tool calls, replacing.

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::model::item::{CallStatus, InputAnswer, InputQuestion, InputStatus, InputSubmission};
use crate::model::thread::{ItemContent, Principal, ThreadItem};
use crate::store::StoreError;
use crate::store::sqlite::row::{ItemRow, read_item};
use crate::store::sqlite::statement::rows;
use crate::store::sqlite::{items, threads};

/// How far back an unanswered tool call is looked for.
const RECENT_ITEMS: u32 = 20;

/// Gives the newest visible item, a pending tool call, its output; deletes other pending calls nearby.
pub(super) fn complete_tool_call(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    output: Value,
) -> Result<ThreadItem, StoreError> {
    threads::check_active(connection, who, thread_id)?;
    let statement = "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
                     WHERE t.id = ?1 AND t.owner = ?2 \
                     AND i.kind NOT IN ('hidden_context_item', 'sdk_hidden_context') ORDER BY i.seq DESC LIMIT ?3";
    let mut recent = rows(connection, statement, params![thread_id, who.id, RECENT_ITEMS], read_item)?.into_iter();
    let Some(mut newest) = recent.next() else { return Err(StoreError::NothingPending) };
    let ItemContent::ClientToolCall(call) = &mut newest.content else { return Err(StoreError::NothingPending) };
    if call.status != CallStatus::Pending {
        return Err(StoreError::NothingPending);
    }
    call.status = CallStatus::Completed;
    call.output = (!output.is_null()).then_some(output);
    items::update(connection, who, &ItemRow::of(&newest)?)?;
    for other in recent {
        if matches!(&other.content, ItemContent::ClientToolCall(call) if call.status == CallStatus::Pending) {
            items::delete(connection, who, thread_id, &other.id)?;
        }
    }
    Ok(newest)
}

/// Fills a pending form in.
pub(super) fn fill_form(
    connection: &Connection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
    submission: &InputSubmission,
) -> Result<ThreadItem, StoreError> {
    threads::check_active(connection, who, thread_id)?;
    let mut item = items::find(connection, who, thread_id, item_id)?;
    let ItemContent::StructuredInput(form) = &mut item.content else { return Err(StoreError::NothingPending) };
    if form.status != InputStatus::Pending {
        return Err(StoreError::NothingPending);
    }
    form.status = submission.status;
    form.inputs.iter_mut().for_each(|question| answer_question(question, submission));
    items::update(connection, who, &ItemRow::of(&item)?)?;
    Ok(item)
}

/// What has no answer is skipped; a single choice keeps its first value.
fn answer_question(question: &mut InputQuestion, submission: &InputSubmission) {
    let (id, most, answer) = match question {
        InputQuestion::MultipleChoice { id, multiple, answer, .. } => {
            (id, if *multiple { usize::MAX } else { 1 }, answer)
        }
        InputQuestion::Freeform { id, answer, .. } => (id, usize::MAX, answer),
    };
    let given = submission.answers.iter().find(|(question, _)| question == id).map(|(_, answer)| answer);
    *answer = Some(match given {
        Some(given) if submission.status == InputStatus::Answered && !given.skipped && !given.values.is_empty() => {
            InputAnswer { values: given.values.iter().take(most).cloned().collect(), skipped: false }
        }
        _ => InputAnswer { values: Vec::new(), skipped: true },
    });
}

/// Replaces what an item is; tells the item as it is now.
pub(super) fn replace_item(connection: &Connection, who: &Principal, item: &ItemRow) -> Result<ThreadItem, StoreError> {
    items::update(connection, who, item)?;
    items::find(connection, who, &item.thread_id, &item.id)
}
