//! The settings as values, one struct a concern; `app` hands each constructor its own.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

use crate::config::effective::Effective;
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
    /// A model of OpenAI that searches a hosted vector store.
    OpenAi,
    /// A language model behind an OpenAI-compatible `/chat/completions`.
    Chat,
    /// Paced, for load and protocol tests.
    Stub,
}

impl ModelBackend {
    /// Every value that is built.
    pub const ALL: [Self; 4] = [Self::Extractive, Self::OpenAi, Self::Chat, Self::Stub];

    /// The value of `MODEL_BACKEND`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extractive => "extractive",
            Self::OpenAi => "openai",
            Self::Chat => "chat",
            Self::Stub => "stub",
        }
    }
}

/// `RATE_LIMIT`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum RateLimit {
    /// None.
    #[default]
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
    /// The account with OpenAI.
    pub openai: OpenAiSettings,
    /// `VECTOR_STORE_ID`.
    pub vector_store_id: Option<String>,
    /// `MODELS_FILE`.
    pub models_file: Option<PathBuf>,
    /// Embeddings, when a model is named.
    pub embedding: Option<EmbeddingSettings>,
    /// The server.
    pub server: ServerSettings,
    /// Logs.
    pub log: LogSettings,
    /// Who probes are.
    pub probe: ProbeSettings,
    /// Things that do not fail but should be told: ignored wildcard origins, settings without effect.
    pub warnings: Vec<String>,
    /// The values as they came out, to be compared.
    pub effective: Effective,
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
    /// The language model.
    pub chat: ChatSettings,
    /// What the openai backend needs beside it.
    pub hosted: HostedSettings,
}

/// An account with OpenAI, or with a service that has its API.
#[derive(Debug, Clone, Default)]
pub struct OpenAiSettings {
    /// `OPENAI_BASE_URL`, without a trailing slash.
    pub base_url: String,
    /// `OPENAI_API_KEY`.
    pub api_key: Option<Secret>,
    /// `OPENAI_ADMIN_KEY`.
    pub admin_key: Option<Secret>,
    /// `OPENAI_ORG_ID`.
    pub organization: Option<String>,
    /// `OPENAI_PROJECT_ID`.
    pub project: Option<String>,
    /// `OPENAI_PROXY`: a URL that may hold a password.
    pub proxy: Option<Secret>,
    /// `OPENAI_UPLOADS_PER_MINUTE`.
    pub uploads_per_minute: u32,
    /// `OPENAI_STORE_WRITES_PER_MINUTE`.
    pub store_writes_per_minute: u32,
    /// `OPENAI_ATTACHED_PER_MINUTE`.
    pub attached_per_minute: u32,
}

/// A model that searches a hosted vector store.
#[derive(Debug, Clone, Default)]
pub struct HostedSettings {
    /// The account.
    pub openai: OpenAiSettings,
    /// `VECTOR_STORE_ID`; there is one when the openai backend is chosen.
    pub vector_store_id: String,
    /// `FILE_SEARCH_FILTERS`: a JSON object.
    pub filters: Option<serde_json::Value>,
    /// `FILE_SEARCH_RANKER`.
    pub ranker: &'static str,
    /// `FILE_SEARCH_MIN_SCORE`, 0 to 1.
    pub min_score: f32,
    /// `MODERATION`: whether questions are looked through.
    pub moderates_input: bool,
    /// `MODERATION`: whether answers are looked through.
    pub moderates_output: bool,
    /// `MODERATION_MODEL`.
    pub moderation_model: String,
    /// `MODELS_FILE`.
    pub models_file: Option<PathBuf>,
}

/// A language model behind an OpenAI-compatible API.
#[derive(Debug, Clone, Default)]
pub struct ChatSettings {
    /// `ASSISTANT_MODEL`.
    pub model: String,
    /// `OPENAI_BASE_URL`, without a trailing slash.
    pub base_url: String,
    /// `OPENAI_API_KEY`.
    pub api_key: Option<Secret>,
    /// `ASSISTANT_TEMPERATURE`.
    pub temperature: f64,
    /// `ASSISTANT_INSTRUCTIONS_TEMPLATE`: the file with the instructions.
    pub instructions: Option<PathBuf>,
    /// `MODEL_CONTEXT_TOKENS`.
    pub context_tokens: usize,
    /// `MODEL_MAX_TOKENS`.
    pub max_tokens: usize,
    /// `MODEL_FALLBACK`: whether the extractive backend answers when the model fails.
    pub falls_back: bool,
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
    /// `RATE_LIMIT`, its default for the profile already decided.
    pub rate_limit: RateLimit,
    /// `MODEL_DAILY_TOKENS`; without it there is no bound.
    pub daily_tokens: Option<DailyTokens>,
    /// `TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<Network>,
    /// `ATTACHMENTS` and their bounds; `None` when they are off.
    pub attachments: Option<AttachmentSettings>,
    /// The operations listener; `None` when there is none.
    pub ops: Option<OpsSettings>,
}

/// What the answers of a day may take, in tokens read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyTokens {
    /// `MODEL_DAILY_TOKENS`: all of them together.
    pub all: u64,
    /// What one may take by `MODEL_CONTEXT_TOKENS` and `MODEL_MAX_TOKENS`.
    pub of_an_answer: u64,
}

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// One of them.
    pub address: IpAddr,
    /// How many bits they have in common.
    pub prefix: u8,
}

impl Network {
    /// Whether this address is one of them. An IPv4 address mapped into IPv6 is the IPv4 address.
    pub fn holds(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let ((ours, width), (theirs, of)) = (bits(self.address), bits(address));
        let differing = ours ^ theirs;
        width == of && (self.prefix == 0 || differing >> (128 - u32::from(self.prefix)) == 0)
    }
}

/// Files that visitors attach.
#[derive(Debug, Clone)]
pub struct AttachmentSettings {
    /// `ATTACHMENT_MAX_MIB` in bytes.
    pub max_bytes: u64,
    /// `ATTACHMENT_VISITOR_MIB` in bytes.
    pub visitor_bytes: u64,
    /// `ATTACHMENT_TOTAL_MIB` in bytes.
    pub total_bytes: u64,
    /// `CLAMAV_SOCKET`: a path, or host and port.
    pub clamav_socket: Option<String>,
}

/// The visitors that probes are.
#[derive(Debug, Clone, Default)]
pub struct ProbeSettings {
    /// `PROBE_TOKEN`.
    pub token: Option<Secret>,
    /// `PROBE_TOKEN_OTHER`.
    pub token_other: Option<Secret>,
}

/// The operations listener.
#[derive(Debug, Clone)]
pub struct OpsSettings {
    /// `OPS_ADDR`.
    pub address: SocketAddr,
    /// `ADMIN_TOKEN`; there is one when the address is no loopback one.
    pub admin_token: Option<Secret>,
}

/// Logs.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// `LOG_LEVEL` in tracing's words.
    pub level: tracing::Level,
    /// `LOG_FILE`: a file instead of stderr.
    pub file: Option<PathBuf>,
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `LOG_MAX_MIB` in bytes.
    pub max_bytes: u64,
    /// `LOG_KEEP`.
    pub keep: usize,
}

/// `LOG_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, else JSON.
    Auto,
    /// One document a line.
    Json,
    /// For people.
    Text,
}
