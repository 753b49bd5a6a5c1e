//! How much one caller may ask for, and how much all of them together.
//!
//! Rates are kept for each visitor, each address and each address's failed attempts (OWASP ASVS 2.4.1, 6.3.1). What
//! is refused takes nothing from anybody else's share, so one caller's excess limits no other. Addresses come from the
//! connection, or from headers of a configured proxy. Keys are forgotten as soon as they mean nothing, and bounded:
//! callers beyond the bound share rates.

mod address;
mod daily;
mod forwarded;
mod load;
mod rate;

use std::net::IpAddr;
use std::time::Duration;

use axum::http::HeaderMap;

use crate::config::settings::{Network, RateLimit};
use crate::serve::limits::rate::Rate;
use crate::serve::visitor::Presented;

pub use address::AddressKey;
pub use daily::{Day, is_spent};
pub use load::Load;

/// Requests that may come at once: what a page asks for when it is opened, twice.
const MIN_BURST: u32 = 10;
/// Seconds' worth of the rate that may come at once.
const BURST_S: f64 = 2.0;
/// Visitors behind one address, at their full rate at the same time.
const VISITORS_BEHIND_AN_ADDRESS: u32 = 20;
/// Failed attempts of one address: so many at once, then one a second. No one guesses 128 bits at that pace, and a
/// house full of browsers with old cookies gets new ones within seconds.
const FAILURES: Rate = Rate { per_second: 1.0, burst: 20 };

/// The limits of rates.
pub struct Limits {
    rates: Option<Rates>,
    failures: rate::Keyed<AddressKey>,
    trusted_proxies: Vec<Network>,
}

/// Those of `RATE_LIMIT`.
struct Rates {
    visitors: rate::Keyed<String>,
    strangers: rate::Keyed<AddressKey>,
    addresses: rate::Keyed<AddressKey>,
}

/// The caller asks too much; waiting so long helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch {
    /// Which limit it met, for counters.
    pub limit: &'static str,
    /// After which time a request will pass, if none is made before.
    pub wait: Duration,
}

impl Limits {
    /// `RATE_LIMIT` and `TRUSTED_PROXIES`.
    pub fn new(rate_limit: RateLimit, trusted_proxies: Vec<Network>) -> Self {
        let rates = match rate_limit {
            RateLimit::Off => None,
            RateLimit::PerSecond(per_second) => {
                let one = Rate { per_second, burst: burst(per_second) };
                let house = one.times(VISITORS_BEHIND_AN_ADDRESS);
                Some(Rates {
                    visitors: rate::Keyed::new(one),
                    strangers: rate::Keyed::new(one),
                    addresses: rate::Keyed::new(house),
                })
            }
        };
        Self { rates, failures: rate::Keyed::new(FAILURES), trusted_proxies }
    }

    /// Counts a request of a caller, or says that it is too much. `presented` is the caller's cookie: who shows a good
    /// one is limited as that visitor; who shows none, as the address; a bad one counts as a failed attempt.
    pub fn check(&self, address: IpAddr, presented: &Presented) -> Result<(), TooMuch> {
        let key = AddressKey::of(address);
        if matches!(presented, Presented::Forged) {
            self.failures.check(&key).map_err(|wait| TooMuch { limit: "failures", wait })?;
        }
        let Some(rates) = &self.rates else {
            return Ok(());
        };
        let Presented::Visitor(who) = presented else {
            return rates.strangers.check(&key).map_err(|wait| TooMuch {
                limit: "address",
                // One failed attempt was counted by now; another must pass after the wait.
                wait: wait.max(self.failures.period()),
            });
        };
        rates.visitors.check(&who.id).map_err(|wait| TooMuch { limit: "visitor", wait })?;
        rates
            .addresses
            .check(&key)
            .map_err(|wait| TooMuch { limit: "address", wait: wait.max(rates.visitors.period()) })
    }

    /// Where a request comes from: the connection's other end, or what configured proxies say of it.
    pub fn address_of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        forwarded::client_address(peer, headers, &self.trusted_proxies)
    }

    /// Forgets all who have been quiet for long enough.
    pub fn forget_quiet(&self) {
        self.failures.forget_quiet();
        if let Some(rates) = &self.rates {
            rates.visitors.forget_quiet();
            rates.strangers.forget_quiet();
            rates.addresses.forget_quiet();
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn burst(per_second: f64) -> u32 {
    ((per_second * BURST_S).ceil().clamp(0.0, f64::from(u32::MAX)) as u32).max(MIN_BURST)
}

#[cfg(test)]
mod tests;
