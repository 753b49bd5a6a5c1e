//! A rate for each of many keys, by the generic cell rate algorithm.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Keys remembered at the most. A key is forgotten once its share is whole again, after a few seconds; so many at once
/// are a flood of addresses, against which the bounds on what is in progress stand.
const MAX_KEYS: usize = 100_000;
/// Rates are between one an hour and a million a second.
const PERIODS_S: std::ops::RangeInclusive<f64> = 0.000_001..=3600.0;

/// So many a second, and so many at once.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How many each second.
    pub per_second: f64,
    /// How many at once, after a quiet time.
    pub burst: u32,
}

impl Rate {
    /// The same for several together.
    pub fn times(self, count: u32) -> Self {
        Self { per_second: self.per_second * f64::from(count), burst: self.burst.saturating_mul(count) }
    }

    /// After which time there is one more.
    fn period(self) -> Duration {
        let seconds = 1.0 / self.per_second;
        let (shortest, longest) = (*PERIODS_S.start(), *PERIODS_S.end());
        Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(shortest, longest) } else { longest })
    }
}

/// One rate for each key.
pub struct Keyed<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    period: Duration,
    max_keys: usize,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    /// All keys have their whole share.
    pub fn new(rate: Rate) -> Self {
        Self::bounded(rate, MAX_KEYS)
    }

    fn bounded(rate: Rate, max_keys: usize) -> Self {
        let period = rate.period();
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period).expect("a period is never zero").allow_burst(burst);
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), period, max_keys }
    }

    /// Takes one of the key's share, or says how long to wait for one.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        if self.limiter.len() >= self.max_keys {
            self.limiter.retain_recent();
            if self.limiter.len() >= self.max_keys {
                return Ok(());
            }
        }
        self.limiter.check_key(key).map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    /// After which time a key has one more.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Forgets the keys whose share is whole again.
    pub fn forget_quiet(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H23: what is remembered about callers is bounded, and forgotten.
    #[tokio::test]
    async fn h23_keys_are_bounded_and_forgotten() {
        let keyed = Keyed::bounded(Rate { per_second: 1000.0, burst: 1 }, 10);
        for key in 0..1000 {
            let _ = keyed.check(&key);
            assert!(keyed.limiter.len() <= 10);
        }
        let forgotten = async {
            while !keyed.limiter.is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
                keyed.forget_quiet();
            }
        };
        tokio::time::timeout(Duration::from_secs(10), forgotten).await.expect("they are forgotten");
    }

    #[test]
    fn odd_rates_are_rates() {
        for per_second in [0.0, 1e-9, 1e12, f64::INFINITY, f64::NAN] {
            let keyed = Keyed::new(Rate { per_second, burst: 0 });
            assert_eq!(keyed.check(&1), Ok(()), "{per_second}");
        }
    }
}
