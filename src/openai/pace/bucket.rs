//! A bucket of tokens that holds a minute's worth and fills all the time.

use std::sync::{Mutex as Lock, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Queue;
use tokio::time::{Instant, sleep};

use crate::openai::pace::rates::Rates;

const MINUTE: f64 = 60.0;
/// The slowest pace that the service's headers may teach, in tokens a second: two a minute go on in any case.
const SLOWEST: f64 = 2.0 / MINUTE;
/// No single wait is longer, so that a level that was corrected meanwhile is seen.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// A bucket that many may wait at, in the order of their coming.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Held by whoever is next; the lock is handed on in order.
    queue: Queue<()>,
    level: Lock<Level>,
}

impl Bucket {
    /// A full one. 0 a minute means no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { queue: Queue::new(()), level: Lock::new(Level::new(per_minute, Instant::now())) }
    }

    /// Waits for so many tokens and takes them. More than the bucket holds are taken when it is full, on credit.
    pub(super) async fn take(&self, tokens: usize) {
        let _next = self.queue.lock().await;
        while let Err(wait) = self.with_level(|level, now| level.take(tokens, now)) {
            sleep(wait.min(LONGEST_SLEEP)).await;
        }
    }

    pub(super) fn give_back(&self, tokens: usize) {
        self.with_level(|level, now| level.give_back(tokens, now));
    }

    pub(super) fn learn(&self, rates: Rates) {
        self.with_level(|level, now| level.learn(rates, now));
    }

    pub(super) fn pause(&self, wait: Duration) {
        self.with_level(|level, now| level.pause(wait, now));
    }

    pub(super) fn is_full(&self) -> bool {
        self.with_level(|level, now| level.is_full(now))
    }

    fn with_level<T>(&self, act: impl FnOnce(&mut Level, Instant) -> T) -> T {
        act(&mut self.level.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }
}

/// How full a bucket is: plain arithmetic over instants that are given to it.
#[derive(Debug)]
struct Level {
    per_minute: u32,
    capacity: f64,
    /// Tokens a second; what the headers teach is never above the setting.
    rate: f64,
    tokens: f64,
    /// When `tokens` was right; in the future while there is a pause.
    at: Instant,
}

impl Level {
    fn new(per_minute: u32, now: Instant) -> Self {
        let capacity = f64::from(per_minute);
        Self { per_minute, capacity, rate: capacity / MINUTE, tokens: capacity, at: now }
    }

    fn is_unlimited(&self) -> bool {
        self.per_minute == 0
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        if seconds > 0.0 {
            self.tokens = (self.tokens + seconds * self.rate).min(self.capacity);
            self.at = now;
        }
    }

    /// Takes the tokens, or says how long it is until it can be tried again.
    fn take(&mut self, tokens: usize, now: Instant) -> Result<(), Duration> {
        if self.is_unlimited() {
            return Ok(());
        }
        self.fill(now);
        let tokens = f64::from(u32::try_from(tokens).unwrap_or(u32::MAX));
        let needed = tokens.min(self.capacity);
        let pause = self.at.saturating_duration_since(now);
        // A hair less than needed is what remains of sums of fractions.
        if pause.is_zero() && self.tokens >= needed - 1e-6 {
            self.tokens -= tokens;
            return Ok(());
        }
        let missing = ((needed - self.tokens) / self.rate).clamp(0.0, 3600.0);
        Err(pause + Duration::from_secs_f64(missing) + Duration::from_millis(1))
    }

    fn give_back(&mut self, tokens: usize, now: Instant) {
        self.fill(now);
        let tokens = f64::from(u32::try_from(tokens).unwrap_or(u32::MAX));
        self.tokens = (self.tokens + tokens).min(self.capacity);
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.at <= now && self.tokens >= self.capacity
    }

    /// The service counts for all who use the account, so its lower figures replace ours, and never its higher ones.
    fn learn(&mut self, rates: Rates, now: Instant) {
        if self.is_unlimited() {
            return;
        }
        self.fill(now);
        let ours = f64::from(self.per_minute);
        self.capacity = ours.min(rates.limit);
        self.tokens = self.tokens.min(rates.remaining).min(self.capacity);
        // What is missing comes back within the time to the reset; that is the pace to go on at.
        let missing = rates.limit - rates.remaining;
        let taught =
            rates.reset.filter(|reset| !reset.is_zero() && missing > 0.0).map(|reset| missing / reset.as_secs_f64());
        self.rate = taught.map_or(ours / MINUTE, |taught| taught.clamp(SLOWEST.min(ours / MINUTE), ours / MINUTE));
    }

    /// Nothing for so long, and then no burst.
    fn pause(&mut self, wait: Duration, now: Instant) {
        if self.is_unlimited() {
            return;
        }
        self.fill(now);
        self.tokens = self.tokens.min(1.0);
        self.at = self.at.max(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use tokio::sync::mpsc;

    use super::*;

    /// Lets requests of these sizes wait at a bucket one after another, each coming so many ms after the one before;
    /// the clock is a number. Gives when each went out, in ms.
    fn served(per_minute: u32, requests: &[(u64, usize)]) -> Vec<(u64, usize)> {
        let start = Instant::now();
        let mut level = Level::new(per_minute, start);
        let (mut now, mut came) = (0, 0);
        requests
            .iter()
            .map(|(after, tokens)| {
                came += after;
                now = now.max(came);
                while let Err(wait) = level.take(*tokens, start + Duration::from_millis(now)) {
                    now += u64::try_from(wait.as_millis()).unwrap().max(1);
                }
                (now, *tokens)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_has_more_than_a_minutes_burst_and_what_filled_meanwhile(
            per_minute in 1_u32..3000,
            requests in prop::collection::vec((0_u64..2000, 1_usize..20), 1..150),
        ) {
            let served = served(per_minute, &requests);
            for (first, (from, _)) in served.iter().enumerate() {
                let mut taken = 0;
                for (until, tokens) in &served[first..] {
                    taken += tokens;
                    let seconds = f64::from(u32::try_from(until - from).unwrap()) / 1000.0;
                    // One that is larger than the bucket goes out on credit.
                    let credit = tokens.saturating_sub(per_minute as usize);
                    let allowed = f64::from(per_minute) * (1.0 + seconds / MINUTE) + 1.0;
                    prop_assert!(f64::from(u32::try_from(taken - credit).unwrap()) <= allowed, "{taken} in {seconds} s");
                }
            }
        }

        #[test]
        fn whoever_waits_is_served_and_no_later_than_needed(
            per_minute in 1_u32..3000,
            requests in prop::collection::vec((0_u64..2000, 1_usize..20), 1..150),
        ) {
            let served = served(per_minute, &requests);
            let came: u64 = requests.iter().map(|(after, _)| after).sum();
            let tokens: usize = requests.iter().map(|(_, tokens)| tokens).sum();
            let needed = f64::from(u32::try_from(tokens).unwrap()) / f64::from(per_minute) * MINUTE * 1000.0;
            // 2 ms a request: times are whole ms, and each wait is one longer than the sum says.
            let most = f64::from(u32::try_from(came).unwrap()) + needed + 2.0 * served.len() as f64 + 2.0;
            prop_assert!(served.last().unwrap().0 as f64 <= most, "{:?} after {most}", served.last());
            prop_assert!(served.is_sorted_by_key(|(at, _)| *at));
        }

        #[test]
        fn whatever_the_headers_say_a_request_goes_out_within_a_bounded_time(
            per_minute in 1_u32..3000,
            told in prop::collection::vec((0.0_f64..5000.0, 0.0_f64..5000.0, prop::option::of(0_u64..10_000_000)), 0..20),
        ) {
            let start = Instant::now();
            let mut level = Level::new(per_minute, start);
            for (limit, remaining, reset) in told {
                let reset = reset.map(Duration::from_millis);
                level.learn(Rates { limit: limit.max(1.0), remaining: remaining.min(limit), reset }, start);
                prop_assert!(level.capacity <= f64::from(per_minute) && level.rate <= f64::from(per_minute) / MINUTE + 1e-9);
            }
            let mut now = start;
            while let Err(wait) = level.take(1, now) {
                prop_assert!(wait > Duration::ZERO);
                now += wait;
                prop_assert!(now - start <= Duration::from_secs(70), "{:?}", now - start);
            }
        }
    }

    #[test]
    fn a_full_minutes_burst_goes_out_at_once_and_the_next_waits() {
        let now = Instant::now();
        let mut level = Level::new(600, now);
        assert!((0..600).all(|_| level.take(1, now).is_ok()));
        let wait = level.take(1, now).unwrap_err();
        assert!(wait > Duration::from_millis(99) && wait < Duration::from_millis(105), "{wait:?}");
        assert!(level.take(1, now + wait).is_ok());
    }

    #[test]
    fn a_batch_costs_its_size_and_one_larger_than_the_bucket_goes_out_when_it_is_full() {
        let now = Instant::now();
        let mut level = Level::new(1000, now);
        assert!(level.take(2000, now).is_ok());
        let wait = level.take(1, now).unwrap_err();
        assert!(wait >= Duration::from_secs(60) && wait < Duration::from_secs(61), "{wait:?}");
    }

    #[test]
    fn the_service_corrects_us_downwards_and_lets_us_recover() {
        let now = Instant::now();
        let rates = |limit, remaining, reset| Rates { limit, remaining, reset: Some(Duration::from_secs(reset)) };
        let mut level = Level::new(600, now);
        // Somebody else used the account: nothing is left, and it is back in a minute.
        level.learn(rates(60.0, 0.0, 60), now);
        let wait = level.take(1, now).unwrap_err();
        assert!(wait > Duration::from_millis(990) && wait < Duration::from_millis(1010), "{wait:?}");
        level.learn(rates(600.0, 600.0, 0), now + wait);
        assert!((level.rate - 10.0).abs() < 1e-9 && (level.capacity - 600.0).abs() < 1e-9);
    }

    #[test]
    fn after_a_pause_there_is_no_burst() {
        let now = Instant::now();
        let mut level = Level::new(600, now);
        level.pause(Duration::from_secs(20), now);
        assert!(level.take(1, now).unwrap_err() >= Duration::from_secs(20));
        let then = now + Duration::from_secs(20);
        assert!(level.take(1, then).is_ok());
        assert!(level.take(1, then).is_err());
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let now = Instant::now();
        let mut level = Level::new(0, now);
        level.pause(Duration::from_secs(20), now);
        level.learn(Rates { limit: 1.0, remaining: 0.0, reset: Some(Duration::from_mins(1)) }, now);
        assert!((0..10_000).all(|_| level.take(1000, now).is_ok()));
    }

    #[tokio::test]
    async fn who_came_first_is_served_first_and_who_gives_up_takes_nothing() {
        let bucket = Arc::new(Bucket::new(6000));
        bucket.take(6000).await;
        let (told, mut order) = mpsc::unbounded_channel();
        let mut waiting = Vec::new();
        for number in 0..8 {
            let (bucket, told) = (Arc::clone(&bucket), told.clone());
            waiting.push(tokio::spawn(async move {
                bucket.take(2).await;
                told.send(number).unwrap();
            }));
            // Spawned on this one thread: it joins the queue before the next one is spawned.
            tokio::task::yield_now().await;
        }
        waiting[2].abort();
        drop(told);
        let mut served = Vec::new();
        while let Some(number) = order.recv().await {
            served.push(number);
        }
        assert_eq!(served, [0, 1, 3, 4, 5, 6, 7]);
    }
}
