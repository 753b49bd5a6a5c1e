//! Tests of scan, plan and apply with an index in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use proptest::prelude::*;

use super::*;
use crate::clock::SystemClock;
use crate::docs::ReadFile;
use crate::docs::reader::{InProcess, ReadError, Reader};
use crate::docs::walk::FoundFile;
use crate::event::{Event, Silent};
use crate::exit::Exit;
use crate::index::{IndexChange, IndexError, SearchQuery};
use crate::model::{Chunk, DocumentRecord, Hit};

#[derive(Default)]
struct MemoryIndex {
    documents: Mutex<BTreeMap<String, (DocumentRecord, Vec<Chunk>)>>,
}

#[async_trait]
impl VectorStore for MemoryIndex {
    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        let mut records: Vec<DocumentRecord> =
            self.documents.lock().unwrap().values().map(|(record, _)| record.clone()).collect();
        records.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(records)
    }

    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        Ok(self.documents.lock().unwrap().get(document_id).map(|(record, _)| record.clone()))
    }

    async fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, IndexError> {
        let chunks = self.documents.lock().unwrap().get(document_id).map(|(_, chunks)| chunks.clone());
        Ok(chunks.unwrap_or_default())
    }

    async fn search(&self, _query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        Ok(Vec::new())
    }

    async fn apply(&self, changes: Vec<IndexChange>) -> Result<(), IndexError> {
        let mut documents = self.documents.lock().unwrap();
        for change in changes {
            match change {
                IndexChange::Put { record, chunks } => {
                    documents.insert(record.document_id.clone(), (record, chunks));
                }
                IndexChange::Refresh(record) => {
                    let known = documents.get_mut(&record.document_id).expect("only known documents are refreshed");
                    known.0 = record;
                }
                IndexChange::Remove { document_id } => {
                    documents.remove(&document_id);
                }
            }
        }
        Ok(())
    }
}

struct Bench {
    root: tempfile::TempDir,
    memory: Arc<MemoryIndex>,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { root: tempfile::tempdir().unwrap(), memory: Arc::default() };
        fs::create_dir(bench.docs()).unwrap();
        bench
    }

    fn docs(&self) -> PathBuf {
        self.root.path().join("docs")
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.docs().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn delete(&self, path: &str) {
        let _ = fs::remove_file(self.docs().join(path));
    }

    fn folders(&self) -> Folders {
        Folders { docs_dir: self.docs(), state_dir: self.root.path().join("state") }
    }

    fn sync_with(&self, ask: &Ask<'_>, stop: &CancellationToken) -> Result<SyncReport, SyncError> {
        self.sync_observed(&Silent, ask, stop)
    }

    fn sync_observed(
        &self,
        observer: &dyn Observer,
        ask: &Ask<'_>,
        stop: &CancellationToken,
    ) -> Result<SyncReport, SyncError> {
        let index: Arc<dyn VectorStore> = self.memory.clone();
        let context = SyncContext { reader: &InProcess, observer, ask, clock: &SystemClock, stop };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(sync(&index, &self.folders(), context))
    }

    fn sync(&self) -> SyncReport {
        self.sync_with(&|_: &str| Ok(true), &CancellationToken::new()).unwrap()
    }

    fn records(&self) -> BTreeMap<String, DocumentRecord> {
        let documents = self.memory.documents.lock().unwrap();
        documents.values().map(|(record, _)| (record.path.clone(), record.clone())).collect()
    }
}

fn counts(report: &SyncReport) -> [usize; 4] {
    [report.added, report.updated, report.removed, report.unchanged]
}

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
    let error = bench.sync_with(&|_: &str| Ok(true), &CancellationToken::new()).unwrap_err();
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
    let error = bench.sync_with(&|_: &str| Ok(false), &CancellationToken::new()).unwrap_err();
    assert_eq!(Failure::from(error).exit, Exit::Undecided);
    fs::remove_dir_all(bench.docs()).unwrap();
    let error = bench.sync_with(&|_: &str| Ok(true), &CancellationToken::new()).unwrap_err();
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
        Ok(true)
    };
    let report = bench.sync_with(&ask, &CancellationToken::new()).unwrap();
    assert_eq!(report.removed, 4);
    assert!(asked.lock().unwrap().starts_with("4 of 10 documents"));
}

#[test]
fn a_stopped_sync_says_so_and_the_next_finishes() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(bench.sync_with(&|_: &str| Ok(true), &stop).unwrap().interrupted);
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
fn an_interruption_decides_nothing_about_documents_that_wait() {
    let bench = Bench::new();
    let german = "Dieser Text ist auf Deutsch geschrieben und lang genug, um die Sprache sicher zu erkennen. \
                  Er handelt von Bestellungen, Lieferungen und Rechnungen unseres kleinen Unternehmens.";
    bench.write("a.md", "Kurz.");
    bench.write("b.md", "Knapp.");
    bench.write("c.md", german);
    let stop = CancellationToken::new();
    let observer = StopAfter { stop: &stop, left: Mutex::new(2), indexing: Mutex::new(false) };
    let report = bench.sync_observed(&observer, &|_: &str| Ok(true), &stop).unwrap();
    assert!(report.interrupted);
    assert_eq!((counts(&report), bench.records().len()), ([0, 0, 0, 0], 0));
    assert_eq!(counts(&bench.sync()), [3, 0, 0, 0]);
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
    let scan = runtime.block_on(scan(&bench.folders(), &[], &Silent, &stop)).unwrap();
    let index: Arc<dyn VectorStore> = bench.memory.clone();
    let plan = plan(&[], &scan);
    let context = SyncContext {
        reader: &NeverReads,
        observer: &Silent,
        ask: &|_: &str| Ok(true),
        clock: &SystemClock,
        stop: &stop,
    };
    let report = runtime.block_on(async {
        let soon = tokio::time::sleep(std::time::Duration::from_millis(50));
        let applied = apply::apply(&index, &plan, scan, &[], context);
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
    let error = bench.sync_with(&|_: &str| Ok(true), &CancellationToken::new()).unwrap_err();
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
    let german = "Dieser Text ist auf Deutsch geschrieben und lang genug, um die Sprache sicher zu erkennen. \
                  Er handelt von Bestellungen, Lieferungen und Rechnungen unseres kleinen Unternehmens.";
    bench.write("a.md", "Kurz.");
    bench.write("b.md", german);
    bench.sync();
    assert_eq!(bench.records()["a.md"].language.as_deref(), Some("deu"));
}

#[derive(Debug, Clone)]
enum Edit {
    Write(&'static str, u8),
    Delete(&'static str),
    Move(&'static str, &'static str),
    Sync,
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = || proptest::sample::select(&["a.md", "b.md", "s/a.md", "s/b.txt", "t/01_a.md", "t/c.md"][..]);
    prop_oneof![
        4 => (path(), 0_u8..5).prop_map(|(path, text)| Edit::Write(path, text)),
        2 => path().prop_map(Edit::Delete),
        2 => (path(), path()).prop_map(|(from, to)| Edit::Move(from, to)),
        2 => Just(Edit::Sync),
    ]
}

fn check_equal(bench: &Bench) -> Result<(), TestCaseError> {
    let index = bench.memory.documents.lock().unwrap();
    let listing = crate::docs::walk::walk(&bench.docs()).unwrap();
    let mut expected = BTreeMap::new();
    for file in &listing.files {
        if let Ok(read) = crate::docs::read_file(&file.absolute, &file.path) {
            expected.insert(file.path.clone(), read.sha256);
        }
    }
    let found: BTreeMap<String, String> =
        index.values().map(|(record, _)| (record.path.clone(), record.sha256.clone())).collect();
    prop_assert_eq!(found.len(), index.len(), "two documents of one path");
    for (path, sha256) in &expected {
        prop_assert_eq!(found.get(path), Some(sha256), "{}", path);
    }
    for path in found.keys() {
        prop_assert!(Path::new(&bench.docs().join(path)).exists(), "{} is gone", path);
    }
    for (id, (record, chunks)) in index.iter() {
        prop_assert_eq!(id, &record.document_id);
        prop_assert_eq!(chunks.len(), record.chunks as usize);
        prop_assert!(chunks.iter().all(|chunk| &chunk.document_id == id));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_edits_end_with_an_index_that_equals_the_folder(edits in proptest::collection::vec(edit(), 1..16)) {
        let bench = Bench::new();
        for edit in edits {
            match edit {
                Edit::Write(path, 0) => bench.write(path, b"\0\x01 damaged"),
                Edit::Write(path, text) => bench.write(path, format!("Text {text}.")),
                Edit::Delete(path) => bench.delete(path),
                Edit::Move(from, to) => {
                    if let Ok(text) = fs::read(bench.docs().join(from)) {
                        bench.delete(from);
                        bench.write(to, text);
                    }
                }
                Edit::Sync => {
                    bench.sync();
                    check_equal(&bench)?;
                }
            }
        }
        bench.sync();
        check_equal(&bench)?;
        let again = bench.sync();
        prop_assert_eq!([again.added, again.updated, again.removed], [0, 0, 0]);
    }
}
