//! What has to change so that the index equals the folder. Pure: it looks at nothing but its arguments.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ingest::scan::{Scan, ScannedFile, is_held};
use crate::model::DocumentRecord;

/// Fewer removals than this never need a question.
const FEW: usize = 3;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The document.
    pub document_id: String,
    /// Its path relative to the documents folder.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The path under which the index knows it, when that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// The id under which the index knows the same path, when that is another and nobody else's now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// The changes, each list sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Documents that are new.
    pub add: Vec<Change>,
    /// Documents to read again.
    pub update: Vec<Change>,
    /// Documents whose contents are the same; only what is noted about the file changes.
    pub refresh: Vec<Change>,
    /// Documents that are gone.
    pub remove: Vec<Change>,
    /// Documents that stay.
    pub keep: Vec<Change>,
}

impl Plan {
    /// Whether applying it would change what a search finds.
    pub fn has_changes(&self) -> bool {
        !(self.add.is_empty() && self.update.is_empty() && self.remove.is_empty())
    }

    /// A question to ask first, when the plan looks more like an accident than like an intention. `known` is the
    /// number of documents in the index.
    pub fn doubt(&self, known: usize) -> Option<String> {
        let removed = self.remove.len();
        if removed == known && removed > 0 && self.add.is_empty() {
            return Some(format!("the documents folder is empty; remove all {removed} documents from the index?"));
        }
        let many = removed > FEW && removed * 5 > known;
        many.then(|| format!("{removed} of {known} documents are no longer in the folder; remove them from the index?"))
    }
}

/// Compares the index's records with the folder.
pub fn plan(records: &[DocumentRecord], scan: &Scan) -> Plan {
    let by_id: BTreeMap<&str, &DocumentRecord> =
        records.iter().map(|record| (record.document_id.as_str(), record)).collect();
    let by_path: BTreeMap<&str, &DocumentRecord> =
        records.iter().map(|record| (record.path.as_str(), record)).collect();
    let present: BTreeSet<&str> = scan.files.iter().map(|scanned| scanned.document_id.as_str()).collect();
    let mut plan = Plan::default();
    let mut replaced = BTreeSet::new();
    for scanned in &scan.files {
        let mut change = Change {
            document_id: scanned.document_id.clone(),
            path: scanned.file.path.clone(),
            reason: String::new(),
            moved_from: None,
            replaces: None,
        };
        let same_path = by_path.get(scanned.file.path.as_str());
        let old_id = same_path.map(|record| record.document_id.as_str()).filter(|id| !present.contains(id));
        if let Some(old_id) = old_id {
            replaced.insert(old_id);
            change.replaces = Some(old_id.to_owned());
        }
        let (list, reason) = match by_id.get(scanned.document_id.as_str()) {
            None if old_id.is_some() => (&mut plan.update, "it has a new id"),
            None => (&mut plan.add, "new"),
            Some(record) if record.path != scanned.file.path => {
                change.moved_from = Some(record.path.clone());
                (&mut plan.update, "moved")
            }
            Some(record) => match difference(record, scanned) {
                Difference::Contents => (&mut plan.update, "its contents changed"),
                Difference::Recipe => (&mut plan.update, "what documents.yaml says of it, or how it is read, changed"),
                Difference::FileOnly => (&mut plan.refresh, "touched, contents the same"),
                Difference::None => (&mut plan.keep, "unchanged"),
            },
        };
        reason.clone_into(&mut change.reason);
        list.push(change);
    }
    for record in records {
        let id = record.document_id.as_str();
        if present.contains(id) || replaced.contains(id) {
            continue;
        }
        let held = is_held(&record.path, &scan.problems);
        let (list, reason) =
            if held { (&mut plan.keep, "it cannot be looked at now") } else { (&mut plan.remove, "gone") };
        list.push(Change {
            document_id: record.document_id.clone(),
            path: record.path.clone(),
            reason: reason.to_owned(),
            moved_from: None,
            replaces: None,
        });
    }
    for list in [&mut plan.add, &mut plan.update, &mut plan.refresh, &mut plan.remove, &mut plan.keep] {
        list.sort_by(|a, b| (&a.path, &a.document_id).cmp(&(&b.path, &b.document_id)));
    }
    plan
}

enum Difference {
    None,
    FileOnly,
    Recipe,
    Contents,
}

fn difference(record: &DocumentRecord, scanned: &ScannedFile) -> Difference {
    if record.sha256 != scanned.sha256 {
        Difference::Contents
    } else if record.recipe != scanned.details.recipe() {
        Difference::Recipe
    } else if record.bytes != scanned.file.bytes || record.modified_ns != scanned.file.modified_ns {
        Difference::FileOnly
    } else {
        Difference::None
    }
}
