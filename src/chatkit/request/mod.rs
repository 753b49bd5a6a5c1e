//! What a client asks. Unknown fields are ignored and never gain meaning; everything known is checked here, before
//! anything is touched.

mod fields;
mod message;
mod page;
mod reply;

use serde_json::Value;

use crate::chatkit::request::fields::{Fields, Outcome, invalid, shorten};
use crate::model::item::{Action, InputSubmission};
use crate::model::thread::{FeedbackKind, PageQuery};

pub use message::{
    MAX_ATTACHMENTS, MAX_CHOICE_CHARS, MAX_LABEL_CHARS, MAX_MESSAGE_BYTES, MAX_PARTS, MAX_TEXT_CHARS, MessageInput,
};
pub use page::{MAX_FEEDBACK_ITEMS, MAX_TITLE_CHARS};
pub use reply::{MAX_ANSWERS, MAX_NAME_CHARS};

/// Objects and lists within each other that a free-form value may have: what is stored must be readable again, also by
/// clients with bounds of their own.
pub const MAX_DEPTH: usize = 32;

/// A valid request.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A new thread with its first message.
    Create {
        /// The message.
        input: MessageInput,
    },
    /// Another message.
    AddUserMessage {
        /// The thread.
        thread_id: String,
        /// The message.
        input: MessageInput,
    },
    /// What a tool of the page gave.
    AddToolOutput {
        /// The thread, whose newest item is the call.
        thread_id: String,
        /// What it gave; null is a result, too.
        output: Value,
    },
    /// A form, filled in.
    AddStructuredInput {
        /// The thread.
        thread_id: String,
        /// The form.
        item_id: String,
        /// What was filled in.
        submission: InputSubmission,
    },
    /// Answer a message again.
    Retry {
        /// The thread.
        thread_id: String,
        /// The user message.
        item_id: String,
    },
    /// A widget was touched, or the page acts by itself; the answer is a stream.
    CustomAction(ActionInput),
    /// The same; the answer is what the widget becomes.
    SyncCustomAction(ActionInput),
    /// One thread with its first items.
    Get {
        /// The thread.
        thread_id: String,
    },
    /// The caller's threads.
    ListThreads {
        /// Which of them.
        page: PageQuery,
    },
    /// A new title.
    Rename {
        /// The thread.
        thread_id: String,
        /// The title.
        title: String,
    },
    /// Delete a thread.
    Delete {
        /// The thread.
        thread_id: String,
    },
    /// A thread's items.
    ListItems {
        /// The thread.
        thread_id: String,
        /// Which of them.
        page: PageQuery,
    },
    /// What a visitor thinks of items.
    Feedback {
        /// The thread.
        thread_id: String,
        /// The items.
        item_ids: Vec<String>,
        /// What is thought of them.
        kind: FeedbackKind,
    },
    /// A file is announced; its bytes follow.
    CreateAttachment {
        /// The caller's name for it.
        name: String,
        /// How many bytes the caller says it has.
        size_bytes: u64,
        /// What the caller says it is.
        mime_type: String,
    },
    /// A file is not wanted any more.
    DeleteAttachment {
        /// The file.
        attachment_id: String,
    },
    /// Speech that is to become text.
    Transcribe,
}

/// What a page asks for beside messages.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionInput {
    /// The thread.
    pub thread_id: String,
    /// The widget it came from, if it came from one.
    pub item_id: Option<String>,
    /// The action.
    pub action: Action,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but not a request.
    #[error("{0}")]
    Invalid(String),
    /// It is a message, and larger than messages may be.
    #[error("the message has more than {0}")]
    MessageTooLarge(String),
}

/// Reads the parameters of one operation.
type Parse = fn(&mut Fields) -> Outcome<Request>;

/// All operations of the protocol.
const OPERATIONS: &[(&str, Parse)] = &[
    ("threads.create", |params| Ok(Request::Create { input: message::parse(params.object("input")?)? })),
    ("threads.add_user_message", |params| {
        let thread_id = params.text("thread_id")?;
        Ok(Request::AddUserMessage { thread_id, input: message::parse(params.object("input")?)? })
    }),
    ("threads.add_client_tool_output", reply::tool_output),
    ("threads.add_structured_input", reply::structured_input),
    ("threads.retry_after_item", |params| {
        Ok(Request::Retry { thread_id: params.text("thread_id")?, item_id: params.text("item_id")? })
    }),
    ("threads.custom_action", |params| Ok(Request::CustomAction(reply::action(params)?))),
    ("threads.sync_custom_action", |params| Ok(Request::SyncCustomAction(reply::action(params)?))),
    ("threads.get_by_id", |params| Ok(Request::Get { thread_id: params.text("thread_id")? })),
    ("threads.list", |params| Ok(Request::ListThreads { page: page::parse(params)? })),
    ("threads.update", |params| {
        Ok(Request::Rename { thread_id: params.text("thread_id")?, title: page::title(params)? })
    }),
    ("threads.delete", |params| Ok(Request::Delete { thread_id: params.text("thread_id")? })),
    ("items.list", |params| {
        Ok(Request::ListItems { thread_id: params.text("thread_id")?, page: page::parse(params)? })
    }),
    ("items.feedback", page::feedback),
    ("attachments.create", reply::new_attachment),
    ("attachments.delete", |params| Ok(Request::DeleteAttachment { attachment_id: params.text("attachment_id")? })),
    ("input.transcribe", reply::transcribe),
];

/// The names of all operations.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(name, _)| *name)
}

/// Reads a request body.
pub fn parse(body: &[u8]) -> Result<Request, RequestError> {
    let value = serde_json::from_slice(body).map_err(|error| RequestError::NotJson(shorten(&error.to_string())))?;
    let Value::Object(envelope) = value else {
        return Err(invalid("the body must be an object"));
    };
    let mut envelope = Fields::new(envelope, String::new());
    envelope.check_metadata()?;
    let kind = envelope.text("type")?;
    let Some((_, parse)) = OPERATIONS.iter().find(|(name, _)| *name == kind) else {
        return Err(invalid(&format!("unknown request type `{}`", shorten(&kind))));
    };
    parse(&mut envelope.object("params")?)
}
