//! How long a model lives, and what is said about it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::llm::models::ModelFacts;

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

impl ModelFacts {
    /// Its life, if it is known to end. `called` is the name that the settings have for it.
    pub fn life(&self, called: &str, now: Timestamp) -> Option<Life> {
        self.shutdown.map(|ends| Life::new(called, ends, self.replacement.as_deref(), now))
    }
}
