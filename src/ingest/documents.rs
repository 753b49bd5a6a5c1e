//! Which of the known documents each file is.
//!
//! An id follows its contents: a file at the path and with the bytes that a record tells is that document, then bytes
//! that lie under another path now are a rename, and only what is left over is told by its path alone. So names that
//! rotate, or change places, take their ids along. What `documents.yaml` gives an id is settled by that. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::docs::catalogue::Details;
use crate::docs::identity::Claim;
use crate::ingest::held::Held;
use crate::ingest::renames;
use crate::ingest::scan::HashedFile;
use crate::model::DocumentRecord;

/// What decides about the id of each file, and the ids that are not to be had: those of documents that cannot be
/// looked at now.
pub fn claims<'a>(
    files: &'a [HashedFile],
    details: &'a [Details],
    records: &'a [DocumentRecord],
    held: &Held<'_>,
) -> (Vec<Claim<'a>>, BTreeSet<String>) {
    let by_path: HashMap<&str, &HashedFile> = files.iter().map(|file| (file.file.path.as_str(), file)).collect();
    let is_kept = |record: &&DocumentRecord| !by_path.contains_key(record.path.as_str()) && held.holds(&record.path);
    let (kept, rest): (Vec<&DocumentRecord>, Vec<&DocumentRecord>) = records.iter().partition(is_kept);
    let known = known(files, details, rest, &by_path);
    let claims = files.iter().zip(details).map(|(HashedFile { file, .. }, details)| {
        let known = known.get(file.path.as_str()).map(|record| record.document_id.as_str());
        Claim { path: &file.path, given: details.id.as_deref(), known }
    });
    (claims.collect(), kept.into_iter().map(|record| record.document_id.clone()).collect())
}

/// For each path the record of the document that its file is; files that are nobody's are left out.
fn known<'a>(
    files: &'a [HashedFile],
    details: &[Details],
    mut records: Vec<&'a DocumentRecord>,
    by_path: &HashMap<&str, &'a HashedFile>,
) -> HashMap<&'a str, &'a DocumentRecord> {
    // A sync that ended between two commits of renames may leave two records of one path: the order decides then.
    records.sort_by(|a, b| (&a.path, &a.document_id).cmp(&(&b.path, &b.document_id)));
    let given: HashSet<&str> = details.iter().filter_map(|details| details.id.as_deref()).collect();
    let mut known: HashMap<&'a str, &'a DocumentRecord> = HashMap::new();
    records.retain(|record| {
        let file = by_path.get(record.path.as_str()).filter(|file| file.sha256 == record.sha256);
        let settled = file.is_some_and(|_| !known.contains_key(record.path.as_str()));
        if settled {
            known.insert(&record.path, record);
        }
        !settled && !given.contains(record.document_id.as_str())
    });
    let is_open =
        |file: &HashedFile, details: &Details| details.id.is_none() && !known.contains_key(file.file.path.as_str());
    let open: Vec<&HashedFile> =
        files.iter().zip(details).filter(|(file, details)| is_open(file, details)).map(|(file, _)| file).collect();
    let renamed = renames::find(&records, &open);
    let moved: HashSet<&str> = renamed.values().map(|record| record.document_id.as_str()).collect();
    known.extend(renamed);
    for record in records.into_iter().filter(|record| !moved.contains(record.document_id.as_str())) {
        known.entry(&record.path).or_insert(record);
    }
    known
}
