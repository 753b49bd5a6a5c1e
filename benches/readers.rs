//! What the worker processes cost: 1,000 small files through them and in this process: `cargo bench --bench readers`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up may stop")]

use std::fs;
use std::process::ExitCode;
use std::sync::LazyLock;

use chatbotctl::docs::format;
use chatbotctl::docs::reader::{InProcess, Reader};
use chatbotctl::docs::walk::{FoundFile, walk};
use chatbotctl::docs::worker::{self, Pool, PoolSettings};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use futures_util::StreamExt as _;
use tokio::runtime::Runtime;

const FILES: usize = 1_000;

/// As many as a sync reads at once.
const READS_AT_ONCE: usize = 2;

/// The size of the one long file, in bytes.
const LONG_BYTES: usize = 4 * 1024 * 1024;

struct Bed {
    runtime: Runtime,
    files: Vec<FoundFile>,
    long: Vec<FoundFile>,
    _folder: tempfile::TempDir,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    for (name, count) in [("small", FILES), ("long", 1)] {
        fs::create_dir(folder.path().join(name)).unwrap();
        for number in 0..count {
            fs::write(folder.path().join(format!("{name}/{number}.md")), text(name, number)).unwrap();
        }
    }
    let found = |name: &str| walk(&folder.path().join(name)).unwrap().files;
    Bed { runtime: Runtime::new().unwrap(), files: found("small"), long: found("long"), _folder: folder }
});

fn text(name: &str, number: usize) -> String {
    let paragraph = format!("Parcel {number} may weigh 30 kg and arrives within a week, unless it is a holiday.\n\n");
    let count = if name == "small" { 10 } else { LONG_BYTES / paragraph.len() };
    format!("# Document {number}\n\n{}", paragraph.repeat(count))
}

// This program is also the worker that it measures.
fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|argument| argument == worker::ARGUMENT) {
        return worker::serve(format::parse).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    divan::main();
    ExitCode::SUCCESS
}

fn pool() -> Pool {
    Pool::new(PoolSettings::of_this_program(|_| ()).unwrap())
}

async fn read_all(reader: &dyn Reader, files: &[FoundFile]) {
    let mut reads = futures_util::stream::iter(files).map(|file| reader.read(file)).buffered(READS_AT_ONCE);
    while let Some(read) = reads.next().await {
        read.unwrap();
    }
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn small_files_in_process(bencher: Bencher) {
    let bed = &*BED;
    let read = || bed.runtime.block_on(read_all(&InProcess, &bed.files));
    bencher.counter(ItemsCount::new(FILES)).bench(read);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn small_files_through_workers(bencher: Bencher) {
    let (bed, pool) = (&*BED, pool());
    let read = || bed.runtime.block_on(read_all(&pool, &bed.files));
    bencher.counter(ItemsCount::new(FILES)).bench(read);
}

/// The first files of a run wait for their workers to start.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn one_file_and_the_start_of_a_worker(bencher: Bencher) {
    let bed = &*BED;
    bencher.bench(|| bed.runtime.block_on(read_all(&pool(), &bed.files[..1])));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn long_file_in_process(bencher: Bencher) {
    let bed = &*BED;
    let read = || bed.runtime.block_on(read_all(&InProcess, &bed.long));
    bencher.counter(BytesCount::new(LONG_BYTES)).bench(read);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn long_file_through_workers(bencher: Bencher) {
    let (bed, pool) = (&*BED, pool());
    let read = || bed.runtime.block_on(read_all(&pool, &bed.long));
    bencher.counter(BytesCount::new(LONG_BYTES)).bench(read);
}
