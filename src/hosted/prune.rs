//! Uploaded files that no vector store has any more: found by their names, shown, then deleted.
//!
//! Invariant: only a file with a name of ours is ever named here, and only when it is for the given store and not in it,
//! or for a store that is gone and in no other. What somebody else uploaded is not seen at all.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::error::Problem;
use crate::event::{Event, Observer};
use crate::hosted::lease::LEASE;
use crate::hosted::name::{Name, store_mark};
use crate::openai::file::File;
use crate::openai::vector_store::VectorStore;
use crate::openai::{Client, ErrorKind, OpenAiError};

/// A store in this state has lost its files.
const EXPIRED: &str = "expired";
/// Deletions that are under way at a time.
const AT_ONCE: usize = 4;

/// Why nobody needs a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was uploaded for the store and is not in it.
    NotInItsStore,
    /// The store that it was uploaded for is gone.
    StoreGone,
}

/// An uploaded file of ours that no store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The file.
    pub file_id: String,
    /// Its name.
    pub filename: String,
    /// Its size in bytes, as far as it is known.
    pub bytes: u64,
    /// When it was uploaded, seconds since 1970.
    pub created_at: i64,
    /// Why nobody needs it.
    pub why: Why,
}

/// What became of files that were to be deleted.
#[derive(Debug, Default)]
pub struct Removed {
    /// Those that are gone now.
    pub removed: Vec<Orphan>,
    /// Those that are not.
    pub problems: Vec<Problem>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

impl Why {
    /// Its name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotInItsStore => "not_in_its_store",
            Self::StoreGone => "store_gone",
        }
    }

    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Self::NotInItsStore => "not in the store",
            Self::StoreGone => "its store is gone",
        }
    }
}

/// The files of ours that no store has: those for the store `own`, and those for stores that are gone.
pub async fn look(client: &Client, own: Option<&str>) -> Result<Vec<Orphan>, OpenAiError> {
    // Files first: what is attached, or whose store is made, in between must not look like an orphan.
    let files: Vec<File> = client.all_files().try_collect().await?;
    let stores: Vec<VectorStore> = client.all_stores().try_collect().await?;
    among(client, &files, &stores, own).await
}

/// The same, among files and stores that were listed before, in this order.
pub async fn among(
    client: &Client,
    files: &[File],
    stores: &[VectorStore],
    own: Option<&str>,
) -> Result<Vec<Orphan>, OpenAiError> {
    let named = candidates(files, stores, own);
    let needs_all = named.iter().any(|orphan| orphan.why == Why::StoreGone);
    let mut attached = HashSet::new();
    for store in stores.iter().filter(|store| store.status != EXPIRED) {
        let is_asked = needs_all || (own == Some(store.id.as_str()) && !named.is_empty());
        if is_asked {
            let mut there = pin!(client.all_store_files(&store.id, None));
            while let Some(file) = there.try_next().await? {
                attached.insert(file.id);
            }
        }
    }
    Ok(named.into_iter().filter(|orphan| !attached.contains(&orphan.file_id)).collect())
}

/// The files whose names make them orphans if no store has them, oldest first. Pure.
fn candidates(files: &[File], stores: &[VectorStore], own: Option<&str>) -> Vec<Orphan> {
    let own = own.map(store_mark);
    let living: HashSet<String> = stores.iter().map(|store| store_mark(&store.id)).collect();
    let why = |name: &Name| {
        if !living.contains(&name.store) {
            Some(Why::StoreGone)
        } else if own.as_ref() == Some(&name.store) {
            Some(Why::NotInItsStore)
        } else {
            None
        }
    };
    let orphan = |file: &File| {
        let why = why(&Name::parse(&file.filename)?)?;
        let (file_id, filename) = (file.id.clone(), file.filename.clone());
        Some(Orphan { file_id, filename, bytes: file.bytes.unwrap_or(0), created_at: file.created_at, why })
    };
    let mut found: Vec<Orphan> = files.iter().filter_map(orphan).collect();
    found.sort_by(|a, b| (a.created_at, &a.file_id).cmp(&(b.created_at, &b.file_id)));
    found
}

/// The files that were uploaded for a store, in it or not, oldest first. Pure.
pub fn uploaded_for(files: &[File], store_id: &str) -> Vec<Orphan> {
    let mark = store_mark(store_id);
    let is_for = |file: &&File| Name::parse(&file.filename).is_some_and(|name| name.store == mark);
    let told = |file: &File| Orphan {
        file_id: file.id.clone(),
        filename: file.filename.clone(),
        bytes: file.bytes.unwrap_or(0),
        created_at: file.created_at,
        why: Why::NotInItsStore,
    };
    files.iter().rev().filter(is_for).map(told).collect()
}

/// Until when a sync has reserved a store, when that is not over.
pub fn reserved_until(store: &VectorStore, now: Timestamp) -> Option<Timestamp> {
    let lease = store.metadata.as_ref()?.get(LEASE)?;
    let until: Timestamp = lease.split_whitespace().last()?.parse().ok()?;
    (until > now).then_some(until)
}

/// Deletes files. One that is gone already counts as deleted; one that cannot be deleted is a problem of its own.
pub async fn remove(
    client: &Client,
    orphans: Vec<Orphan>,
    observer: &dyn Observer,
    stop: &CancellationToken,
) -> Removed {
    observer.observe(Event::Started { task: "deleting", total: Some(orphans.len() as u64) });
    let mut outcome = Removed::default();
    let mut deletions = futures_util::stream::iter(orphans)
        .map(|orphan| async move {
            let deleted = client.delete_file(&orphan.file_id).await;
            (orphan, deleted)
        })
        .buffer_unordered(AT_ONCE);
    loop {
        match stop.run_until_cancelled(deletions.next()).await {
            Some(Some((orphan, deleted))) => {
                observer.observe(Event::Advanced { item: orphan.filename.clone(), bytes: orphan.bytes });
                outcome.take(orphan, deleted);
            }
            Some(None) => break,
            None => {
                outcome.interrupted = true;
                break;
            }
        }
    }
    observer.observe(Event::Finished);
    outcome
}

impl Removed {
    fn take(&mut self, orphan: Orphan, deleted: Result<(), OpenAiError>) {
        match deleted {
            Ok(()) => self.removed.push(orphan),
            Err(error) if error.kind == ErrorKind::NotFound => self.removed.push(orphan),
            Err(error) => {
                self.problems.push(Problem::new(orphan.filename, "openai/not-deleted", error.to_string()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::hosted::name::content_mark;

    fn file(id: &str, filename: &str) -> File {
        let (bytes, purpose) = (Some(10), "assistants".to_owned());
        File { id: id.to_owned(), bytes, created_at: 5, filename: filename.to_owned(), purpose }
    }

    fn named(id: &str, store: &str) -> File {
        let name = Name { store: store_mark(store), content: content_mark(id, "hash", "recipe") };
        file(id, &name.render("a.md", "md"))
    }

    fn store(id: &str) -> VectorStore {
        serde_json::from_value(serde_json::json!({ "id": id })).unwrap()
    }

    /// Whatever is not ours, or is a living store's of another profile, is not even named.
    #[test]
    fn only_our_files_of_this_store_and_of_gone_ones_are_candidates() {
        let files = [
            named("mine", "vs_own"),
            named("gone", "vs_gone"),
            named("other", "vs_other"),
            file("foreign", "handbook.pdf"),
            file("alike", "a.1234567-123456789abc.md"),
        ];
        let stores = [store("vs_own"), store("vs_other")];
        let found = candidates(&files, &stores, Some("vs_own"));
        let ids: Vec<(&str, Why)> = found.iter().map(|orphan| (orphan.file_id.as_str(), orphan.why)).collect();
        assert_eq!(ids, [("gone", Why::StoreGone), ("mine", Why::NotInItsStore)]);
        let without_own = candidates(&files, &stores, None);
        assert_eq!(without_own.iter().map(|orphan| &orphan.file_id).collect::<Vec<_>>(), ["gone"]);
        assert_eq!(uploaded_for(&files, "vs_other").len(), 1);
    }

    #[test]
    fn a_lease_counts_until_it_is_over() {
        let mut reserved = store("vs_own");
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        assert_eq!(reserved_until(&reserved, now), None);
        for (lease, counts) in
            [("me 2026-11-24T12:01:00Z", true), ("me 2026-11-24T11:59:00Z", false), ("nonsense", false), ("", false)]
        {
            reserved.metadata = Some(BTreeMap::from([(LEASE.to_owned(), lease.to_owned())]));
            assert_eq!(reserved_until(&reserved, now).is_some(), counts, "{lease}");
        }
    }
}
