//! The ChatKit protocol: requests, events and objects, and their mapping to and from the model. No I/O.
//!
//! Objects are written in the reference's key order and with its rules of omission, so that frames are the same
//! bytes. Nothing here knows HTTP; `serve` decides which status an error becomes.

mod event;
mod object;
mod request;

#[cfg(test)]
mod tests;

pub use event::{Event, StreamOptions, Update, frame};
pub use object::{
    Annotation, AssistantContent, AttachmentObject, Item, PageObject, ThreadObject, UploadDescriptor, items_page,
    thread_with_items, threads_page,
};
pub use request::{
    MAX_CHOICE_CHARS, MAX_FEEDBACK_ITEMS, MAX_LABEL_CHARS, MAX_MESSAGE_BYTES, MAX_PARTS, MAX_TEXT_CHARS,
    MAX_TITLE_CHARS, MessageInput, Request, RequestError, parse,
};
