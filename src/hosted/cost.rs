//! What storage costs a month: estimates in US dollars from a dated table of prices. Pure.
//!
//! The first bytes of an account are free, and they belong to no store: a store's own figure does not take them off,
//! the account's does.

use crate::llm::models::{Cost, ModelCatalogue};

const GIB: u64 = 1 << 30;
const NANOS: f64 = 1e9;

/// What so many bytes add to a bill whose free part is used up.
pub fn of_bytes(prices: &ModelCatalogue, bytes: u64) -> Cost {
    prices.storage_per_month(bytes.saturating_add(prices.storage.free_gib.saturating_mul(GIB)))
}

/// What all stores of an account cost, the free part taken off.
pub fn of_account(prices: &ModelCatalogue, bytes: u64) -> Cost {
    prices.storage_per_month(bytes)
}

/// In dollars, for data.
pub fn usd(cost: Cost) -> f64 {
    cost.nano_dollars as f64 / NANOS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_part_belongs_to_the_account() {
        let prices = ModelCatalogue::load(None).unwrap();
        assert_eq!(of_account(&prices, GIB).nano_dollars, 0);
        assert_eq!(of_bytes(&prices, 0).nano_dollars, 0);
        // 30 days of a gibibyte at $0.10 a day.
        assert!((usd(of_bytes(&prices, GIB)) - 3.0).abs() < 0.001);
        assert_eq!(of_account(&prices, 3 * GIB), of_bytes(&prices, 2 * GIB));
    }
}
