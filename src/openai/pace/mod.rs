//! Keeps to the rates that the service allows, and to as many requests at once as it takes well.
//!
//! Rates are buckets that hold a minute's worth of requests; the documented limits are: 1,000 uploads a minute of a user,
//! 300 attaching requests a minute of one vector store, 2,000 attached files a minute of an organisation (descriptions of
//! `POST /files`, `POST /vector_stores/{id}/files` and `…/file_batches`). Whoever waits is served in the order of coming,
//! and gives up by being dropped.

mod bucket;
mod limit;
mod rates;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::config::settings::OpenAiSettings;
use crate::openai::pace::bucket::Bucket;
use crate::openai::pace::rates::Rates;

pub use limit::{Limit, Permit};

/// Stores whose pace is remembered; more of them at a time are forgotten when they have been quiet for a minute.
const MANY_STORES: usize = 64;

/// What a request takes of which rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost<'a> {
    /// Nothing that is limited.
    Nothing,
    /// One upload.
    Upload,
    /// One request that attaches so many files to a store.
    Attach {
        /// The store.
        store_id: &'a str,
        /// How many files.
        files: usize,
    },
}

/// The rates of one account.
#[derive(Debug)]
pub(super) struct Pace {
    uploads: Bucket,
    attached: Bucket,
    stores: Mutex<HashMap<String, Arc<Bucket>>>,
    store_writes_per_minute: u32,
}

impl Pace {
    /// The rates that the settings allow.
    pub(super) fn new(settings: &OpenAiSettings) -> Self {
        Self {
            uploads: Bucket::new(settings.uploads_per_minute),
            attached: Bucket::new(settings.attached_per_minute),
            stores: Mutex::default(),
            store_writes_per_minute: settings.store_writes_per_minute,
        }
    }

    /// Waits until a request of this cost may go out, and counts it.
    pub(super) async fn take(&self, cost: Cost<'_>) {
        match cost {
            Cost::Nothing => {}
            Cost::Upload => self.uploads.take(1).await,
            Cost::Attach { store_id, files } => {
                // The larger wait first: whoever gives up in it has taken nothing of the other.
                self.attached.take(files).await;
                self.store(store_id).take(1).await;
            }
        }
    }

    /// Gives back the files of a request that attached none.
    pub(super) fn give_back(&self, cost: Cost<'_>) {
        if let Cost::Attach { files, .. } = cost {
            self.attached.give_back(files);
        }
    }

    /// Learns from the headers of an answer how the service counts.
    pub(super) fn learn(&self, cost: Cost<'_>, headers: &HeaderMap) {
        if let Some(rates) = Rates::of(headers) {
            self.with_requests(cost, |bucket| bucket.learn(rates));
        }
    }

    /// The service says that it was too much: nothing of this kind goes out for so long.
    pub(super) fn pause(&self, cost: Cost<'_>, wait: Duration) {
        self.with_requests(cost, |bucket| bucket.pause(wait));
    }

    /// The rate of requests that this is one of.
    fn with_requests(&self, cost: Cost<'_>, act: impl FnOnce(&Bucket)) {
        match cost {
            Cost::Nothing => {}
            Cost::Upload => act(&self.uploads),
            Cost::Attach { store_id, .. } => act(&self.store(store_id)),
        }
    }

    fn store(&self, store_id: &str) -> Arc<Bucket> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if stores.len() >= MANY_STORES && !stores.contains_key(store_id) {
            stores.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_full());
        }
        let bucket = stores.entry(store_id.to_owned());
        Arc::clone(bucket.or_insert_with(|| Arc::new(Bucket::new(self.store_writes_per_minute))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new(&OpenAiSettings {
            uploads_per_minute: 600,
            store_writes_per_minute: 6000,
            attached_per_minute: 60_000,
            ..Default::default()
        })
    }

    #[tokio::test]
    async fn each_store_has_a_rate_of_its_own_and_quiet_ones_are_forgotten() {
        let pace = pace();
        for number in 0..500 {
            pace.take(Cost::Attach { store_id: &format!("vs_{number}"), files: 1 }).await;
        }
        let first = pace.store("vs_499");
        assert!(!first.is_full());
        assert!(pace.store("vs_new").is_full());
        // A bucket that is not full is remembered: forgetting it would give a second minute's worth.
        assert!(pace.stores.lock().unwrap().len() <= 502);
    }

    #[tokio::test]
    async fn a_pause_of_one_store_leaves_the_others_alone() {
        let pace = pace();
        pace.pause(Cost::Attach { store_id: "vs_1", files: 1 }, Duration::from_mins(5));
        let other = pace.take(Cost::Attach { store_id: "vs_2", files: 1 });
        tokio::time::timeout(Duration::from_secs(5), other).await.unwrap();
        let paused = pace.take(Cost::Attach { store_id: "vs_1", files: 1 });
        assert!(tokio::time::timeout(Duration::from_millis(50), paused).await.is_err());
    }
}
