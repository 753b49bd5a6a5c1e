//! The one table of settings. Everything about a setting that is not its use stands in its row: help, template,
//! `env show` and checks are made from here.

use crate::config::value::Kind;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The name of the variable.
    pub name: &'static str,
    /// Which settings it stands with.
    pub group: Group,
    /// What it takes.
    pub kind: Kind,
    /// Whether it is, or may hold, a secret.
    pub secret: bool,
    /// Its value when nothing sets it.
    pub default: Option<&'static str>,
    /// One line for people: what it is for, and what its absence means.
    pub summary: &'static str,
    /// Whether anything uses it.
    pub effect: Effect,
    /// A value to copy.
    pub example: &'static str,
    /// The flag that sets it, of the commands that have it.
    pub flag: Option<&'static str>,
    /// Whether a running server takes a new value over at a reload; else it needs a restart.
    pub is_live: bool,
}

/// Whether anything uses a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It has effect.
    Now,
    /// It is checked and shown, and does nothing until what it needs is built.
    NotYet(&'static str),
}

/// Settings that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Documents and state.
    Files,
    /// The assistant.
    Assistant,
    /// OpenAI.
    OpenAi,
    /// Embeddings.
    Embeddings,
    /// The server.
    Server,
    /// Logs and errors.
    Logs,
    /// Operations.
    Operations,
}

impl Group {
    /// All groups, in reading order.
    pub const ALL: [Self; 7] =
        [Self::Files, Self::Assistant, Self::OpenAi, Self::Embeddings, Self::Server, Self::Logs, Self::Operations];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Files => "Documents and state",
            Self::Assistant => "The assistant",
            Self::OpenAi => "OpenAI",
            Self::Embeddings => "Embeddings",
            Self::Server => "The server",
            Self::Logs => "Logs and errors",
            Self::Operations => "Operations",
        }
    }
}

impl Effect {
    /// "has effect", or "no effect yet: …".
    pub fn describe(self) -> String {
        match self {
            Self::Now => "has effect".to_owned(),
            Self::NotYet(until) => format!("no effect yet: {until}"),
        }
    }
}

impl Key {
    const fn new(name: &'static str, group: Group, kind: Kind, summary: &'static str, example: &'static str) -> Self {
        let secret = matches!(kind, Kind::Secret { .. } | Kind::DatabaseUrl);
        Self {
            name,
            group,
            kind,
            secret,
            default: None,
            summary,
            effect: Effect::Now,
            example,
            flag: None,
            is_live: false,
        }
    }

    const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    const fn live(mut self) -> Self {
        self.is_live = true;
        self
    }

    const fn not_yet(mut self, until: &'static str) -> Self {
        self.effect = Effect::NotYet(until);
        self
    }
}

/// The row of `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The words of `AUTH_MODE`.
pub const AUTH_MODES: &[&str] = &["off", "visitor"];
/// The words of `MODEL_BACKEND`.
pub const MODEL_BACKENDS: &[&str] = &["auto", "openai", "chat", "extractive", "stub"];
/// The largest `MAX_SEARCH_RESULTS`.
pub const MAX_SEARCH_RESULTS: u64 = 50;
/// The largest `STUB_DELTA_MS`.
pub const MAX_STUB_DELTA_MS: u64 = 60_000;
/// The words of switches.
pub const SWITCH: &[&str] = &["on", "off"];
/// The words of `MODEL_FALLBACK`.
pub const MODEL_FALLBACKS: &[&str] = &["off", "extractive"];
/// The words of `LOG_FORMAT`.
pub const LOG_FORMATS: &[&str] = &["auto", "json", "text"];
/// The largest `MODEL_CONTEXT_TOKENS`.
pub const MAX_CONTEXT_TOKENS: u64 = 2_000_000;
/// The largest `MODEL_MAX_TOKENS`.
pub const MAX_ANSWER_TOKENS: u64 = 100_000;
/// The largest `MODEL_DAILY_TOKENS`.
pub const MAX_DAILY_TOKENS: u64 = 1_000_000_000_000;
/// The words of `MODERATION`.
pub const MODERATIONS: &[&str] = &["off", "input", "output", "both"];
/// The words of `FILE_SEARCH_RANKER`.
pub const RANKERS: &[&str] = &["auto", "default-2024-11-15"];
/// The largest rate of requests to a service, a minute.
pub const MAX_PER_MINUTE: u64 = 1_000_000;
/// The largest bound on sizes in MiB: 1 TiB.
pub const MAX_MIB: u64 = 1024 * 1024;

const PROBES: &str = "needs probes";
const SECRET: Kind = Kind::Secret { min_bytes: 1 };

/// All settings, in reading order.
pub const KEYS: &[Key] = &[
    Key::new("DOCS_DIR", Group::Files, Kind::Folder, "folder of the documents to answer from", "data")
        .default("data")
        .flag("--docs-dir"),
    Key::new("STATE_DIR", Group::Files, Kind::Folder, "folder of the index, the database and keys", ".chatbotctl")
        .default(".chatbotctl")
        .flag("--state-dir"),
    Key::new(
        "DATABASE_URL",
        Group::Files,
        Kind::DatabaseUrl,
        "database of the threads; unset: chatbotctl.db in STATE_DIR",
        "sqlite:chat.db",
    ),
    Key::new("ASSISTANT_NAME", Group::Assistant, Kind::Text, "name of the assistant", "Knowledge Assistant")
        .default("Knowledge Assistant")
        .live(),
    Key::new(
        "MODEL_BACKEND",
        Group::Assistant,
        Kind::Choice(MODEL_BACKENDS),
        "who writes answers: extractive cites the documents' own sentences; openai writes with a model of OpenAI that \
         searches the vector store; chat with any other model; auto takes openai where its key and store are set, else \
         extractive; stub is for tests",
        "extractive",
    )
    .default("auto")
    .flag("--model-backend")
    .live(),
    Key::new(
        "MAX_SEARCH_RESULTS",
        Group::Assistant,
        Kind::Whole { min: 1, max: MAX_SEARCH_RESULTS },
        "how many pieces of documents an answer may draw on, 1 to 50",
        "5",
    )
    .default("5")
    .live(),
    Key::new("ASSISTANT_MODEL", Group::Assistant, Kind::Text, "model of the openai and chat backends", "gpt-6-luna")
        .default("gpt-6-luna")
        .live(),
    Key::new(
        "ASSISTANT_TEMPERATURE",
        Group::Assistant,
        Kind::Number { min: 0.0, max: 2.0 },
        "how freely the model writes, 0 to 2",
        "0.3",
    )
    .default("0.3")
    .live(),
    Key::new(
        "ASSISTANT_INSTRUCTIONS_TEMPLATE",
        Group::Assistant,
        Kind::ExistingFile,
        "file with the instructions to the model; unset: the built-in ones",
        "instructions.md",
    )
    .live(),
    Key::new(
        "MODEL_CONTEXT_TOKENS",
        Group::Assistant,
        Kind::Whole { min: 512, max: MAX_CONTEXT_TOKENS },
        "tokens that a prompt may take, the answer not counted: instructions, documents and what was said before",
        "8000",
    )
    .default("8000")
    .live(),
    Key::new(
        "MODEL_MAX_TOKENS",
        Group::Assistant,
        Kind::Whole { min: 16, max: MAX_ANSWER_TOKENS },
        "tokens that a model's answer may take",
        "1000",
    )
    .default("1000")
    .live(),
    Key::new(
        "MODEL_DAILY_TOKENS",
        Group::Assistant,
        Kind::Whole { min: 1, max: MAX_DAILY_TOKENS },
        "tokens that all answers of a day (UTC) may take, read and written; then no further one begins; unset: no bound",
        "5000000",
    )
    .live(),
    Key::new(
        "MODEL_FALLBACK",
        Group::Assistant,
        Kind::Choice(MODEL_FALLBACKS),
        "who answers when the model fails: extractive, and says so; off: nobody",
        "extractive",
    )
    .default("off")
    .live(),
    Key::new(
        "STUB_DELTA_MS",
        Group::Assistant,
        Kind::Whole { min: 0, max: MAX_STUB_DELTA_MS },
        "milliseconds between the pieces of a stub answer",
        "20",
    )
    .default("20")
    .live(),
    Key::new(
        "OPENAI_API_KEY",
        Group::OpenAi,
        SECRET,
        "key of the OpenAI account, or of the server at OPENAI_BASE_URL; unset: none is sent",
        "sk-...",
    )
    .live(),
    Key::new(
        "OPENAI_BASE_URL",
        Group::OpenAi,
        Kind::ApiUrl,
        "address of the API, with its /v1: OpenAI's, or any compatible server's",
        "https://api.openai.com/v1",
    )
    .default("https://api.openai.com/v1")
    .live(),
    Key::new("OPENAI_ORG_ID", Group::OpenAi, Kind::Text, "organization that requests are billed to", "org-123").live(),
    Key::new("OPENAI_PROJECT_ID", Group::OpenAi, Kind::Text, "project that requests are billed to", "proj_123").live(),
    Key::new(
        "OPENAI_ADMIN_KEY",
        Group::OpenAi,
        SECRET,
        "admin key, for the organization's costs alone; unset: they are not asked for",
        "sk-admin-...",
    ),
    Key::new(
        "OPENAI_PROXY",
        Group::OpenAi,
        Kind::ProxyUrl,
        "proxy for requests to OPENAI_BASE_URL; unset: none (variables such as HTTPS_PROXY are not read)",
        "http://proxy.example.com:3128",
    )
    .live(),
    Key::new(
        "OPENAI_UPLOADS_PER_MINUTE",
        Group::OpenAi,
        Kind::Whole { min: 1, max: MAX_PER_MINUTE },
        "uploads a minute that the account allows",
        "1000",
    )
    .default("1000"),
    Key::new(
        "OPENAI_STORE_WRITES_PER_MINUTE",
        Group::OpenAi,
        Kind::Whole { min: 1, max: MAX_PER_MINUTE },
        "requests a minute that change the files of one vector store",
        "300",
    )
    .default("300"),
    Key::new(
        "OPENAI_ATTACHED_PER_MINUTE",
        Group::OpenAi,
        Kind::Whole { min: 1, max: MAX_PER_MINUTE },
        "files a minute that may be attached to vector stores",
        "2000",
    )
    .default("2000"),
    Key::new("VECTOR_STORE_ID", Group::OpenAi, Kind::Text, "vector store that holds the documents", "vs_123").live(),
    Key::new(
        "FILE_SEARCH_FILTERS",
        Group::OpenAi,
        Kind::Json,
        "filter on the attributes of documents, as the API writes it; unset: all documents",
        r#"{"type":"eq","key":"tag_public","value":true}"#,
    )
    .live(),
    Key::new(
        "FILE_SEARCH_RANKER",
        Group::OpenAi,
        Kind::Choice(RANKERS),
        "ranker of the hosted search",
        "default-2024-11-15",
    )
    .default("auto")
    .live(),
    Key::new(
        "FILE_SEARCH_MIN_SCORE",
        Group::OpenAi,
        Kind::Number { min: 0.0, max: 1.0 },
        "score below which the hosted search finds nothing, 0 to 1",
        "0.3",
    )
    .default("0")
    .live(),
    Key::new(
        "MODERATION",
        Group::OpenAi,
        Kind::Choice(MODERATIONS),
        "what the openai backend has looked through before it goes on: questions (input), answers (output), both, or off",
        "input",
    )
    .default("off")
    .live(),
    Key::new("MODERATION_MODEL", Group::OpenAi, Kind::Text, "model that looks it through", "omni-moderation-latest")
        .default("omni-moderation-latest")
        .live(),
    Key::new(
        "MODELS_FILE",
        Group::OpenAi,
        Kind::ExistingFile,
        "file with facts about models (prices, last days) that adds to the built-in one",
        "models.yaml",
    )
    .live(),
    Key::new(
        "EMBEDDING_MODEL",
        Group::Embeddings,
        Kind::Text,
        "embedding model that helps the search; unset: search by words alone",
        "text-embedding-3-small",
    ),
    Key::new(
        "EMBEDDING_BASE_URL",
        Group::Embeddings,
        Kind::Url,
        "address of an OpenAI-compatible API, with its /v1; the documents' text goes there",
        "http://127.0.0.1:8080/v1",
    ),
    Key::new(
        "EMBEDDING_API_KEY",
        Group::Embeddings,
        SECRET,
        "key of that API; unset: none is sent (OPENAI_API_KEY is never sent there)",
        "sk-...",
    ),
    Key::new(
        "EMBEDDING_WEIGHT",
        Group::Embeddings,
        Kind::Number { min: 0.0, max: 1.0 },
        "what the embeddings count against the words, 0 to 1",
        "0.4",
    )
    .default("0.4"),
    Key::new(
        "EMBEDDING_SKIP_LANGUAGES",
        Group::Embeddings,
        Kind::Languages,
        "languages of documents searched by words alone, beside those where `docs measure` found embeddings worse",
        "jpn,kor",
    ),
    Key::new("SERVER_HOST", Group::Server, Kind::Host, "address to listen on", "127.0.0.1")
        .default("127.0.0.1")
        .flag("--host"),
    Key::new("SERVER_PORT", Group::Server, Kind::Whole { min: 0, max: 65535 }, "port; 0 picks a free one", "8002")
        .default("8002")
        .flag("--port"),
    Key::new(
        "PUBLIC_URL",
        Group::Server,
        Kind::Site,
        "address under which people reach the bot",
        "https://bot.example.com",
    ),
    Key::new(
        "CORS_ORIGINS",
        Group::Server,
        Kind::Origins,
        "origins of other sites whose pages may call the bot, separated by commas; unset: none",
        "https://www.example.com,http://localhost:5173",
    )
    .live(),
    Key::new(
        "AUTH_MODE",
        Group::Server,
        Kind::Choice(AUTH_MODES),
        "off: everybody is the same person, for one machine only; visitor: each browser sees its own threads; \
         unset: off in a dev profile on a loopback address, else visitor",
        "visitor",
    ),
    Key::new(
        "VISITOR_KEY",
        Group::Server,
        Kind::Secret { min_bytes: 32 },
        "signs visitors' cookies, 32 bytes or more; unset: a key made at first start in STATE_DIR",
        "(openssl rand -hex 32)",
    ),
    Key::new(
        "RATE_LIMIT",
        Group::Server,
        Kind::Rate,
        "requests a second for each visitor, or off; unset: off in dev, else 5/s",
        "5/s",
    )
    .live(),
    Key::new(
        "TRUSTED_PROXIES",
        Group::Server,
        Kind::Networks,
        "proxies whose word about the caller's address counts, separated by commas; unset: none",
        "10.0.0.0/8",
    )
    .live(),
    Key::new(
        "ATTACHMENTS",
        Group::Server,
        Kind::Choice(SWITCH),
        "whether visitors may attach files to their messages",
        "off",
    )
    .default("on"),
    Key::new(
        "ATTACHMENT_MAX_MIB",
        Group::Server,
        Kind::Whole { min: 1, max: MAX_MIB },
        "MiB that one attached file may take",
        "10",
    )
    .default("10"),
    Key::new(
        "ATTACHMENT_VISITOR_MIB",
        Group::Server,
        Kind::Whole { min: 1, max: MAX_MIB },
        "MiB that the files of one visitor may take",
        "100",
    )
    .default("100"),
    Key::new(
        "ATTACHMENT_TOTAL_MIB",
        Group::Server,
        Kind::Whole { min: 1, max: MAX_MIB },
        "MiB that everybody's attached files may take",
        "2048",
    )
    .default("2048"),
    Key::new(
        "CLAMAV_SOCKET",
        Group::Server,
        Kind::Text,
        "socket of the ClamAV daemon that looks through attached files: a path, or host:port; unset: nobody does",
        "/run/clamav/clamd.ctl",
    ),
    Key::new(
        "LOG_LEVEL",
        Group::Logs,
        Kind::LogLevel,
        "how much is logged: DEBUG, INFO, WARNING, ERROR, CRITICAL, or trace, debug, info, warn, error",
        "INFO",
    )
    .default("INFO")
    .live(),
    Key::new("LOG_FILE", Group::Logs, Kind::File, "file for the logs; unset: stderr", "chatbotctl.log"),
    Key::new(
        "LOG_FORMAT",
        Group::Logs,
        Kind::Choice(LOG_FORMATS),
        "json: one document a line; text: for people; auto: text on a terminal, else json",
        "json",
    )
    .default("auto"),
    Key::new(
        "LOG_MAX_MIB",
        Group::Logs,
        Kind::Whole { min: 1, max: MAX_MIB },
        "MiB after which LOG_FILE is put aside and begun anew",
        "100",
    )
    .default("100"),
    Key::new(
        "LOG_KEEP",
        Group::Logs,
        Kind::Whole { min: 1, max: 1000 },
        "how many files that were put aside are kept",
        "5",
    )
    .default("5"),
    Key::new("SENTRY_DSN", Group::Logs, SECRET, "where errors are reported", "https://key@sentry.example.com/1")
        .not_yet("needs error reports"),
    Key::new(
        "OPS_ADDR",
        Group::Operations,
        Kind::Address,
        "address of the operations listener; a port of 0 picks a free one; unset: there is none",
        "127.0.0.1:9002",
    ),
    Key::new("OPS_URL", Group::Operations, Kind::Url, "where a probe finds that listener", "http://127.0.0.1:9002")
        .not_yet(PROBES),
    Key::new("PROBE_TOKEN", Group::Operations, SECRET, "token a probe sends as a visitor", "(a token)"),
    Key::new("PROBE_TOKEN_OTHER", Group::Operations, SECRET, "token of a second visitor", "(another token)"),
    Key::new(
        "ADMIN_TOKEN",
        Group::Operations,
        Kind::Secret { min_bytes: 32 },
        "token of the operations listener, 32 bytes or more; needed where it is not on a loopback address",
        "(openssl rand -hex 32)",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), KEYS.len());
    }

    #[test]
    fn defaults_pass_their_own_check() {
        for key in KEYS {
            if let Some(default) = key.default {
                assert_eq!(key.kind.check(default, Path::new("/nonexistent")), Ok(()), "{}", key.name);
            }
        }
    }

    #[test]
    fn secrets_have_no_default_and_no_flag() {
        assert!(KEYS.iter().filter(|key| key.secret).all(|key| key.default.is_none() && key.flag.is_none()));
    }
}
