//! A call as a value: what is sent where, what sending it twice means, and what it takes of the rates.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::openai::address::Account;
use crate::openai::pace::Cost;
use crate::openai::piece::Piece;
use crate::openai::retry::Safety;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

/// The longest answer that is read, in bytes: 10,000 files in one list are 3 MiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// What a request carries.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Bytes),
    /// A form with texts, and bytes at its end.
    Form { texts: &'static [(&'static str, &'static str)], field: &'static str, piece: &'a Piece },
}

/// A call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'a str, &'a str)>,
    pub(super) payload: Payload<'a>,
    pub(super) safety: Safety,
    pub(super) cost: Cost<'a>,
    pub(super) account: Account,
    /// Whether it carries words of people or documents: a refusal may repeat them, so it is told without its message.
    pub(super) is_private: bool,
    /// The longest answer that is read.
    pub(super) max_bytes: usize,
    /// Set when it is sent again although it may be done.
    pub(super) doubled: Option<&'a AtomicBool>,
}

impl<'a> Call<'a> {
    fn new(method: Method, path: impl Into<String>, safety: Safety) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            payload: Payload::Nothing,
            safety,
            cost: Cost::Nothing,
            account: Account::Project,
            is_private: false,
            max_bytes: MAX_ANSWER_BYTES,
            doubled: None,
        }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Safety::Read)
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, Safety::Idempotent)
    }

    /// A write that must not be done twice, until [`Self::safe`] says otherwise.
    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path, Safety::Once)
    }

    pub(super) fn query(mut self, query: &[(&'a str, &'a str)]) -> Self {
        self.query.extend_from_slice(query);
        self
    }

    pub(super) fn json(mut self, body: &impl Serialize) -> Result<Self, OpenAiError> {
        let json =
            serde_json::to_vec(body).map_err(|_| self.failed(ErrorKind::Refused, "it cannot be written as JSON"))?;
        self.payload = Payload::Json(json.into());
        Ok(self)
    }

    pub(super) fn form(
        mut self,
        texts: &'static [(&'static str, &'static str)],
        field: &'static str,
        piece: &'a Piece,
    ) -> Self {
        self.payload = Payload::Form { texts, field, piece };
        self
    }

    pub(super) fn safe(mut self, safety: Safety) -> Self {
        self.safety = safety;
        self
    }

    pub(super) fn costs(mut self, cost: Cost<'a>) -> Self {
        self.cost = cost;
        self
    }

    pub(super) fn of(mut self, account: Account) -> Self {
        self.account = account;
        self
    }

    pub(super) fn private(mut self) -> Self {
        self.is_private = true;
        self
    }

    pub(super) fn at_most(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    pub(super) fn tells(mut self, doubled: &'a AtomicBool) -> Self {
        self.doubled = Some(doubled);
        self
    }

    /// It is sent again although it may be done.
    pub(super) fn note_doubled(&self) {
        if let Some(doubled) = self.doubled {
            doubled.store(true, Ordering::Relaxed);
        }
    }

    /// Its name for people: `POST /files`.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A failure of it of which nothing else is known.
    pub(super) fn failed(&self, kind: ErrorKind, message: impl Into<String>) -> FailedCall {
        FailedCall::new(&self.name(), kind, message)
    }

    /// The field of its body that a text quotes: what is refused, where only words say so. Nothing else of a text can
    /// come out of here.
    pub(super) fn quoted_field(&self, text: &str) -> Option<String> {
        let Payload::Json(json) = &self.payload else { return None };
        quoted_key(&serde_json::from_slice(json).ok()?, text)
    }

    /// Bytes of documents that it carries.
    pub(super) fn upload_bytes(&self) -> u64 {
        match &self.payload {
            Payload::Form { piece, .. } => piece.len(),
            Payload::Nothing | Payload::Json(_) => 0,
        }
    }
}

fn quoted_key(value: &Value, text: &str) -> Option<String> {
    let is_quoted = |key: &str| ['\'', '`', '"'].iter().any(|mark| text.contains(&format!("{mark}{key}{mark}")));
    match value {
        Value::Object(fields) => {
            let key = fields.keys().find(|key| is_quoted(key)).cloned();
            key.or_else(|| fields.values().find_map(|inner| quoted_key(inner, text)))
        }
        Value::Array(list) => list.iter().find_map(|inner| quoted_key(inner, text)),
        _ => None,
    }
}
