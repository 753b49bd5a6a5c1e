//! Who is limited with whom. No test depends on how fast it runs: rates are slow, so a share does not come back.

use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::model::thread::Principal;

const SLOW: RateLimit = RateLimit::PerSecond(0.001);

fn visitor(id: &str) -> Presented {
    Presented::Visitor(Principal { id: id.to_owned() })
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// How many pass at once.
fn passing(limits: &Limits, from: IpAddr, who: &Presented) -> usize {
    (0..10_000).take_while(|_| limits.check(from, who).is_ok()).count()
}

/// H23: one caller's excess limits no other, not even behind the same address.
#[test]
fn h23_one_callers_excess_limits_no_other() {
    let limits = Limits::new(SLOW, Vec::new());
    let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
    assert_eq!(passing(&limits, here, &visitor("a")), 10);
    (0..1000).for_each(|_| assert!(limits.check(here, &visitor("a")).is_err()));
    assert_eq!(passing(&limits, here, &visitor("b")), 10, "another visitor of the same address");
    assert_eq!(passing(&limits, here, &Presented::Nothing), 10, "strangers have a share of their own");
    assert_eq!(passing(&limits, there, &Presented::Nothing), 10, "each address its own");
    assert_eq!(limits.check(there, &visitor("a")).unwrap_err().limit, "visitor", "a cookie is the same elsewhere");
}

/// H23: an address is limited too, however many visitors it makes.
#[test]
fn h23_an_address_is_limited_however_many_visitors_it_makes() {
    let limits = Limits::new(SLOW, Vec::new());
    let here = address("192.0.2.1");
    let passed = (0..1000).filter(|each| limits.check(here, &visitor(&each.to_string())).is_ok()).count();
    assert_eq!(passed, 200);
    assert_eq!(limits.check(here, &visitor("new")).unwrap_err().limit, "address");
    assert_eq!(limits.check(address("192.0.2.2"), &visitor("new")), Ok(()));
}

/// H23: failed attempts are limited, also without `RATE_LIMIT`, and good credentials are not in their way.
#[test]
fn h23_failed_attempts_are_limited() {
    let limits = Limits::new(RateLimit::Off, Vec::new());
    let here = address("192.0.2.1");
    let passed = passing(&limits, here, &Presented::Forged);
    assert!((20..25).contains(&passed), "{passed}");
    assert_eq!(limits.check(here, &Presented::Forged).unwrap_err().limit, "failures");
    assert_eq!(limits.check(here, &visitor("a")), Ok(()));
    assert_eq!(limits.check(here, &Presented::Nothing), Ok(()));
    assert_eq!(limits.check(address("192.0.2.2"), &Presented::Forged), Ok(()));
}

/// H23: who waits as long as it is told, passes; for each of the limits.
#[tokio::test]
async fn h23_the_wait_is_true() {
    let limits = Limits::new(RateLimit::PerSecond(50.0), Vec::new());
    let here = address("192.0.2.1");
    for who in [visitor("a"), Presented::Nothing, Presented::Forged] {
        let refused = loop {
            if let Err(refused) = limits.check(here, &who) {
                break refused;
            }
        };
        assert!(refused.wait <= Duration::from_secs(2), "{refused:?}");
        tokio::time::sleep(refused.wait).await;
        assert_eq!(limits.check(here, &who), Ok(()), "{who:?}: {refused:?}");
    }
}
