//! What has to change so that the index equals the folder. Pure: it looks at nothing but its arguments.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;

use serde::Serialize;

use crate::docs::walk::Skipped;
use crate::error::Problem;
use crate::ingest::held::{Held, folders};
use crate::ingest::renames::extension;
use crate::ingest::scan::{Scan, ScannedFile, is_settled};
use crate::model::DocumentRecord;

/// One change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
    /// Whether nothing but the path is another: the document is not read again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
}

/// The changes, each list sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Documents that are new.
    pub add: Vec<Change>,
    /// Documents to read again, and those that are renamed.
    pub update: Vec<Change>,
    /// Documents whose contents are the same; only what is noted about the file changes.
    pub refresh: Vec<Change>,
    /// Documents that are gone.
    pub remove: Vec<Change>,
    /// Documents that stay.
    pub keep: Vec<Change>,
    /// Files that could not be read the last time and have not changed since; told among the problems. What the index
    /// has of an earlier version stays.
    #[serde(skip)]
    pub failed: Vec<Problem>,
}

impl Plan {
    /// Whether applying it would change what a search finds.
    pub fn has_changes(&self) -> bool {
        !(self.add.is_empty() && self.update.is_empty() && self.remove.is_empty())
    }

    /// The documents that are in the index afterwards, save for those that fail.
    pub fn staying(&self) -> impl Iterator<Item = &Change> {
        self.add.iter().chain(&self.update).chain(&self.refresh).chain(&self.keep)
    }
}

/// Compares the index's records with the folder.
pub fn plan(records: &[DocumentRecord], scan: &Scan) -> Plan {
    let known = Known::new(records, scan);
    let mut plan = Plan::default();
    let mut replaced = BTreeSet::new();
    for scanned in &scan.files {
        let old_id = known.old_id(scanned);
        replaced.extend(old_id);
        known.place(scanned, old_id, &mut plan);
    }
    let held = Held::new(&scan.problems);
    let skipped: HashMap<&str, &Skipped> = scan.skipped.iter().map(|file| (file.path.as_str(), file)).collect();
    for record in records {
        let id = record.document_id.as_str();
        if known.present.contains(id) || replaced.contains(id) {
            continue;
        }
        let (list, reason) = if held.holds(&record.path) {
            (&mut plan.keep, "it cannot be looked at now")
        } else if known.taken.contains(record.path.as_str()) {
            (&mut plan.remove, "another document has its place")
        } else {
            (&mut plan.remove, skip_reason(&record.path, &skipped).unwrap_or("gone"))
        };
        list.push(Change {
            document_id: record.document_id.clone(),
            path: record.path.clone(),
            reason: reason.to_owned(),
            ..Change::default()
        });
    }
    for list in [&mut plan.add, &mut plan.update, &mut plan.refresh, &mut plan.remove, &mut plan.keep] {
        list.sort_by(|a, b| (&a.path, &a.document_id).cmp(&(&b.path, &b.document_id)));
    }
    plan
}

/// Why the file at a path, or a folder above it, is left out.
pub fn skip_reason<'a, S: BuildHasher>(path: &str, skipped: &HashMap<&str, &'a Skipped, S>) -> Option<&'a str> {
    let found = skipped.get(path).or_else(|| folders(path).find_map(|folder| skipped.get(folder)));
    found.map(|skipped| skipped.reason.as_str())
}

/// What the index has, and which of it the folder has, too.
struct Known<'a> {
    by_id: BTreeMap<&'a str, &'a DocumentRecord>,
    by_path: BTreeMap<&'a str, &'a DocumentRecord>,
    present: BTreeSet<&'a str>,
    /// The paths that have a file.
    taken: BTreeSet<&'a str>,
    scan: &'a Scan,
}

impl<'a> Known<'a> {
    fn new(records: &'a [DocumentRecord], scan: &'a Scan) -> Self {
        Self {
            by_id: records.iter().map(|record| (record.document_id.as_str(), record)).collect(),
            by_path: records.iter().map(|record| (record.path.as_str(), record)).collect(),
            present: scan.files.iter().map(|scanned| scanned.document_id.as_str()).collect(),
            taken: scan.files.iter().map(|scanned| scanned.file.path.as_str()).collect(),
            scan,
        }
    }

    /// The id under which the index knows the file's path, when it is to have another. A document that another one was
    /// moved over has no new id: it is gone.
    fn old_id(&self, scanned: &ScannedFile) -> Option<&'a str> {
        let record = self.by_path.get(scanned.file.path.as_str())?;
        let is_other = self.by_id.contains_key(scanned.document_id.as_str()) && record.sha256 != scanned.sha256;
        Some(record.document_id.as_str()).filter(|id| !is_other && !self.present.contains(id))
    }

    /// Puts the file into the list where it belongs.
    fn place(&self, scanned: &ScannedFile, old_id: Option<&str>, plan: &mut Plan) {
        let record = self.by_id.get(scanned.document_id.as_str());
        let moved_from = record.filter(|record| record.path != scanned.file.path).map(|record| record.path.clone());
        let renamed = record.is_some_and(|record| moved_from.is_some() && is_same_document(record, scanned));
        let (list, reason) = match record {
            // Whether reading fails decides nothing about a document that need not be read.
            Some(record) if moved_from.is_none() && is_same_document(record, scanned) => {
                if self.is_worth_noting(record, scanned) {
                    (&mut plan.refresh, "touched, contents the same")
                } else {
                    (&mut plan.keep, "unchanged")
                }
            }
            _ if scanned.failed.is_some() && moved_from.is_none() => {
                plan.failed.extend(scanned.failed.clone());
                plan.keep.extend(self.earlier(scanned, old_id));
                return;
            }
            None if old_id.is_some() => (&mut plan.update, "it has a new id"),
            None => (&mut plan.add, "new"),
            Some(_) if renamed => (&mut plan.update, "renamed"),
            Some(_) if moved_from.is_some() => (&mut plan.update, "moved"),
            Some(record) if record.sha256 != scanned.sha256 => (&mut plan.update, "its contents changed"),
            Some(_) => (&mut plan.update, "what documents.yaml says of it, or how it is read, changed"),
        };
        list.push(Change {
            document_id: scanned.document_id.clone(),
            path: scanned.file.path.clone(),
            reason: reason.to_owned(),
            moved_from,
            replaces: old_id.map(str::to_owned),
            renamed,
        });
    }

    /// What the index has of a file that cannot be read now: it stays.
    fn earlier(&self, scanned: &ScannedFile, old_id: Option<&str>) -> Option<Change> {
        let record = self.by_id.get(old_id.unwrap_or(&scanned.document_id))?;
        let reason = "it cannot be read now, its earlier version stays".to_owned();
        Some(Change { document_id: record.document_id.clone(), path: record.path.clone(), reason, ..Change::default() })
    }

    /// Whether what the record says of the file is old, or too young to tell a change by.
    fn is_worth_noting(&self, record: &DocumentRecord, scanned: &ScannedFile) -> bool {
        let file = &scanned.file;
        let noted = (record.bytes, record.modified_ns, record.ctime_ns, record.inode);
        noted != (file.bytes, file.modified_ns, file.ctime_ns, file.inode)
            || (!is_settled(file, record.indexed_at) && is_settled(file, self.scan.started_at))
    }
}

/// Whether reading the file again would give what the index has.
fn is_same_document(record: &DocumentRecord, scanned: &ScannedFile) -> bool {
    record.sha256 == scanned.sha256
        && record.recipe == scanned.details.recipe()
        && extension(&record.path) == extension(&scanned.file.path)
}
