//! The state: everything the stand-in keeps, and its clock.
//!
//! Invariant: it changes in handlers of calls and in [`World::settle`] only, which is run before each of them.

mod ingestion;
mod ordered;
mod rates;
mod things;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::fault::{Act, Armed, scramble};
use crate::rules::Rules;
use crate::script::ScriptedAnswer;
use crate::snapshot::{FileState, Snapshot, StoreFileState, StoreState};

pub(crate) use ingestion::Ingestion;
pub(crate) use ordered::Ordered;
pub(crate) use rates::{Rates, Remaining};
pub(crate) use things::{
    Attached, Batch, Conversation, Kept, KeptAnswer, PartBytes, Spent, Store, StoredFile, Upload, UploadPart,
};

/// All of it.
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) armed: Armed,
    pub(crate) rates: Rates,
    pub(crate) files: Ordered<StoredFile>,
    pub(crate) uploads: Ordered<Upload>,
    pub(crate) stores: Ordered<Store>,
    pub(crate) batches: Ordered<Batch>,
    pub(crate) answers: Ordered<KeptAnswer>,
    pub(crate) conversations: Ordered<Conversation>,
    pub(crate) scripts: VecDeque<ScriptedAnswer>,
    pub(crate) spent: Vec<Spent>,
    /// Files that were stuck once and are helped by another attachment.
    pub(crate) stuck_once: BTreeSet<String>,
    /// Stores with something that time may change.
    unsettled: BTreeSet<String>,
    /// Files that are deleted and still listed, or that expire.
    ending: BTreeSet<String>,
    started: Instant,
    started_unix: Duration,
    passed: Duration,
    made: u64,
}

impl World {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rates: Rates::default(),
            rules,
            armed: Armed::default(),
            files: Ordered::default(),
            uploads: Ordered::default(),
            stores: Ordered::default(),
            batches: Ordered::default(),
            answers: Ordered::default(),
            conversations: Ordered::default(),
            scripts: VecDeque::new(),
            spent: Vec::new(),
            stuck_once: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            ending: BTreeSet::new(),
            started: Instant::now(),
            started_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            passed: Duration::ZERO,
            made: 0,
        }
    }

    /// Time since the start, with what was skipped.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed() + self.passed
    }

    /// Unix seconds.
    pub(crate) fn unix(&self) -> u64 {
        (self.started_unix + self.now()).as_secs()
    }

    /// Lets time pass at once.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.passed += time;
    }

    /// A new id; those of one kind are never the same.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{:08x}{:016x}", self.made, scramble(self.made))
    }

    /// How long deleted things stay listed.
    pub(crate) fn delete_lag(&mut self) -> Duration {
        match self.armed.state(|act| matches!(act, Act::LaggingDelete(_))) {
            Some(Act::LaggingDelete(lag)) => lag,
            _ => self.rules.delete_lag,
        }
    }

    /// Whether a store is expired, by its own rule or by a fault.
    pub(crate) fn is_expired(&mut self, store_id: &str) -> bool {
        let now = self.unix();
        let by_rule = self.stores.get(store_id).and_then(Store::expires_at).is_some_and(|at| at <= now);
        let of_store = |act: &Act| matches!(act, Act::StoreExpired { store_id: id } if id.as_deref().is_none_or(|id| id == store_id));
        by_rule || self.armed.state(of_store).is_some()
    }

    /// Disarms all faults, and lets go on what they hold up.
    pub(crate) fn heal(&mut self) {
        self.armed.disarm();
        for (_, store) in self.stores.iter_mut() {
            store.files.iter_mut().for_each(|(_, entry)| entry.ingestion.free());
        }
    }

    /// A copy for assertions.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let files = self.files.iter().filter(|(_, file)| file.is_here()).map(|(id, file)| FileState {
            id: id.to_owned(),
            filename: file.filename.clone(),
            bytes: file.kept.bytes,
            sha256: file.kept.sha256.clone(),
            purpose: file.purpose.clone(),
            created_at: file.created_at,
        });
        let files = files.collect();
        let ids: Vec<String> =
            self.stores.iter().filter(|(_, store)| store.gone.is_none()).map(|(id, _)| id.to_owned()).collect();
        let stores = ids.into_iter().filter_map(|id| self.store_state(id)).collect();
        Snapshot { files, stores }
    }

    fn store_state(&mut self, id: String) -> Option<StoreState> {
        let expired = self.is_expired(&id);
        let store = self.stores.get(&id)?;
        let entries = store.files.iter().filter(|(_, entry)| entry.gone.is_none());
        let files: Vec<StoreFileState> = entries
            .map(|(id, entry)| StoreFileState {
                id: id.to_owned(),
                status: entry.ingestion.status().to_owned(),
                attributes: entry.attributes.clone(),
                last_error: entry.ingestion.error().cloned(),
            })
            .collect();
        let under_way = files.iter().any(|file| file.status == "in_progress");
        let status = match (expired, under_way) {
            (true, _) => "expired",
            (false, true) => "in_progress",
            (false, false) => "completed",
        };
        let (name, metadata) = (store.name.clone(), store.metadata.clone());
        Some(StoreState { id, name, status: status.to_owned(), metadata, files })
    }

    /// Notes that time may change something in this store.
    pub(crate) fn watch(&mut self, store_id: &str) {
        self.unsettled.insert(store_id.to_owned());
    }

    /// Does what time has brought: ends ingestions, drops what has lagged long enough, expires uploads and files.
    pub(crate) fn settle(&mut self) {
        let now = self.now();
        let unix = self.unix();
        for id in std::mem::take(&mut self.unsettled) {
            let Some(store) = self.stores.get_mut(&id) else { continue };
            if store.settle(now) {
                self.unsettled.insert(id);
            }
        }
        self.stores.retain(|store| store.gone.is_none_or(|until| until > now));
        for id in std::mem::take(&mut self.ending) {
            let Some(file) = self.files.get(&id) else { continue };
            match file.gone {
                Some(until) if until <= now => {
                    self.files.remove(&id);
                }
                None if file.expires_at.is_some_and(|at| at <= unix) => self.delete_file(&id),
                _ => {
                    self.ending.insert(id);
                }
            }
        }
    }

    /// Keeps a file under this id.
    pub(crate) fn put_file(&mut self, id: String, file: StoredFile) {
        if file.expires_at.is_some() {
            self.ending.insert(id.clone());
        }
        self.files.put(id, file);
    }

    /// Takes a file out of everything. Listings may show it for a while.
    pub(crate) fn delete_file(&mut self, file_id: &str) {
        let until = self.now() + self.delete_lag();
        if let Some(file) = self.files.get_mut(file_id) {
            file.gone = Some(until);
            file.kept = Kept { content: None, ..file.kept.clone() };
        }
        let mut touched = Vec::new();
        for (id, store) in self.stores.iter_mut() {
            if let Some(entry) = store.files.get_mut(file_id) {
                entry.gone.get_or_insert(until);
                touched.push(id.to_owned());
            }
        }
        self.unsettled.extend(touched);
        self.ending.insert(file_id.to_owned());
    }

    /// Notes tokens or searches for the reports of the organization.
    pub(crate) fn spend(&mut self, model: &str, what: Spent) {
        self.spent.push(Spent { model: model.to_owned(), at: self.unix(), ..what });
    }

    /// The next script, if one is left.
    pub(crate) fn script(&mut self) -> Option<ScriptedAnswer> {
        let script = self.scripts.front_mut()?;
        script.calls = script.calls.saturating_sub(1);
        if script.calls == 0 { self.scripts.pop_front() } else { Some(script.clone()) }
    }
}

/// `null`, or the value.
pub(crate) fn or_null<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, Into::into)
}
