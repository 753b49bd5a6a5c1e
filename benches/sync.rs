//! What a sync of 10,000 files costs when nothing changed: `cargo bench --bench sync`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up may stop")]

use std::fs;
use std::sync::{Arc, LazyLock};

use chatbotctl::clock::{Clock, SystemClock};
use chatbotctl::docs::reader::InProcess;
use chatbotctl::event::Silent;
use chatbotctl::index::VectorStore;
use chatbotctl::index::local::LocalIndex;
use chatbotctl::ingest::{Folders, SyncContext, SyncOptions, SyncReport, sync};
use divan::Bencher;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

const FILES: usize = 10_000;

/// As if the files had lain there since yesterday.
struct Tomorrow;

impl Clock for Tomorrow {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_hours(24)
    }
}

struct Bed {
    runtime: tokio::runtime::Runtime,
    folders: Folders,
    _folder: tempfile::TempDir,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders { docs_dir: folder.path().join("data"), state_dir: folder.path().join("state") };
    for number in 0..FILES {
        let place = folders.docs_dir.join(format!("part{}", number % 100));
        fs::create_dir_all(&place).unwrap();
        let text = format!("# Document {number}\n\n{}", "The text of it is about tents and lamps. ".repeat(20));
        fs::write(place.join(format!("{number}.md")), text).unwrap();
    }
    let bed = Bed { runtime: tokio::runtime::Runtime::new().unwrap(), folders, _folder: folder };
    assert_eq!(bed.sync(SyncOptions::default()).added, FILES);
    bed
});

impl Bed {
    /// A sync as a new process does it: the index is opened for it.
    fn sync(&self, options: SyncOptions) -> SyncReport {
        let index: Arc<dyn VectorStore> = Arc::new(LocalIndex::open(&self.folders.state_dir).unwrap());
        let context = SyncContext {
            reader: &InProcess,
            observer: &Silent,
            ask: &|_| Ok(false),
            clock: &Tomorrow,
            stop: &CancellationToken::new(),
            options,
        };
        self.runtime.block_on(sync(&index, &self.folders, context)).unwrap()
    }
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn unchanged(bencher: Bencher) {
    bencher.bench_local(|| assert_eq!(BED.sync(SyncOptions::default()).unchanged, FILES));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn unchanged_by_checksum(bencher: Bencher) {
    let options = SyncOptions { checksum: true, ..SyncOptions::default() };
    bencher.bench_local(|| assert_eq!(BED.sync(options).unchanged, FILES));
}

fn main() {
    LazyLock::force(&BED);
    divan::main();
}
