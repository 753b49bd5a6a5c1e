//! Whatever happens to a folder, the index equals it in the end: random edits, renames, crashes, stops, edits in the
//! middle of a sync and syncs at once, with the index in memory and with the real one.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::docs::format;
use crate::docs::walk;
use crate::event::{Event, Observer, Silent};
use crate::index::local::LocalIndex;
use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::ingest::language::Majority;
use crate::ingest::tests::bench::{Bench, ENGLISH, GERMAN, How, MemoryIndex, Tomorrow};
use crate::ingest::{Looking, SyncError, SyncReport, scan};
use crate::model::{Chunk, DocumentRecord, Hit};

const PATHS: [&str; 8] = ["a.md", "b.md", "s/a.md", "s/b.txt", "s/u/c.md", "t/01_a.md", "t/c.md", "t/page.html"];
const FOLDERS: [&str; 4] = ["s", "t", "s/u", "v"];

/// Something that happens to the folder.
#[derive(Debug, Clone)]
enum Edit {
    /// The text 0 is no text at all.
    Write(&'static str, u8),
    /// In place, with the old size and the old modification time.
    WriteSecretly(&'static str, u8),
    Touch(&'static str),
    Delete(&'static str),
    Rename(&'static str, &'static str),
    RenameFolder(&'static str, &'static str),
    Swap(&'static str, &'static str),
    Copy(&'static str, &'static str),
    Ignore(Option<&'static str>),
    Describe(Option<&'static str>),
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    Edit(Edit),
    Sync,
    /// The index fails at this commit, before or after it is there.
    Crash {
        commit: usize,
        is_written: bool,
    },
    /// A stop after so many events.
    Stop(usize),
    /// An edit after so many events.
    Meanwhile(usize, Edit),
    /// Two syncs at once.
    Twice,
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = || proptest::sample::select(&PATHS[..]);
    let folder = || proptest::sample::select(&FOLDERS[..]);
    prop_oneof![
        6 => (path(), 0_u8..8).prop_map(|(path, text)| Edit::Write(path, text)),
        3 => (path(), 1_u8..8).prop_map(|(path, text)| Edit::WriteSecretly(path, text)),
        1 => path().prop_map(Edit::Touch),
        2 => path().prop_map(Edit::Delete),
        4 => (path(), path()).prop_map(|(from, to)| Edit::Rename(from, to)),
        3 => (folder(), folder()).prop_map(|(from, to)| Edit::RenameFolder(from, to)),
        2 => (path(), path()).prop_map(|(one, other)| Edit::Swap(one, other)),
        2 => (path(), path()).prop_map(|(from, to)| Edit::Copy(from, to)),
        1 => proptest::option::of(proptest::sample::select(&["a.md", "/s/", "t/*.md"][..])).prop_map(Edit::Ignore),
        1 => proptest::option::of(path()).prop_map(Edit::Describe),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => edit().prop_map(Step::Edit),
        3 => Just(Step::Sync),
        1 => (0_usize..3, any::<bool>()).prop_map(|(commit, is_written)| Step::Crash { commit, is_written }),
        1 => (0_usize..12).prop_map(Step::Stop),
        1 => (0_usize..12, edit()).prop_map(|(at, edit)| Step::Meanwhile(at, edit)),
        1 => Just(Step::Twice),
    ]
}

/// Texts of one length, a document of several chunks, and two that tell their language.
fn text(number: u8) -> Vec<u8> {
    match number {
        0 => b"\0\x01\x02 damaged".to_vec(),
        5 => {
            let sections: Vec<String> = (0..4).map(|n| format!("## Part {n}\n\nSentence of part {n}.\n")).collect();
            format!("# Long\n\n{}", sections.join("\n")).into_bytes()
        }
        6 => GERMAN.into(),
        7 => ENGLISH.into(),
        number => format!("Text {number}.").into_bytes(),
    }
}

fn perform(bench: &Bench, edit: &Edit) {
    let at = |path: &str| bench.docs().join(path);
    let make_way = |path: &str| fs::create_dir_all(at(path).parent().unwrap()).is_ok();
    match edit {
        Edit::Write(path, number) => {
            let _ = make_way(path) && fs::write(at(path), text(*number)).is_ok();
        }
        Edit::WriteSecretly(path, number) => write_secretly(&at(path), *number),
        Edit::Touch(path) => {
            if let Ok(file) = fs::File::options().write(true).open(at(path)) {
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            }
        }
        Edit::Delete(path) => bench.delete(path),
        Edit::Rename(from, to) => {
            let _ = at(from).is_file() && make_way(to) && fs::rename(at(from), at(to)).is_ok();
        }
        Edit::RenameFolder(from, to) => {
            let _ = fs::rename(at(from), at(to));
        }
        Edit::Swap(one, other) => {
            if at(one).is_file() && at(other).is_file() && one != other {
                let aside = bench.root.path().join("aside");
                fs::rename(at(one), &aside).unwrap();
                fs::rename(at(other), at(one)).unwrap();
                fs::rename(&aside, at(other)).unwrap();
            }
        }
        Edit::Copy(from, to) => {
            let _ = at(from).is_file() && from != to && make_way(to) && fs::copy(at(from), at(to)).is_ok();
        }
        Edit::Ignore(Some(rule)) => bench.write(".chatbotctlignore", rule),
        Edit::Ignore(None) => bench.delete(".chatbotctlignore"),
        Edit::Describe(Some(path)) => {
            bench.write(
                "documents.yaml",
                format!("documents: [{{path: {path}, id: given, title: Given, description: Said, tags: [one, two]}}]"),
            );
        }
        Edit::Describe(None) => bench.delete("documents.yaml"),
    }
}

/// The file system counts in steps: a change within one of them shows by nothing, and to see it is the two seconds'
/// business, which the clock of these tests takes away.
fn write_secretly(file: &std::path::Path, number: u8) {
    let Ok(before) = fs::metadata(file) else { return };
    let modified = before.modified().unwrap();
    let ctime = || walk::inode(&fs::metadata(file).unwrap()).0;
    // Where the system tells no such time, nothing but --checksum sees such a change.
    while ctime().is_some() && ctime() == walk::inode(&before).0 {
        fs::write(file, text(number)).unwrap();
        fs::File::options().write(true).open(file).unwrap().set_modified(modified).unwrap();
    }
}

/// An index that fails at a commit.
struct Crashing {
    inner: Arc<dyn VectorStore>,
    left: AtomicUsize,
    is_written: bool,
}

#[async_trait]
impl VectorStore for Crashing {
    async fn generation(&self) -> Result<u64, IndexError> {
        self.inner.generation().await
    }

    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        self.inner.records().await
    }

    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        self.inner.record(document_id).await
    }

    async fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, IndexError> {
        self.inner.chunks(document_id).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        self.inner.search(query).await
    }

    async fn apply(&self, changes: Vec<IndexChange>) -> Result<(), IndexError> {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return self.inner.apply(changes).await;
        }
        if self.is_written {
            self.inner.apply(changes).await?;
        }
        Err(IndexError::Backend { path: "index".to_owned(), message: "crashed".to_owned() })
    }
}

/// Does something once, after so many events.
struct At<'a> {
    left: Mutex<usize>,
    what: &'a (dyn Fn() + Send + Sync),
}

impl Observer for At<'_> {
    fn observe(&self, _event: Event) {
        let mut left = self.left.lock().unwrap();
        match *left {
            0 => {}
            1 => {
                *left = 0;
                (self.what)();
            }
            _ => *left -= 1,
        }
    }
}

struct World {
    bench: Bench,
    index: Arc<dyn VectorStore>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new(make: fn(&Bench) -> Arc<dyn VectorStore>, is_late: bool) -> Self {
        let bench = if is_late { Bench::with(Box::new(Tomorrow)) } else { Bench::with(Box::new(SystemClock)) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { index: make(&bench), bench, runtime }
    }

    fn sync(&self, index: &Arc<dyn VectorStore>, how: How<'_>) -> Result<SyncReport, SyncError> {
        self.runtime.block_on(self.bench.sync_index(index, how))
    }

    fn take(&self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Edit(edit) => perform(&self.bench, edit),
            Step::Sync => {
                self.sync(&self.index, How::default()).unwrap();
                self.check()?;
            }
            Step::Crash { commit, is_written } => {
                let (inner, left) = (Arc::clone(&self.index), AtomicUsize::new(*commit));
                let crashing: Arc<dyn VectorStore> = Arc::new(Crashing { inner, left, is_written: *is_written });
                let outcome = self.sync(&crashing, How::default());
                prop_assert!(matches!(outcome, Ok(_) | Err(SyncError::Index(_))));
                self.check_whole()?;
            }
            Step::Stop(events) => {
                let stop = CancellationToken::new();
                let what = || stop.cancel();
                let observer = At { left: Mutex::new(*events), what: &what };
                self.sync(&self.index, How { observer: &observer, stop: stop.clone(), ..How::default() }).unwrap();
                self.check_whole()?;
            }
            Step::Meanwhile(events, edit) => {
                let what = || perform(&self.bench, edit);
                let observer = At { left: Mutex::new(*events), what: &what };
                self.sync(&self.index, How { observer: &observer, ..How::default() }).unwrap();
                self.check_whole()?;
            }
            Step::Twice => {
                let one = self.bench.sync_index(&self.index, How::default());
                let other = self.bench.sync_index(&self.index, How::default());
                let (one, other) = self.runtime.block_on(async { tokio::join!(one, other) });
                for outcome in [one, other] {
                    prop_assert!(matches!(outcome, Ok(_) | Err(SyncError::Locked(_))), "{:?}", outcome);
                }
                self.check()?;
            }
        }
        Ok(())
    }

    fn contents(&self, index: &Arc<dyn VectorStore>) -> BTreeMap<String, (DocumentRecord, Vec<Chunk>)> {
        self.runtime.block_on(async {
            let mut contents = BTreeMap::new();
            for record in index.records().await.unwrap() {
                let chunks = index.chunks(&record.document_id).await.unwrap();
                let twice = contents.insert(record.path.clone(), (record, chunks));
                assert!(twice.is_none(), "two documents of one path");
            }
            contents
        })
    }

    /// Every document has its chunks, all of them and no others.
    fn check_whole(&self) -> Result<(), TestCaseError> {
        for (path, (record, chunks)) in self.contents(&self.index) {
            prop_assert_eq!(chunks.len(), record.chunks as usize, "{}", path);
            prop_assert!(chunks.iter().all(|chunk| chunk.document_id == record.document_id), "{}", path);
        }
        Ok(())
    }

    /// The ids of the documents that cannot be read. What the index has of them stays, wherever it stood.
    fn bad_ids(&self, report: &SyncReport) -> Vec<String> {
        let stop = CancellationToken::new();
        let looking = Looking {
            observer: &Silent,
            clock: &*self.bench.clock,
            stop: &stop,
            checksum: false,
            retry_failed: false,
            max_bytes: format::max_bytes,
        };
        let scan = self.runtime.block_on(async {
            let records = self.index.records().await.unwrap();
            scan(&self.bench.folders(), &records, looking).await.unwrap()
        });
        let is_bad = |path: &String| report.problems.iter().any(|problem| problem.path == *path);
        scan.files.into_iter().filter(|scanned| is_bad(&scanned.file.path)).map(|scanned| scanned.document_id).collect()
    }

    /// The index is what an index made of this folder from nothing would be, save for ids (which stay) and for what
    /// is damaged (whose old version stays).
    fn check(&self) -> Result<(), TestCaseError> {
        self.check_whole()?;
        let fresh: Arc<dyn VectorStore> = Arc::new(MemoryIndex::default());
        let report = self.sync(&fresh, How::default()).unwrap();
        let (mut found, expected) = (self.contents(&self.index), self.contents(&fresh));
        let is_bad = |path: &String| report.problems.iter().any(|problem| problem.path == **path);
        let majority = Majority::of(found.values().map(|(record, _)| record)).language_or_default();
        let bad_ids = self.bad_ids(&report);
        let stays = |record: &DocumentRecord| bad_ids.contains(&record.document_id);
        let is_alone = !found.iter().any(|(path, (record, _))| is_bad(path) || stays(record));
        found.retain(|path, (record, _)| expected.contains_key(path) || !(is_bad(path) || stays(record)));
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (path, (wanted, wanted_chunks)) in &expected {
            let (record, chunks) = &found[path];
            let what = |record: &DocumentRecord| (record.sha256.clone(), record.title.clone(), record.recipe.clone());
            prop_assert_eq!(what(record), what(wanted), "{}", path);
            let said = |record: &DocumentRecord| (record.description.clone(), record.tags.clone());
            prop_assert_eq!(said(record), said(wanted), "{}", path);
            // The old version of what is damaged counts, too, and a fresh index has none.
            let language = if wanted.language_borrowed && !is_alone { &majority } else { &wanted.language };
            prop_assert_eq!(
                (&record.language, record.language_borrowed),
                (language, wanted.language_borrowed),
                "{}",
                path
            );
            let texts = |chunks: &[Chunk]| chunks.iter().map(|chunk| chunk.text.clone()).collect::<Vec<_>>();
            prop_assert_eq!(texts(chunks), texts(wanted_chunks), "{}", path);
        }
        Ok(())
    }
}

fn run(steps: &[Step], make: fn(&Bench) -> Arc<dyn VectorStore>, is_late: bool) -> Result<(), TestCaseError> {
    let world = World::new(make, is_late);
    for step in steps {
        world.take(step)?;
    }
    world.take(&Step::Sync)?;
    let again = world.sync(&world.index, How { observer: &Silent, ..How::default() }).unwrap();
    prop_assert!(!again.has_changes(), "{:?}", again);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a switch of the test run, not a setting of the program")]
fn cases(few: u32, many: u32) -> ProptestConfig {
    ProptestConfig::with_cases(if std::env::var_os("CHATBOTCTL_SLOW").is_some() { many } else { few })
}

proptest! {
    #![proptest_config(cases(200, 5_000))]

    #[test]
    fn the_index_ends_equal_to_the_folder(
        steps in proptest::collection::vec(step(), 1..24),
        is_late in any::<bool>(),
    ) {
        run(&steps, |bench| bench.memory.clone(), is_late)?;
    }
}

proptest! {
    #![proptest_config(cases(12, 200))]

    #[test]
    fn so_does_the_real_index(steps in proptest::collection::vec(step(), 1..16), is_late in any::<bool>()) {
        run(&steps, |bench| Arc::new(LocalIndex::open(&bench.folders().state_dir).unwrap()), is_late)?;
    }
}
