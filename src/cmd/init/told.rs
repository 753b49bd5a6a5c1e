//! What an import does or did, for people and as data. No value of a setting is in it.

use serde::Serialize;

use crate::cmd::init::env::Left;
use crate::docs::walk::Skipped;
use crate::error::Problem;
use crate::hosted::adopt::Found;

/// How many documents are named one by one.
const SHOWN: usize = 10;

/// A setting that is taken over.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) from: String,
}

/// The documents, by path.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Documents {
    /// Copied, or to be copied.
    pub(super) copied: Vec<String>,
    /// There already.
    pub(super) same: Vec<String>,
    /// Something else is there, and stays.
    pub(super) kept: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Adopted {
    pub(super) path: String,
    pub(super) file_id: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ToUpload {
    pub(super) path: String,
    pub(super) why: String,
}

/// The vector store.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Store {
    pub(super) id: Option<String>,
    /// Taken over without an upload.
    pub(super) adopted: Vec<Adopted>,
    /// In the store already, by an earlier import or a sync.
    pub(super) present: Vec<String>,
    /// For the next sync.
    pub(super) to_upload: Vec<ToUpload>,
    /// Files of the store that belong to no document; they stay.
    pub(super) unmatched: Vec<String>,
    /// Why nothing is taken over.
    pub(super) note: Option<String>,
}

/// An import.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Imported {
    pub(super) from: String,
    pub(super) dry_run: bool,
    /// Whether it was done, or is a plan.
    #[serde(skip)]
    pub(super) is_done: bool,
    pub(super) env_file: String,
    pub(super) settings: Vec<Set>,
    pub(super) left: Vec<Left>,
    pub(super) documents: Documents,
    /// Whether `documents.yaml` is made from the template's list.
    pub(super) catalogue: bool,
    pub(super) notes: Vec<String>,
    pub(super) store: Store,
}

impl Store {
    /// What was found in the store of this id.
    pub(super) fn of(id: &str, found: &Found) -> Self {
        let adopted =
            |found: &crate::hosted::adopt::Match| Adopted { path: found.path.clone(), file_id: found.file_id.clone() };
        let to_upload = |(path, why): &(String, String)| ToUpload { path: path.clone(), why: why.clone() };
        Self {
            id: Some(id.to_owned()),
            adopted: found.matches.iter().map(adopted).collect(),
            present: found.present.clone(),
            to_upload: found.others.iter().map(to_upload).collect(),
            unmatched: found.unmatched.clone(),
            note: None,
        }
    }
}

impl Imported {
    /// In words.
    pub(super) fn human(&self) -> String {
        let mut lines = vec![format!("From {}:", self.from)];
        lines.extend(self.settings_told());
        lines.extend(self.documents_told());
        lines.extend(self.notes.iter().map(|note| format!("  {note}")));
        lines.extend(self.store_told());
        lines.join("\n")
    }

    fn settings_told(&self) -> Vec<String> {
        let what = if self.is_done { "settings written into" } else { "settings for" };
        let mut lines = vec![format!("{what} {}: {}", self.env_file, self.settings.len())];
        lines.extend(self.settings.iter().map(|set| format!("  {} (from {})", set.name, set.from)));
        lines.extend(self.left.iter().map(|left| format!("  left out: {} in {}: {}", left.name, left.from, left.why)));
        lines
    }

    fn documents_told(&self) -> Vec<String> {
        let Documents { copied, same, kept, skipped, problems } = &self.documents;
        let what = if self.is_done { "copied" } else { "to copy" };
        let mut lines = vec![format!("documents: {} {what}, {} there already", copied.len(), same.len())];
        lines.extend(listed(copied.iter().cloned()));
        lines.extend(kept.iter().map(|path| format!("  kept: {path} is there with other contents")));
        lines.extend(skipped.iter().map(|file| format!("  left out: {}: {}", file.path, file.reason)));
        lines.extend(problems.iter().map(|problem| format!("  problem: {}: {}", problem.path, problem.message)));
        if self.catalogue {
            lines.push("documents.yaml: ids, titles and descriptions from the template's list".to_owned());
        }
        lines
    }

    fn store_told(&self) -> Vec<String> {
        let Store { id, adopted, present, to_upload, unmatched, note } = &self.store;
        let mut lines: Vec<String> = note.iter().map(|note| format!("vector store: {note}")).collect();
        let Some(id) = id.as_ref().filter(|_| note.is_none()) else { return lines };
        let what = if self.is_done { "taken over" } else { "to take over" };
        let (taken, there) = (adopted.len(), present.len());
        lines.push(format!("vector store {id}: {taken} {what} without an upload, {there} there already"));
        lines.extend(listed(adopted.iter().map(|adopted| format!("{} is {}", adopted.path, adopted.file_id))));
        if !to_upload.is_empty() {
            lines.push(format!("  for `chatbotctl docs sync --to openai`: {}", to_upload.len()));
            lines.extend(listed(to_upload.iter().map(|other| format!("{}: {}", other.path, other.why))));
        }
        lines.extend(unmatched.iter().map(|name| format!("  not touched, belongs to no document: {name}")));
        lines
    }
}

fn listed(items: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = items.len().saturating_sub(SHOWN);
    let mut lines: Vec<String> = items.take(SHOWN).map(|item| format!("  {item}")).collect();
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}
