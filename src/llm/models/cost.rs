//! What answers and vector stores cost, in whole nano-dollars. Every figure is an estimate with its date.

use std::fmt;

use jiff::civil::Date;

use crate::llm::models::{Dollars, ModelCatalogue, ModelFacts};
use crate::model::usage::Usage;

/// Nano-dollars in a dollar.
const NANOS: u64 = 1_000_000_000;
/// A price of a million tokens in micro-dollars is a price of one token in pico-dollars.
const PICOS_PER_NANO: u128 = 1000;
/// A factor of 1.
const ONE: u64 = 1_000_000;
/// Searches that one price is for.
const SEARCHES: u128 = 1000;
/// Days that stand for a month.
const DAYS_A_MONTH: u128 = 30;
const GIB: u128 = 1 << 30;

/// An estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// US dollars, in billionths.
    pub nano_dollars: u64,
    /// The day of the prices.
    pub as_of: Date,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dollars(self.nano_dollars))
    }
}

/// Dollars with as many digits as say something: `$12.30`, `$0.0123`, `$0.000416`.
pub fn dollars(nano_dollars: u64) -> String {
    let digits: u32 = match nano_dollars {
        0 => return "$0".to_owned(),
        nanos if nanos >= NANOS => 2,
        nanos if nanos >= NANOS / 100 => 4,
        _ => 6,
    };
    let unit = 10_u64.pow(9 - digits);
    let rounded = nano_dollars.saturating_add(unit / 2) / unit;
    let (whole, fraction) = (rounded / 10_u64.pow(digits), rounded % 10_u64.pow(digits));
    format!("${whole}.{fraction:0width$}", width = digits as usize)
}

impl ModelCatalogue {
    /// What this took, in money; none when a price that it needs, or what was read, is not known.
    ///
    /// Of several requests only the sum is known, so a surcharge on long ones counts when their average is long.
    pub fn cost(&self, usage: &Usage) -> Option<Cost> {
        let facts = self.facts(&usage.model)?;
        // No request reads nothing: what it read is not known, as after a hang-up before its end.
        if usage.requests > 0 && usage.input_tokens == 0 {
            return None;
        }
        let picos = tokens_picos(facts, usage)?;
        let searches =
            u128::from(usage.searches) * u128::from(self.file_search_usd_per_1000.micros()) * 1000 / SEARCHES;
        let nanos = rounded(picos, PICOS_PER_NANO) + searches;
        Some(Cost { nano_dollars: u64::try_from(nanos).ok()?, as_of: facts.as_of })
    }

    /// What a store of this many bytes (its `usage_bytes`) costs in 30 days, the free part taken off.
    pub fn storage_per_month(&self, bytes: u64) -> Cost {
        let billed = u128::from(bytes).saturating_sub(u128::from(self.storage.free_gib) * GIB);
        let a_gib_and_day = u128::from(self.storage.usd_per_gib_day.micros()) * 1000;
        let nanos = rounded(billed * a_gib_and_day * DAYS_A_MONTH, GIB);
        Cost { nano_dollars: u64::try_from(nanos).unwrap_or(u64::MAX), as_of: self.as_of }
    }
}

fn tokens_picos(facts: &ModelFacts, usage: &Usage) -> Option<u128> {
    let prices = facts.prices?;
    let average = usage.input_tokens / u64::from(usage.requests.max(1));
    let surcharge = facts.surcharge.filter(|surcharge| average > surcharge.above_input_tokens);
    let (more_in, more_out) = surcharge.map_or((ONE, ONE), |more| (more.input.micros(), more.output.micros()));
    // Tokens from and to the cache are among those read; a server that counts wrongly makes none negative.
    let plain = usage.input_tokens.saturating_sub(usage.cached_tokens.saturating_add(usage.cache_write_tokens));
    let of = |tokens: u64, price: Dollars| u128::from(tokens) * u128::from(price.micros());
    let read = of(plain, prices.input)
        + of(usage.cached_tokens, prices.cached.unwrap_or(prices.input))
        + of(usage.cache_write_tokens, prices.cache_write.unwrap_or(prices.input));
    let written = match prices.output {
        Some(price) => of(usage.output_tokens, price),
        None if usage.output_tokens == 0 => 0,
        None => return None,
    };
    // More tokens than there are at the dearest price there is: what cannot be counted is not known.
    let read = read.checked_mul(u128::from(more_in))?;
    Some(read.checked_add(written.checked_mul(u128::from(more_out))?)? / u128::from(ONE))
}

/// Half and more goes up.
fn rounded(amount: u128, by: u128) -> u128 {
    (amount + by / 2) / by
}
