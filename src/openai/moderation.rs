//! Whether a text is one that the service's rules speak against.

use serde::{Deserialize, Serialize};

use crate::openai::client::Client;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

const PATH: &str = "/moderations";

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Verdict>,
}

#[derive(Deserialize)]
struct Verdict {
    flagged: bool,
}

impl Client {
    /// Whether this text is flagged.
    pub async fn is_flagged(&self, model: &str, text: &str) -> Result<bool, OpenAiError> {
        let answer: Answer = self.post(PATH, &Request { model, input: text }).await?;
        // No verdict is none that lets a text pass.
        if answer.results.is_empty() {
            return Err(FailedCall::new("POST /moderations", ErrorKind::Broken, "it gave no verdict").into());
        }
        Ok(answer.results.iter().any(|verdict| verdict.flagged))
    }
}
