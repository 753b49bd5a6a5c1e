//! How many uploads run at a time: each holds a file half-way, a connection and perhaps a reader.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::thread::Principal;

/// Uploads of one principal at a time: a page sends all files of a message at once.
pub const OF_PRINCIPAL: usize = 10;
/// Uploads of everybody at a time.
pub const IN_ALL: usize = 64;

/// The uploads that run.
#[derive(Debug, Clone, Default)]
pub struct Slots(Arc<Mutex<HashMap<String, usize>>>);

/// The right to one upload; given back when dropped.
#[derive(Debug)]
pub struct UploadSlot {
    slots: Slots,
    principal: String,
}

impl Slots {
    /// A slot, unless too many uploads run.
    pub fn take(&self, who: &Principal) -> Option<UploadSlot> {
        let mut running = self.lock();
        let own = running.get(&who.id).copied().unwrap_or_default();
        if own >= OF_PRINCIPAL || running.values().sum::<usize>() >= IN_ALL {
            return None;
        }
        running.insert(who.id.clone(), own + 1);
        Some(UploadSlot { slots: self.clone(), principal: who.id.clone() })
    }

    /// Whether none runs.
    pub fn are_free(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UploadSlot {
    fn drop(&mut self) {
        let mut running = self.slots.lock();
        if let Some(own) = running.get_mut(&self.principal) {
            *own -= 1;
            if *own == 0 {
                running.remove(&self.principal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_ALL, OF_PRINCIPAL, Slots};
    use crate::model::thread::Principal;

    #[test]
    fn slots_are_bounded_and_given_back() {
        let slots = Slots::default();
        let who = |name: usize| Principal { id: name.to_string() };
        let held: Vec<_> = (0..OF_PRINCIPAL).map(|_| slots.take(&who(0)).unwrap()).collect();
        assert!(slots.take(&who(0)).is_none());
        let more: Vec<_> = (0..IN_ALL - OF_PRINCIPAL).map(|at| slots.take(&who(1 + at)).unwrap()).collect();
        assert!(slots.take(&who(1_000)).is_none(), "everybody's bound holds too");
        drop(held);
        assert!(slots.take(&who(1_000)).is_some());
        drop(more);
        assert!(slots.are_free());
    }
}
