//! What a sync does with a folder, case by case.

use std::fs;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::docs::ReadFile;
use crate::docs::format;
use crate::docs::reader::{ReadError, Reader};
use crate::docs::walk::FoundFile;
use crate::error::Failure;
use crate::event::{Event, Observer, Silent};
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::ingest::tests::bench::{Bench, GERMAN, How, counts};
use crate::ingest::{Looking, SyncContext, SyncOptions, apply, lock, plan, scan};

#[test]
fn adds_updates_removes_and_is_idempotent() {
    let bench = Bench::new();
    bench.write("a.md", "# A\n\nOne.");
    bench.write("b/c.txt", "Two.");
    bench.write("pic.png", "x");
    let report = bench.sync();
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    assert_eq!(report.skipped[0].path, "pic.png");
    assert_eq!(counts(&bench.sync()), [0, 0, 0, 2]);
    bench.write("a.md", "# A\n\nOther.");
    bench.delete("b/c.txt");
    assert_eq!(counts(&bench.sync()), [0, 1, 1, 0]);
    let records = bench.records();
    assert_eq!(records["a.md"].title, "A");
    assert_eq!(records.len(), 1);
}

#[test]
fn a_bad_document_is_a_problem_and_its_old_version_stays() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    bench.write("b.md", "Two.");
    bench.sync();
    let before = bench.records();
    bench.write("a.md", b"\0\0\0\x01\x02 binary");
    let report = bench.sync();
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert_eq!(report.problems[0].code, "document/malformed");
    assert_eq!(bench.records()["a.md"], before["a.md"]);
}

#[test]
fn a_moved_document_keeps_its_id() {
    let bench = Bench::new();
    bench.write("a/x.md", "One.");
    bench.write("y.md", "Two.");
    bench.sync();
    bench.delete("a/x.md");
    bench.write("b/x.md", "One.");
    assert_eq!(counts(&bench.sync()), [0, 1, 0, 1]);
    assert_eq!(bench.records()["b/x.md"].document_id, "x");
}

#[test]
fn the_catalogue_decides_about_ids_and_titles() {
    let bench = Bench::new();
    bench.write("a.md", "# A\n\nOne.");
    bench.sync();
    bench.write("documents.yaml", "documents:\n  - path: a.md\n    id: given\n    title: Given\n  - path: z.md\n");
    let report = bench.sync();
    assert_eq!(counts(&report), [0, 1, 0, 0]);
    assert_eq!(report.problems[0].code, "catalogue/no-match");
    let record = &bench.records()["a.md"];
    assert_eq!((record.document_id.as_str(), record.title.as_str()), ("given", "Given"));
    bench.write("documents.yaml", "documents: [");
    let error = bench.sync_as(How::default()).unwrap_err();
    assert_eq!(Failure::from(error).code, "docs/catalogue");
    assert_eq!(bench.records().len(), 1);
}

#[test]
fn a_new_id_on_a_bad_document_keeps_the_old_version() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    bench.sync();
    bench.write("a.md", b"\0\0\0\x01\x02 binary");
    bench.write("documents.yaml", "documents: [{path: a.md, id: given}]");
    assert_eq!(bench.sync().problems.len(), 1);
    assert_eq!(bench.records()["a.md"].document_id, "a");
    bench.write("a.md", "Two.");
    assert_eq!(counts(&bench.sync()), [0, 1, 0, 0]);
    assert_eq!(bench.records()["a.md"].document_id, "given");
    assert_eq!(bench.records().len(), 1);
}

#[test]
fn an_empty_or_missing_folder_never_empties_the_index() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    bench.sync();
    bench.delete("a.md");
    let error = bench.sync_as(How { ask: &|_| false, ..How::default() }).unwrap_err();
    assert_eq!(Failure::from(error).exit, Exit::Undecided);
    fs::remove_dir_all(bench.docs()).unwrap();
    let error = bench.sync_as(How::default()).unwrap_err();
    assert_eq!(Failure::from(error).code, "docs/no-folder");
    assert_eq!(bench.records().len(), 1);
}

#[test]
fn many_removals_are_asked_about() {
    let bench = Bench::new();
    for n in 0..10 {
        bench.write(&format!("{n}.md"), "Text.");
    }
    bench.sync();
    for n in 0..4 {
        bench.delete(&format!("{n}.md"));
    }
    let asked = Mutex::new(String::new());
    let ask = |question: &str| {
        question.clone_into(&mut asked.lock().unwrap());
        true
    };
    let report = bench.sync_as(How { ask: &ask, ..How::default() }).unwrap();
    assert_eq!(report.removed, 4);
    assert!(asked.lock().unwrap().starts_with("4 of 10 documents"));
}

#[test]
fn a_stopped_sync_says_so_and_the_next_finishes() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(bench.sync_as(How { stop, ..How::default() }).unwrap().interrupted);
    assert_eq!(counts(&bench.sync()), [1, 0, 0, 0]);
}

/// Stops the sync when so many documents were read.
struct StopAfter<'a> {
    stop: &'a CancellationToken,
    left: Mutex<usize>,
    indexing: Mutex<bool>,
}

impl Observer for StopAfter<'_> {
    fn observe(&self, event: Event) {
        match event {
            Event::Started { task, .. } => *self.indexing.lock().unwrap() = task == "indexing",
            Event::Advanced { .. } if *self.indexing.lock().unwrap() => {
                let mut left = self.left.lock().unwrap();
                *left -= 1;
                if *left == 0 {
                    self.stop.cancel();
                }
            }
            _ => {}
        }
    }
}

#[test]
fn an_interruption_keeps_what_was_read() {
    let bench = Bench::new();
    bench.write("a.md", "Kurz.");
    bench.write("b.md", "Knapp.");
    bench.write("c.md", GERMAN);
    let stop = CancellationToken::new();
    let observer = StopAfter { stop: &stop, left: Mutex::new(2), indexing: Mutex::new(false) };
    let report = bench.sync_as(How { observer: &observer, stop: stop.clone(), ..How::default() }).unwrap();
    assert!(report.interrupted);
    assert!(report.added >= 1 && bench.records().len() == report.added, "{report:?}");
    assert_eq!(bench.sync().added, 3 - report.added);
    assert!(bench.records().values().all(|record| record.language.as_deref() == Some("deu")));
}

/// Stands for a disk that does not answer.
struct NeverReads;

#[async_trait]
impl Reader for NeverReads {
    async fn read(&self, _file: &FoundFile) -> Result<ReadFile, ReadError> {
        std::future::pending().await
    }
}

#[test]
fn a_stop_gives_up_what_is_being_read() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let stop = CancellationToken::new();
    let looking = Looking {
        observer: &Silent,
        clock: &SystemClock,
        stop: &stop,
        checksum: false,
        retry_failed: false,
        max_bytes: format::max_bytes,
    };
    let scan = runtime.block_on(scan(&bench.folders(), &[], looking)).unwrap();
    let index: Arc<dyn VectorStore> = bench.memory.clone();
    let work = apply::Work { plan: plan(&[], &scan), scan, records: Vec::new() };
    let context = SyncContext {
        reader: &NeverReads,
        observer: &Silent,
        ask: &|_: &str| Ok(true),
        clock: &SystemClock,
        stop: &stop,
        options: SyncOptions::default(),
    };
    let report = runtime.block_on(async {
        let soon = tokio::time::sleep(std::time::Duration::from_millis(50));
        let folders = bench.folders();
        let applied = apply::apply(&index, &folders, work, context);
        let (report, ()) = tokio::join!(applied, async {
            soon.await;
            stop.cancel();
        });
        report.unwrap()
    });
    assert!(report.interrupted);
    assert_eq!(counts(&report), [0, 0, 0, 0]);
}

#[test]
fn two_syncs_at_once_are_refused() {
    let bench = Bench::new();
    let _held = lock::acquire(&bench.folders().state_dir).unwrap();
    let error = bench.sync_as(How::default()).unwrap_err();
    assert_eq!(Failure::from(error).exit, Exit::Temporary);
}

#[cfg(unix)]
#[test]
fn a_touched_file_is_only_refreshed() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    bench.sync();
    let file = fs::File::options().write(true).open(bench.docs().join("a.md")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000)).unwrap();
    assert_eq!(counts(&bench.sync()), [0, 0, 0, 1]);
    assert_eq!(bench.records()["a.md"].modified_ns, Some(1_000_000_000_000_000));
}

#[test]
fn short_documents_take_the_folders_language() {
    let bench = Bench::new();
    bench.write("a.md", "Kurz.");
    bench.write("b.md", GERMAN);
    bench.sync();
    assert_eq!(bench.records()["a.md"].language.as_deref(), Some("deu"));
}
