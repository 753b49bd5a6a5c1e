//! The limits of rate, as buckets that hold one minute's worth.

use std::collections::HashMap;
use std::time::Duration;

/// Units of one call: a bucket gains its limit of units every millisecond, all in whole numbers.
const CALL: u64 = 60_000;

/// The buckets in use.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    buckets: HashMap<String, Bucket>,
    /// What the last limited call has left, for its headers.
    pub(crate) last: Option<Remaining>,
}

/// What a bucket holds, for `x-ratelimit-…`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remaining {
    pub(crate) limit: u32,
    pub(crate) left: u64,
    pub(crate) reset: Duration,
}

#[derive(Debug)]
struct Bucket {
    units: u64,
    at_ms: u64,
}

impl Rates {
    /// Takes `amount` calls from the bucket of this name, or says how long to wait. One second's worth is granted
    /// beyond the limit, so that a client which keeps it exactly is not refused for the jitter of its network.
    pub(crate) fn take(&mut self, name: &str, amount: u32, a_minute: u32, now: Duration) -> Result<(), Duration> {
        let limit = u64::from(a_minute.max(1));
        let full = limit * CALL + (limit * 1_000).max(CALL);
        let at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let bucket = self.buckets.entry(name.to_owned()).or_insert(Bucket { units: full, at_ms });
        let gained = at_ms.saturating_sub(bucket.at_ms).saturating_mul(limit);
        bucket.units = bucket.units.saturating_add(gained).min(full);
        bucket.at_ms = at_ms;
        let wanted = u64::from(amount).min(limit) * CALL;
        let missing = wanted.saturating_sub(bucket.units);
        if missing == 0 {
            bucket.units -= wanted;
        }
        let reset = Duration::from_millis((full - bucket.units) / limit);
        self.last = Some(Remaining { limit: a_minute, left: (bucket.units / CALL).min(limit), reset });
        if missing == 0 { Ok(()) } else { Err(Duration::from_millis(missing.div_ceil(limit))) }
    }
}
