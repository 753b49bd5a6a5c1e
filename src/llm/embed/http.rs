//! `POST {base}/embeddings` as OpenAI defines it and most model servers understand it.
//!
//! One request, one attempt: who calls decides about trying again. The endpoint's own words are never told, since they
//! may repeat the texts or the key.

use std::time::Duration;

use async_trait::async_trait;

use crate::config::settings::{EmbeddingSettings, OpenAiSettings};
use crate::llm::embed::{EmbedError, Embedder};
use crate::openai::{Client, ErrorKind, OpenAiError, Patience};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A batch on a small machine takes its time.
const TIMEOUT: Duration = Duration::from_mins(2);
/// No endpoint is left alone for longer.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(2);

/// An OpenAI-compatible endpoint.
pub struct HttpEmbedder {
    model: String,
    client: Client,
}

impl HttpEmbedder {
    /// An endpoint as the settings name it, with a key of its own and nothing else of the account's.
    pub fn new(settings: EmbeddingSettings) -> Result<Self, EmbedError> {
        let EmbeddingSettings { model, base_url, api_key, .. } = settings;
        let patience = Patience {
            connect: CONNECT_TIMEOUT,
            head: TIMEOUT,
            idle: TIMEOUT,
            whole: TIMEOUT,
            attempts: 1,
            ..Patience::default()
        };
        let account = OpenAiSettings { base_url, api_key, ..OpenAiSettings::default() };
        let client = Client::with_patience(&account, patience).map_err(|error| failed(&error))?;
        Ok(Self { model, client })
    }
}

#[async_trait]
impl Embedder for HttpEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let embeddings = self.client.embeddings(&self.model, texts, None).await.map_err(|error| failed(&error))?;
        of_length_one(embeddings.vectors)
    }
}

fn failed(error: &OpenAiError) -> EmbedError {
    let message = format!("the embeddings endpoint: {error}");
    match error.kind {
        ErrorKind::Broken => EmbedError::Malformed(error.message.clone()),
        ErrorKind::RateLimited
        | ErrorKind::Conflict
        | ErrorKind::Server
        | ErrorKind::Connection
        | ErrorKind::TimedOut => {
            EmbedError::Temporary { message, retry_after: error.retry_after.map(|wait| wait.min(MAX_RETRY_AFTER)) }
        }
        ErrorKind::Refused if matches!(error.status, Some(400 | 413 | 422)) => EmbedError::Rejected(message),
        ErrorKind::Refused | ErrorKind::WrongKey | ErrorKind::Forbidden | ErrorKind::NoQuota | ErrorKind::NotFound => {
            EmbedError::Refused(message)
        }
    }
}

/// The same directions, each of length 1.
fn of_length_one(mut vectors: Vec<Vec<f32>>) -> Result<Vec<Vec<f32>>, EmbedError> {
    let dimensions = vectors.first().map_or(0, Vec::len);
    for vector in &mut vectors {
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        if vector.len() != dimensions || !length.is_normal() {
            let why = "a vector is of another length than the first, or has no direction";
            return Err(EmbedError::Malformed(why.to_owned()));
        }
        for value in vector {
            *value /= length;
        }
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::FailedCall;

    #[test]
    fn vectors_are_of_length_one_and_of_one_dimension() {
        let vectors = of_length_one(vec![vec![3.0, 4.0], vec![0.0, 2.0]]).unwrap();
        assert_eq!(vectors, [vec![0.6, 0.8], vec![0.0, 1.0]]);
        for odd in [vec![vec![1.0], vec![1.0, 0.0]], vec![vec![0.0]], vec![vec![f32::NAN]]] {
            assert!(matches!(of_length_one(odd), Err(EmbedError::Malformed(_))));
        }
    }

    #[test]
    fn only_what_may_pass_is_temporary_and_only_the_texts_are_rejected() {
        let of = |kind, status| {
            let failed_call = FailedCall { status, ..FailedCall::new("POST /embeddings", kind, "") };
            failed(&FailedCall { retry_after: Some(Duration::from_hours(1)), ..failed_call }.into())
        };
        for kind in [ErrorKind::RateLimited, ErrorKind::Server, ErrorKind::Connection, ErrorKind::TimedOut] {
            assert_eq!(of(kind, None).retry_after(), Some(MAX_RETRY_AFTER), "{kind:?}");
        }
        assert!(matches!(of(ErrorKind::Refused, Some(400)), EmbedError::Rejected(_)));
        for (kind, status) in [
            (ErrorKind::Refused, Some(302)),
            (ErrorKind::Refused, None),
            (ErrorKind::WrongKey, Some(401)),
            (ErrorKind::NoQuota, Some(429)),
            (ErrorKind::NotFound, Some(404)),
        ] {
            assert!(matches!(of(kind, status), EmbedError::Refused(_)), "{kind:?}");
        }
    }
}
