//! What is known about models: what they cost, when they end, how they want to be asked.
//!
//! All of it comes from one dated file, `templates/models.yaml`, and from a file of the operator's in the same form. Code
//! holds no list of models. What is not known is told as unknown and never guessed: no price is no cost of zero.

mod cost;
mod file;
mod life;
mod money;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;

use crate::llm::models::file::{RawCatalogue, RawModel};

pub use cost::Cost;
pub use file::ModelsError;
pub use life::{Life, WARN_DAYS};
pub use money::Dollars;

/// The built-in file.
const BUILT_IN: &str = include_str!("../../../templates/models.yaml");
/// How it is named in errors.
const BUILT_IN_NAME: &str = "templates/models.yaml";
/// A dated snapshot is its model's name and `-YYYY-MM-DD`.
const DATE_CHARS: usize = "-2025-04-14".len();

/// All that is known about models.
#[derive(Debug, Clone)]
pub struct ModelCatalogue {
    /// The day of the built-in figures.
    pub as_of: Date,
    /// What vector stores cost.
    pub storage: StoragePrice,
    /// A thousand hosted searches.
    pub file_search_usd_per_1000: Dollars,
    models: BTreeMap<String, ModelFacts>,
    families: BTreeMap<String, Family>,
}

/// What vector stores cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoragePrice {
    /// A GiB (2^30 bytes) a day.
    pub usd_per_gib_day: Dollars,
    /// What an organisation has for nothing.
    pub free_gib: u64,
}

/// What is known about one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// Its name, without the date of a snapshot.
    pub name: String,
    /// The day of these figures.
    pub as_of: Date,
    /// What a request and its answer may hold together.
    pub context_tokens: Option<u64>,
    /// What it costs, when that is known.
    pub prices: Option<Prices>,
    /// What long requests cost.
    pub surcharge: Option<Surcharge>,
    /// Its last day.
    pub shutdown: Option<Date>,
    /// The model that its maker names instead.
    pub replacement: Option<String>,
    /// How it wants to be asked.
    pub manner: Family,
}

/// Prices of a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Tokens read.
    pub input: Dollars,
    /// Tokens read from the cache; without it they cost as much as others.
    pub cached: Option<Dollars>,
    /// Tokens written to the cache; without it they cost as much as others.
    pub cache_write: Option<Dollars>,
    /// Tokens written; a model that writes none has no price for them.
    pub output: Option<Dollars>,
}

/// What multiplies the prices of a long request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surcharge {
    /// Requests with more input tokens are long.
    pub above_input_tokens: u64,
    /// Factor of all tokens read.
    pub input: Dollars,
    /// Factor of all tokens written.
    pub output: Dollars,
}

/// How models are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Whether they think first, and then refuse `temperature` and `top_p` unless their effort is `none`.
    pub reasons: bool,
    /// What bounds their answers.
    pub max_output: MaxOutput,
}

/// The parameter of `/chat/completions` that bounds an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxOutput {
    /// The older one, which all but reasoning models take.
    #[default]
    MaxTokens,
    /// The newer one, which counts what is thought, too.
    MaxCompletionTokens,
}

impl ModelCatalogue {
    /// The built-in facts, and over them those of a file in the same form, if one is named. Reads a file: not for an
    /// async thread that others wait for.
    pub fn load(own: Option<&Path>) -> Result<Self, ModelsError> {
        let mut catalogue = Self::built_in();
        if let Some(path) = own {
            catalogue.merge(RawCatalogue::load(path)?);
        }
        Ok(catalogue)
    }

    /// The built-in facts.
    pub fn built_in() -> Self {
        let raw = RawCatalogue::parse(BUILT_IN, BUILT_IN_NAME).expect("a test reads the built-in file");
        let mut catalogue = Self {
            as_of: raw.as_of,
            storage: StoragePrice::default(),
            file_search_usd_per_1000: Dollars::default(),
            models: BTreeMap::new(),
            families: BTreeMap::new(),
        };
        catalogue.merge(raw);
        catalogue
    }

    /// What is known about a model; a dated snapshot (`gpt-4.1-mini-2025-04-14`) is its model, and a gateway's prefix
    /// (`openai/…`) is none of the name.
    pub fn facts(&self, name: &str) -> Option<&ModelFacts> {
        let name = plain(name);
        self.models.get(&name).or_else(|| self.models.get(without_date(&name)?))
    }

    /// How a model is asked: as its facts say, else as its name begins, else as most are.
    pub fn manner(&self, name: &str) -> Family {
        self.facts(name).map_or_else(|| self.family(&plain(name)), |facts| facts.manner)
    }

    /// The family with the longest name that this one begins with.
    fn family(&self, name: &str) -> Family {
        let is_of = |family: &str| {
            name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_', ':']))
        };
        let found = self.families.iter().filter(|(family, _)| is_of(family)).max_by_key(|(family, _)| family.len());
        found.map(|(_, family)| *family).unwrap_or_default()
    }

    fn merge(&mut self, raw: RawCatalogue) {
        self.families.extend(raw.families.0);
        if let Some(storage) = raw.storage {
            self.storage.usd_per_gib_day = storage.usd_per_gib_day.unwrap_or(self.storage.usd_per_gib_day);
            self.storage.free_gib = storage.free_gib.unwrap_or(self.storage.free_gib);
        }
        self.file_search_usd_per_1000 = raw.file_search_usd_per_1000.unwrap_or(self.file_search_usd_per_1000);
        for (name, model) in raw.models.0 {
            self.merge_model(plain(&name), model, raw.as_of);
        }
    }

    /// What the new facts do not say stays.
    fn merge_model(&mut self, name: String, raw: RawModel, as_of: Date) {
        let manner = self.family(&name);
        let facts = self.models.entry(name).or_insert_with_key(|name| ModelFacts {
            name: name.clone(),
            as_of,
            context_tokens: None,
            prices: None,
            surcharge: None,
            shutdown: None,
            replacement: None,
            manner,
        });
        if raw.prices.is_some() {
            facts.as_of = as_of;
            // A surcharge is part of the prices that it stood with.
            facts.surcharge = raw.surcharge;
        }
        facts.context_tokens = raw.context_tokens.or(facts.context_tokens);
        facts.prices = raw.prices.or(facts.prices);
        facts.surcharge = raw.surcharge.or(facts.surcharge);
        facts.shutdown = raw.shutdown.or(facts.shutdown);
        facts.replacement = raw.replacement.or_else(|| facts.replacement.take());
        facts.manner.reasons = raw.reasons.unwrap_or(facts.manner.reasons);
        facts.manner.max_output = raw.max_output.unwrap_or(facts.manner.max_output);
    }
}

/// A name as the file has it.
fn plain(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase()
}

/// The name before the date of a snapshot.
fn without_date(name: &str) -> Option<&str> {
    let (model, date) = name.split_at_checked(name.len().checked_sub(DATE_CHARS)?)?;
    date.strip_prefix('-')?.parse::<Date>().ok().map(|_| model)
}

#[cfg(test)]
mod tests;
