//! What all answers of a day may take together, so that no crowd of visitors spends without end (M7).
//!
//! The figures are those that the store keeps of answers, so they hold across restarts. Days are those of UTC, as in
//! `usage --by day`. Answers that are being given are not counted yet: what they take beyond the bound is bounded by
//! their number and by what each may take.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::settings::DailyTokens;
use crate::model::usage::{Grouping, UsageQuery, UsageSum};

const DAY_S: i64 = 24 * 60 * 60;

/// A day of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    begin: Timestamp,
    /// Until it ends.
    pub left: Duration,
}

impl Day {
    /// The one that this instant is in.
    pub fn of(now: Timestamp) -> Self {
        let into = now.as_second().rem_euclid(DAY_S);
        let begin = Timestamp::from_second(now.as_second() - into).unwrap_or(now);
        Self { begin, left: Duration::from_secs(u64::try_from(DAY_S - into).unwrap_or_default()) }
    }

    /// What asks for its answers.
    pub fn query(self) -> UsageQuery {
        UsageQuery { by: Grouping::Day, since: Some(self.begin), until: None }
    }
}

/// Whether these answers took all that they may. One that nobody counted, since its reader hung up, took what an answer
/// may take: else hanging up would be free.
pub fn is_spent(bound: DailyTokens, answers: &[UsageSum]) -> bool {
    let sum = UsageSum::total(answers);
    let counted = sum.input_tokens.saturating_add(sum.output_tokens);
    counted.saturating_add(sum.uncounted.saturating_mul(bound.of_an_answer)) >= bound.all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let day = Day::of("2026-11-24T23:59:58.5Z".parse().unwrap());
        assert_eq!(day.begin, "2026-11-24T00:00:00Z".parse().unwrap());
        assert_eq!(day.left, Duration::from_secs(2));
        let first = Day::of("2026-11-25T00:00:00Z".parse().unwrap());
        assert_eq!((first.begin, first.left.as_secs()), ("2026-11-25T00:00:00Z".parse().unwrap(), 86_400));
    }

    /// M7: read and written tokens count, and so does an answer that nobody counted.
    #[test]
    fn m7_a_day_is_spent_when_its_answers_took_what_they_may() {
        let bound = DailyTokens { all: 1000, of_an_answer: 300 };
        let sum = |input_tokens, output_tokens, uncounted| UsageSum {
            uncounted,
            input_tokens,
            output_tokens,
            ..UsageSum::default()
        };
        assert!(!is_spent(bound, &[]));
        assert!(!is_spent(bound, &[sum(500, 499, 0)]));
        assert!(is_spent(bound, &[sum(500, 0, 0), sum(0, 500, 0)]));
        assert!(!is_spent(bound, &[sum(0, 0, 3)]));
        assert!(is_spent(bound, &[sum(100, 0, 3)]));
        assert!(is_spent(bound, &[sum(u64::MAX, u64::MAX, u64::MAX)]));
    }
}
