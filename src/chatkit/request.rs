//! What a client asks. Unknown fields are ignored; everything known is checked here, before anything is touched.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::thread::{FeedbackKind, InferenceOptions, Order, PageQuery, ToolChoice, UserContent, UserMessage};

/// Characters of a message's text, and of the text it quotes, at the most.
pub const MAX_TEXT_CHARS: usize = 16_000;
/// Parts of a message at the most.
pub const MAX_PARTS: usize = 32;
/// Bytes of a message at the most, as it is stored: what a part keeps with it counts.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Characters of a part's id, group and label at the most.
pub const MAX_LABEL_CHARS: usize = 256;
/// Characters of a model's or tool's name at the most.
pub const MAX_CHOICE_CHARS: usize = 128;
/// Characters of a title at the most.
pub const MAX_TITLE_CHARS: usize = 500;
/// Items that one piece of feedback names at the most.
pub const MAX_FEEDBACK_ITEMS: usize = 100;

/// Operations of the protocol that this server does not have.
pub(super) const NOT_SUPPORTED: &[&str] = &[
    "threads.add_client_tool_output",
    "threads.add_structured_input",
    "threads.custom_action",
    "threads.sync_custom_action",
    "input.transcribe",
];

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
    /// Answer a message again.
    Retry {
        /// The thread.
        thread_id: String,
        /// The user message.
        item_id: String,
    },
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
    /// Announce a file.
    CreateAttachment {
        /// Its name.
        name: String,
        /// Its size in bytes.
        size_bytes: u64,
        /// Its type.
        mime_type: String,
    },
    /// Delete a file that no message has.
    DeleteAttachment {
        /// The file.
        attachment_id: String,
    },
}

/// A message as it is sent: what it has attached is named, not loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageInput {
    /// The message, without attachments.
    pub message: UserMessage,
    /// Ids of its attachments.
    pub attachment_ids: Vec<String>,
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
    /// The protocol has it, this server does not.
    #[error("`{0}` is not supported by this server")]
    NotSupported(String),
}

/// Reads a request body.
pub fn parse(body: &[u8]) -> Result<Request, RequestError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    let Value::Object(mut envelope) = value else {
        return Err(invalid("the body must be an object"));
    };
    if envelope.get("metadata").is_some_and(|metadata| !metadata.is_object()) {
        return Err(invalid("`metadata` must be an object"));
    }
    let kind = match envelope.remove("type") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(invalid("`type` must be a string")),
        None => return Err(invalid("missing field `type`")),
    };
    if NOT_SUPPORTED.contains(&kind.as_str()) {
        return Err(RequestError::NotSupported(kind));
    }
    let params = match envelope.remove("params") {
        Some(Value::Object(params)) => params,
        Some(_) => return Err(invalid("`params` must be an object")),
        None => return Err(invalid("missing field `params`")),
    };
    parse_params(&kind, params)
}

fn parse_params(kind: &str, params: Map<String, Value>) -> Result<Request, RequestError> {
    match kind {
        "threads.create" => {
            let CreateParams { input } = read(params, "params")?;
            Ok(Request::Create { input: parse_message(input)? })
        }
        "threads.add_user_message" => {
            let AddParams { thread_id, input } = read(params, "params")?;
            Ok(Request::AddUserMessage { thread_id, input: parse_message(input)? })
        }
        "threads.retry_after_item" => {
            let RetryParams { thread_id, item_id } = read(params, "params")?;
            Ok(Request::Retry { thread_id, item_id })
        }
        "threads.get_by_id" => {
            let ThreadParams { thread_id } = read(params, "params")?;
            Ok(Request::Get { thread_id })
        }
        "threads.list" => {
            let page = read::<PageParams>(params, "params")?;
            Ok(Request::ListThreads { page: parse_page(page)? })
        }
        "threads.update" => {
            let RenameParams { thread_id, title } = read(params, "params")?;
            let title = parse_title(&title)?;
            Ok(Request::Rename { thread_id, title })
        }
        "threads.delete" => {
            let ThreadParams { thread_id } = read(params, "params")?;
            Ok(Request::Delete { thread_id })
        }
        "items.list" => {
            let ThreadParams { thread_id } = read(params.clone(), "params")?;
            let page = parse_page(read(params, "params")?)?;
            Ok(Request::ListItems { thread_id, page })
        }
        "items.feedback" => parse_feedback(read(params, "params")?),
        "attachments.create" => {
            let AttachmentParams { name, size, mime_type } = read(params, "params")?;
            Ok(Request::CreateAttachment { name, size_bytes: size, mime_type })
        }
        "attachments.delete" => {
            let DeleteAttachmentParams { attachment_id } = read(params, "params")?;
            Ok(Request::DeleteAttachment { attachment_id })
        }
        other => Err(invalid(&format!("unknown request type `{}`", shorten(other)))),
    }
}

#[derive(Deserialize)]
struct CreateParams {
    input: Map<String, Value>,
}

#[derive(Deserialize)]
struct AddParams {
    thread_id: String,
    input: Map<String, Value>,
}

#[derive(Deserialize)]
struct RetryParams {
    thread_id: String,
    item_id: String,
}

#[derive(Deserialize)]
struct ThreadParams {
    thread_id: String,
}

#[derive(Deserialize)]
struct RenameParams {
    thread_id: String,
    title: String,
}

#[derive(Deserialize)]
struct PageParams {
    limit: Option<u64>,
    order: Option<OrderParam>,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum OrderParam {
    Asc,
    Desc,
}

#[derive(Deserialize)]
struct AttachmentParams {
    name: String,
    size: u64,
    mime_type: String,
}

#[derive(Deserialize)]
struct DeleteAttachmentParams {
    attachment_id: String,
}

#[derive(Deserialize)]
struct FeedbackParams {
    thread_id: String,
    item_ids: Vec<String>,
    kind: FeedbackKind,
}

/// Objects within are kept as maps first: serde would also read a struct from an array, by position.
#[derive(Deserialize)]
struct MessageParams {
    content: Vec<Map<String, Value>>,
    attachments: Vec<String>,
    inference_options: Map<String, Value>,
    quoted_text: Option<String>,
}

#[derive(Deserialize)]
struct OptionsInput {
    tool_choice: Option<Map<String, Value>>,
    model: Option<String>,
}

fn parse_message(input: Map<String, Value>) -> Result<MessageInput, RequestError> {
    let input: MessageParams = read(input, "input")?;
    let options: OptionsInput = read(input.inference_options, "inference_options")?;
    let tool_choice: Option<ToolChoice> = match options.tool_choice {
        Some(choice) => Some(read(choice, "tool_choice")?),
        None => None,
    };
    let content =
        input.content.into_iter().map(|part| read::<UserContent>(part, "content")).collect::<Result<Vec<_>, _>>()?;
    let message = UserMessage {
        content,
        attachments: Vec::new(),
        quoted_text: input.quoted_text,
        inference_options: InferenceOptions { tool_choice, model: options.model },
    };
    check_text(&message)?;
    check_size(&message)?;
    Ok(MessageInput { message, attachment_ids: input.attachments })
}

fn check_size(message: &UserMessage) -> Result<(), RequestError> {
    if message.content.len() > MAX_PARTS {
        return Err(RequestError::MessageTooLarge(format!("{MAX_PARTS} parts")));
    }
    for part in &message.content {
        if let UserContent::InputTag { id, text, group, .. } = part {
            let group = group.as_deref().unwrap_or_default();
            for (place, value) in [("id", id.as_str()), ("text", text), ("group", group)] {
                check_chars(value, MAX_LABEL_CHARS, &format!("`{place}` of a tag"))?;
            }
        }
    }
    let options = &message.inference_options;
    check_chars(options.model.as_deref().unwrap_or_default(), MAX_CHOICE_CHARS, "`model`")?;
    let tool = options.tool_choice.as_ref().map_or("", |choice| choice.id.as_str());
    check_chars(tool, MAX_CHOICE_CHARS, "`tool_choice.id`")?;
    let stored = serde_json::to_vec(message).map_err(|error| invalid(&shorten(&error.to_string())))?;
    if stored.len() > MAX_MESSAGE_BYTES {
        return Err(RequestError::MessageTooLarge(format!("{MAX_MESSAGE_BYTES} bytes")));
    }
    Ok(())
}

fn check_chars(text: &str, max: usize, place: &str) -> Result<(), RequestError> {
    match text.chars().nth(max) {
        Some(_) => Err(invalid(&format!("{place} has more than {max} characters"))),
        None => Ok(()),
    }
}

fn check_text(message: &UserMessage) -> Result<(), RequestError> {
    let text = message.text();
    if text.trim_matches(is_blank).is_empty() {
        return Err(invalid("the message has no text"));
    }
    let too_long = |text: &str| text.chars().nth(MAX_TEXT_CHARS).is_some();
    if too_long(&text) || message.quoted_text.as_deref().is_some_and(too_long) {
        let message = format!("the message has more than {MAX_TEXT_CHARS} characters");
        return Err(invalid(&message));
    }
    Ok(())
}

fn parse_title(title: &str) -> Result<String, RequestError> {
    let title = title.trim_matches(is_blank);
    if title.is_empty() {
        return Err(invalid("`title` is empty"));
    }
    if title.chars().nth(MAX_TITLE_CHARS).is_some() {
        let message = format!("`title` has more than {MAX_TITLE_CHARS} characters");
        return Err(invalid(&message));
    }
    Ok(title.to_owned())
}

/// Limits beyond what any page holds are cut, not refused: clients ask for 9999 to mean "all".
fn parse_page(params: PageParams) -> Result<PageQuery, RequestError> {
    let order = match params.order {
        Some(OrderParam::Asc) => Order::Asc,
        Some(OrderParam::Desc) | None => Order::Desc,
    };
    if params.after.as_deref() == Some("") {
        return Err(invalid("`after` is empty"));
    }
    let limit = params.limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
    Ok(PageQuery::new(limit, order, params.after))
}

fn parse_feedback(params: FeedbackParams) -> Result<Request, RequestError> {
    if params.item_ids.len() > MAX_FEEDBACK_ITEMS {
        let message = format!("`item_ids` has more than {MAX_FEEDBACK_ITEMS} entries");
        return Err(invalid(&message));
    }
    Ok(Request::Feedback { thread_id: params.thread_id, item_ids: params.item_ids, kind: params.kind })
}

fn read<T: DeserializeOwned>(object: Map<String, Value>, place: &str) -> Result<T, RequestError> {
    serde_json::from_value(Value::Object(object))
        .map_err(|error| invalid(&format!("{} in `{place}`", shorten(&error.to_string()))))
}

/// White space, and characters that show nothing.
fn is_blank(each: char) -> bool {
    each.is_whitespace() || each.is_control() || "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".contains(each)
}

fn not_json(error: &serde_json::Error) -> RequestError {
    RequestError::NotJson(shorten(&error.to_string()))
}

fn invalid(message: &str) -> RequestError {
    RequestError::Invalid(message.to_owned())
}

/// Messages may quote the caller's own words; they need not return all of them.
fn shorten(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
