//! What is kept: by an interruption or a kill, while one document takes long, and of what can no longer be read.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use crate::docs::ReadFile;
use crate::docs::reader::{InProcess, ReadError, Reader};
use crate::docs::walk::FoundFile;
use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::ingest::tests::bench::{Bench, Counting, ENGLISH, GERMAN, How, MemoryIndex, counts};
use crate::model::{Chunk, DocumentRecord, Hit};

/// Takes for ever for what is called slow.
struct Slow;

#[async_trait]
impl Reader for Slow {
    async fn read(&self, file: &FoundFile) -> Result<ReadFile, ReadError> {
        if file.path.contains("slow") { std::future::pending().await } else { InProcess.read(file).await }
    }

    fn width(&self) -> usize {
        3
    }
}

/// Whatever is read first: nothing of the others is lost when the program is killed then.
#[tokio::test]
async fn slow_documents_hold_up_no_others() {
    let bench = Bench::new();
    bench.write("0-slow.md", "Slow.");
    (0..300).for_each(|n| bench.write(&format!("{n}.md"), format!("Text {n}.")));
    bench.write("z-slow.md", "Slow.");
    let index: Arc<dyn VectorStore> = bench.memory.clone();
    let syncing = bench.sync_index(&index, How { reader: &Slow, ..How::default() });
    let all_there = async {
        while bench.records().len() < 300 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = syncing => panic!("it cannot end"),
        () = all_there => {}
        () = tokio::time::sleep(Duration::from_mins(1)) => panic!("{} documents", bench.records().len()),
    }
}

/// Gives what it reads in another order than asked.
struct Shuffled;

#[async_trait]
impl Reader for Shuffled {
    async fn read(&self, file: &FoundFile) -> Result<ReadFile, ReadError> {
        let number = file.path.bytes().map(u64::from).sum::<u64>();
        tokio::time::sleep(Duration::from_millis(number * 7 % 40)).await;
        InProcess.read(file).await
    }

    fn width(&self) -> usize {
        8
    }
}

/// An index that notes the order in which documents come.
#[derive(Default)]
struct Noting {
    inner: MemoryIndex,
    order: Mutex<Vec<String>>,
}

#[async_trait]
impl VectorStore for Noting {
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
        let put = changes.iter().filter_map(|change| match change {
            IndexChange::Put { record, .. } => Some(record.path.clone()),
            _ => None,
        });
        self.order.lock().unwrap().extend(put);
        self.inner.apply(changes).await
    }
}

#[tokio::test]
async fn the_order_of_reading_is_not_the_order_of_the_index() {
    let bench = Bench::new();
    (0..30).for_each(|n| bench.write(&format!("{n:02}.md"), format!("Text {n}.")));
    let noting = Arc::new(Noting::default());
    let index: Arc<dyn VectorStore> = noting.clone();
    bench.sync_index(&index, How { reader: &Shuffled, ..How::default() }).await.unwrap();
    let order = noting.order.lock().unwrap().clone();
    assert_eq!(order, (0..30).map(|n| format!("{n:02}.md")).collect::<Vec<String>>());
}

#[test]
fn borrowed_languages_follow_the_folder() {
    let bench = Bench::new();
    let language = |path: &str| bench.records()[path].language.clone().unwrap();
    bench.write("german.md", GERMAN);
    bench.write("short.md", "Note.");
    bench.sync();
    assert_eq!(language("short.md"), "deu");
    (0..8).for_each(|n| bench.write(&format!("{n}.md"), format!("{ENGLISH} Number {n}.")));
    let reader = Counting::default();
    let report = bench.sync_as(How { reader: &reader, ..How::default() }).unwrap();
    assert_eq!((counts(&report), reader.taken()), ([8, 0, 0, 2], 8));
    assert_eq!((language("short.md"), language("german.md")), ("eng".to_owned(), "deu".to_owned()));
    (0..8).for_each(|n| bench.delete(&format!("{n}.md")));
    let report = bench.sync_as(How { reader: &reader, ..How::default() }).unwrap();
    assert_eq!((counts(&report), reader.taken()), ([0, 0, 8, 2], 0));
    assert_eq!((language("short.md"), language("german.md")), ("deu".to_owned(), "deu".to_owned()));
}

#[test]
fn a_moved_document_that_is_damaged_leaves_its_old_version() {
    let bench = Bench::new();
    bench.write("old/x.md", "One.");
    bench.write("y.md", "Two.");
    bench.sync();
    bench.delete("old/x.md");
    bench.write("new/x.md", b"\0\0\0\x01\x02 binary");
    for _ in 0..2 {
        let report = bench.sync_as(How { ask: &|_| false, ..How::default() }).unwrap();
        assert_eq!((report.removed, report.problems.len()), (0, 1));
        assert_eq!(bench.records()["old/x.md"].document_id, "x");
    }
    // Another document at the old path stands for what was there.
    bench.write("documents.yaml", "documents: [{path: new/x.md, id: x}]");
    bench.write("old/x.md", "Three.");
    bench.sync();
    let paths: Vec<String> = bench.records().into_keys().collect();
    assert_eq!((paths, bench.memory.documents.lock().unwrap().len()), (vec!["old/x.md".into(), "y.md".into()], 2));
    bench.delete("documents.yaml");
    bench.write("new/x.md", "Better.");
    bench.sync();
    assert_eq!(bench.records().len(), 3);
}
