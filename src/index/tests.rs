//! The contract of an index, one story run for every backend.

use jiff::Timestamp;

use super::*;
use crate::model::{BlockKind, Locator, Span};

pub(crate) fn record(id: &str, title: &str, chunks: u32) -> DocumentRecord {
    DocumentRecord {
        document_id: id.into(),
        path: format!("{id}.md"),
        title: title.into(),
        description: None,
        tags: Vec::new(),
        roles: Vec::new(),
        language: Some("eng".into()),
        language_borrowed: false,
        sha256: String::new(),
        recipe: String::new(),
        bytes: 1,
        modified_ns: None,
        ctime_ns: None,
        inode: None,
        title_from_name: false,
        format: String::new(),
        indexed_at: Timestamp::UNIX_EPOCH,
        chunks,
    }
}

pub(crate) fn put(id: &str, title: &str, texts: &[&str]) -> IndexChange {
    let chunks = texts
        .iter()
        .enumerate()
        .map(|(ordinal, text)| Chunk {
            chunk_id: format!("{id}-{ordinal}"),
            document_id: id.into(),
            ordinal: u32::try_from(ordinal).expect("few chunks"),
            text: (*text).into(),
            heading_path: Vec::new(),
            locator: Locator::default(),
            spans: vec![Span { start: 0, end: text.len(), kind: BlockKind::Paragraph, locator: Locator::default() }],
        })
        .collect::<Vec<_>>();
    IndexChange::Put { record: record(id, title, u32::try_from(texts.len()).expect("few chunks")), chunks }
}

pub(crate) fn query(text: &str) -> SearchQuery {
    SearchQuery { text: text.into(), limit: 5, distinct_documents: true }
}

pub(crate) async fn ids(index: &Arc<dyn VectorStore>, text: &str) -> Vec<String> {
    let hits = index.search(&query(text)).await.expect("search");
    hits.into_iter().map(|hit| hit.chunk.document_id).collect()
}

#[tokio::test]
async fn documents_are_found_replaced_and_removed() {
    for backend in BACKENDS {
        let folder = tempfile::tempdir().expect("a folder");
        let index = (backend.open)(folder.path()).expect("open");
        assert_eq!(ids(&index, "refund").await, Vec::<String>::new());
        index
            .apply(vec![
                put("returns", "Returns", &["Refunds reach your card in five days.", "Send lamps back."]),
                put("delivery", "Delivery", &["Parcels arrive within three days."]),
            ])
            .await
            .expect("apply");
        let chunks = index.chunks("returns").await.expect("chunks");
        let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
        assert_eq!(texts, ["Refunds reach your card in five days.", "Send lamps back."]);
        assert_eq!(index.chunks("unknown").await.expect("chunks"), Vec::new());
        assert_eq!(ids(&index, "When is my refund here?").await, ["returns"]);
        assert_eq!(ids(&index, "parcel refund").await.len(), 2);
        index.apply(vec![put("returns", "Returns", &["Nothing about money."])]).await.expect("apply");
        assert_eq!(ids(&index, "refund").await, Vec::<String>::new());
        index.apply(vec![IndexChange::Remove { document_id: "delivery".into() }]).await.expect("apply");
        assert_eq!(ids(&index, "parcel").await, Vec::<String>::new());
        let records = index.records().await.expect("records");
        assert_eq!(records.len(), 1);
    }
}

#[tokio::test]
async fn a_refresh_changes_the_record_alone() {
    for backend in BACKENDS {
        let folder = tempfile::tempdir().expect("a folder");
        let index = (backend.open)(folder.path()).expect("open");
        index.apply(vec![put("returns", "Returns", &["Refunds take five days."])]).await.expect("apply");
        let touched = DocumentRecord { bytes: 99, ..record("returns", "Returns", 1) };
        index.apply(vec![IndexChange::Refresh(touched)]).await.expect("apply");
        assert_eq!(index.record("returns").await.expect("record").map(|record| record.bytes), Some(99));
        assert_eq!(ids(&index, "refunds").await, ["returns"]);
    }
}
