//! The events of an answer, as far as they say something.

use serde_json::Value;

use crate::openai::responses::object::{FileCitation, Item, MessagePart, Response, Status};
use crate::openai::responses::{CALL, broken, kind_of};
use crate::openai::{FailedCall, OpenAiError};

/// Which part of an answer. What a server leaves out is zero or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Part {
    /// Its item.
    pub item_id: String,
    /// The item's place.
    pub output_index: u64,
    /// Its place in the item.
    pub content_index: u64,
}

/// What happens while an answer is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A hosted search runs.
    Searching,
    /// An item begins: whether it is a message that only says what the model is about to do is known by now.
    Began(Part, Item),
    /// An item is whole.
    Item(Item),
    /// More text of a part.
    Text(Part, String),
    /// The whole text of a part.
    WholeText(Part, String),
    /// A place in a part's text that a file supports.
    Citation(Part, FileCitation),
    /// A part is whole.
    Part(Part, MessagePart),
    /// The model says that it will not answer.
    Refusal,
    /// The answer ended, well or not; nothing follows.
    End(Box<Response>),
}

impl Event {
    /// What the data of one event says; `None` for what says nothing, or nothing that is known.
    pub(super) fn read(value: &Value) -> Result<Option<Self>, OpenAiError> {
        let part = || Part {
            item_id: value["item_id"].as_str().unwrap_or_default().to_owned(),
            output_index: value["output_index"].as_u64().unwrap_or_default(),
            content_index: value["content_index"].as_u64().unwrap_or_default(),
        };
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let kind = value["type"].as_str().unwrap_or_default();
        Ok(Some(match kind {
            "response.file_search_call.in_progress" | "response.file_search_call.searching" => Self::Searching,
            "response.output_item.added" => {
                let item_id = value["item"]["id"].as_str().unwrap_or_default().to_owned();
                Self::Began(Part { item_id, ..part() }, Item::read(&value["item"]))
            }
            "response.output_item.done" => Self::Item(Item::read(&value["item"])),
            "response.output_text.delta" => Self::Text(part(), text("delta")),
            "response.output_text.done" => Self::WholeText(part(), text("text")),
            "response.output_text.annotation.added" => match FileCitation::read(&value["annotation"]) {
                Some(citation) => Self::Citation(part(), citation),
                None => return Ok(None),
            },
            "response.content_part.done" => Self::Part(part(), MessagePart::read(&value["part"])),
            "response.refusal.delta" | "response.refusal.done" => Self::Refusal,
            "response.completed" => end(&value["response"], Status::Completed),
            "response.incomplete" => end(&value["response"], Status::Incomplete),
            "response.failed" => end(&value["response"], Status::Failed),
            "response.cancelled" => end(&value["response"], Status::Cancelled),
            "error" => return Err(reported(value)),
            // What a gateway writes into a stream that it cannot go on with.
            "" if !value["error"].is_null() => return Err(reported(value)),
            "" if value["object"] == "response" => return Self::document(value).map(Some),
            _ => return Ok(None),
        }))
    }

    /// The whole answer of a server that does not stream.
    pub(super) fn document(value: &Value) -> Result<Self, OpenAiError> {
        if value["output"].is_array() {
            let response = Response::read(value);
            // A server that does not say how the answer stands has given all of it.
            let status = if value["status"].is_null() { Status::Completed } else { response.status };
            return Ok(Self::End(Box::new(Response { status, ..response })));
        }
        if value["error"].is_null() { Err(broken("it sent JSON that is no answer")) } else { Err(reported(value)) }
    }

    /// The citations in it.
    pub fn citations(&self) -> Vec<&FileCitation> {
        match self {
            Self::Citation(_, citation) => vec![citation],
            Self::Part(_, part) => part.citations().iter().collect(),
            Self::End(response) => response.parts().flat_map(MessagePart::citations).collect(),
            _ => Vec::new(),
        }
    }
}

/// The type of the event says how an answer ended, whatever the answer itself leaves out.
fn end(response: &Value, status: Status) -> Event {
    Event::End(Box::new(Response { status, ..Response::read(response) }))
}

/// An error within an answer: at the top of the event, or in it. Its words may repeat the question; its code does not.
fn reported(value: &Value) -> OpenAiError {
    let error = if value["error"].is_object() { &value["error"] } else { value };
    let code = match &error["code"] {
        Value::String(code) => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    };
    let kind = kind_of(code.as_deref().unwrap_or_default());
    let failed = FailedCall::new(CALL, kind, "it reports an error within the answer");
    FailedCall { code, ..failed }.into()
}
