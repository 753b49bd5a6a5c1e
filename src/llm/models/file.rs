//! The form of the file with facts about models. Strict: what is not known is an error with its line and column.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::marker::PhantomData;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::llm::models::{Dollars, Family, MaxOutput, Prices, Surcharge};
use crate::yaml;

/// Larger files hold no facts about models.
const MAX_BYTES: u64 = 1024 * 1024;

/// Why facts about models cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelsError {
    /// The file cannot be read.
    #[error("the file with facts about models `{path}` cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The file is not of the form of `templates/models.yaml`.
    #[error("{place}: {message}")]
    Malformed {
        /// File, line and column, as `file:line:column`.
        place: String,
        /// What is wrong.
        message: String,
    },
}

/// What a file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCatalogue {
    pub(super) as_of: Date,
    pub(super) storage: Option<RawStorage>,
    pub(super) file_search_usd_per_1000: Option<Dollars>,
    #[serde(default)]
    pub(super) families: ByName<Family>,
    #[serde(default)]
    pub(super) models: ByName<RawModel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStorage {
    pub(super) usd_per_gib_day: Option<Dollars>,
    pub(super) free_gib: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawModel {
    pub(super) context_tokens: Option<u64>,
    pub(super) prices: Option<Prices>,
    pub(super) surcharge: Option<Surcharge>,
    pub(super) shutdown: Option<Date>,
    pub(super) replacement: Option<String>,
    pub(super) reasons: Option<bool>,
    pub(super) max_output: Option<MaxOutput>,
}

impl RawCatalogue {
    /// Reads the file.
    pub(super) fn load(path: &Path) -> Result<Self, ModelsError> {
        let name = path.display().to_string();
        let unreadable = |why: String| ModelsError::Unreadable { path: name.clone(), why };
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut text = String::new();
        file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
            return Err(unreadable(format!("it is longer than {MAX_BYTES} bytes")));
        }
        Self::parse(&text, &name)
    }

    /// Reads the text of a file of this name.
    pub(super) fn parse(text: &str, name: &str) -> Result<Self, ModelsError> {
        yaml::from_str(text).map_err(|error| located(&error, name))
    }
}

/// The error with its place first.
fn located(error: &serde_yaml::Error, name: &str) -> ModelsError {
    let mut message = error.to_string();
    let mut place = name.to_owned();
    if let Some(location) = error.location() {
        let (line, column) = (location.line(), location.column());
        place = format!("{name}:{line}:{column}");
        message = message.replace(&format!(" at line {line} column {column}"), "");
    }
    ModelsError::Malformed { place, message }
}

/// Entries by name, each name once.
#[derive(Debug)]
pub(super) struct ByName<T>(pub(super) Vec<(String, T)>);

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = ByName<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entries by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(String, T)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if entries.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                return Err(de::Error::custom(format!("`{name}` stands here twice")));
            }
            entries.push((name, map.next_value()?));
        }
        Ok(ByName(entries))
    }
}
