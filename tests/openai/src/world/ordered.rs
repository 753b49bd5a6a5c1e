//! Things by id in the order they came.

use std::collections::{BTreeMap, HashMap};

/// A map that remembers the order of insertion; every operation is logarithmic or better.
#[derive(Debug)]
pub(crate) struct Ordered<T> {
    entries: BTreeMap<u64, (String, T)>,
    places: HashMap<String, u64>,
    next: u64,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), places: HashMap::new(), next: 0 }
    }
}

impl<T> Ordered<T> {
    /// Puts it last, or in the place of what has this id.
    pub(crate) fn put(&mut self, id: String, thing: T) {
        let place = *self.places.entry(id.clone()).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.entries.insert(place, (id, thing));
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.entries.get(self.places.get(id)?).map(|(_, thing)| thing)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.entries.get_mut(self.places.get(id)?).map(|(_, thing)| thing)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let place = self.places.remove(id)?;
        self.entries.remove(&place).map(|(_, thing)| thing)
    }

    /// Removes it if it is so.
    pub(crate) fn remove_if(&mut self, id: &str, so: impl Fn(&T) -> bool) {
        if self.get(id).is_some_and(so) {
            self.remove(id);
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &T)> {
        self.entries.values().map(|(id, thing)| (id.as_str(), thing))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut T)> {
        self.entries.values_mut().map(|(id, thing)| (id.as_str(), thing))
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let gone: Vec<String> =
            self.entries.values().filter(|(_, thing)| !keep(thing)).map(|(id, _)| id.clone()).collect();
        for id in gone {
            self.remove(&id);
        }
    }
}
