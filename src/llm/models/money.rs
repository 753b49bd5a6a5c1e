//! Amounts of money, exact: no price is a binary fraction.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// Digits after the point that a price may have.
const DIGITS: usize = 6;
/// More than any price: US dollars.
const MAX_DOLLARS: u64 = 1_000_000;
const MICROS: u64 = 1_000_000;

/// US dollars to the millionth; also a factor of prices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(u64);

impl Dollars {
    /// Millionths of a dollar.
    pub fn micros(self) -> u64 {
        self.0
    }

    /// Reads `12`, `0.125`; refuses signs, exponents and what is finer or larger than any price.
    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || fraction.len() > DIGITS {
            return None;
        }
        let whole: u64 = whole.parse().ok().filter(|whole| *whole <= MAX_DOLLARS)?;
        let fraction: u64 = format!("{fraction:0<DIGITS$}").parse().ok()?;
        Some(Self(whole * MICROS + fraction))
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Amount)
    }
}

struct Amount;

impl Amount {
    /// A number prints as it was written, up to zeros at its end.
    fn read<E: de::Error>(number: impl fmt::Display) -> Result<Dollars, E> {
        let wrong = || E::custom("must be a number from 0 to 1000000 with at most 6 digits after the point");
        Dollars::parse(&number.to_string()).ok_or_else(wrong)
    }
}

impl Visitor<'_> for Amount {
    type Value = Dollars;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Dollars, E> {
        Self::read(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Dollars, E> {
        Self::read(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Dollars, E> {
        Self::read(number)
    }
}
