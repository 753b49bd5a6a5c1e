//! What happens while a question waits for its answer.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ingest::tests::bench::{Bench, How, counts};
use crate::ingest::{SyncOptions, lock};

/// Ten documents, nine of them in a folder that is moved away.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("a.md", "Here.");
    (0..9).for_each(|n| bench.write(&format!("s/{n}.md"), format!("Text {n}.")));
    bench.sync();
    fs::rename(bench.docs().join("s"), bench.root.path().join("away")).unwrap();
    bench
}

#[test]
fn what_comes_back_during_the_question_is_not_removed() {
    let bench = bench();
    let ask = |_: &str| fs::rename(bench.root.path().join("away"), bench.docs().join("s")).is_ok();
    let report = bench.sync_as(How { ask: &ask, ..How::default() }).unwrap();
    assert_eq!(counts(&report), [0, 0, 0, 10]);
    assert_eq!(bench.records().len(), 10);
}

#[test]
fn a_question_keeps_no_other_sync_waiting() {
    let bench = bench();
    let ask = |_: &str| lock::acquire(&bench.folders().state_dir).is_ok();
    let report = bench.sync_as(How { ask: &ask, ..How::default() }).unwrap();
    assert_eq!(counts(&report), [0, 0, 9, 1]);
}

#[test]
fn an_answer_counts_for_no_more_than_what_was_asked() {
    let bench = bench();
    let asked = AtomicUsize::new(0);
    let ask = |question: &str| {
        bench.delete("a.md");
        let times = asked.fetch_add(1, Ordering::Relaxed);
        assert!(question.starts_with(["9 of 10", "all 10"][times]), "{question}");
        times == 0
    };
    assert!(bench.sync_as(How { ask: &ask, ..How::default() }).is_err());
    assert_eq!((asked.load(Ordering::Relaxed), bench.records().len()), (2, 10));
    // Who allowed it beforehand is not asked.
    let options = SyncOptions { allow_delete: true, ..SyncOptions::default() };
    let report = bench.sync_as(How { ask: &|_| panic!("asked"), options, ..How::default() }).unwrap();
    assert_eq!(counts(&report), [0, 0, 10, 0]);
}
