//! Wrong tokens, counted by address, so that nobody can try many (H23).
//!
//! Each address may be wrong a few times at once and then once in a while; it waits alone, and is told how long.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often an address may be wrong at once.
const AT_ONCE: u32 = 10;
/// How long one more try takes to come back.
const EACH: Duration = Duration::from_secs(6);
/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 4096;

/// When each address will have made good for what it tried.
#[derive(Default)]
pub struct Failures(Mutex<HashMap<IpAddr, Instant>>);

impl Failures {
    /// Counts a try before it is looked at, so that many at the same time are no way around; or tells how long to wait.
    pub fn begin(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        let clear_at = addresses.get(&address).copied().filter(|at| *at > now).unwrap_or(now);
        let after = clear_at + EACH;
        let excess = after.duration_since(now).saturating_sub(EACH * AT_ONCE);
        if !excess.is_zero() {
            return Err(excess);
        }
        make_room(&mut addresses, now);
        addresses.insert(address, after);
        Ok(())
    }

    /// The try was right after all.
    pub fn right(&self, address: IpAddr) {
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clear_at) = addresses.get_mut(&network(address)) {
            *clear_at = clear_at.checked_sub(EACH).unwrap_or(*clear_at);
        }
    }
}

/// One caller has a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Forgets who has nothing left to make good for, and if that is nobody, who has the least.
fn make_room(addresses: &mut HashMap<IpAddr, Instant>, now: Instant) {
    if addresses.len() < MAX_ADDRESSES {
        return;
    }
    addresses.retain(|_, clear_at| *clear_at > now);
    if addresses.len() >= MAX_ADDRESSES
        && let Some(least) = addresses.iter().min_by_key(|(_, clear_at)| **clear_at).map(|(address, _)| *address)
    {
        addresses.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn other(number: usize) -> IpAddr {
        Ipv6Addr::from_bits(0x2001_0db8 << 96 | (number as u128) << 64 | 7).into()
    }

    /// H23: after a few wrong tokens an address waits, for as long as it is told, and no other address does.
    #[test]
    fn who_is_wrong_too_often_waits_alone() {
        let (failures, start) = (Failures::default(), Instant::now());
        for _ in 0..AT_ONCE {
            assert_eq!(failures.begin(ONE, start), Ok(()));
        }
        let wait = failures.begin(ONE, start).unwrap_err();
        assert_eq!(wait, EACH);
        assert_eq!(failures.begin(other(1), start), Ok(()));
        let just_before = start + Duration::from_millis(5_999);
        assert_eq!(failures.begin(ONE, just_before), Err(Duration::from_millis(1)));
        assert_eq!(failures.begin(ONE, start + wait), Ok(()), "the wait was true");
        assert!(failures.begin(ONE, start + wait).is_err(), "one try a time from then on");
    }

    #[test]
    fn right_tokens_cost_nothing() {
        let (failures, now) = (Failures::default(), Instant::now());
        for _ in 0..1_000 {
            assert_eq!(failures.begin(ONE, now), Ok(()));
            failures.right(ONE);
        }
    }

    #[test]
    fn the_addresses_of_one_network_count_together_and_memory_is_bounded() {
        let (failures, now) = (Failures::default(), Instant::now());
        for last in 0..AT_ONCE {
            let address = Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(last));
            assert_eq!(failures.begin(address.into(), now), Ok(()));
        }
        assert!(failures.begin(Ipv6Addr::from_bits(0x2001_0db8 << 96 | 0xff).into(), now).is_err());
        for number in 0..MAX_ADDRESSES * 2 {
            let _ = failures.begin(other(number), now);
        }
        assert!(failures.0.lock().unwrap().len() <= MAX_ADDRESSES);
    }
}
