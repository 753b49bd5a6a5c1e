//! The calls: one file a resource, and the table that finds them.
//!
//! A handler is a plain function over the [`World`] and what was asked. It waits for nothing and knows no HTTP.

mod batches;
mod chat;
mod conversations;
mod embeddings;
mod fields;
mod files;
mod models;
mod moderations;
mod organization;
mod page;
mod refusal;
mod responses;
mod route;
mod search;
mod shapes;
mod store_files;
mod stores;
mod uploads;

use serde_json::{Map, Value};

use crate::world::{Kept, PartBytes, World};

pub(crate) use fields::{Checked, Fields};
pub(crate) use page::Query;
pub(crate) use refusal::Refusal;
pub(crate) use route::{Found, Takes, find};
pub(crate) use uploads::{TextCheck, hex};

/// A call as its handler sees it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// What stands in the braces of the template.
    pub(crate) params: Vec<String>,
    pub(crate) query: Query,
    pub(crate) body: Map<String, Value>,
    pub(crate) form: Form,
    /// A fault makes pages of listings overlap.
    pub(crate) pages_shift: bool,
}

/// A `multipart/form-data` body, read.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) texts: Vec<(String, String)>,
    pub(crate) file: Option<FormFile>,
    /// Why it could not be read to its end.
    pub(crate) refused: Option<Refusal>,
}

/// The file of a form.
#[derive(Debug)]
pub(crate) struct FormFile {
    pub(crate) field: String,
    pub(crate) filename: Option<String>,
    pub(crate) kept: Kept,
    /// The bytes of a part of an upload.
    pub(crate) part: Option<PartBytes>,
}

/// What a handler answers.
#[derive(Debug)]
pub(crate) enum Reply {
    Json(Value),
    Bytes(Vec<u8>),
    /// Server-sent events, in order.
    Events {
        events: Vec<Value>,
        named: bool,
    },
}

/// A handler.
pub(crate) type Run = fn(&mut World, &mut Asked) -> Checked<Reply>;

impl Asked {
    /// The nth part of the path that stood in braces.
    pub(crate) fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    /// The fields of the body.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::body(&self.body)
    }
}
