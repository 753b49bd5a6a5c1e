//! What the tests of this engine work on.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::docs::ReadFile;
use crate::docs::reader::{InProcess, ReadError, Reader};
use crate::docs::walk::FoundFile;
use crate::event::{Observer, Silent};
use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::ingest::{Folders, SyncContext, SyncError, SyncOptions, SyncReport, sync};
use crate::model::{Chunk, DocumentRecord, Hit};

/// An index in memory.
#[derive(Default)]
pub(super) struct MemoryIndex {
    pub(super) documents: Mutex<BTreeMap<String, (DocumentRecord, Vec<Chunk>)>>,
}

#[async_trait]
impl VectorStore for MemoryIndex {
    async fn generation(&self) -> Result<u64, IndexError> {
        Ok(0)
    }

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

/// A folder of documents, a state folder and an index.
pub(super) struct Bench {
    pub(super) root: tempfile::TempDir,
    pub(super) memory: Arc<MemoryIndex>,
    /// Shown to the sync as the present.
    pub(super) clock: Box<dyn Clock>,
}

/// Later than the system's clock, so that a file just written looks as if it had lain there for long.
pub(super) struct Tomorrow;

impl Clock for Tomorrow {
    fn now(&self) -> Timestamp {
        SystemClock.now() + jiff::SignedDuration::from_hours(24)
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Box::new(SystemClock))
    }

    pub(super) fn with(clock: Box<dyn Clock>) -> Self {
        let bench = Self { root: tempfile::tempdir().unwrap(), memory: Arc::default(), clock };
        fs::create_dir(bench.docs()).unwrap();
        bench
    }

    pub(super) fn docs(&self) -> PathBuf {
        self.root.path().join("docs")
    }

    pub(super) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.docs().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(super) fn delete(&self, path: &str) {
        let _ = fs::remove_file(self.docs().join(path));
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        let to = self.docs().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.docs().join(from), to).unwrap();
    }

    pub(super) fn folders(&self) -> Folders {
        Folders { docs_dir: self.docs(), state_dir: self.root.path().join("state") }
    }

    /// A sync of the index in memory.
    pub(super) fn sync_as(&self, how: How<'_>) -> Result<SyncReport, SyncError> {
        let index: Arc<dyn VectorStore> = self.memory.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(self.sync_index(&index, how))
    }

    /// A sync of any index.
    pub(super) async fn sync_index(&self, index: &Arc<dyn VectorStore>, how: How<'_>) -> Result<SyncReport, SyncError> {
        let ask = |question: &str| Ok((how.ask)(question));
        let context = SyncContext {
            reader: how.reader,
            observer: how.observer,
            ask: &ask,
            clock: &*self.clock,
            stop: &how.stop,
            options: how.options,
        };
        sync(index, &self.folders(), context).await
    }

    pub(super) fn sync(&self) -> SyncReport {
        self.sync_as(How::default()).unwrap()
    }

    pub(super) fn records(&self) -> BTreeMap<String, DocumentRecord> {
        let documents = self.memory.documents.lock().unwrap();
        documents.values().map(|(record, _)| (record.path.clone(), record.clone())).collect()
    }
}

/// How a sync is run.
#[derive(Clone)]
pub(super) struct How<'a> {
    pub(super) observer: &'a dyn Observer,
    pub(super) reader: &'a dyn Reader,
    pub(super) ask: &'a (dyn Fn(&str) -> bool + Send + Sync),
    pub(super) stop: CancellationToken,
    pub(super) options: SyncOptions,
}

impl Default for How<'_> {
    /// In silence, with a yes to every question.
    fn default() -> Self {
        Self {
            observer: &Silent,
            reader: &InProcess,
            ask: &|_| true,
            stop: CancellationToken::new(),
            options: SyncOptions::default(),
        }
    }
}

/// Long enough to tell its language.
pub(super) const GERMAN: &str = "Dieser Text ist auf Deutsch geschrieben und lang genug, um die Sprache sicher zu erkennen. Er handelt von \
     Bestellungen, Lieferungen und Rechnungen unseres kleinen Unternehmens.";

/// The same in English.
pub(super) const ENGLISH: &str = "This text is written in English and is long enough to tell the language with certainty. It is about the orders, \
     the deliveries and the invoices of our small company.";

/// A reader that counts what it reads.
#[derive(Default)]
pub(super) struct Counting(pub(super) AtomicUsize);

impl Counting {
    pub(super) fn taken(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl Reader for Counting {
    async fn read(&self, file: &FoundFile) -> Result<ReadFile, ReadError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        InProcess.read(file).await
    }
}

/// Added, updated, removed, unchanged.
pub(super) fn counts(report: &SyncReport) -> [usize; 4] {
    [report.added, report.updated, report.removed, report.unchanged]
}
