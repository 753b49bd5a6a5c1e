//! What the headers of an answer say about the rate of requests.
//!
//! The specification names none of them, and compatible services send `0` and `-1` where they count nothing: whatever is
//! no sensible figure counts as absent.

use std::time::Duration;

use reqwest::header::HeaderMap;

/// A rate as the service counts it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// Requests that the account has in all.
    pub(super) limit: f64,
    /// Requests that are left.
    pub(super) remaining: f64,
    /// Until all are there again.
    pub(super) reset: Option<Duration>,
}

impl Rates {
    /// Reads `x-ratelimit-{limit,remaining,reset}-requests`; without the first two there is nothing to learn.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
        let count = |name: &str| text(name)?.parse::<u32>().ok().map(f64::from);
        let limit = count("x-ratelimit-limit-requests").filter(|limit| *limit > 0.0)?;
        let remaining = count("x-ratelimit-remaining-requests")?.min(limit);
        let reset = text("x-ratelimit-reset-requests").and_then(duration);
        Some(Self { limit, remaining, reset })
    }
}

/// `120ms`, `6m0s`, `1h2m3.5s`, or a number of seconds.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let (unit, length) = unit(&rest[digits..])?;
        seconds += number * unit;
        rest = &rest[digits + length..];
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// The unit that a text begins with: its length in seconds, and in bytes of the text.
fn unit(text: &str) -> Option<(f64, usize)> {
    const UNITS: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];
    UNITS.into_iter().find(|(name, _)| text.starts_with(name)).map(|(name, seconds)| (seconds, name.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rates(limit: &str, remaining: &str, reset: &str) -> Option<Rates> {
        let pairs = [("limit", limit), ("remaining", remaining), ("reset", reset)];
        let headers = pairs
            .into_iter()
            .map(|(name, value)| (format!("x-ratelimit-{name}-requests").parse().unwrap(), value.parse().unwrap()));
        Rates::of(&headers.collect())
    }

    #[test]
    fn durations_are_read_in_the_services_forms() {
        let ms = |text| duration(text).map(|duration| duration.as_millis());
        for (text, expected) in [("120ms", 120), ("6m0s", 360_000), ("1h2m3.5s", 3_723_500), ("7", 7000), ("0", 0)] {
            assert_eq!(ms(text), Some(expected), "{text}");
        }
        for odd in ["-1", "soon", "12x", "ms", "1.2.3s", "s5", "1m-2s", "é", "1é", "NaN", "1e999s"] {
            assert_eq!(ms(odd), None, "{odd}");
        }
    }

    #[test]
    fn figures_that_make_no_sense_count_as_absent() {
        let expected = Rates { limit: 100.0, remaining: 99.0, reset: Some(Duration::from_millis(600)) };
        assert_eq!(rates("100", "99", "600ms"), Some(expected));
        assert_eq!(rates("100", "99", "-1"), Some(Rates { reset: None, ..expected }));
        assert_eq!(rates("0", "0", "0"), None);
        assert_eq!(rates("-1", "-1", "-1"), None);
        assert_eq!(rates("100", "-1", "1s"), None);
        assert_eq!(Rates::of(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,20}|[0-9.]{0,6}(ms|s|m|h|d){0,2}[0-9.]{0,6}(ms|s|m|h|d){0,2}") {
            let _ = duration(&text);
        }
    }
}
