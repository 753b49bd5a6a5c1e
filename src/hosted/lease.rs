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
/// The holder's id in the state folder.
const HOLDER_FILE: &str = "hosted-holder";
const MAX_HOLDER_CHARS: usize = 64;

/// A lease that is held.
pub struct Lease<'a> {
    service: Service,
    holder: String,
    clock: &'a dyn Clock,
    /// Whether somebody may have written to the store since it was read.
    pub is_stale: bool,
}

/// The id of who keeps this state folder: the one it has, else `new`. One that cannot be kept is for this run.
pub fn holder(state_dir: &Path, new: String) -> String {
    let file = state_dir.join(HOLDER_FILE);
    let kept = fs::read_to_string(&file).ok().map(|text| text.trim().to_owned());
    if let Some(holder) = kept.filter(|holder| is_holder(holder)) {
        return holder;
    }
    if let Err(error) = fs::write(&file, format!("{new}\n")) {
        tracing::debug!(%error, "the id of this machine's syncs is not kept");
    }
    new
}

fn is_holder(text: &str) -> bool {
    let is_safe = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_safe && (1..=MAX_HOLDER_CHARS).contains(&text.len())
}

/// Takes the lease. `seen` is the store as the plan was made on it; `settle` is how long is waited before looking who
/// wrote last.
pub async fn take<'a>(
    service: &Service,
    holder: &str,
    seen: &VectorStore,
    clock: &'a dyn Clock,
    settle: Duration,
) -> Result<Lease<'a>, HostedError> {
    let seen_synced = pair(seen, SYNCED);
    for _ in 0..ATTEMPTS {
        let store = service.store().await?;
        refuse_others(&store, holder, clock)?;
        service.set_metadata(with_lease(&store, holder, clock)).await?;
        sleep(settle).await;
        let now = service.store().await?;
        match lease_of(&now) {
            Some((other, _)) if other == holder => {
                // A lease that was there is of a sync that did not end.
                let is_stale = pair(&store, SYNCED) != seen_synced || pair(&store, LEASE).is_some();
                return Ok(Lease { service: service.clone(), holder: holder.to_owned(), clock, is_stale });
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

fn refuse_others(store: &VectorStore, holder: &str, clock: &dyn Clock) -> Result<(), HostedError> {
    match lease_of(store) {
        Some((other, until)) if other != holder && clock.now() < later(until, SKEW) => Err(leased(other, until)),
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
        let refused = |lease: &str| refuse_others(&store(lease), "me", &SystemClock).is_err();
        assert!(refused("you 2999-01-01T00:00:00Z"));
        assert!(!refused("me 2999-01-01T00:00:00Z") && !refused("you 1999-01-01T00:00:00Z"));
        assert!(!refused("nonsense") && !refused("you never"));
        let kept = with_lease(&store("you 1999-01-01T00:00:00Z"), "me", &SystemClock);
        assert!(kept[LEASE].starts_with("me ") && kept["other"] == "stays");
        let renewed: VectorStore = VectorStore { metadata: Some(kept), ..store("") };
        assert_eq!(lease_of(&renewed).unwrap().0, "me");
    }

    #[test]
    fn a_state_folder_keeps_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let taken = |folder: &Path| holder(folder, RandomIds.new_id("sync"));
        let first = taken(folder.path());
        assert_eq!(taken(folder.path()), first);
        fs::write(folder.path().join(HOLDER_FILE), "with a space").unwrap();
        assert_ne!(taken(folder.path()), first);
        assert_ne!(taken(Path::new("/nowhere")), taken(Path::new("/nowhere")));
    }
}
