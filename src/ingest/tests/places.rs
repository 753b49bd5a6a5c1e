//! Names that change hands: rotations, swaps, and what is moved over something else. Ids follow contents.

use std::collections::BTreeMap;

use crate::ingest::tests::bench::{Bench, Counting, How, counts};

/// The id of each path.
fn ids(bench: &Bench) -> BTreeMap<String, String> {
    bench.records().into_iter().map(|(path, record)| (path, record.document_id)).collect()
}

fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(path, id)| ((*path).to_owned(), (*id).to_owned())).collect()
}

/// `r1.md` to `r3.md`, and some that stay.
fn bench() -> Bench {
    let bench = Bench::new();
    (1..4).for_each(|n| bench.write(&format!("r{n}.md"), format!("Text {n}.")));
    bench.sync();
    bench
}

fn swap(bench: &Bench, one: &str, other: &str) {
    bench.rename(one, "aside");
    bench.rename(other, one);
    bench.rename("aside", other);
}

#[test]
fn names_that_rotate_take_their_ids_along() {
    let bench = bench();
    for (from, to) in [("r3.md", "r4.md"), ("r2.md", "r3.md"), ("r1.md", "r2.md")] {
        bench.rename(from, to);
    }
    let reader = Counting::default();
    let report = bench.sync_as(How { reader: &reader, ask: &|_| false, ..How::default() }).unwrap();
    assert_eq!((counts(&report), report.renamed, reader.taken()), ([0, 3, 0, 0], 3, 0));
    assert_eq!(ids(&bench), expected(&[("r2.md", "r1"), ("r3.md", "r2"), ("r4.md", "r3")]));
    // All the way round, with a new first one: its name's id is another's now.
    bench.rename("r4.md", "aside");
    for (from, to) in [("r3.md", "r4.md"), ("r2.md", "r3.md"), ("aside", "r2.md")] {
        bench.rename(from, to);
    }
    bench.write("r1.md", "New.");
    assert_eq!(counts(&bench.sync()), [1, 3, 0, 0]);
    let mut after = ids(&bench);
    assert!(after.remove("r1.md").unwrap().starts_with("r1_"));
    assert_eq!(after, expected(&[("r2.md", "r3"), ("r3.md", "r1"), ("r4.md", "r2")]));
    assert_eq!(counts(&bench.sync()), [0, 0, 0, 4]);
}

#[test]
fn documents_that_change_places_keep_their_ids() {
    let bench = bench();
    swap(&bench, "r1.md", "r2.md");
    let report = bench.sync();
    assert_eq!((counts(&report), report.renamed), ([0, 2, 0, 1], 2));
    assert_eq!(ids(&bench), expected(&[("r1.md", "r2"), ("r2.md", "r1"), ("r3.md", "r3")]));
    let chunk = &bench.memory.documents.lock().unwrap()["r2"].1[0];
    assert!(chunk.text.contains("Text 2."), "{}", chunk.text);
}

#[test]
fn given_ids_stay_where_they_are_given() {
    let bench = bench();
    bench.write("documents.yaml", "documents: [{path: r1.md, id: first}, {path: r2.md, id: second}]");
    bench.sync();
    bench.write("documents.yaml", "documents: [{path: r1.md, id: first}]");
    swap(&bench, "r1.md", "r2.md");
    let report = bench.sync();
    assert_eq!((counts(&report), report.renamed), ([0, 2, 0, 1], 0));
    assert_eq!(ids(&bench), expected(&[("r1.md", "first"), ("r2.md", "second"), ("r3.md", "r3")]));
    assert!(bench.memory.documents.lock().unwrap()["first"].1[0].text.contains("Text 2."));
}

#[test]
fn what_is_moved_over_another_document_counts_as_its_removal() {
    let bench = bench();
    bench.rename("r1.md", "r3.md");
    assert_eq!(counts(&bench.sync()), [0, 1, 1, 1]);
    assert_eq!(ids(&bench), expected(&[("r2.md", "r2"), ("r3.md", "r1")]));
    // So many of them need a word, like any other removal.
    (0..3).for_each(|n| bench.write(&format!("a{n}.md"), format!("A {n}.")));
    (0..3).for_each(|n| bench.write(&format!("b{n}.md"), format!("B {n}.")));
    bench.sync();
    (0..3).for_each(|n| bench.rename(&format!("a{n}.md"), &format!("b{n}.md")));
    assert!(bench.sync_as(How { ask: &|_| false, ..How::default() }).is_err());
}

/// A sync that ends between two commits of a chain leaves two records of one path.
#[test]
fn half_of_a_rotation_is_finished_by_the_next_sync() {
    let bench = bench();
    for (from, to) in [("r3.md", "r4.md"), ("r2.md", "r3.md"), ("r1.md", "r2.md")] {
        bench.rename(from, to);
    }
    bench.memory.documents.lock().unwrap().get_mut("r1").unwrap().0.path = "r2.md".to_owned();
    assert_eq!(counts(&bench.sync()), [0, 2, 0, 1]);
    assert_eq!(ids(&bench), expected(&[("r2.md", "r1"), ("r3.md", "r2"), ("r4.md", "r3")]));
}

/// A document that cannot be read any more is there all the same: its folder is not empty.
#[test]
fn an_earlier_version_that_stays_counts_as_unchanged_and_holds_its_folder() {
    let bench = Bench::new();
    (0..20).for_each(|n| bench.write(&format!("k/{n}.md"), format!("Text {n}.")));
    (0..3).for_each(|n| bench.write(&format!("s/{n}.md"), format!("Sub {n}.")));
    bench.sync();
    bench.write("s/0.md", b"\0\0\0\x01\x02 binary");
    bench.sync();
    assert_eq!(counts(&bench.sync()), [0, 0, 0, 23]);
    (1..3).for_each(|n| bench.delete(&format!("s/{n}.md")));
    let report = bench.sync_as(How { ask: &|_| false, ..How::default() }).unwrap();
    assert_eq!((counts(&report), report.problems.len()), ([0, 0, 2, 21], 1));
    assert!(bench.records().contains_key("s/0.md"));
}
