//! The settings as values, one struct a concern; `app` hands each constructor its own.

use std::path::PathBuf;

use serde::Deserialize;

use crate::secret::Secret;

/// What a profile builds on. "In prod" means [`Base::Prod`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// A developer's machine.
    Dev,
    /// A rehearsal.
    Staging,
    /// The real thing.
    Prod,
}

impl Base {
    /// All of them; each is also a built-in profile.
    pub const ALL: [Self; 3] = [Self::Dev, Self::Staging, Self::Prod];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|base| base.name() == name)
    }
}

/// `AUTH_MODE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// One local principal.
    Off,
    /// Each browser its own signed cookie.
    Visitor,
}

/// `MODEL_BACKEND` as far as it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelBackend {
    /// The best sentences of the documents.
    Extractive,
    /// Paced, for load and protocol tests.
    Stub,
}

impl ModelBackend {
    /// Every value that is built.
    pub const ALL: [Self; 2] = [Self::Extractive, Self::Stub];

    /// The value of `MODEL_BACKEND`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extractive => "extractive",
            Self::Stub => "stub",
        }
    }
}

/// `RATE_LIMIT`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateLimit {
    /// None.
    Off,
    /// So many requests a second.
    PerSecond(f64),
}

/// All settings, validated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the profile.
    pub profile: String,
    /// What the profile builds on.
    pub base: Base,
    /// Where documents and state lie.
    pub paths: PathSettings,
    /// Who answers and how.
    pub assistant: AssistantSettings,
    /// Embeddings, when a model is named.
    pub embedding: Option<EmbeddingSettings>,
    /// The server.
    pub server: ServerSettings,
    /// Logs.
    pub log: LogSettings,
    /// Things that do not fail but should be told: ignored wildcard origins, settings without effect.
    pub warnings: Vec<String>,
}

/// Where documents and state lie. Relative paths are relative to the working directory.
#[derive(Debug, Clone)]
pub struct PathSettings {
    /// `DOCS_DIR`.
    pub docs_dir: PathBuf,
    /// `STATE_DIR`.
    pub state_dir: PathBuf,
}

/// Who answers and how.
#[derive(Debug, Clone)]
pub struct AssistantSettings {
    /// `ASSISTANT_NAME`.
    pub name: String,
    /// `MODEL_BACKEND`, `auto` already decided.
    pub backend: ModelBackend,
    /// `MAX_SEARCH_RESULTS`.
    pub max_search_results: usize,
    /// `STUB_DELTA_MS`.
    pub stub_delta_ms: u64,
}

/// Embeddings that help the search.
#[derive(Debug, Clone)]
pub struct EmbeddingSettings {
    /// `EMBEDDING_MODEL`.
    pub model: String,
    /// `EMBEDDING_BASE_URL`, without a trailing slash.
    pub base_url: String,
    /// `EMBEDDING_API_KEY`.
    pub api_key: Option<Secret>,
    /// `EMBEDDING_WEIGHT`, 0 to 1.
    pub weight: f32,
    /// `EMBEDDING_SKIP_LANGUAGES`, ISO 639-3.
    pub skip_languages: Vec<String>,
}

/// The server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// `SERVER_HOST`.
    pub host: String,
    /// `SERVER_PORT`; 0 picks a free one.
    pub port: u16,
    /// `DATABASE_URL`: `sqlite:` and a path; without one, `STATE_DIR/chatbotctl.db`.
    pub database_url: Option<Secret>,
    /// `CORS_ORIGINS`, exact origins; never `*`.
    pub cors_origins: Vec<String>,
    /// `PUBLIC_URL`.
    pub public_url: Option<String>,
    /// `AUTH_MODE`.
    pub auth_mode: AuthMode,
    /// `VISITOR_KEY`: signs visitors' cookies; without it the key in `STATE_DIR` serves.
    pub visitor_key: Option<Secret>,
}

/// Logs.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// `LOG_LEVEL` in tracing's words.
    pub level: tracing::Level,
    /// `LOG_FILE`: a file instead of stderr.
    pub file: Option<PathBuf>,
}
