//! An index that finds the same for every question, and fails when a test says so.

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::index::{IndexChange, IndexError, SearchQuery, VectorStore};
use crate::model::{BlockKind, Chunk, DocumentRecord, Hit, Locator, Span};

pub const CHUNK: &str = "Unused items can be returned within 30 days.";

/// How an index fares.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    Fine,
    Fails,
    Panics,
}

/// An index of a few records that finds the same chunk for every question.
pub struct TestIndex {
    pub records: Mutex<Vec<DocumentRecord>>,
    pub title: Mutex<String>,
    pub description: Mutex<Option<String>>,
    pub mood: Mutex<Mood>,
}

impl TestIndex {
    pub fn new() -> Self {
        Self {
            records: Mutex::new(vec![record("refund_policy", "refund_policy.md")]),
            title: Mutex::new("Refund Policy".to_owned()),
            description: Mutex::new(None),
            mood: Mutex::new(Mood::Fine),
        }
    }

    fn check(&self) -> Result<(), IndexError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Fine => Ok(()),
            Mood::Fails => Err(IndexError::Backend { path: "index".to_owned(), message: "secret cause".to_owned() }),
            Mood::Panics => panic!("a bug in an index"),
        }
    }
}

pub fn record(id: &str, path: &str) -> DocumentRecord {
    DocumentRecord {
        document_id: id.to_owned(),
        path: path.to_owned(),
        title: "Refund Policy".to_owned(),
        description: None,
        tags: Vec::new(),
        roles: Vec::new(),
        language: None,
        sha256: String::new(),
        recipe: String::new(),
        bytes: 0,
        modified_ns: None,
        ctime_ns: None,
        inode: None,
        language_borrowed: false,
        title_from_name: false,
        format: String::new(),
        indexed_at: Timestamp::UNIX_EPOCH,
        chunks: 1,
    }
}

fn chunk() -> Chunk {
    let locator = Locator { page: Some(2), heading: Some("Returns".to_owned()), ..Locator::default() };
    let span = Span { start: 0, end: CHUNK.len(), kind: BlockKind::Paragraph, locator: locator.clone() };
    Chunk {
        chunk_id: "chunk".to_owned(),
        document_id: "refund_policy".to_owned(),
        ordinal: 0,
        text: CHUNK.to_owned(),
        heading_path: vec!["Returns".to_owned()],
        locator,
        spans: vec![span],
    }
}

#[async_trait]
impl VectorStore for TestIndex {
    async fn generation(&self) -> Result<u64, IndexError> {
        self.check()?;
        Ok(0)
    }

    async fn records(&self) -> Result<Vec<DocumentRecord>, IndexError> {
        self.check()?;
        Ok(self.records.lock().unwrap().clone())
    }

    async fn record(&self, document_id: &str) -> Result<Option<DocumentRecord>, IndexError> {
        self.check()?;
        let records = self.records.lock().unwrap();
        Ok(records.iter().find(|record| record.document_id == document_id).cloned())
    }

    async fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, IndexError> {
        self.check()?;
        Ok(if document_id == "refund_policy" { vec![chunk()] } else { Vec::new() })
    }

    async fn search(&self, _query: &SearchQuery) -> Result<Vec<Hit>, IndexError> {
        self.check()?;
        let title = self.title.lock().unwrap().clone();
        Ok(vec![Hit {
            chunk: chunk(),
            path: "refund_policy.md".to_owned(),
            title,
            description: self.description.lock().unwrap().clone(),
            language: None,
            score: 1.0,
        }])
    }

    async fn apply(&self, _changes: Vec<IndexChange>) -> Result<(), IndexError> {
        self.check()
    }
}
