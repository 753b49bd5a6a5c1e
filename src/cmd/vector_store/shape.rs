//! How stores are told: as data, and as cells of a table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cmd::vector_store::change::{MADE_BY, OURS, RESERVED};
use crate::hosted::cost;
use crate::hosted::lease::SYNCED;
use crate::llm::models::{Cost, ModelCatalogue};
use crate::openai::vector_store::{FileCounts, VectorStore};

/// A store, for JSON.
#[derive(Debug, Serialize)]
pub(super) struct StoreRow {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) status: String,
    pub(super) files: FileCounts,
    /// What is billed, in bytes.
    pub(super) bytes: u64,
    /// The free part of the account is not taken off.
    pub(super) usd_per_month: f64,
    pub(super) created_at: Option<Timestamp>,
    pub(super) last_active_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) expires_after_days: Option<u32>,
    pub(super) metadata: BTreeMap<String, String>,
    /// Whether the settings name it.
    pub(super) used: bool,
    /// Whether `vector-store create` made it.
    pub(super) made_here: bool,
    #[serde(skip)]
    pub(super) cost: Cost,
}

impl StoreRow {
    /// A store as told where the settings name `used`.
    pub(super) fn new(store: &VectorStore, prices: &ModelCatalogue, used: Option<&str>) -> Self {
        let cost = cost::of_bytes(prices, store.usage_bytes);
        let metadata = store.metadata.clone().unwrap_or_default();
        Self {
            id: store.id.clone(),
            name: store.name.clone(),
            status: store.status.clone(),
            files: store.file_counts,
            bytes: store.usage_bytes,
            usd_per_month: cost::usd(cost),
            created_at: time(Some(store.created_at)),
            last_active_at: time(store.last_active_at),
            expires_at: time(store.expires_at),
            expires_after_days: store.expires_after.as_ref().map(|after| after.days),
            used: used == Some(store.id.as_str()),
            made_here: metadata.get(MADE_BY).is_some_and(|by| by == OURS),
            metadata,
            cost,
        }
    }

    /// `12 ready`, `9 ready, 2 in progress, 1 failed`.
    pub(super) fn files_told(&self) -> String {
        let FileCounts { in_progress, completed, failed, cancelled, .. } = self.files;
        let others = [(in_progress, "in progress"), (failed, "failed"), (cancelled, "cancelled")];
        let others = others.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {count} {word}"));
        format!("{completed} ready{}", others.collect::<String>())
    }

    /// The pairs that people attached: what the program notes for itself is told otherwise.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let pairs = self.metadata.iter().filter(|(key, _)| !key.starts_with(RESERVED));
        pairs.map(|(key, value)| format!("{key} = {value}"))
    }

    /// When the last sync of it ended.
    pub(super) fn synced_at(&self) -> Option<Timestamp> {
        self.metadata.get(SYNCED)?.split_once(' ')?.1.parse().ok()
    }

    /// When it ends, in words; nothing when it does not end by itself.
    pub(super) fn end_told(&self) -> Option<String> {
        let days = self.expires_after_days.map(|days| format!("{days} days after its last use"));
        match (self.expires_at, days) {
            (Some(at), Some(days)) => Some(format!("{}, {days}", day(at))),
            (Some(at), None) => Some(day(at)),
            (None, days) => days,
        }
    }
}

/// A moment that the service tells in seconds since 1970.
pub(super) fn time(seconds: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_second(seconds.filter(|seconds| *seconds > 0)?).ok()
}

/// Its day in UTC: `2026-11-24`.
pub(super) fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// A size for people, in powers of 1,024 as the service bills: `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

/// `1 file`, `2 files`.
pub(super) fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_days_are_short() {
        assert_eq!([size(0), size(1023), size(1536), size(3 << 30)], ["0 B", "1023 B", "1.5 KiB", "3.0 GiB"]);
        assert_eq!(time(Some(0)), None);
        assert_eq!(day(time(Some(1_795_500_000)).unwrap()), "2026-11-24");
    }

    #[test]
    fn a_store_tells_its_files_its_cost_and_its_end() {
        let prices = ModelCatalogue::load(None).unwrap();
        let store: VectorStore = serde_json::from_value(serde_json::json!({
            "id": "vs_1", "usage_bytes": 1_u64 << 30, "status": "completed", "metadata": {"made_by": "chatbotctl"},
            "file_counts": {"in_progress": 2, "completed": 9, "failed": 1, "cancelled": 0, "total": 12},
            "expires_after": {"anchor": "last_active_at", "days": 7}, "expires_at": 1_795_500_000
        }))
        .unwrap();
        let row = StoreRow::new(&store, &prices, Some("vs_1"));
        assert_eq!(row.files_told(), "9 ready, 2 in progress, 1 failed");
        assert_eq!(row.end_told().unwrap(), "2026-11-24, 7 days after its last use");
        assert!(row.used && row.made_here && row.usd_per_month > 1.0);
        assert!(!StoreRow::new(&store, &prices, None).used);
    }
}
