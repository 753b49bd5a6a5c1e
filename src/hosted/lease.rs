//! One sync at a time on one store, also from several machines: a lease in the store's own metadata.
//!
//! The service has no compare-and-set, so this is as good as it gets: who writes last has it, and whoever finds another
//! one's name after a moment, or when it renews, stops. A write that takes longer than that moment can make two overlap
//! until one of them renews. They may upload a document twice then, which the next sync sees and mends; what can be found
//! and stays is safe all the same, for each lets go only of what it has found a successor of.
//! The end of a lease is told by the clocks of the machines, which are assumed to differ by less than [`SKEW`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::hosted::HostedError;
use crate::hosted::service::Service;
use crate::openai::vector_store::VectorStore;

/// Who works on a store and until when: `<holder> <RFC 3339>`.
pub const LEASE: &str = "chatbotctl_lease";
/// Who ended a sync last, and when: tells whether somebody wrote since the store was read.
pub const SYNCED: &str = "chatbotctl_synced";

/// How long a lease lasts unless it is renewed: how long a machine that is gone keeps others waiting.
const LASTS: SignedDuration = SignedDuration::from_mins(2);
/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(40);
/// By how much clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// How often one is tried that somebody removes in the same moment.
const ATTEMPTS: u32 = 3;
/// The ids of this state folder's syncs, one a line, the newest last.
const HOLDERS_FILE: &str = "hosted-holder";
/// How many of them are kept: a sync that was killed must find its own lease after others that were killed, too.
const KEPT_HOLDERS: usize = 8;
const MAX_HOLDER_CHARS: usize = 64;

/// A lease that is held.
pub struct Lease<'a> {
    service: Service,
    holder: String,
    clock: &'a dyn Clock,
    /// Whether somebody may have written to the store since it was read.
    pub is_stale: bool,
}

/// Who takes a lease.
///
/// Every sync has an id of its own. A state folder knows the former ones, so what is left of one that was killed is
/// taken over at once; and a copy of the folder (a cache of CI, an image) is another machine all the same, for nobody
/// but the one who works in a folder, and has its lock, knows the id of a sync that runs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    id: String,
    former: Vec<String>,
}

impl Holder {
    /// A sync in this state folder, which notes its id. Where that cannot be kept, its lease ends by itself.
    pub fn of(state_dir: &Path, id: String) -> Self {
        let file = state_dir.join(HOLDERS_FILE);
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut former: Vec<String> =
            text.lines().map(str::trim).filter(|line| is_holder(line)).map(str::to_owned).collect();
        former.drain(..former.len().saturating_sub(KEPT_HOLDERS - 1));
        let lines: String = former.iter().chain([&id]).flat_map(|holder| [holder.as_str(), "\n"]).collect();
        if let Err(error) = fs::write(&file, lines) {
            tracing::debug!(%error, "the id of this sync is not kept");
        }
        Self { id, former }
    }

    fn has(&self, holder: &str) -> bool {
        self.id == holder || self.former.iter().any(|former| former == holder)
    }
}

fn is_holder(text: &str) -> bool {
    let is_safe = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_safe && (1..=MAX_HOLDER_CHARS).contains(&text.len())
}

/// Takes the lease. `seen` is the store as the plan was made on it; `settle` is how long is waited before looking who
/// wrote last.
pub async fn take<'a>(
    service: &Service,
    holder: &Holder,
    seen: &VectorStore,
    clock: &'a dyn Clock,
    settle: Duration,
) -> Result<Lease<'a>, HostedError> {
    let seen_synced = pair(seen, SYNCED);
    for _ in 0..ATTEMPTS {
        let store = service.store().await?;
        refuse_others(&store, holder, clock)?;
        service.set_metadata(with_lease(&store, &holder.id, clock)).await?;
        sleep(settle).await;
        let now = service.store().await?;
        match lease_of(&now) {
            Some((other, _)) if other == holder.id => {
                // A lease that was there is of a sync that did not end.
                let is_stale = pair(&store, SYNCED) != seen_synced || pair(&store, LEASE).is_some();
                return Ok(Lease { service: service.clone(), holder: holder.id.clone(), clock, is_stale });
            }
            Some((other, until)) => return Err(leased(other, until)),
            None => {}
        }
    }
    Err(HostedError::Contended)
}

impl Lease<'_> {
    /// Renews the lease until it is lost; it does not end otherwise.
    pub async fn keep(&self) -> HostedError {
        loop {
            sleep(RENEWED_EVERY).await;
            if let Err(error) = self.renew().await {
                return error;
            }
        }
    }

    async fn renew(&self) -> Result<(), HostedError> {
        let store = self.service.store().await?;
        match lease_of(&store) {
            Some((other, _)) if other != self.holder => Err(HostedError::LeaseLost(other.to_owned())),
            _ => Ok(self.service.set_metadata(with_lease(&store, &self.holder, self.clock)).await?),
        }
    }

    /// Gives the lease back, and notes that the store was written to.
    pub async fn release(self) -> Result<(), HostedError> {
        let store = self.service.store().await?;
        if lease_of(&store).is_some_and(|(other, _)| other != self.holder) {
            return Ok(());
        }
        let mut metadata = store.metadata.unwrap_or_default();
        metadata.remove(LEASE);
        metadata.insert(SYNCED.to_owned(), format!("{} {}", self.holder, self.clock.now()));
        Ok(self.service.set_metadata(metadata).await?)
    }
}

fn pair<'a>(store: &'a VectorStore, name: &str) -> Option<&'a str> {
    store.metadata.as_ref()?.get(name).map(String::as_str)
}

/// Who has the lease, and until when. One that cannot be read is nobody's.
fn lease_of(store: &VectorStore) -> Option<(&str, Timestamp)> {
    let (holder, until) = pair(store, LEASE)?.split_once(' ')?;
    Some((holder, until.parse().ok()?))
}

fn refuse_others(store: &VectorStore, holder: &Holder, clock: &dyn Clock) -> Result<(), HostedError> {
    match lease_of(store) {
        Some((other, until)) if !holder.has(other) && clock.now() < later(until, SKEW) => Err(leased(other, until)),
        _ => Ok(()),
    }
}

fn leased(holder: &str, until: Timestamp) -> HostedError {
    HostedError::Leased { holder: holder.to_owned(), until: until.to_string() }
}

fn with_lease(store: &VectorStore, holder: &str, clock: &dyn Clock) -> BTreeMap<String, String> {
    let mut metadata = store.metadata.clone().unwrap_or_default();
    metadata.insert(LEASE.to_owned(), format!("{holder} {:.0}", later(clock.now(), LASTS)));
    metadata
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{IdSource as _, RandomIds, SystemClock};

    fn store(lease: &str) -> VectorStore {
        let json = serde_json::json!({"id": "vs_1", "metadata": {LEASE: lease, "other": "stays"}});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_lease_of_another_counts_until_its_end() {
        let me = Holder { id: "me".to_owned(), former: vec!["me-before".to_owned()] };
        let refused = |lease: &str| refuse_others(&store(lease), &me, &SystemClock).is_err();
        assert!(refused("you 2999-01-01T00:00:00Z"));
        assert!(!refused("me-before 2999-01-01T00:00:00Z"));
        assert!(!refused("me 2999-01-01T00:00:00Z") && !refused("you 1999-01-01T00:00:00Z"));
        assert!(!refused("nonsense") && !refused("you never"));
        let kept = with_lease(&store("you 1999-01-01T00:00:00Z"), "me", &SystemClock);
        assert!(kept[LEASE].starts_with("me ") && kept["other"] == "stays");
        let renewed: VectorStore = VectorStore { metadata: Some(kept), ..store("") };
        assert_eq!(lease_of(&renewed).unwrap().0, "me");
    }

    #[test]
    fn a_state_folder_knows_its_former_syncs_and_a_copy_of_it_not_those_that_run() {
        let folder = tempfile::tempdir().unwrap();
        let run = |folder: &Path| Holder::of(folder, RandomIds.new_id("sync"));
        let first = run(folder.path());
        let copy = tempfile::tempdir().unwrap();
        fs::copy(folder.path().join(HOLDERS_FILE), copy.path().join(HOLDERS_FILE)).unwrap();
        let (here, there) = (run(folder.path()), run(copy.path()));
        assert!(here.has(&first.id) && there.has(&first.id), "what was killed before is taken over");
        assert!(!here.has(&there.id) && !there.has(&here.id), "what runs is not");
        (0..20).for_each(|_| drop(run(folder.path())));
        let file = folder.path().join(HOLDERS_FILE);
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), KEPT_HOLDERS);
        fs::write(&file, "with a space\n\n").unwrap();
        assert_eq!(run(folder.path()).former, Vec::<String>::new());
        assert_ne!(run(Path::new("/nowhere")).id, run(Path::new("/nowhere")).id);
    }
}
