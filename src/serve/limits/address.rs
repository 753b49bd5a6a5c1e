//! Which addresses count as one caller.

use std::net::IpAddr;

/// An IPv4 address, or the /64 of an IPv6 address: every household has one of those to itself, and all addresses in
/// it (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKey {
    /// Four bytes.
    V4(u32),
    /// The first eight bytes.
    V6(u64),
}

impl AddressKey {
    /// The key of an address; IPv4 mapped into IPv6 is IPv4.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AddressKey;

    /// H23: an IPv6 network of one household is one caller, however many addresses it uses.
    #[test]
    fn h23_a_household_is_one_caller() {
        let key = |text: &str| AddressKey::of(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }
}
