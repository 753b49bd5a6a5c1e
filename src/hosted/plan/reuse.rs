//! Files in the store whose document is gone, and what they are still good for.
//!
//! For a document that is new and has the very same bytes they change hands by their attributes, and nothing is
//! uploaded. For one that takes their path or their bytes in another form they are earlier versions: they leave behind
//! it and not before. The scan tells most renames by itself; what is left is a new id for the same file, given in
//! `documents.yaml` or by a machine that saw the folder in another order, and a file under another extension. Pure.

use std::collections::{BTreeSet, HashMap};

use crate::hosted::folder::{Folder, Wanted};
use crate::hosted::plan::held_paths;
use crate::hosted::prepare::{body_part, shortened};
use crate::hosted::state::{Remote, RemoteFile};
use crate::ingest::held::Held;
use crate::ingest::renames::extension;

/// The same bytes, in the same form, under the same extension.
type Key = (String, String, String);

/// What is to be had.
pub struct Donors<'a> {
    remote: &'a Remote,
    by_content: HashMap<Key, Vec<Donor<'a>>>,
    by_path: HashMap<&'a str, Vec<&'a str>>,
    by_sha256: HashMap<&'a str, Vec<&'a str>>,
    given: BTreeSet<&'a str>,
}

/// A document that is gone.
#[derive(Clone)]
pub struct Donor<'a> {
    id: &'a str,
    /// The file that fits.
    pub chosen: &'a RemoteFile,
    /// Its other versions.
    pub others: Vec<&'a RemoteFile>,
}

impl<'a> Donors<'a> {
    /// The documents of the store that the folder has not.
    pub fn of(remote: &'a Remote, folder: &Folder) -> Self {
        let wanted: BTreeSet<&str> = folder.wanted.iter().map(|wanted| wanted.document_id.as_str()).collect();
        let problems = held_paths(folder);
        let held = Held::new(&problems);
        let mut donors = Self {
            remote,
            by_content: HashMap::new(),
            by_path: HashMap::new(),
            by_sha256: HashMap::new(),
            given: BTreeSet::new(),
        };
        // Backwards, so that the first id is taken first.
        for (id, versions) in remote.documents.iter().rev() {
            let is_held = folder.unfit.contains(id) || versions.first().is_some_and(|newest| held.holds(&newest.path));
            let chosen = versions.iter().find(|file| file.is_searchable());
            let Some(chosen) = chosen.filter(|_| !is_held && !wanted.contains(id.as_str())) else { continue };
            let others = versions.iter().filter(|file| file.file_id != chosen.file_id).collect();
            donors.by_content.entry(key_of_file(chosen)).or_default().push(Donor { id, chosen, others });
            donors.by_path.entry(&chosen.path).or_default().push(id);
            donors.by_sha256.entry(&chosen.sha256).or_default().push(id);
        }
        donors
    }

    /// A file for this document, which nobody else gets; the one of the same path before others.
    pub fn take(&mut self, wanted: &Wanted) -> Option<Donor<'a>> {
        let donors = self.by_content.get_mut(&key_of_wanted(wanted))?;
        donors.retain(|donor| !self.given.contains(donor.id));
        let same_path = donors.iter().position(|donor| donor.chosen.path == wanted.file.path);
        let at = same_path.or_else(|| donors.len().checked_sub(1))?;
        let donor = donors.remove(at);
        self.given.insert(donor.id);
        Some(donor)
    }

    /// The versions, newest first, of a document that is gone and whose path this one has, or else whose bytes. Nobody
    /// else gets them. None when there is none.
    pub fn predecessor(&mut self, wanted: &Wanted) -> Vec<&'a RemoteFile> {
        let path = shortened(&wanted.file.path);
        let lists = [self.by_path.get(path.as_str()), self.by_sha256.get(wanted.sha256.as_str())];
        let ids = lists.into_iter().flatten().flat_map(|ids| ids.iter().rev());
        let Some(&id) = ids.into_iter().find(|id| !self.given.contains(*id)) else { return Vec::new() };
        self.given.insert(id);
        self.remote.documents.get(id).into_iter().flatten().collect()
    }

    /// Whether this document's files have changed hands.
    pub fn gave(&self, id: &str) -> bool {
        self.given.contains(id)
    }
}

fn key_of_file(file: &RemoteFile) -> Key {
    (file.sha256.clone(), body_part(&file.recipe).to_owned(), extension(&file.path))
}

fn key_of_wanted(wanted: &Wanted) -> Key {
    (wanted.sha256.clone(), body_part(&wanted.recipe).to_owned(), extension(&wanted.file.path))
}
