//! Decides whether a failed attempt is made again, and after how long.
//!
//! The rule: a request is sent again only when doing its work twice changes nothing, or when it certainly was not done.
//! The service knows no idempotency key, so a second `POST /files` after a lost answer makes a second file.

use std::time::Duration;

use crate::clock::random_bytes;
use crate::openai::{ErrorKind, FailedCall};

/// How long things may take, and how often they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// From the request to the head of the answer; an upload gets more, by its size.
    pub head: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For the whole call with all its attempts and waits, once it is its turn; an upload gets more, by its size.
    pub whole: Duration,
    /// The longest wait that the service may ask for; a longer one ends the call.
    pub max_wait: Duration,
    /// How often a call is sent at most.
    pub attempts: u32,
    /// Before the second attempt; doubled before each further one.
    pub first_delay: Duration,
    /// What that doubling ends at.
    pub max_delay: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_mins(1),
            idle: Duration::from_secs(30),
            whole: Duration::from_mins(5),
            max_wait: Duration::from_mins(1),
            attempts: 5,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
        }
    }
}

/// What doing a call twice means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Safety {
    /// It changes nothing.
    Read,
    /// It changes something, and twice is as good as once.
    Idempotent,
    /// Twice is one too many.
    Once,
}

/// How far a failed attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The service does not have the whole request, so it did nothing.
    NotSent,
    /// The service answered that it failed.
    Told,
    /// Nobody knows: the answer is lost, late or cannot be read.
    Unknown,
}

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Miss {
    pub(super) failed: FailedCall,
    pub(super) stage: Stage,
    /// `x-should-retry`.
    pub(super) should_retry: Option<bool>,
}

impl Miss {
    /// A failure that came so far.
    pub(super) fn new(failed: FailedCall, stage: Stage) -> Self {
        Self { failed, stage, should_retry: None }
    }

    /// Whether the work may be done although the attempt failed.
    pub(super) fn may_be_done(&self, safety: Safety) -> bool {
        let is_open = match self.stage {
            Stage::NotSent => false,
            Stage::Unknown => true,
            Stage::Told => !self.refused_before_work(),
        };
        is_open && safety != Safety::Read
    }

    /// A refusal of the request, or of any work for now: 4xx, and 503 with a time to come back. A 408 is somebody's
    /// impatience on the way, and a plain 5xx can come after the work.
    fn refused_before_work(&self) -> bool {
        match self.failed.status {
            Some(408) => false,
            Some(503) => self.failed.retry_after.is_some(),
            Some(status) => status < 500,
            None => false,
        }
    }

    /// Whether another attempt may be made.
    pub(super) fn is_worth_another(&self, safety: Safety) -> bool {
        if self.should_retry == Some(false) {
            return false;
        }
        if matches!(self.failed.kind, ErrorKind::NoQuota | ErrorKind::WrongKey | ErrorKind::Forbidden) {
            return false;
        }
        let is_wanted = self.failed.is_temporary() || self.should_retry == Some(true);
        is_wanted && !(safety == Safety::Once && self.may_be_done(safety))
    }

    /// How long to wait before the next attempt after so many: what the service asks for, else longer each time, and
    /// never for all alike. `None` when the service asks for more than is waited.
    pub(super) fn wait(&self, attempts: u32, patience: &Patience) -> Option<Duration> {
        match self.failed.retry_after {
            Some(wait) if wait > patience.max_wait => None,
            // Just at the end of the time would be just too early.
            Some(wait) => Some(wait + patience.first_delay.mul_f64(0.1 * fraction())),
            None => {
                let doubled = patience.first_delay.saturating_mul(1 << attempts.saturating_sub(1).min(16));
                Some(doubled.min(patience.max_delay).mul_f64(0.5 + 0.5 * fraction()))
            }
        }
    }
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(random_bytes())) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, kind: ErrorKind, retry_after: Option<u64>) -> Miss {
        let failed = FailedCall::new("POST /x", kind, "");
        let retry_after = retry_after.map(Duration::from_secs);
        Miss::new(FailedCall { status: Some(status), retry_after, ..failed }, Stage::Told)
    }

    fn lost(stage: Stage) -> Miss {
        Miss::new(FailedCall::new("POST /x", ErrorKind::Connection, ""), stage)
    }

    #[test]
    fn a_write_that_must_not_be_done_twice_is_sent_again_only_when_it_was_not_done() {
        let again = |miss: &Miss| (miss.is_worth_another(Safety::Once), miss.may_be_done(Safety::Once));
        assert_eq!(again(&lost(Stage::NotSent)), (true, false));
        assert_eq!(again(&lost(Stage::Unknown)), (false, true));
        assert_eq!(again(&told(429, ErrorKind::RateLimited, None)), (true, false));
        assert_eq!(again(&told(409, ErrorKind::Conflict, None)), (true, false));
        assert_eq!(again(&told(503, ErrorKind::Server, Some(1))), (true, false));
        assert_eq!(again(&told(503, ErrorKind::Server, None)), (false, true));
        assert_eq!(again(&told(500, ErrorKind::Server, Some(1))), (false, true));
        assert_eq!(again(&told(408, ErrorKind::TimedOut, None)), (false, true));
        assert_eq!(again(&told(400, ErrorKind::Refused, None)), (false, false));
    }

    #[test]
    fn what_may_be_done_twice_is_sent_again_whenever_that_can_help() {
        for safety in [Safety::Read, Safety::Idempotent] {
            for miss in [lost(Stage::Unknown), told(500, ErrorKind::Server, None), told(408, ErrorKind::TimedOut, None)]
            {
                assert!(miss.is_worth_another(safety), "{miss:?}");
                assert_eq!(miss.may_be_done(safety), safety == Safety::Idempotent);
            }
            assert!(!told(400, ErrorKind::Refused, None).is_worth_another(safety));
            assert!(!told(429, ErrorKind::NoQuota, Some(1)).is_worth_another(safety));
        }
    }

    #[test]
    fn the_services_word_decides_but_never_for_a_spent_account_or_work_that_may_be_done() {
        let says = |should_retry, miss: Miss, safety| {
            Miss { should_retry: Some(should_retry), ..miss }.is_worth_another(safety)
        };
        assert!(!says(false, told(429, ErrorKind::RateLimited, Some(1)), Safety::Read));
        assert!(says(true, told(400, ErrorKind::Refused, None), Safety::Once));
        assert!(!says(true, told(500, ErrorKind::Server, None), Safety::Once));
        assert!(says(true, told(500, ErrorKind::Server, None), Safety::Read));
        assert!(!says(true, told(429, ErrorKind::NoQuota, None), Safety::Read));
        assert!(!says(true, told(401, ErrorKind::WrongKey, None), Safety::Read));
    }

    #[test]
    fn waits_grow_to_a_bound_are_not_all_alike_and_follow_the_service() {
        let patience = Patience::default();
        for (attempts, most) in [(1, 500), (2, 1000), (3, 2000), (5, 8000), (40, 8000)] {
            let wait = lost(Stage::NotSent).wait(attempts, &patience).unwrap();
            assert!(wait <= Duration::from_millis(most) && wait >= Duration::from_millis(most / 2), "{wait:?}");
        }
        let waits: std::collections::BTreeSet<_> =
            (0..20).map(|_| lost(Stage::NotSent).wait(5, &patience).unwrap()).collect();
        assert!(waits.len() > 10, "{waits:?}");
        let wait = told(429, ErrorKind::RateLimited, Some(20)).wait(1, &patience).unwrap();
        assert!(wait >= Duration::from_secs(20) && wait < Duration::from_secs(21), "{wait:?}");
        assert_eq!(told(429, ErrorKind::RateLimited, Some(61)).wait(1, &patience), None);
    }
}
