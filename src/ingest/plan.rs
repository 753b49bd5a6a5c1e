//! What has to change so that the index equals the folder. Pure: it looks at nothing but its arguments.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ingest::scan::{Scan, is_held};
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
            return Some(format!(
                "the documents folder is empty; remove all {removed} documents from the index?"
            ));
        }
        let many = removed > FEW && removed * 5 > known;
        many.then(|| format!("{removed} of {known} documents are no longer in the folder; remove them from the index?"))
    }
}

/// Compares the index's records with the folder.
pub fn plan(records: &[DocumentRecord], scan: &Scan) -> Plan {
    let known: BTreeMap<&str, &DocumentRecord> = records
        .iter()
        .map(|record| (record.document_id.as_str(), record))
        .collect();
    let mut plan = Plan::default();
    let mut present = BTreeSet::new();
    for scanned in &scan.files {
        present.insert(scanned.document_id.as_str());
        let change = |reason: &str, moved_from| Change {
            document_id: scanned.document_id.clone(),
            path: scanned.file.path.clone(),
            reason: reason.to_owned(),
            moved_from,
        };
        let Some(record) = known.get(scanned.document_id.as_str()) else {
            let renamed = records
                .iter()
                .any(|record| record.path == scanned.file.path);
            plan.add.push(change(
                if renamed { "it has a new id" } else { "new" },
                None,
            ));
            continue;
        };
        if record.path != scanned.file.path {
            plan.update.push(change("moved", Some(record.path.clone())));
        } else if record.sha256 != scanned.sha256 {
            plan.update.push(change("its contents changed", None));
        } else if record.recipe != scanned.details.recipe() {
            plan.update.push(change(
                "what documents.yaml says of it, or how it is read, changed",
                None,
            ));
        } else if record.bytes != scanned.file.bytes
            || record.modified_ns != scanned.file.modified_ns
        {
            plan.refresh
                .push(change("touched, contents the same", None));
        } else {
            plan.keep.push(change("unchanged", None));
        }
    }
    for record in records
        .iter()
        .filter(|record| !present.contains(record.document_id.as_str()))
    {
        let held = is_held(&record.path, &scan.problems);
        // The same path may be there under a new id; then the old id must go.
        let replaced = scan
            .files
            .iter()
            .any(|scanned| scanned.file.path == record.path);
        let change = Change {
            document_id: record.document_id.clone(),
            path: record.path.clone(),
            reason: if replaced {
                "it has a new id"
            } else if held {
                "it cannot be looked at now"
            } else {
                "gone"
            }
            .to_owned(),
            moved_from: None,
        };
        if held && !replaced {
            plan.keep.push(change);
        } else {
            plan.remove.push(change);
        }
    }
    for list in [
        &mut plan.add,
        &mut plan.update,
        &mut plan.refresh,
        &mut plan.remove,
        &mut plan.keep,
    ] {
        list.sort_by(|a, b| (&a.path, &a.document_id).cmp(&(&b.path, &b.document_id)));
    }
    plan
}
