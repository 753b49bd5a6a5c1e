//! Files in the store whose document is gone, for documents that are new and have the very same bytes: they change
//! hands by their attributes, and nothing is uploaded.
//!
//! The scan tells most renames by itself; what is left is a new id for the same file, given in `documents.yaml` or by a
//! machine that saw the folder in another order. Pure.

use std::collections::{BTreeSet, HashMap};

use crate::hosted::folder::{Folder, Wanted};
use crate::hosted::prepare::body_part;
use crate::hosted::state::{Remote, RemoteFile};
use crate::ingest::held::Held;
use crate::ingest::renames::extension;

/// The same bytes, in the same form, under the same extension.
type Key = (String, String, String);

/// What is to be had.
pub struct Donors<'a> {
    by_content: HashMap<Key, Vec<Donor<'a>>>,
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
        let held = Held::new(&folder.problems);
        let mut by_content: HashMap<Key, Vec<Donor<'a>>> = HashMap::new();
        // Backwards, so that the first id is taken first.
        for (id, versions) in remote.documents.iter().rev() {
            let is_held = folder.unfit.contains(id) || versions.first().is_some_and(|newest| held.holds(&newest.path));
            let chosen = versions.iter().find(|file| file.is_searchable());
            let Some(chosen) = chosen.filter(|_| !is_held && !wanted.contains(id.as_str())) else { continue };
            let others = versions.iter().filter(|file| file.file_id != chosen.file_id).collect();
            by_content.entry(key_of_file(chosen)).or_default().push(Donor { id, chosen, others });
        }
        Self { by_content, given: BTreeSet::new() }
    }

    /// A file for this document, which nobody else gets; the one of the same path before others.
    pub fn take(&mut self, wanted: &Wanted) -> Option<Donor<'a>> {
        let donors = self.by_content.get_mut(&key_of_wanted(wanted))?;
        let same_path = donors.iter().position(|donor| donor.chosen.path == wanted.file.path);
        let at = same_path.or_else(|| donors.len().checked_sub(1))?;
        let donor = donors.remove(at);
        self.given.insert(donor.id);
        Some(donor)
    }

    /// Whether this document's file has changed hands.
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
