//! From checked texts to [`Settings`].

use std::path::PathBuf;

use crate::config::keys::{AUTH_MODES, MAX_SEARCH_RESULTS, MAX_STUB_DELTA_MS, MODEL_BACKENDS};
use crate::config::resolve::{FoundAll, SettingProblem};
use crate::config::settings::{
    AssistantSettings, AuthMode, Base, LogSettings, ModelBackend, PathSettings, ServerSettings, Settings,
};
use crate::config::value;
use crate::secret::Secret;

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
            backend: reader.need("MODEL_BACKEND", model_backend)?,
            max_search_results: reader.need("MAX_SEARCH_RESULTS", max_search_results)?,
            stub_delta_ms: reader.need("STUB_DELTA_MS", |value| value::whole(value, 0, MAX_STUB_DELTA_MS))?,
        },
        server: server(&reader)?,
        log: LogSettings {
            level: reader.need("LOG_LEVEL", value::log_level)?,
            file: found.value("LOG_FILE").map(PathBuf::from),
        },
        warnings: Vec::new(),
    })
}

fn server(reader: &Reader<'_>) -> Result<ServerSettings, SettingProblem> {
    let found = reader.0;
    Ok(ServerSettings {
        host: reader.need("SERVER_HOST", value::host)?,
        port: reader.need("SERVER_PORT", port)?,
        database_url: found.value("DATABASE_URL").map(Secret::new),
        cors_origins: reader.may("CORS_ORIGINS", value::origins)?.unwrap_or_default().exact,
        public_url: reader.may("PUBLIC_URL", value::http_url)?,
        auth_mode: reader.need("AUTH_MODE", auth_mode)?,
        visitor_key: found.value("VISITOR_KEY").map(Secret::new),
    })
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

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a whole number from 0 to 65535".to_owned())
}

fn max_search_results(text: &str) -> Result<usize, String> {
    let number = value::whole(text, 1, MAX_SEARCH_RESULTS)?;
    usize::try_from(number).map_err(|error| error.to_string())
}

/// `auto` takes what needs no account and no key.
fn model_backend(text: &str) -> Result<ModelBackend, String> {
    match value::choice(text, MODEL_BACKENDS)? {
        "auto" | "extractive" => Ok(ModelBackend::Extractive),
        "stub" => Ok(ModelBackend::Stub),
        other => Err(format!("{other} is not built yet")),
    }
}

fn auth_mode(text: &str) -> Result<AuthMode, String> {
    match value::choice(text, AUTH_MODES)? {
        "off" => Ok(AuthMode::Off),
        _ => Ok(AuthMode::Visitor),
    }
}
