//! `POST {base}/embeddings` as OpenAI defines it and most model servers understand it.
//!
//! One request, one attempt: who calls decides about trying again. The key goes into its header and nowhere else.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::config::settings::EmbeddingSettings;
use crate::llm::embed::{EmbedError, Embedder};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A batch on a small machine takes its time.
const TIMEOUT: Duration = Duration::from_mins(2);
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// How much of an error's message is told.
const MAX_MESSAGE_CHARS: usize = 300;
/// No endpoint is left alone for longer, in seconds.
const MAX_RETRY_AFTER: u64 = 120;

/// An OpenAI-compatible endpoint.
pub struct HttpEmbedder {
    settings: EmbeddingSettings,
    client: Client,
}

impl HttpEmbedder {
    /// An endpoint as the settings name it. No redirect is followed: it would carry the texts elsewhere.
    pub fn new(settings: EmbeddingSettings) -> Result<Self, EmbedError> {
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // Where the texts go is a setting of ours, and no variable of the environment changes it.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let client = builder.build().map_err(|error| EmbedError::Refused(error.to_string()))?;
        Ok(Self { settings, client })
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize, Default)]
struct Refusal {
    error: Option<RefusalBody>,
}

#[derive(Deserialize, Default)]
struct RefusalBody {
    message: Option<String>,
    code: Option<serde_json::Value>,
}

#[async_trait]
impl Embedder for HttpEmbedder {
    fn model(&self) -> &str {
        &self.settings.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let body = Request { model: &self.settings.model, input: texts, encoding_format: "float" };
        let mut request = self.client.post(format!("{}/embeddings", self.settings.base_url)).json(&body);
        if let Some(key) = &self.settings.api_key {
            request = request.bearer_auth(key.expose());
        }
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            return Err(failed(response).await);
        }
        let bytes = read_bounded(response).await?;
        let answer: Answer =
            serde_json::from_slice(&bytes).map_err(|error| EmbedError::Malformed(error.to_string()))?;
        in_order(answer.data, texts.len())
    }
}

/// The URL is not told, it may hold a password; the innermost cause is (refused, no such host, a bad certificate).
fn unreachable(error: &reqwest::Error) -> EmbedError {
    let message = if error.is_timeout() {
        "the embeddings endpoint did not answer in time".to_owned()
    } else {
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause.and_then(std::error::Error::source) {
            cause = Some(inner);
        }
        let why = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("the embeddings endpoint cannot be reached{why}")
    };
    EmbedError::Temporary { message, retry_after: None }
}

async fn failed(response: Response) -> EmbedError {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let retry_after = retry_after.map(|seconds: u64| Duration::from_secs(seconds.min(MAX_RETRY_AFTER)));
    let bytes = read_bounded(response).await.unwrap_or_default();
    let body = serde_json::from_slice::<Refusal>(&bytes).unwrap_or_default().error.unwrap_or_default();
    let said: String = body.message.unwrap_or_default().chars().take(MAX_MESSAGE_CHARS).collect();
    let message = format!("the embeddings endpoint answered {status} {said}").trim_end().to_owned();
    // An empty account stays empty, however often it is asked (API reference, error codes).
    let is_spent = body.code.is_some_and(|code| code == "insufficient_quota");
    let is_temporary = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT);
    match status {
        _ if is_spent => EmbedError::Refused(message),
        _ if is_temporary => EmbedError::Temporary { message, retry_after },
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            EmbedError::Rejected(message)
        }
        _ => EmbedError::Refused(message),
    }
}

async fn read_bounded(response: Response) -> Result<Vec<u8>, EmbedError> {
    let mut bytes = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| unreachable(&error))?);
        if bytes.len() > MAX_ANSWER_BYTES {
            return Err(EmbedError::Malformed("it is too long".to_owned()));
        }
    }
    Ok(bytes)
}

/// The vectors in the order of their texts, each of length 1.
fn in_order(data: Vec<Embedding>, expected: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
    let malformed = |why: &str| Err(EmbedError::Malformed(why.to_owned()));
    if data.len() != expected {
        return malformed("it has another number of vectors than texts were sent");
    }
    let mut vectors = vec![Vec::new(); expected];
    for Embedding { index, embedding } in data {
        match vectors.get_mut(index) {
            Some(place) if place.is_empty() => *place = embedding,
            _ => return malformed("its indexes are not those of the texts"),
        }
    }
    let dimensions = vectors.first().map_or(0, Vec::len);
    for vector in &mut vectors {
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        if vector.len() != dimensions || !length.is_normal() {
            return malformed("a vector is empty, or of another length than the first, or no direction");
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

    fn data(vectors: &[(usize, &[f32])]) -> Vec<Embedding> {
        vectors.iter().map(|(index, vector)| Embedding { index: *index, embedding: vector.to_vec() }).collect()
    }

    #[test]
    fn vectors_come_in_the_order_of_their_texts_and_of_length_one() {
        let vectors = in_order(data(&[(1, &[0.0, 2.0]), (0, &[3.0, 4.0])]), 2).unwrap();
        assert_eq!(vectors, [vec![0.6, 0.8], vec![0.0, 1.0]]);
    }

    #[test]
    fn what_is_no_list_of_vectors_is_refused() {
        let refused = |vectors, expected| {
            assert!(matches!(in_order(data(vectors), expected), Err(EmbedError::Malformed(_))), "{vectors:?}");
        };
        refused(&[(0, &[1.0])], 2);
        refused(&[(0, &[1.0]), (0, &[1.0])], 2);
        refused(&[(0, &[1.0]), (7, &[1.0])], 2);
        refused(&[(0, &[1.0]), (1, &[1.0, 0.0])], 2);
        refused(&[(0, &[0.0])], 1);
        refused(&[(0, &[f32::NAN])], 1);
    }
}
