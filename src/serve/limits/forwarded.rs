//! Where a request comes from when proxies stand in front.
//!
//! Headers count only from a peer in `TRUSTED_PROXIES`, and are read from the right: each proxy adds the address that
//! it saw, and what stands left of the first address that is no proxy of ours was written by the caller itself.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use crate::config::settings::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The caller's address. Where `X-Forwarded-For` and `Forwarded` differ, one of them is the caller's own invention,
/// and neither counts.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let from = |name: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
        headers.contains_key(name).then(|| from_the_right(peer, &elements(headers, name), read, trusted))
    };
    let usual = from(&X_FORWARDED_FOR, parse_address);
    let standard = from(&header::FORWARDED, parse_forwarded);
    match (usual, standard) {
        (Some(usual), Some(standard)) if usual != standard => peer,
        (Some(address), _) | (None, Some(address)) => address,
        (None, None) => peer,
    }
}

fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.holds(address))
}

/// All elements of a list that may be spread over several fields, first to last.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    // A field that is no text still has its place in the list, and ends what can be believed.
    headers.get_all(name).iter().flat_map(|value| value.to_str().unwrap_or("?").split(',')).collect()
}

/// The first address from the right that is no proxy of ours; the last believable one where the list ends or breaks.
fn from_the_right(peer: IpAddr, list: &[&str], read: fn(&str) -> Option<IpAddr>, trusted: &[Network]) -> IpAddr {
    let mut nearest = peer;
    for element in list.iter().rev() {
        let Some(address) = read(element.trim()) else {
            return nearest;
        };
        nearest = address;
        if !is_trusted(address, trusted) {
            return nearest;
        }
    }
    nearest
}

/// The `for` of an element of `Forwarded` (RFC 7239, section 4).
fn parse_forwarded(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    parse_address(value.trim().trim_matches('"'))
}

/// An address, perhaps with a port or in brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    bare().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::client_address;
    use crate::config::settings::Network;

    type Headers = &'static [(&'static str, &'static str)];

    /// H24: forwarded headers count from configured proxies only, and from the right.
    #[test]
    fn h24_addresses_are_counted_from_the_right() {
        let network = |text: &str, prefix| Network { address: text.parse().unwrap(), prefix };
        let trusted = [network("10.0.0.0", 8), network("fd00::", 8)];
        let cases: &[(&str, Headers, &str)] = &[
            ("192.0.2.1", &[], "192.0.2.1"),
            ("192.0.2.1", &[("x-forwarded-for", "198.51.100.1")], "192.0.2.1"),
            ("192.0.2.1", &[("forwarded", "for=198.51.100.1")], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            ("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, 198.51.100.1")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, 198.51.100.1, 10.9.9.9")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1"),
            ("10.0.0.1", &[("x-forwarded-for", "2001:db8::1")], "2001:db8::1"),
            ("10.0.0.1", &[("x-forwarded-for", "10.1.1.1, 10.2.2.2")], "10.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, unknown")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, unknown, 10.2.2.2")], "10.2.2.2"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1,")], "10.0.0.1"),
            ("fd00::1", &[("forwarded", "for=\"[2001:db8::1]:80\";proto=https;by=10.0.0.1")], "2001:db8::1"),
            ("10.0.0.1", &[("forwarded", "for=203.0.113.9, proto=http;For=198.51.100.1")], "198.51.100.1"),
            ("10.0.0.1", &[("forwarded", "for=_hidden")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=203.0.113.9")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.1")], "198.51.100.1"),
        ];
        for (peer, headers, expected) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            let address = client_address(peer.parse().unwrap(), &map, &trusted);
            assert_eq!(address.to_string(), *expected, "{peer} {headers:?}");
        }
    }
}
