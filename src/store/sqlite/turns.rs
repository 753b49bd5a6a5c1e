//! What a turn does to a thread beside adding items: filling forms in, ending tool calls, replacing, removing.

use serde_json::Value;
use sqlx::SqliteConnection;

use crate::model::item::{CallStatus, InputAnswer, InputQuestion, InputStatus, InputSubmission};
use crate::model::thread::{ItemContent, Principal, ThreadItem, ThreadStatus};
use crate::store::StoreError;
use crate::store::sqlite::row::{damaged, read_item};
use crate::store::sqlite::{find_item, find_thread};

/// How far back an unanswered tool call is looked for.
const RECENT_ITEMS: u32 = 20;

/// Gives the newest visible item, a pending tool call, its output; deletes other pending calls nearby.
pub(super) async fn complete_tool_call(
    connection: &mut SqliteConnection,
    who: &Principal,
    thread_id: &str,
    output: Value,
) -> Result<ThreadItem, StoreError> {
    check_active(connection, who, thread_id).await?;
    let rows = sqlx::query(
        "SELECT i.*, t.id AS thread_id FROM items i JOIN threads t ON t.seq = i.thread_seq \
         WHERE t.id = $1 AND t.owner = $2 AND i.kind NOT IN ('hidden_context_item', 'sdk_hidden_context') \
         ORDER BY i.seq DESC LIMIT $3",
    )
    .bind(thread_id)
    .bind(&who.id)
    .bind(RECENT_ITEMS)
    .fetch_all(&mut *connection)
    .await?;
    let mut items = rows.iter().map(read_item).collect::<Result<Vec<_>, _>>()?.into_iter();
    let Some(mut newest) = items.next() else { return Err(StoreError::NothingPending) };
    let ItemContent::ClientToolCall(call) = &mut newest.content else { return Err(StoreError::NothingPending) };
    if call.status != CallStatus::Pending {
        return Err(StoreError::NothingPending);
    }
    call.status = CallStatus::Completed;
    call.output = (!output.is_null()).then_some(output);
    update_content(connection, &newest).await?;
    for other in items {
        if matches!(&other.content, ItemContent::ClientToolCall(call) if call.status == CallStatus::Pending) {
            delete_item(connection, who, thread_id, &other.id).await?;
        }
    }
    Ok(newest)
}

/// Fills a pending form in.
pub(super) async fn fill_form(
    connection: &mut SqliteConnection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
    submission: &InputSubmission,
) -> Result<ThreadItem, StoreError> {
    check_active(connection, who, thread_id).await?;
    let mut item = find_item(connection, who, thread_id, item_id).await?;
    let ItemContent::StructuredInput(form) = &mut item.content else { return Err(StoreError::NothingPending) };
    if form.status != InputStatus::Pending {
        return Err(StoreError::NothingPending);
    }
    form.status = submission.status;
    form.inputs.iter_mut().for_each(|question| answer_question(question, submission));
    update_content(connection, &item).await?;
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

async fn check_active(connection: &mut SqliteConnection, who: &Principal, thread_id: &str) -> Result<(), StoreError> {
    match find_thread(connection, who, thread_id).await?.status {
        ThreadStatus::Active => Ok(()),
        ThreadStatus::Locked { .. } | ThreadStatus::Closed { .. } => Err(StoreError::NotActive),
    }
}

/// Replaces what an item is; its id, time and place stay.
pub(super) async fn replace_item(
    connection: &mut SqliteConnection,
    who: &Principal,
    item: &ThreadItem,
) -> Result<ThreadItem, StoreError> {
    let stored = find_item(connection, who, &item.thread_id, &item.id).await?;
    let replaced = ThreadItem { content: item.content.clone(), ..stored };
    update_content(connection, &replaced).await?;
    Ok(replaced)
}

async fn update_content(connection: &mut SqliteConnection, item: &ThreadItem) -> Result<(), StoreError> {
    let content = serde_json::to_string(&item.content).map_err(|error| damaged(&item.id, &error))?;
    sqlx::query("UPDATE items SET kind = $1, content = $2 WHERE id = $3")
        .bind(item.content.kind())
        .bind(content)
        .bind(&item.id)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn delete_item(
    connection: &mut SqliteConnection,
    who: &Principal,
    thread_id: &str,
    item_id: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "DELETE FROM items WHERE id = $1 \
         AND thread_seq = (SELECT seq FROM threads WHERE id = $2 AND owner = $3)",
    )
    .bind(item_id)
    .bind(thread_id)
    .bind(&who.id)
    .execute(&mut *connection)
    .await?;
    match done.rows_affected() {
        0 => find_thread(connection, who, thread_id).await.and(Err(StoreError::NoSuchItem)),
        _ => Ok(()),
    }
}
