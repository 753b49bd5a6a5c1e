//! Misbehaviours: what can be armed, on which calls, and which of them fire now.
//!
//! Invariant: whether a fault fires depends on its own matching calls and seed only, never on the clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One misbehaviour and the calls it strikes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The calls. Ignored by those acts that are a state ([`Act::is_state`]) but for `skip`, `times` and `probability`.
    #[serde(default)]
    pub on: Matcher,
    /// What happens.
    pub act: Act,
}

impl Fault {
    /// Strikes every call of this method and path template (`"*"` for any; names in braces do not matter).
    #[must_use]
    pub fn on(method: &str, path: &str, act: Act) -> Self {
        Self { on: Matcher { method: method.to_owned(), path: path.to_owned(), ..Matcher::default() }, act }
    }

    /// Strikes every call, or is a state.
    #[must_use]
    pub fn always(act: Act) -> Self {
        Self { on: Matcher::default(), act }
    }

    /// Strikes at most this many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.on.times = Some(times);
        self
    }

    /// Strikes the nth matching call only (the first is 1).
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.on.skip = nth.saturating_sub(1);
        self.on.times = Some(1);
        self
    }

    /// Strikes some of the matching calls, drawn from the seed.
    #[must_use]
    pub fn sometimes(mut self, probability: f64, seed: u64) -> Self {
        self.on.probability = Some(probability);
        self.on.seed = seed;
        self
    }
}

/// Which calls a fault strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// The HTTP method, or `*`.
    pub method: String,
    /// The path template below `/v1`, such as `/vector_stores/{id}/files`, or `*`.
    pub path: String,
    /// Matching calls that pass unharmed first.
    pub skip: u64,
    /// How many calls are struck; none means all.
    pub times: Option<u64>,
    /// Chance of each matching call, 0 to 1; none means certain.
    pub probability: Option<f64>,
    /// Seed of the chance.
    pub seed: u64,
}

impl Default for Matcher {
    fn default() -> Self {
        Self { method: "*".to_owned(), path: "*".to_owned(), skip: 0, times: None, probability: None, seed: 0 }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Answers with this status and does nothing.
    Status {
        /// The HTTP status.
        code: u16,
        /// The kind of body.
        #[serde(default)]
        body: ErrorBody,
        /// Headers about trying again.
        #[serde(default)]
        hints: Vec<Hint>,
    },
    /// 429 `rate_limit_exceeded`.
    RateLimited {
        /// Seconds in `Retry-After`; none leaves the header out.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 429 `insufficient_quota`: not to be tried again.
    NoQuota,
    /// 401 `invalid_api_key`, whatever the key.
    WrongKey,
    /// Resets the connection before anything is read or done.
    ResetBefore,
    /// Reads half of the request's body, then resets the connection.
    ResetMidBody,
    /// Does the work, then resets the connection without an answer.
    LostAnswer,
    /// Reads the request, waits this long without a word, then resets the connection. In JSON milliseconds.
    Stall(#[serde(with = "millis")] Duration),
    /// Does the work and cuts the answer's body in half.
    TruncatedBody,
    /// Does the work and answers with JSON that is none.
    GarbledJson,
    /// A stream falls silent after so many events, without an end.
    StalledStream {
        /// Events sent before.
        after: usize,
    },
    /// A stream ends cleanly after so many events, before its final one.
    TruncatedStream {
        /// Events sent before.
        after: usize,
    },
    /// A stream's connection is reset after so many events.
    ResetStream {
        /// Events sent before.
        after: usize,
    },
    /// Every event of a stream comes twice, with the same sequence number.
    DuplicatedEvents,
    /// Events and comments nobody knows stand between those of a stream.
    UnknownEvents,
    /// A stream's bytes come in odd pieces, also within a character.
    SplitAnywhere,
    /// State: files whose name or string attribute contains `matching` end `failed` when attached.
    FileFails {
        /// What the name contains; empty means every file.
        matching: String,
        /// `server_error`, `unsupported_file` or `invalid_file`.
        code: String,
        /// The message of `last_error`.
        message: String,
    },
    /// State: files whose name or string attribute contains `matching` stay `in_progress` when attached.
    FileStuck {
        /// What the name contains; empty means every file.
        matching: String,
        /// Whether detaching and attaching the same file again helps.
        #[serde(default)]
        until_attached_again: bool,
    },
    /// State: deleted and detached files stay listed for this long. In JSON milliseconds.
    LaggingDelete(#[serde(with = "millis")] Duration),
    /// State: stores are `expired`.
    StoreExpired {
        /// One store; none means all.
        #[serde(default)]
        store_id: Option<String>,
    },
    /// A batch is answered with the id of its store.
    BatchIdOfStore,
    /// The next page of a listing begins with the last entry of the page before.
    ShiftingPages,
}

impl Act {
    /// Whether this is a state of the stand-in rather than the fate of a call.
    pub fn is_state(&self) -> bool {
        matches!(
            self,
            Self::FileFails { .. } | Self::FileStuck { .. } | Self::LaggingDelete(_) | Self::StoreExpired { .. }
        )
    }
}

/// The body of an error that is only a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// The documented shape.
    #[default]
    Json,
    /// A page of the service's edge.
    Html,
    /// Nothing.
    Empty,
    /// A line of plain text.
    Plain,
}

/// A header that says when, or whether, to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// `Retry-After` in seconds.
    RetryAfter(u64),
    /// `Retry-After` as an HTTP date, so many seconds from now.
    RetryAfterDate(u64),
    /// `retry-after-ms` in milliseconds.
    RetryAfterMs(u64),
    /// `x-should-retry`.
    ShouldRetry(bool),
    /// Any header as it is.
    Header(String, String),
}

/// The faults that are armed, each with what it has seen.
#[derive(Debug, Default)]
pub(crate) struct Armed {
    faults: Vec<Watch>,
}

#[derive(Debug)]
struct Watch {
    fault: Fault,
    seen: u64,
    struck: u64,
}

impl Armed {
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.faults.push(Watch { fault, seen: 0, struck: 0 });
    }

    pub(crate) fn disarm(&mut self) {
        self.faults.clear();
    }

    /// The acts that strike this call, in the order they were armed.
    pub(crate) fn strike(&mut self, method: &str, template: &str) -> Vec<Act> {
        self.faults
            .iter_mut()
            .filter(|watch| !watch.fault.act.is_state() && watch.fault.on.matches(method, template))
            .filter_map(Watch::fire)
            .collect()
    }

    /// The first armed state that `wanted` accepts and that still strikes.
    pub(crate) fn state(&mut self, wanted: impl Fn(&Act) -> bool) -> Option<Act> {
        self.faults
            .iter_mut()
            .filter(|watch| watch.fault.act.is_state() && wanted(&watch.fault.act))
            .find_map(Watch::fire)
    }
}

impl Watch {
    fn fire(&mut self) -> Option<Act> {
        self.seen += 1;
        let on = &self.fault.on;
        let spent = on.times.is_some_and(|times| self.struck >= times);
        if self.seen <= on.skip || spent || !on.drawn(self.seen) {
            return None;
        }
        self.struck += 1;
        Some(self.fault.act.clone())
    }
}

impl Matcher {
    fn matches(&self, method: &str, template: &str) -> bool {
        (self.method == "*" || self.method.eq_ignore_ascii_case(method))
            && (self.path == "*" || same_template(&self.path, template))
    }

    fn drawn(&self, seen: u64) -> bool {
        self.probability.is_none_or(|probability| {
            let draw = scramble(self.seed ^ seen.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 11;
            (draw as f64) / ((1_u64 << 53) as f64) < probability
        })
    }
}

fn same_template(one: &str, other: &str) -> bool {
    let plain = |path: &str| -> Vec<String> {
        let parts = path.trim_matches('/').split('/');
        parts.map(|part| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() }).collect()
    };
    plain(one) == plain(other)
}

/// Mixes the bits of a number well enough to draw lots and make ids (SplitMix64's finalizer).
pub(crate) fn scramble(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
