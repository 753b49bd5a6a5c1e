//! What stands in the index: its fields, and how records and chunks become entries.

use tantivy::TantivyDocument;
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};

use crate::model::{Chunk, DocumentRecord};
use crate::text::{Language, words};

/// Titles and headings say what a text is about: their words count this many times.
const HEADING_REPEATS: usize = 3;

/// The fields of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// Of every entry: the document it belongs to.
    pub(super) document_id: Field,
    /// Of record entries only: the same id.
    pub(super) record_id: Field,
    /// Of record entries only: marks them.
    pub(super) is_record: Field,
    /// Of chunk entries only: the one searched field.
    pub(super) terms: Field,
    /// The record or chunk as JSON.
    pub(super) body: Field,
}

/// The value of [`Fields::is_record`].
pub(super) const RECORD_MARK: &str = "record";

/// The schema and its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let terms =
        TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let fields = Fields {
        document_id: builder.add_text_field("document_id", STRING),
        record_id: builder.add_text_field("record_id", STRING),
        is_record: builder.add_text_field("is_record", STRING),
        terms: builder.add_text_field("terms", TextOptions::default().set_indexing_options(terms)),
        body: builder.add_text_field("body", STORED),
    };
    (builder.build(), fields)
}

impl Fields {
    pub(super) fn record_entry(&self, record: &DocumentRecord) -> serde_json::Result<TantivyDocument> {
        let mut entry = TantivyDocument::new();
        entry.add_text(self.document_id, &record.document_id);
        entry.add_text(self.record_id, &record.document_id);
        entry.add_text(self.is_record, RECORD_MARK);
        entry.add_text(self.body, serde_json::to_string(record)?);
        Ok(entry)
    }

    pub(super) fn chunk_entry(&self, record: &DocumentRecord, chunk: &Chunk) -> serde_json::Result<TantivyDocument> {
        let mut entry = TantivyDocument::new();
        entry.add_text(self.document_id, &record.document_id);
        entry.add_pre_tokenized_text(self.terms, indexed_terms(record, chunk));
        entry.add_text(self.body, serde_json::to_string(chunk)?);
        Ok(entry)
    }
}

/// Title and heading path, repeated, then the text, all as terms of the document's language.
fn indexed_terms(record: &DocumentRecord, chunk: &Chunk) -> PreTokenizedString {
    let language = record.language.as_deref().and_then(Language::from_code);
    let mut heading = words::terms(&record.title, language);
    for part in chunk.heading_path.iter().filter(|part| **part != record.title) {
        heading.extend(words::terms(part, language));
    }
    let mut terms = Vec::new();
    for _ in 0..HEADING_REPEATS {
        terms.extend(heading.iter().cloned());
    }
    terms.extend(words::terms(&chunk.text, language));
    let tokens =
        terms.into_iter().enumerate().map(|(position, text)| Token { position, text, ..Token::default() }).collect();
    PreTokenizedString { text: String::new(), tokens }
}
