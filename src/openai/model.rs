//! Models: what there is, and when it ends.

use serde::Deserialize;

use crate::openai::OpenAiError;
use crate::openai::address::segment;
use crate::openai::client::Client;

/// A model of the service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Model {
    /// Its name.
    pub id: String,
    /// Its last day, `YYYY-MM-DD`, when one is set.
    #[serde(default)]
    pub shutdown_date: Option<String>,
}

#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

impl Client {
    /// All models that the key may use.
    pub async fn models(&self) -> Result<Vec<Model>, OpenAiError> {
        self.get("/models", &[]).await.map(|models: Models| models.data)
    }

    /// One model.
    pub async fn model(&self, name: &str) -> Result<Model, OpenAiError> {
        self.get(&format!("/models/{}", segment(name)), &[]).await
    }
}
