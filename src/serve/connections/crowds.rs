//! How many connections each address has open, so that one caller does not take all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::serve::limits::AddressKey;

/// Whoever has connections open. Those who have none are not remembered, so it is bounded by the connections.
#[derive(Default)]
pub struct Crowds(Mutex<HashMap<AddressKey, usize>>);

/// One connection of an address, until it is dropped.
pub struct Member {
    crowds: Arc<Crowds>,
    key: AddressKey,
    /// Which of its address's open connections this one was when it came, from 1.
    pub number: usize,
}

/// How many of these places one address may take: three of four.
pub fn share(places: usize) -> usize {
    places - places / 4
}

impl Crowds {
    /// Counts one more connection of an address.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Member {
        let key = AddressKey::of(address);
        let mut crowds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = crowds.entry(key).or_default();
        *count += 1;
        Member { crowds: Arc::clone(self), key, number: *count }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut crowds = self.crowds.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = crowds.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                crowds.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_none_open_is_forgotten() {
        let crowds = Arc::new(Crowds::default());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let members = ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map(|text| crowds.enter(address(text)));
        assert_eq!(members.each_ref().map(|member| member.number), [1, 2, 1]);
        drop(members);
        assert!(crowds.0.lock().unwrap().is_empty());
        assert_eq!([0, 1, 3, 4, 4096].map(share), [0, 1, 3, 3, 3072]);
    }
}
