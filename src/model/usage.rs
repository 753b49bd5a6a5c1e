//! What answers take: tokens, searches, money. No words, and nobody's name.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What one answer took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The model.
    pub model: String,
    /// Requests to the model, failed ones that were billed included.
    pub requests: u32,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens among them that were cached.
    pub cached_tokens: u64,
    /// Tokens written to the cache.
    pub cache_write_tokens: u64,
    /// Tokens written, those of thinking included.
    pub output_tokens: u64,
    /// Tokens among them of thinking.
    pub reasoning_tokens: u64,
    /// Hosted searches.
    pub searches: u32,
}

/// What one answer took, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The stored answer; none when nothing of it was kept.
    pub item_id: Option<String>,
    /// Its thread.
    pub thread_id: String,
    /// When it ended.
    pub answered_at: Timestamp,
    /// How it ended: a word of the server's.
    pub outcome: &'static str,
    /// What it took.
    pub usage: Usage,
    /// What that cost, when the price is known.
    pub price: Option<Price>,
}

/// An estimate in money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// US dollars, in billionths.
    pub nano_dollars: u64,
    /// The day of the prices that it was counted with.
    pub priced_on: Date,
}

/// Which answers to sum up, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    /// What makes a sum.
    pub by: Grouping,
    /// Answers from then on.
    pub since: Option<Timestamp>,
    /// Answers before then.
    pub until: Option<Timestamp>,
}

/// What answers are summed up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// The day, in UTC.
    Day,
    /// The thread.
    Thread,
    /// The model.
    Model,
}

/// What some answers took together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageSum {
    /// The day (`YYYY-MM-DD`), thread or model; none for threads that were deleted.
    pub key: Option<String>,
    /// How many answers.
    pub answers: u64,
    /// How many of them have no price, so that [`Self::nano_dollars`] lacks them.
    pub unpriced: u64,
    /// How many of them have no count of tokens: their readers hung up before the model told it.
    pub uncounted: u64,
    /// Requests to models.
    pub requests: u64,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens among them that were cached.
    pub cached_tokens: u64,
    /// Tokens written to the cache.
    pub cache_write_tokens: u64,
    /// Tokens written, those of thinking included.
    pub output_tokens: u64,
    /// Tokens among them of thinking.
    pub reasoning_tokens: u64,
    /// Hosted searches.
    pub searches: u64,
    /// The estimates, together, in billionths of a US dollar.
    pub nano_dollars: u64,
    /// The first and the last day of the prices that they were counted with.
    pub priced_on: Option<(Date, Date)>,
}

impl Usage {
    /// Adds what another request of the same answer took.
    pub fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.searches = self.searches.saturating_add(other.searches);
        let tokens = [
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.cache_write_tokens, other.cache_write_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
        ];
        for (sum, more) in tokens {
            *sum = sum.saturating_add(more);
        }
    }
}

impl UsageSum {
    /// All of these together.
    pub fn total(sums: &[Self]) -> Self {
        sums.iter().fold(Self::default(), |mut total, sum| {
            let counts = [
                (&mut total.answers, sum.answers),
                (&mut total.unpriced, sum.unpriced),
                (&mut total.uncounted, sum.uncounted),
                (&mut total.requests, sum.requests),
                (&mut total.input_tokens, sum.input_tokens),
                (&mut total.cached_tokens, sum.cached_tokens),
                (&mut total.cache_write_tokens, sum.cache_write_tokens),
                (&mut total.output_tokens, sum.output_tokens),
                (&mut total.reasoning_tokens, sum.reasoning_tokens),
                (&mut total.searches, sum.searches),
                (&mut total.nano_dollars, sum.nano_dollars),
            ];
            for (all, more) in counts {
                *all = all.saturating_add(more);
            }
            total.priced_on = match (total.priced_on, sum.priced_on) {
                (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
                (one, other) => one.or(other),
            };
            total
        })
    }
}
