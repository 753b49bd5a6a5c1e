//! A rate for each of many keys, by the generic cell rate algorithm.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Keys remembered at the most. A key is forgotten once its share is whole again, after a few seconds; so many at once
/// are a flood of addresses.
const MAX_KEYS: usize = 100_000;
/// Rates that all further keys share. Which one a key gets is chance, so that nobody can choose whom to crowd out.
const SHARED_RATES: u64 = 4096;
/// How often keys are forgotten to make room: it takes a look at each of them.
const MAKE_ROOM_EVERY: Duration = Duration::from_secs(1);
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
    /// For keys beyond `max_keys`.
    shared: DefaultKeyedRateLimiter<u64>,
    chance: RandomState,
    clock: DefaultClock,
    period: Duration,
    max_keys: usize,
    made_room: Mutex<Instant>,
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
        Self {
            limiter: RateLimiter::keyed(quota),
            shared: RateLimiter::keyed(quota),
            chance: RandomState::new(),
            clock: DefaultClock::default(),
            period,
            max_keys,
            made_room: Mutex::new(Instant::now()),
        }
    }

    /// Takes one of the key's share, or says how long to wait for one.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        let checked = if self.has_room() {
            self.limiter.check_key(key)
        } else {
            self.shared.check_key(&(self.chance.hash_one(key) % SHARED_RATES))
        };
        checked.map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    /// Whether another key can be remembered. Whoever comes while one caller makes room is not kept waiting.
    fn has_room(&self) -> bool {
        if self.limiter.len() < self.max_keys {
            return true;
        }
        let Ok(mut made_room) = self.made_room.try_lock() else {
            return false;
        };
        if made_room.elapsed() < MAKE_ROOM_EVERY {
            return false;
        }
        self.limiter.retain_recent();
        *made_room = Instant::now();
        self.limiter.len() < self.max_keys
    }

    /// After which time a key has one more.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Forgets the keys whose share is whole again.
    pub fn forget_quiet(&self) {
        forget_quiet_of(&self.limiter);
        forget_quiet_of(&self.shared);
    }
}

fn forget_quiet_of<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>) {
    limiter.retain_recent();
    limiter.shrink_to_fit();
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

    /// H23: a flood of keys is no way around the rate.
    #[test]
    fn h23_keys_beyond_the_bound_share_rates() {
        let keyed = Keyed::bounded(Rate { per_second: 0.001, burst: 1 }, 10);
        let passed = (0..SHARED_RATES * 4).filter(|key| keyed.check(key).is_ok()).count() as u64;
        assert!(passed > SHARED_RATES / 2, "most shared rates are used: {passed}");
        assert!(passed <= SHARED_RATES + 10, "{passed} of {} passed", SHARED_RATES * 4);
        assert!(keyed.check(&(SHARED_RATES * 5)).is_err_and(|wait| wait > Duration::from_mins(15)));
    }

    #[test]
    fn odd_rates_are_rates() {
        for per_second in [0.0, 1e-9, 1e12, f64::INFINITY, f64::NAN] {
            let keyed = Keyed::new(Rate { per_second, burst: 0 });
            assert_eq!(keyed.check(&1), Ok(()), "{per_second}");
        }
    }
}
