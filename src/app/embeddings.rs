//! Embeddings that help the search, where the settings name a model.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::open_words;
use crate::config::Settings;
use crate::config::settings::EmbeddingSettings;
use crate::error::Failure;
use crate::event::{Observer, Silent};
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::index::hybrid::{Hybrid, measured};
use crate::ingest::embed::{self, EmbedContext, EmbedReport};
use crate::llm::embed::Embedder;
use crate::llm::embed::http::HttpEmbedder;

/// The index, its search helped where a model is named.
pub(super) fn helped(settings: &Settings, words: Arc<dyn VectorStore>) -> Result<Arc<dyn VectorStore>, Failure> {
    match &settings.embedding {
        Some(embedding) => Ok(Arc::new(hybrid(settings, words, embedding)?)),
        None => Ok(words),
    }
}

/// The same index twice, to measure one against the other.
pub struct Both {
    /// By words alone.
    pub words: Arc<dyn VectorStore>,
    /// With embeddings, in every language.
    pub fused: Arc<dyn VectorStore>,
}

/// The index with and without embeddings.
pub fn open_both(settings: &Settings) -> Result<Both, Failure> {
    let words = open_words(settings)?;
    let embedding = settings.embedding.as_ref().ok_or_else(|| {
        Failure::new("embedding/none", Exit::Settings, "measure embeddings", "no embedding model is named")
            .fix("set EMBEDDING_MODEL and EMBEDDING_BASE_URL, then run `chatbotctl docs sync`")
    })?;
    let fused = hybrid(settings, Arc::clone(&words), embedding)?.everywhere();
    Ok(Both { words, fused: Arc::new(fused) })
}

fn hybrid(settings: &Settings, words: Arc<dyn VectorStore>, embedding: &EmbeddingSettings) -> Result<Hybrid, Failure> {
    Ok(Hybrid::new(words, open_embedder(embedding)?, &settings.paths.state_dir, embedding))
}

fn open_embedder(embedding: &EmbeddingSettings) -> Result<Arc<dyn Embedder>, Failure> {
    let embedder = HttpEmbedder::new(embedding.clone()).map_err(|error| {
        Failure::new("embedding/client", Exit::Temporary, "prepare the embeddings client", error.to_string())
    })?;
    Ok(Arc::new(embedder))
}

/// Embeds what has no vector yet; nothing where no model is named.
pub async fn embed(
    settings: &Settings,
    index: &Arc<dyn VectorStore>,
    observer: &dyn Observer,
    stop: &CancellationToken,
) -> Result<EmbedReport, Failure> {
    let Some(embedding) = &settings.embedding else { return Ok(EmbedReport::default()) };
    let embedder = open_embedder(embedding)?;
    let state_dir = &settings.paths.state_dir;
    let measured = measured::worse_languages(state_dir, &embedding.model);
    let skip_languages: Vec<String> = embedding.skip_languages.iter().cloned().chain(measured).collect();
    let context = EmbedContext { embedder: &embedder, skip_languages: &skip_languages, state_dir, observer, stop };
    embed::fill(index, context).await.map_err(|error| {
        Failure::new("embedding/unusable", Exit::NotGood, "embed the documents", error.to_string())
            .fix("after a change of the model behind the same name, remove the file and run `chatbotctl docs sync`")
            .cause(error)
    })
}

/// The same for a server: what comes of it stands in the log.
pub async fn embed_quietly(settings: &Settings, index: &Arc<dyn VectorStore>, stop: &CancellationToken) {
    match embed(settings, index, &Silent, stop).await {
        Ok(report) => {
            for problem in &report.problems {
                tracing::warn!(code = problem.code, "embedding: {}", problem.message);
            }
            if report.embedded > 0 {
                tracing::info!(texts = report.embedded, "embedded");
            }
        }
        Err(failure) => tracing::error!(code = failure.code, "embedding: {}", failure.why),
    }
}
