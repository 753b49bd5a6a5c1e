//! What must be found at every moment of a sync, watched after every request that changes something.
//!
//! For each file of the folder: if the store has its contents, these; if it has another version at its path, that one or
//! the new one. It is told in contents and paths, and knows nothing of ids and plans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use openai_stand_in::{Snapshot, StandIn, StoreFileState};

/// Contents of which one must be found, and for which file.
type Claim = (String, BTreeSet<String>);

/// Claims, and what was seen to break them.
#[derive(Debug, Clone, Default)]
pub(super) struct Promise(Arc<Mutex<(Vec<Claim>, Vec<String>)>>);

impl Promise {
    /// Claims nothing yet.
    pub(super) fn watched(stand_in: &StandIn, store_id: &str) -> Self {
        let promise = Self::default();
        let (watching, store_id) = (promise.clone(), store_id.to_owned());
        stand_in.watch(move |state| watching.look(state, &store_id));
        promise
    }

    /// From now on the files (hash by path) that the store can find must be found at every moment.
    pub(super) fn begin(&self, files: &BTreeMap<String, String>, state: &Snapshot, store_id: &str) {
        let found = found(state, store_id);
        let by_hash: BTreeSet<&String> = found.iter().map(|(_, hash)| hash).collect();
        let claim = |(path, hash): (&String, &String)| {
            let former = found.iter().filter(|(at, _)| at == path).map(|(_, hash)| hash.clone());
            let former: BTreeSet<String> = if by_hash.contains(hash) { BTreeSet::new() } else { former.collect() };
            let is_known = by_hash.contains(hash) || !former.is_empty();
            is_known.then(|| (path.clone(), former.into_iter().chain([hash.clone()]).collect()))
        };
        *self.0.lock().unwrap() = (files.iter().filter_map(claim).collect(), Vec::new());
    }

    /// What was missing at some moment since the beginning.
    pub(super) fn broken(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }

    fn look(&self, state: &Snapshot, store_id: &str) {
        let hashes: BTreeSet<String> = found(state, store_id).into_iter().map(|(_, hash)| hash).collect();
        let mut kept = self.0.lock().unwrap();
        let missing: Vec<String> =
            kept.0.iter().filter(|(_, any)| any.is_disjoint(&hashes)).map(|(path, _)| path.clone()).collect();
        kept.1.extend(missing);
    }
}

/// Path and hash of what a search finds.
fn found(state: &Snapshot, store_id: &str) -> BTreeSet<(String, String)> {
    let files = state.store(store_id).map(|store| store.files.as_slice()).unwrap_or_default();
    let text = |file: &StoreFileState, name: &str| {
        file.attributes.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let completed = files.iter().filter(|file| file.status == "completed");
    completed.map(|file| (text(file, "path"), text(file, "sha256"))).collect()
}
