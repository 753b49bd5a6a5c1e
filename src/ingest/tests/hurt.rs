//! What must not hurt: renames, bad files that stay bad, files changed behind our back, removals, a second sync.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::docs::ReadFile;
use crate::docs::format::FormatError;
use crate::docs::reader::{ReadError, Reader};
use crate::docs::walk::{self, FoundFile};
use crate::error::Failure;
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::ingest::tests::bench::{Bench, Counting, How, Tomorrow, counts};
use crate::ingest::{SyncOptions, lock};

#[test]
fn a_renamed_folder_is_not_read_again_and_keeps_its_ids() {
    let bench = Bench::new();
    for n in 0..200 {
        bench.write(&format!("old/{n}/page.md"), format!("Text {}.", n / 2));
    }
    bench.write("old/named.txt", "No heading here.");
    bench.write("old/titled.md", "# Own Title\n\nText of it.");
    bench.sync();
    let before = bench.records();
    bench.rename("old", "new");
    bench.rename("new/named.txt", "new/other name.txt");
    let reader = Counting::default();
    let report = bench.sync_as(How { reader: &reader, ask: &|_| false, ..How::default() }).unwrap();
    assert_eq!((counts(&report), report.renamed), ([0, 202, 0, 0], 202));
    assert_eq!(reader.taken(), 0);
    let after = bench.records();
    for n in 0..200 {
        let (old, new) = (&before[&format!("old/{n}/page.md")], &after[&format!("new/{n}/page.md")]);
        assert_eq!((&old.document_id, old.chunks), (&new.document_id, new.chunks));
    }
    let named = (&before["old/named.txt"], &after["new/other name.txt"]);
    assert_eq!(named.0.document_id, named.1.document_id);
    assert_eq!((named.0.title.as_str(), named.1.title.as_str()), ("Named", "Other Name"));
    assert_eq!(after["new/titled.md"].title, "Own Title");
    assert_eq!(counts(&bench.sync()), [0, 0, 0, 202]);
}

#[test]
fn a_name_that_reads_otherwise_is_read_again_under_its_id() {
    let bench = Bench::new();
    bench.write("a.txt", "# Not a heading");
    bench.write("b.md", "Two.");
    bench.sync();
    bench.rename("a.txt", "a.md");
    bench.rename("b.md", "c.md");
    bench.write("documents.yaml", "documents: [{path: c.md, title: Given}]");
    let reader = Counting::default();
    let report = bench.sync_as(How { reader: &reader, ..How::default() }).unwrap();
    assert_eq!((report.renamed, reader.taken()), (0, 2));
    let records = bench.records();
    assert_eq!((records["a.md"].title.as_str(), records["c.md"].title.as_str()), ("Not a heading", "Given"));
    assert_eq!(records["c.md"].document_id, "b");
}

#[test]
fn an_unchanged_bad_file_is_told_but_not_read_again() {
    let bench = Bench::new();
    bench.write("good.md", "Good.");
    bench.write("bad.md", b"\0\0\0\x01\x02 binary");
    let reader = Counting::default();
    let how = |options| How { reader: &reader, options, ..How::default() };
    let first = bench.sync_as(how(SyncOptions::default())).unwrap();
    assert_eq!(reader.taken(), 2);
    let second = bench.sync_as(how(SyncOptions::default())).unwrap();
    assert_eq!((reader.taken(), counts(&second)), (0, [0, 0, 0, 1]));
    assert_eq!(first.problems, second.problems);
    let again = SyncOptions { retry_failed: true, ..SyncOptions::default() };
    bench.sync_as(how(again)).unwrap();
    assert_eq!(reader.taken(), 1);
    bench.write("bad.md", "Better.");
    let report = bench.sync_as(how(SyncOptions::default())).unwrap();
    assert_eq!((reader.taken(), counts(&report), report.problems.len()), (1, [1, 0, 0, 1], 0));
    // The memory of failures is no truth: without it, a bad file is read once more.
    bench.write("bad.md", b"\0\0\0\x01\x02 binary");
    bench.sync();
    fs::write(bench.folders().state_dir.join("failed-documents.json"), "{broken").unwrap();
    let report = bench.sync_as(how(SyncOptions::default())).unwrap();
    assert_eq!((reader.taken(), report.problems.len()), (1, 1));
}

/// A reader that fails on everything in this way.
struct Refusing(FormatError);

#[async_trait]
impl Reader for Refusing {
    async fn read(&self, _file: &FoundFile) -> Result<ReadFile, ReadError> {
        Err(self.0.clone().into())
    }
}

#[test]
fn a_renamed_document_that_can_no_longer_be_read_keeps_its_text() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    bench.write("z.md", "Two.");
    bench.sync();
    // As if an earlier reader had made it.
    bench.memory.documents.lock().unwrap().values_mut().for_each(|(record, _)| record.recipe = "older".to_owned());
    bench.rename("a.md", "b.md");
    let refusing = Refusing(FormatError::Crashed("for the test".to_owned()));
    let report = bench.sync_as(How { reader: &refusing, ..How::default() }).unwrap();
    assert_eq!((report.removed, report.problems.len()), (0, 2));
    assert_eq!(bench.records()["b.md"].document_id, "a");
    assert_eq!(bench.records().len(), 2);
}

#[test]
fn what_the_system_did_is_not_remembered_of_a_document() {
    for (error, is_passing) in [
        (FormatError::Killed("for the test".to_owned()), true),
        (FormatError::Late(40), true),
        (FormatError::Unreadable("for the test".to_owned()), true),
        (FormatError::Crashed("for the test".to_owned()), false),
        (FormatError::TimedOut(10), false),
    ] {
        let bench = Bench::new();
        bench.write("a.md", "One.");
        bench.sync_as(How { reader: &Refusing(error.clone()), ..How::default() }).unwrap();
        assert_eq!(bench.sync().added, usize::from(is_passing), "{error}");
    }
}

/// Equal size and equal modification time say nothing: a copy of a backup put back looks like that.
#[cfg(unix)]
#[test]
fn what_was_changed_behind_our_back_is_seen() {
    let bench = Bench::with(Box::new(Tomorrow));
    let file = bench.docs().join("a.md");
    bench.write("a.md", "One.");
    bench.write("b.md", "Two.");
    bench.sync();
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let put_back = |text: &str| {
        let ctime = || walk::inode(&fs::metadata(&file).unwrap()).0;
        let before = ctime();
        // The clock of the file system has coarse steps; a change within one of them is what the two seconds are for.
        while ctime() == before {
            fs::write(&file, text).unwrap();
            fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
        }
    };
    put_back("Uno.");
    assert_eq!(counts(&bench.sync()), [0, 1, 0, 1]);
    let other = bench.docs().join("other");
    fs::write(&other, "Eins").unwrap();
    fs::File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
    fs::rename(&other, &file).unwrap();
    assert_eq!(counts(&bench.sync()), [0, 1, 0, 1]);
    assert_eq!(counts(&bench.sync()), [0, 0, 0, 2]);
}

#[test]
fn checksum_hashes_what_looks_untouched() {
    let bench = Bench::with(Box::new(Tomorrow));
    bench.write("a.md", "One.");
    bench.sync();
    bench.memory.documents.lock().unwrap().values_mut().for_each(|(record, _)| record.sha256 = "other".to_owned());
    assert_eq!(counts(&bench.sync()), [0, 0, 0, 1]);
    let options = SyncOptions { checksum: true, ..SyncOptions::default() };
    assert_eq!(counts(&bench.sync_as(How { options, ..How::default() }).unwrap()), [0, 1, 0, 0]);
}

#[test]
fn without_an_answer_nothing_at_all_is_changed() {
    let bench = Bench::new();
    (0..10).for_each(|n| bench.write(&format!("{n}.md"), format!("Text {n}.")));
    (0..3).for_each(|n| bench.write(&format!("sub/s{n}.md"), format!("Sub {n}.")));
    bench.sync();
    let refused = || {
        let error = bench.sync_as(How { ask: &|_| false, ..How::default() }).unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.exit, Exit::Undecided);
        assert!(failure.fix.unwrap().contains("--allow-delete"));
        failure.why
    };
    bench.write("new.md", "New.");
    fs::remove_dir_all(bench.docs().join("sub")).unwrap();
    let why = refused();
    assert!(why.contains("3 of 13 documents"), "{why}");
    assert!(!bench.records().contains_key("new.md"));
    // An ignore rule may reach further than was meant.
    (0..3).for_each(|n| bench.write(&format!("sub/s{n}.md"), format!("Sub {n}.")));
    bench.write(".chatbotctlignore", "*.md\n");
    assert!(refused().contains("all 13 documents"));
    bench.write(".chatbotctlignore", "0.md\n");
    let report = bench.sync_as(How { ask: &|_| false, ..How::default() }).unwrap();
    assert_eq!(counts(&report), [1, 0, 1, 12]);
    assert!(report.skipped.iter().any(|skipped| skipped.reason == "ignored by `0.md` in .chatbotctlignore"));
}

#[tokio::test]
async fn another_sync_is_waited_for() {
    let bench = Bench::new();
    bench.write("a.md", "One.");
    let held = lock::acquire(&bench.folders().state_dir).unwrap();
    let index: Arc<dyn VectorStore> = bench.memory.clone();
    let options = SyncOptions { wait: Duration::from_mins(1), ..SyncOptions::default() };
    let (report, ()) = tokio::join!(bench.sync_index(&index, How { options, ..How::default() }), async move {
        tokio::task::yield_now().await;
        drop(held);
    });
    assert_eq!(counts(&report.unwrap()), [1, 0, 0, 0]);
}
