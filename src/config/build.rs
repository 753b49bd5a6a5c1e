//! From checked texts to [`Settings`].

use std::path::PathBuf;

use crate::config::keys::{
    AUTH_MODES, LOG_FORMATS, MAX_ANSWER_TOKENS, MAX_CONTEXT_TOKENS, MAX_DAILY_TOKENS, MAX_MIB, MAX_PER_MINUTE,
    MAX_SEARCH_RESULTS, MAX_STUB_DELTA_MS, MODEL_BACKENDS, MODEL_FALLBACKS, MODERATIONS, RANKERS, SWITCH,
};
use crate::config::resolve::{FoundAll, SettingProblem};
use crate::config::settings::{
    AssistantSettings, AttachmentSettings, AuthMode, Base, ChatSettings, DailyTokens, EmbeddingSettings,
    HostedSettings, LogFormat, LogSettings, ModelBackend, OpenAiSettings, OpsSettings, PathSettings, ProbeSettings,
    RateLimit, ServerSettings, Settings,
};
use crate::config::value;
use crate::secret::Secret;

/// Requests a second for each visitor where `RATE_LIMIT` is unset, outside base `dev`.
const DEFAULT_RATE: f64 = 5.0;
const NO_NUMBER: &str = "must be a number";

/// Makes the settings. Every value was checked before; one that fails here all the same is told like any other.
pub(super) fn settings(found: &FoundAll, profile: &str, base: Base) -> Result<Settings, SettingProblem> {
    let reader = Reader(found);
    Ok(Settings {
        profile: profile.to_owned(),
        base,
        paths: PathSettings {
            docs_dir: reader.need("DOCS_DIR", |value| Ok(PathBuf::from(value)))?,
            state_dir: reader.need("STATE_DIR", |value| Ok(PathBuf::from(value)))?,
        },
        assistant: AssistantSettings {
            name: reader.need("ASSISTANT_NAME", |value| Ok(value.to_owned()))?,
            backend: model_backend(&reader)?,
            max_search_results: reader.need("MAX_SEARCH_RESULTS", max_search_results)?,
            stub_delta_ms: reader.need("STUB_DELTA_MS", |value| value::whole(value, 0, MAX_STUB_DELTA_MS))?,
            chat: chat(&reader)?,
            hosted: hosted(&reader)?,
        },
        openai: openai(&reader)?,
        vector_store_id: found.value("VECTOR_STORE_ID").map(str::to_owned),
        models_file: found.value("MODELS_FILE").map(PathBuf::from),
        embedding: embedding(&reader)?,
        server: server(&reader, base)?,
        log: LogSettings {
            level: reader.need("LOG_LEVEL", value::log_level)?,
            file: found.value("LOG_FILE").map(PathBuf::from),
            format: reader.need("LOG_FORMAT", log_format)?,
            max_bytes: reader.need("LOG_MAX_MIB", mebibytes)?,
            keep: reader.need("LOG_KEEP", |value| count(value, 1000))?,
        },
        probe: ProbeSettings {
            token: found.value("PROBE_TOKEN").map(Secret::new),
            token_other: found.value("PROBE_TOKEN_OTHER").map(Secret::new),
        },
        warnings: Vec::new(),
        effective: found.effective(format!("{profile} on {}", base.name())),
    })
}

fn embedding(reader: &Reader<'_>) -> Result<Option<EmbeddingSettings>, SettingProblem> {
    let Some(model) = reader.0.value("EMBEDDING_MODEL") else { return Ok(None) };
    Ok(Some(EmbeddingSettings {
        model: model.to_owned(),
        base_url: reader.need("EMBEDDING_BASE_URL", value::http_url)?,
        api_key: reader.0.value("EMBEDDING_API_KEY").map(Secret::new),
        weight: reader.need("EMBEDDING_WEIGHT", value::fraction)?,
        skip_languages: reader.may("EMBEDDING_SKIP_LANGUAGES", value::languages)?.unwrap_or_default(),
    }))
}

fn chat(reader: &Reader<'_>) -> Result<ChatSettings, SettingProblem> {
    Ok(ChatSettings {
        model: reader.need("ASSISTANT_MODEL", |value| Ok(value.to_owned()))?,
        base_url: reader.need("OPENAI_BASE_URL", value::api_url)?,
        api_key: reader.0.value("OPENAI_API_KEY").map(Secret::new),
        temperature: reader.need("ASSISTANT_TEMPERATURE", |value| value.parse().map_err(|_| NO_NUMBER.to_owned()))?,
        instructions: reader.0.value("ASSISTANT_INSTRUCTIONS_TEMPLATE").map(PathBuf::from),
        context_tokens: reader.need("MODEL_CONTEXT_TOKENS", |value| count(value, MAX_CONTEXT_TOKENS))?,
        max_tokens: reader.need("MODEL_MAX_TOKENS", |value| count(value, MAX_ANSWER_TOKENS))?,
        falls_back: reader.need("MODEL_FALLBACK", |value| Ok(value::choice(value, MODEL_FALLBACKS)? != "off"))?,
    })
}

fn openai(reader: &Reader<'_>) -> Result<OpenAiSettings, SettingProblem> {
    let text = |name: &str| reader.0.value(name).map(str::to_owned);
    let secret = |name: &str| reader.0.value(name).map(Secret::new);
    Ok(OpenAiSettings {
        base_url: reader.need("OPENAI_BASE_URL", value::api_url)?,
        api_key: secret("OPENAI_API_KEY"),
        admin_key: secret("OPENAI_ADMIN_KEY"),
        organization: text("OPENAI_ORG_ID"),
        project: text("OPENAI_PROJECT_ID"),
        proxy: reader.may("OPENAI_PROXY", value::proxy_url)?.map(Secret::new),
        uploads_per_minute: reader.need("OPENAI_UPLOADS_PER_MINUTE", per_minute)?,
        store_writes_per_minute: reader.need("OPENAI_STORE_WRITES_PER_MINUTE", per_minute)?,
        attached_per_minute: reader.need("OPENAI_ATTACHED_PER_MINUTE", per_minute)?,
    })
}

fn hosted(reader: &Reader<'_>) -> Result<HostedSettings, SettingProblem> {
    let moderation = reader.need("MODERATION", |value| value::choice(value, MODERATIONS))?;
    Ok(HostedSettings {
        openai: openai(reader)?,
        vector_store_id: reader.0.value("VECTOR_STORE_ID").unwrap_or_default().to_owned(),
        filters: reader.may("FILE_SEARCH_FILTERS", value::json_object)?,
        ranker: reader.need("FILE_SEARCH_RANKER", |value| value::choice(value, RANKERS))?,
        min_score: reader.need("FILE_SEARCH_MIN_SCORE", value::fraction)?,
        moderates_input: matches!(moderation, "input" | "both"),
        moderates_output: matches!(moderation, "output" | "both"),
        moderation_model: reader.need("MODERATION_MODEL", |value| Ok(value.to_owned()))?,
        models_file: reader.0.value("MODELS_FILE").map(PathBuf::from),
    })
}

fn per_minute(text: &str) -> Result<u32, String> {
    u32::try_from(value::whole(text, 1, MAX_PER_MINUTE)?).map_err(|error| error.to_string())
}

fn server(reader: &Reader<'_>, base: Base) -> Result<ServerSettings, SettingProblem> {
    let found = reader.0;
    Ok(ServerSettings {
        host: reader.need("SERVER_HOST", value::host)?,
        port: reader.need("SERVER_PORT", port)?,
        database_url: found.value("DATABASE_URL").map(Secret::new),
        cors_origins: reader.may("CORS_ORIGINS", value::origins)?.unwrap_or_default().exact,
        public_url: reader.may("PUBLIC_URL", value::site_url)?,
        auth_mode: reader.need("AUTH_MODE", auth_mode)?,
        visitor_key: found.value("VISITOR_KEY").map(Secret::new),
        rate_limit: reader.may("RATE_LIMIT", value::rate)?.unwrap_or(match base {
            Base::Dev => RateLimit::Off,
            Base::Staging | Base::Prod => RateLimit::PerSecond(DEFAULT_RATE),
        }),
        daily_tokens: daily_tokens(reader)?,
        trusted_proxies: reader.may("TRUSTED_PROXIES", value::networks)?.unwrap_or_default(),
        attachments: attachments(reader)?,
        ops: ops(reader)?,
    })
}

fn daily_tokens(reader: &Reader<'_>) -> Result<Option<DailyTokens>, SettingProblem> {
    let all = reader.may("MODEL_DAILY_TOKENS", |value| value::whole(value, 1, MAX_DAILY_TOKENS))?;
    let read = reader.need("MODEL_CONTEXT_TOKENS", |value| value::whole(value, 1, MAX_CONTEXT_TOKENS))?;
    let written = reader.need("MODEL_MAX_TOKENS", |value| value::whole(value, 1, MAX_ANSWER_TOKENS))?;
    Ok(all.map(|all| DailyTokens { all, of_an_answer: read + written }))
}

fn attachments(reader: &Reader<'_>) -> Result<Option<AttachmentSettings>, SettingProblem> {
    if !reader.need("ATTACHMENTS", |value| Ok(value::choice(value, SWITCH)? == "on"))? {
        return Ok(None);
    }
    Ok(Some(AttachmentSettings {
        max_bytes: reader.need("ATTACHMENT_MAX_MIB", mebibytes)?,
        visitor_bytes: reader.need("ATTACHMENT_VISITOR_MIB", mebibytes)?,
        total_bytes: reader.need("ATTACHMENT_TOTAL_MIB", mebibytes)?,
        clamav_socket: reader.0.value("CLAMAV_SOCKET").map(str::to_owned),
    }))
}

fn ops(reader: &Reader<'_>) -> Result<Option<OpsSettings>, SettingProblem> {
    let address =
        reader.may("OPS_ADDR", |value| value.parse().map_err(|_| "must be an address and a port".to_owned()))?;
    let admin_token = reader.0.value("ADMIN_TOKEN").map(Secret::new);
    Ok(address.map(|address| OpsSettings { address, admin_token }))
}

/// Reads values by name.
struct Reader<'a>(&'a FoundAll);

impl Reader<'_> {
    /// A value that may be unset.
    fn may<T>(&self, name: &'static str, parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, SettingProblem> {
        let Some(found) = self.0.find(name) else {
            return Ok(None);
        };
        let parsed = found.value.as_deref().map(parse).transpose();
        parsed.map_err(|message| found.problem(&message))
    }

    /// A value that has a default.
    fn need<T>(&self, name: &'static str, parse: fn(&str) -> Result<T, String>) -> Result<T, SettingProblem> {
        self.may(name, parse)?.ok_or_else(|| SettingProblem::new(name, "default", "is unset; set it"))
    }
}

fn mebibytes(text: &str) -> Result<u64, String> {
    Ok(value::whole(text, 1, MAX_MIB)? * 1024 * 1024)
}

fn count(text: &str, max: u64) -> Result<usize, String> {
    usize::try_from(value::whole(text, 1, max)?).map_err(|error| error.to_string())
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match value::choice(text, LOG_FORMATS)? {
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Ok(LogFormat::Auto),
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a whole number from 0 to 65535".to_owned())
}

fn max_search_results(text: &str) -> Result<usize, String> {
    let number = value::whole(text, 1, MAX_SEARCH_RESULTS)?;
    usize::try_from(number).map_err(|error| error.to_string())
}

/// `auto` takes OpenAI where a key and a vector store are set, and else what needs neither.
fn model_backend(reader: &Reader<'_>) -> Result<ModelBackend, SettingProblem> {
    let has_account = ["OPENAI_API_KEY", "VECTOR_STORE_ID"].iter().all(|name| reader.0.value(name).is_some());
    Ok(match reader.need("MODEL_BACKEND", |text| value::choice(text, MODEL_BACKENDS))? {
        "openai" => ModelBackend::OpenAi,
        "auto" if has_account => ModelBackend::OpenAi,
        "chat" => ModelBackend::Chat,
        "stub" => ModelBackend::Stub,
        _ => ModelBackend::Extractive,
    })
}

fn auth_mode(text: &str) -> Result<AuthMode, String> {
    match value::choice(text, AUTH_MODES)? {
        "off" => Ok(AuthMode::Off),
        _ => Ok(AuthMode::Visitor),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use tracing::Level;

    use super::*;
    use crate::config::{Inputs, Origin, Resolution, resolve};

    fn resolved(environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Resolution {
        let environment =
            environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
        let inputs = Inputs { environment, folder: PathBuf::from("/nonexistent"), ..Inputs::default() };
        let flags = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        resolve(&inputs, &flags)
    }

    #[test]
    fn nothing_set_gives_the_defaults() {
        let settings = resolved(&[], &[]).settings.unwrap();
        assert_eq!((settings.profile.as_str(), settings.base), ("dev", Base::Dev));
        assert_eq!(settings.paths.docs_dir, PathBuf::from("data"));
        assert_eq!((settings.server.host.as_str(), settings.server.port), ("127.0.0.1", 8002));
        assert_eq!(settings.server.auth_mode, AuthMode::Off);
        assert_eq!(settings.assistant.backend, ModelBackend::Extractive);
        assert_eq!(settings.log.level, Level::INFO);
        assert!(settings.server.database_url.is_none() && settings.warnings.is_empty());
    }

    #[test]
    fn a_flag_is_stronger_than_the_environment() {
        let resolution = resolved(&[("SERVER_PORT", "1")], &[("SERVER_PORT", "2")]);
        let row = resolution.rows.iter().find(|row| row.key.name == "SERVER_PORT").unwrap();
        assert_eq!(row.origin, Origin::Flag("--port"));
        assert_eq!(row.overrides, [Origin::Environment]);
        assert_eq!(resolution.settings.unwrap().server.port, 2);
    }

    #[test]
    fn values_come_out_typed() {
        let environment = [
            ("CORS_ORIGINS", "https://Example.com:443, *"),
            ("PUBLIC_URL", "https://bot.example.com/"),
            ("LOG_LEVEL", "warning"),
            ("SERVER_HOST", "[::1]"),
            ("MODEL_BACKEND", "Stub"),
            ("VISITOR_KEY", "0123456789abcdef0123456789abcdef"),
        ];
        let settings = resolved(&environment, &[]).settings.unwrap();
        assert_eq!(settings.server.cors_origins, ["https://example.com"]);
        assert_eq!(settings.server.public_url.as_deref(), Some("https://bot.example.com"));
        assert_eq!(settings.server.auth_mode, AuthMode::Visitor);
        assert_eq!(settings.server.host, "::1");
        assert_eq!(settings.log.level, Level::WARN);
        assert_eq!(settings.assistant.backend, ModelBackend::Stub);
        assert_eq!(settings.server.visitor_key.unwrap().expose().len(), 32);
        assert_eq!(settings.warnings.len(), 1, "{:?}", settings.warnings);
    }

    #[test]
    fn problems_leave_no_settings() {
        let resolution = resolved(&[("SERVER_PORT", "x"), ("LOG_LEVEL", "y")], &[]);
        assert!(resolution.settings.is_none());
        assert_eq!(resolution.problems.len(), 2);
    }
}
