//! How long a model lives, and what is said about it.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::llm::models::ModelCatalogue;

/// A model that ends within so many days is warned about.
pub const WARN_DAYS: i64 = 90;

/// The end of a model that has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The model.
    pub model: String,
    /// Its last day.
    pub ends: Date,
    /// Days until then, in UTC; negative when it is over.
    pub days_left: i64,
    /// What its maker names instead.
    pub replacement: Option<String>,
}

impl Life {
    /// The life of a model that ends, seen now.
    pub fn new(model: &str, ends: Date, replacement: Option<&str>, now: Timestamp) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        // Both are dates of the calendar, so the difference is a whole number of days.
        let days_left = i64::from(today.until(ends).map_or(0, |span| span.get_days()));
        Self { model: model.to_owned(), ends, days_left, replacement: replacement.map(str::to_owned) }
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.days_left < 0
    }

    /// Whether its end is near or past.
    pub fn is_worth_a_word(&self) -> bool {
        self.days_left <= WARN_DAYS
    }

    /// One sentence for people.
    pub fn describe(&self) -> String {
        let Self { model, ends, days_left, .. } = self;
        let what = match days_left {
            ..0 => format!("the model `{model}` ended on {ends}; answers will fail"),
            0 => format!("the model `{model}` ends today, on {ends}"),
            1 => format!("the model `{model}` ends tomorrow, on {ends}"),
            _ => format!("the model `{model}` ends on {ends}, in {days_left} days"),
        };
        match &self.replacement {
            Some(other) => format!("{what}; set ASSISTANT_MODEL={other}, which its maker names instead"),
            None => format!("{what}; choose another ASSISTANT_MODEL"),
        }
    }
}

/// The model that answers. Cheap to clone; what its service says of its end is known to all clones.
#[derive(Debug, Clone)]
pub struct Chosen {
    name: String,
    listed: Option<Date>,
    replacement: Option<String>,
    told: Arc<Mutex<Option<Date>>>,
}

impl Chosen {
    /// The model of this name, with what the catalogue knows about it.
    pub fn new(name: &str, catalogue: &ModelCatalogue) -> Self {
        let facts = catalogue.facts(name);
        Self {
            name: name.to_owned(),
            listed: facts.and_then(|facts| facts.shutdown),
            replacement: facts.and_then(|facts| facts.replacement.clone()),
            told: Arc::default(),
        }
    }

    /// Its name, as the settings have it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes what the service says of its end, which is more than a list knows; tells whether that is news.
    pub fn learn(&self, ends: Date) -> bool {
        let before = self.told.lock().unwrap_or_else(PoisonError::into_inner).replace(ends);
        before.or(self.listed) != Some(ends)
    }

    /// Goes on knowing what was told about the same model.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        if before.name == self.name { Self { told: Arc::clone(&before.told), ..self } } else { self }
    }

    /// Its life, if it is known to end.
    pub fn life(&self, now: Timestamp) -> Option<Life> {
        let told = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.or(self.listed).map(|ends| Life::new(&self.name, ends, self.replacement.as_deref(), now))
    }
}
