//! Moderation: whether a text is harmful.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::retry::Safety;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

/// What a text was found to be.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Verdict {
    /// Whether any category applies.
    pub flagged: bool,
    /// Whether each one does; none for one that is not looked at in this kind of input.
    #[serde(default)]
    pub categories: BTreeMap<String, Option<bool>>,
    /// How sure each one is, 0 to 1.
    #[serde(default)]
    pub category_scores: BTreeMap<String, Option<f64>>,
}

impl Verdict {
    /// The categories that apply, by name.
    pub fn reasons(&self) -> Vec<&str> {
        self.categories.iter().filter(|(_, applies)| **applies == Some(true)).map(|(name, _)| name.as_str()).collect()
    }
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Verdict>,
}

impl Client {
    /// What each of these texts is, in their order.
    pub async fn moderate(&self, model: &str, texts: &[String]) -> Result<Vec<Verdict>, OpenAiError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let body = json!({ "model": model, "input": texts });
        let call = Call::post("/moderations").json(&body)?.safe(Safety::Read).private();
        let answer: Answer = self.send(&call).await?;
        if answer.results.len() == texts.len() {
            return Ok(answer.results);
        }
        let why = "it judged another number of texts than were sent";
        Err(FailedCall::new(&call.name(), ErrorKind::Broken, why).into())
    }
}
