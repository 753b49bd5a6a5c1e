//! One commit as read: its records, the languages of its documents, its word statistics.

use std::collections::HashMap;

use tantivy::collector::DocSetCollector;
use tantivy::query::{Bm25StatisticsProvider, BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::{DocAddress, Searcher, TantivyDocument, TantivyError, Term};

use crate::index::local::entry::{Fields, RECORD_MARK};
use crate::model::{Chunk, DocumentRecord};
use crate::text::Language;

/// A commit and what was read of it once.
pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    /// Languages of the documents, most frequent first.
    pub(super) languages: Vec<Language>,
    records: HashMap<String, DocumentRecord>,
    /// Entries that hold no text; they must not count as texts in the statistics.
    record_entries: u64,
}

impl Snapshot {
    pub(super) fn read(searcher: Searcher, fields: Fields) -> Result<Self, TantivyError> {
        let mark = Term::from_field_text(fields.is_record, RECORD_MARK);
        let record_entries = searcher.doc_freq(&mark)?;
        let query = TermQuery::new(mark, IndexRecordOption::Basic);
        let mut records = HashMap::new();
        for address in searcher.search(&query, &DocSetCollector)? {
            let record: DocumentRecord = read_body(&searcher, fields, address)?;
            records.insert(record.document_id.clone(), record);
        }
        let languages = languages_of(records.values());
        Ok(Self { searcher, fields, languages, records, record_entries })
    }

    /// Whether this was read from the commit that `searcher` sees.
    pub(super) fn is_of(&self, searcher: &Searcher) -> bool {
        self.searcher.generation().generation_id() == searcher.generation().generation_id()
    }

    pub(super) fn generation(&self) -> u64 {
        self.searcher.generation().generation_id()
    }

    pub(super) fn record(&self, document_id: &str) -> Option<&DocumentRecord> {
        self.records.get(document_id)
    }

    pub(super) fn records_by_path(&self) -> Vec<DocumentRecord> {
        let mut records: Vec<DocumentRecord> = self.records.values().cloned().collect();
        records.sort_by(|one, other| one.path.cmp(&other.path));
        records
    }

    /// The chunks of one document, in order.
    pub(super) fn chunks(&self, document_id: &str) -> Result<Vec<Chunk>, TantivyError> {
        let all = term_query(Term::from_field_text(self.fields.document_id, document_id));
        let record = term_query(Term::from_field_text(self.fields.is_record, RECORD_MARK));
        let query = BooleanQuery::new(vec![(Occur::Must, all), (Occur::MustNot, record)]);
        let addresses = self.searcher.search(&query, &DocSetCollector)?;
        let mut chunks: Vec<Chunk> =
            addresses.into_iter().map(|address| self.chunk(address)).collect::<Result<_, _>>()?;
        chunks.sort_by_key(|chunk| chunk.ordinal);
        Ok(chunks)
    }

    pub(super) fn chunk(&self, address: DocAddress) -> Result<Chunk, TantivyError> {
        read_body(&self.searcher, self.fields, address)
    }
}

fn term_query(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn read_body<T: serde::de::DeserializeOwned>(
    searcher: &Searcher,
    fields: Fields,
    address: DocAddress,
) -> Result<T, TantivyError> {
    let entry: TantivyDocument = searcher.doc(address)?;
    let body = entry.get_first(fields.body).and_then(|value| value.as_str()).unwrap_or_default();
    serde_json::from_str(body).map_err(|error| TantivyError::InternalError(format!("an entry is unreadable: {error}")))
}

fn languages_of<'a>(records: impl Iterator<Item = &'a DocumentRecord>) -> Vec<Language> {
    let mut counts: HashMap<Language, usize> = HashMap::new();
    for language in records.filter_map(|record| Language::from_code(record.language.as_deref()?)) {
        *counts.entry(language).or_default() += 1;
    }
    let mut languages: Vec<(Language, usize)> = counts.into_iter().collect();
    languages.sort_by_key(|(language, count)| (std::cmp::Reverse(*count), language.code()));
    languages.into_iter().map(|(language, _)| language).collect()
}

impl Bm25StatisticsProvider for Snapshot {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.searcher.total_num_tokens(field)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.searcher.total_num_docs()?.saturating_sub(self.record_entries))
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.searcher.doc_freq(term)
    }
}
