//! How many uploads run at a time: each holds a file half-way, a connection and perhaps a reader.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::thread::Principal;
use crate::serve::limits::AddressKey;

/// Uploads of one principal at a time: a page sends all files of a message at once.
pub const OF_PRINCIPAL: usize = 10;
/// Uploads from one address at a time: a principal costs nothing to make, so one address must not take all slots.
pub const OF_ADDRESS: usize = 32;
/// Uploads of everybody at a time.
pub const IN_ALL: usize = 64;

/// The uploads that run.
#[derive(Debug, Clone, Default)]
pub struct Slots(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    principals: HashMap<String, usize>,
    addresses: HashMap<AddressKey, usize>,
}

/// The right to one upload; given back when dropped.
#[derive(Debug)]
pub struct UploadSlot {
    slots: Slots,
    principal: String,
    address: Option<AddressKey>,
}

impl Slots {
    /// A slot, unless too many uploads run.
    pub fn take(&self, who: &Principal, address: Option<AddressKey>) -> Option<UploadSlot> {
        let mut running = self.lock();
        let own = running.principals.get(&who.id).copied().unwrap_or_default();
        let near = address.and_then(|address| running.addresses.get(&address).copied()).unwrap_or_default();
        if own >= OF_PRINCIPAL || near >= OF_ADDRESS || running.principals.values().sum::<usize>() >= IN_ALL {
            return None;
        }
        running.principals.insert(who.id.clone(), own + 1);
        if let Some(address) = address {
            running.addresses.insert(address, near + 1);
        }
        Some(UploadSlot { slots: self.clone(), principal: who.id.clone(), address })
    }

    /// Whether none runs.
    pub fn are_free(&self) -> bool {
        self.lock().principals.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UploadSlot {
    fn drop(&mut self) {
        let mut running = self.slots.lock();
        give_back(&mut running.principals, &self.principal);
        if let Some(address) = &self.address {
            give_back(&mut running.addresses, address);
        }
    }
}

/// One less; who has none is not remembered.
fn give_back<K: Eq + Hash>(taken: &mut HashMap<K, usize>, key: &K) {
    if let Some(own) = taken.get_mut(key) {
        *own -= 1;
        if *own == 0 {
            taken.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_ALL, OF_ADDRESS, OF_PRINCIPAL, Slots};
    use crate::model::thread::Principal;
    use crate::serve::limits::AddressKey;

    fn who(name: usize) -> Principal {
        Principal { id: name.to_string() }
    }

    #[test]
    fn slots_are_bounded_and_given_back() {
        let slots = Slots::default();
        let held: Vec<_> = (0..OF_PRINCIPAL).map(|_| slots.take(&who(0), None).unwrap()).collect();
        assert!(slots.take(&who(0), None).is_none());
        let more: Vec<_> = (0..IN_ALL - OF_PRINCIPAL).map(|at| slots.take(&who(1 + at), None).unwrap()).collect();
        assert!(slots.take(&who(1_000), None).is_none(), "everybody's bound holds too");
        drop(held);
        assert!(slots.take(&who(1_000), None).is_some());
        drop(more);
        assert!(slots.are_free());
    }

    /// H23: whoever makes a visitor for each upload does not take the slots of others.
    #[test]
    fn one_address_leaves_slots_to_others() {
        let slots = Slots::default();
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|text| Some(AddressKey::of(text.parse().unwrap())));
        let held: Vec<_> = (0..OF_ADDRESS).map(|at| slots.take(&who(at), one).unwrap()).collect();
        assert!(slots.take(&who(1_000), one).is_none());
        assert!(slots.take(&who(1_000), other).is_some());
        drop(held);
        assert!(slots.take(&who(1_000), one).is_some());
        assert!(slots.lock().addresses.is_empty(), "nobody is remembered");
    }
}
