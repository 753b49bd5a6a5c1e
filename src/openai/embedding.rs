//! Embeddings: texts as vectors.

use serde::{Deserialize, Serialize};

use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::retry::Safety;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

/// Texts that one request may hold (schema `CreateEmbeddingRequest`).
pub const MAX_TEXTS: usize = 2048;
/// The longest answer: so many vectors of 3,072 numbers of 25 characters.
const MAX_ANSWER_BYTES: usize = 192 * 1024 * 1024;

/// Vectors of texts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embeddings {
    /// One for each text, in their order.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were billed.
    pub tokens: u64,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Row>,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    total_tokens: u64,
}

impl Client {
    /// The vectors of these texts, in requests of at most [`MAX_TEXTS`].
    pub async fn embeddings(
        &self,
        model: &str,
        texts: &[String],
        dimensions: Option<u32>,
    ) -> Result<Embeddings, OpenAiError> {
        let mut all = Embeddings::default();
        for input in texts.chunks(MAX_TEXTS) {
            let body = Request { model, input, encoding_format: "float", dimensions };
            let call = Call::post("/embeddings").json(&body)?.safe(Safety::Read).private().at_most(MAX_ANSWER_BYTES);
            let answer: Answer = self.send(&call).await?;
            let vectors = in_order(answer.data, input.len()).ok_or_else(|| {
                FailedCall::new(&call.name(), ErrorKind::Broken, "the vectors are not those of the texts")
            })?;
            all.vectors.extend(vectors);
            all.tokens += answer.usage.total_tokens;
        }
        Ok(all)
    }
}

/// The vectors in the order of their texts; none when one is missing, empty or there twice.
fn in_order(rows: Vec<Row>, expected: usize) -> Option<Vec<Vec<f32>>> {
    let mut vectors = vec![Vec::new(); expected];
    for Row { index, embedding } in rows {
        let place = vectors.get_mut(index).filter(|place| place.is_empty())?;
        *place = embedding;
    }
    vectors.iter().all(|vector| !vector.is_empty()).then_some(vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_in_the_order_of_their_texts_and_all_of_them() {
        let rows = |rows: &[(usize, f32)]| {
            let rows = rows.iter().map(|(index, value)| Row { index: *index, embedding: vec![*value] });
            in_order(rows.collect(), 2)
        };
        assert_eq!(rows(&[(1, 0.1), (0, 0.2)]), Some(vec![vec![0.2], vec![0.1]]));
        assert_eq!(rows(&[(0, 0.1)]), None);
        assert_eq!(rows(&[(0, 0.1), (0, 0.2)]), None);
        assert_eq!(rows(&[(0, 0.1), (1, 0.2), (2, 0.3)]), None);
    }
}
