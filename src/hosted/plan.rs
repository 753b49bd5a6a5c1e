//! What has to change so that the store equals the folder. Pure: it looks at nothing but its arguments.
//!
//! Invariant: whatever can be found now and is still a document is let go only behind a version that can be found. A
//! version that failed stays in the store as the record of its failure, beside the last good one.

mod reuse;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::docs::walk::Skipped;
use crate::error::Problem;
use crate::hosted::folder::{Folder, Wanted};
use crate::hosted::name::content_mark;
use crate::hosted::plan::reuse::Donors;
use crate::hosted::prepare::{RECIPE, ROLE_PREFIX, SHA256, body_part, shortened};
use crate::hosted::state::{Remote, RemoteFile, Unattached, says_the_same};
use crate::ingest;
use crate::ingest::held::Held;
use crate::ingest::plan::skip_reason;
use crate::model::DocumentRecord;
use crate::openai::search::RESTRICTED;
use crate::openai::vector_store::{Attribute, Attributes, FileError, FileStatus};

/// One change.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Change {
    /// The document.
    pub document_id: String,
    /// Its path relative to the documents folder.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The path that the store tells, when that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// How much goes up, in bytes.
    pub upload_bytes: u64,
    /// The file that it is about: in the store, or uploaded already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// What the file is to have attached, when it is in the store with other attributes than these.
    #[serde(skip)]
    pub attributes: Option<Attributes>,
    /// The other versions in the store, newest first: what is let go once this one can be found.
    #[serde(skip)]
    pub earlier: Vec<Earlier>,
}

/// A version in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its file.
    pub file_id: String,
    /// Whether a search finds it.
    pub is_searchable: bool,
}

/// A file that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The file.
    pub file_id: String,
    /// The document's path, or the file's name when it is in no store.
    pub name: String,
    /// Why it goes.
    pub reason: String,
}

/// The changes, each list sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// Documents that are new.
    pub add: Vec<Change>,
    /// Documents of which another version goes up.
    pub replace: Vec<Change>,
    /// Documents whose file stays, under other attributes: a rename, other labels.
    pub relabel: Vec<Change>,
    /// Versions that stay until another one can be found, and that fewer people may read from now on.
    pub restrict: Vec<Change>,
    /// Documents that are still being indexed: they are waited for.
    pub resume: Vec<Change>,
    /// Documents whose indexing ended without a result: they are attached once more, without an upload.
    pub retry: Vec<Change>,
    /// Documents that are gone.
    pub remove: Vec<Change>,
    /// Documents that stay.
    pub keep: Vec<Change>,
    /// Versions in the store that nobody needs: duplicates, old failures.
    pub drop: Vec<Leftover>,
    /// Uploads for this store that are in no store.
    pub orphans: Vec<Leftover>,
    /// Documents that the service could not index the last time and that have not changed since; told among the
    /// problems.
    #[serde(skip)]
    pub failed: Vec<Problem>,
}

impl Plan {
    /// Whether carrying it out asks the service for anything.
    pub fn has_changes(&self) -> bool {
        let lists = [&self.add, &self.replace, &self.relabel, &self.restrict, &self.resume, &self.retry, &self.remove];
        lists.iter().any(|list| !list.is_empty()) || !self.drop.is_empty() || !self.orphans.is_empty()
    }

    /// How much goes up, in bytes.
    pub fn upload_bytes(&self) -> u64 {
        self.add.iter().chain(&self.replace).map(|change| change.upload_bytes).sum()
    }

    /// Leaves out what these problems are about: it does not go up, and what the store has of it stays.
    pub fn hold_back(&mut self, problems: &[Problem]) {
        let held: HashSet<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        let goes = |change: &Change| !held.contains(change.path.as_str());
        self.add.retain(goes);
        self.replace.retain(goes);
    }

    /// The documents that go up: what a look before an upload is about. Those that an earlier run sent are among them:
    /// their file may be gone, and nobody can find them yet.
    pub fn uploads(&self) -> impl Iterator<Item = &Change> {
        self.add.iter().chain(&self.replace)
    }
}

/// Compares the store with the folder. `retry_failed` tries again what the service could not index.
pub fn plan(remote: &Remote, folder: &Folder, retry_failed: bool) -> Plan {
    let mut compared = Compared {
        remote,
        donors: Donors::of(remote, folder),
        uploaded: remote.orphans.iter().map(|file| (file.name.content.as_str(), file)).collect(),
        retry_failed,
        plan: Plan::default(),
    };
    for wanted in &folder.wanted {
        compared.document(wanted);
    }
    compared.succeed(folder);
    compared.gone(folder);
    let mut plan = compared.plan;
    let used: HashSet<&str> =
        plan.add.iter().chain(&plan.replace).filter_map(|change| change.file_id.as_deref()).collect();
    plan.orphans = remote
        .orphans
        .iter()
        .filter(|file| !used.contains(file.file_id.as_str()))
        .map(|file| Leftover {
            file_id: file.file_id.clone(),
            name: file.filename.clone(),
            reason: "it was uploaded and is in no store".to_owned(),
        })
        .collect();
    for list in [
        &mut plan.add,
        &mut plan.replace,
        &mut plan.relabel,
        &mut plan.restrict,
        &mut plan.resume,
        &mut plan.retry,
        &mut plan.remove,
        &mut plan.keep,
    ] {
        list.sort_by(|a, b| (&a.path, &a.document_id).cmp(&(&b.path, &b.document_id)));
    }
    plan
}

/// The question before many documents are removed: the rule of the local index.
pub fn doubt(plan: &Plan, records: &[DocumentRecord]) -> Option<String> {
    let as_local = |list: &[Change]| -> Vec<ingest::plan::Change> {
        let local = |change: &Change| ingest::plan::Change { path: change.path.clone(), ..Default::default() };
        list.iter().map(local).collect()
    };
    let kept = [&plan.keep, &plan.relabel, &plan.replace, &plan.resume, &plan.retry];
    let local = ingest::Plan {
        add: as_local(&plan.add),
        keep: kept.into_iter().flat_map(|list| as_local(list)).collect(),
        remove: as_local(&plan.remove),
        ..ingest::Plan::default()
    };
    ingest::doubt(&local, records).map(|question| question.replace("the index", "the vector store"))
}

struct Compared<'a> {
    remote: &'a Remote,
    donors: Donors<'a>,
    /// Uploads for this store that are in no store, by content, as long as nobody takes them.
    uploaded: HashMap<&'a str, &'a Unattached>,
    retry_failed: bool,
    plan: Plan,
}

impl<'a> Compared<'a> {
    fn document(&mut self, wanted: &Wanted) {
        let Some(versions) = self.remote.documents.get(&wanted.document_id) else {
            return match self.donors.take(wanted) {
                Some(donor) => self.stays(wanted, donor.chosen, &donor.others),
                None => self.upload(wanted, &[]),
            };
        };
        let is_current = |file: &&RemoteFile| is_version(file, wanted);
        let current: Vec<&RemoteFile> = versions.iter().filter(is_current).collect();
        let others = |chosen: &RemoteFile| -> Vec<&'a RemoteFile> {
            versions.iter().filter(|file| file.file_id != chosen.file_id).collect()
        };
        // One that needs no other attributes before one that does; among equal ones the newest, which comes last here.
        let good = current.iter().rev().copied().filter(|file| file.is_searchable());
        let good = good.max_by_key(|file| says_the_same(&file.attributes, &wanted.attributes));
        if let Some(chosen) = good {
            self.stays(wanted, chosen, &others(chosen));
        } else if let Some(&pending) = current.iter().find(|file| file.is_pending()) {
            let others = others(pending);
            self.restrict(wanted, &others);
            self.plan.resume.push(change(wanted, "it is still being indexed", Some(pending), &others));
        } else if let Some(&ended) = current.first() {
            self.ended(wanted, ended, &others(ended));
        } else {
            self.upload(wanted, &versions.iter().collect::<Vec<_>>());
        }
    }

    /// A version that can be found is what is wanted. The others go.
    fn stays(&mut self, wanted: &Wanted, chosen: &RemoteFile, others: &[&RemoteFile]) {
        let moved = chosen.path != shortened(&wanted.file.path);
        if says_the_same(&chosen.attributes, &wanted.attributes) {
            self.plan.keep.push(change(wanted, "unchanged", Some(chosen), &[]));
        } else {
            let reason = if moved { "renamed" } else { "what documents.yaml says of it changed" };
            self.plan.relabel.push(change(wanted, reason, Some(chosen), &[]));
        }
        self.let_go(wanted, others, "another version of the document can be found");
    }

    /// The version that is wanted is in the store, and its indexing ended without a result.
    fn ended(&mut self, wanted: &Wanted, ended: &'a RemoteFile, others: &[&'a RemoteFile]) {
        let has_good = others.iter().any(|file| file.is_searchable());
        if let Some(donor) = (!has_good).then(|| self.donors.take(wanted)).flatten() {
            let others: Vec<&RemoteFile> = others.iter().copied().chain([ended]).chain(donor.others).collect();
            return self.stays(wanted, donor.chosen, &others);
        }
        if ended.status == FileStatus::Cancelled || self.retry_failed {
            self.restrict(wanted, others);
            let change = change(wanted, "it could not be indexed the last time", Some(ended), others);
            return self.plan.retry.push(change);
        }
        let mut others = others.to_vec();
        if !has_good {
            others.extend(self.donors.predecessor(wanted));
        }
        let good = others.iter().copied().find(|file| file.is_searchable());
        self.plan.failed.push(told(&wanted.file.path, ended.error.as_ref(), good.is_some()));
        let is_other = |file: &&RemoteFile| good.is_none_or(|good| good.file_id != file.file_id);
        let rest: Vec<&RemoteFile> = others.iter().copied().filter(is_other).collect();
        self.let_go(wanted, &rest, "an earlier version that could not be indexed, or a duplicate");
        let attributes = good.map(|good| labels_of(good, &wanted.attributes));
        let mut kept = change(wanted, "the service could not index it; an earlier version stays", good, &[]);
        match (good, attributes) {
            (Some(good), Some(attributes)) if !says_the_same(&good.attributes, &attributes) => {
                kept.attributes = Some(attributes);
                self.plan.relabel.push(kept);
            }
            (Some(_), _) => self.plan.keep.push(kept),
            (None, _) => {}
        }
    }

    fn upload(&mut self, wanted: &Wanted, versions: &[&'a RemoteFile]) {
        let mark = content_mark(&wanted.document_id, &wanted.sha256, &wanted.recipe);
        let uploaded = self.uploaded.remove(mark.as_str());
        self.restrict(wanted, versions);
        let is_new = versions.is_empty();
        let reason = match (uploaded.is_some(), is_new) {
            (true, _) => "it was uploaded already",
            (false, true) => "new",
            (false, false) => "its contents changed",
        };
        let mut change = change(wanted, reason, None, versions);
        change.upload_bytes = if uploaded.is_some() { 0 } else { wanted.file.bytes };
        change.file_id = uploaded.map(|file| file.file_id.clone());
        change.moved_from = versions.first().map(|file| file.path.clone()).filter(|_| moved(versions, wanted));
        if is_new { self.plan.add.push(change) } else { self.plan.replace.push(change) }
    }

    /// Who may not read a document any more must not find its earlier version while the next one is on its way.
    fn restrict(&mut self, wanted: &Wanted, versions: &[&RemoteFile]) {
        if wanted.attributes.get(RESTRICTED) != Some(&Attribute::Flag(true)) {
            return;
        }
        for file in versions.iter().filter(|file| file.is_searchable()) {
            let attributes = labels_of(file, &wanted.attributes);
            if !says_the_same(&readers(&file.attributes), &readers(&attributes)) {
                let reason = "other people may read it, and another version is on its way";
                let restricted = change(wanted, reason, Some(file), &[]);
                self.plan.restrict.push(Change { attributes: Some(attributes), ..restricted });
            }
        }
    }

    /// A document that is new in the place of one that is gone, or of its bytes, is another version of it: what can be
    /// found is let go behind it. After all that need no upload have chosen.
    fn succeed(&mut self, folder: &Folder) {
        let wanted: HashMap<&str, &Wanted> =
            folder.wanted.iter().map(|wanted| (wanted.document_id.as_str(), wanted)).collect();
        let mut lists = [&mut self.plan.add, &mut self.plan.replace, &mut self.plan.resume, &mut self.plan.retry]
            .map(std::mem::take);
        for change in lists.iter_mut().flatten() {
            let Some(&wanted) = wanted.get(change.document_id.as_str()) else { continue };
            let versions = self.donors.predecessor(wanted);
            self.restrict(wanted, &versions);
            change.earlier.extend(versions.iter().copied().map(earlier));
            if moved(&versions, wanted) {
                change.moved_from = versions.first().map(|file| file.path.clone());
            }
        }
        [self.plan.add, self.plan.replace, self.plan.resume, self.plan.retry] = lists;
        let add = std::mem::take(&mut self.plan.add);
        let (add, replace): (Vec<Change>, Vec<Change>) = add.into_iter().partition(|change| change.earlier.is_empty());
        self.plan.add = add;
        let reason = "it takes the place of one that is gone".to_owned();
        self.plan.replace.extend(replace.into_iter().map(|change| Change { reason: reason.clone(), ..change }));
    }

    /// What the store has and the folder has not.
    fn gone(&mut self, folder: &Folder) {
        let problems = held_paths(folder);
        let held = Held::new(&problems);
        let skipped: HashMap<&str, &Skipped> = folder.skipped.iter().map(|file| (file.path.as_str(), file)).collect();
        let present: HashSet<&str> = folder.wanted.iter().map(|wanted| wanted.document_id.as_str()).collect();
        for (id, versions) in &self.remote.documents {
            let Some(newest) = versions.first() else { continue };
            if present.contains(id.as_str()) || self.donors.gave(id) {
                continue;
            }
            let is_held = folder.unfit.contains(id) || held.holds(&newest.path);
            let (list, reason) = if is_held {
                (&mut self.plan.keep, "it cannot be looked at now")
            } else {
                (&mut self.plan.remove, skip_reason(&newest.path, &skipped).unwrap_or("gone"))
            };
            list.push(Change {
                document_id: id.clone(),
                path: newest.path.clone(),
                reason: reason.to_owned(),
                earlier: if is_held { Vec::new() } else { versions.iter().map(earlier).collect() },
                ..Change::default()
            });
        }
    }

    fn let_go(&mut self, wanted: &Wanted, files: &[&RemoteFile], reason: &str) {
        self.plan.drop.extend(files.iter().map(|file| Leftover {
            file_id: file.file_id.clone(),
            name: wanted.file.path.clone(),
            reason: reason.to_owned(),
        }));
    }
}

/// The paths that could not be looked at, also as the store knows them: a long one is cut there.
fn held_paths(folder: &Folder) -> Vec<Problem> {
    let cut = |problem: &Problem| {
        let path = shortened(&problem.path);
        (path != problem.path).then(|| Problem { path, ..problem.clone() })
    };
    folder.problems.iter().cloned().chain(folder.problems.iter().filter_map(cut)).collect()
}

/// Who may read a file, of all that is attached to it.
fn readers(attributes: &Attributes) -> Attributes {
    let is_about = |name: &str| name == RESTRICTED || name.starts_with(ROLE_PREFIX);
    attributes.iter().filter(|(name, _)| is_about(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn moved(versions: &[&RemoteFile], wanted: &Wanted) -> bool {
    versions.first().is_some_and(|file| file.path != shortened(&wanted.file.path))
}

fn change(wanted: &Wanted, reason: &str, file: Option<&RemoteFile>, others: &[&RemoteFile]) -> Change {
    let moved_from = file.map(|file| file.path.clone()).filter(|path| *path != shortened(&wanted.file.path));
    Change {
        document_id: wanted.document_id.clone(),
        path: wanted.file.path.clone(),
        reason: reason.to_owned(),
        moved_from,
        upload_bytes: 0,
        file_id: file.map(|file| file.file_id.clone()),
        // Only where they are needed: most documents stay, and there are many.
        attributes: file
            .filter(|file| !says_the_same(&file.attributes, &wanted.attributes))
            .map(|_| wanted.attributes.clone()),
        earlier: others.iter().copied().map(earlier).collect(),
    }
}

fn earlier(file: &RemoteFile) -> Earlier {
    Earlier { file_id: file.file_id.clone(), is_searchable: file.is_searchable() }
}

/// Whether a file was made of these very bytes, in this form.
fn is_version(file: &RemoteFile, wanted: &Wanted) -> bool {
    file.sha256 == wanted.sha256 && body_part(&file.recipe) == body_part(&wanted.recipe)
}

/// What is to be attached to an earlier version that stays: what people say of the document now (who may read it, above
/// all), and of which bytes it was made.
fn labels_of(file: &RemoteFile, wanted: &Attributes) -> Attributes {
    let mut attributes = wanted.clone();
    attributes.insert(SHA256.to_owned(), Attribute::Text(file.sha256.clone()));
    if let Some(Attribute::Text(recipe)) = wanted.get(RECIPE) {
        let words = &recipe[body_part(recipe).len()..];
        attributes.insert(RECIPE.to_owned(), Attribute::Text(format!("{}{words}", body_part(&file.recipe))));
    }
    attributes
}

/// What is told of a document that the service could not index; `has_earlier` when an earlier version can be found.
pub fn told(path: &str, error: Option<&FileError>, has_earlier: bool) -> Problem {
    let code = match error.map(|error| error.code.as_str()) {
        Some("unsupported_file") => "openai/unsupported-file",
        Some("invalid_file") => "openai/invalid-file",
        _ => "openai/not-indexed",
    };
    let why = error.map(|error| error.message.trim().trim_end_matches('.')).filter(|message| !message.is_empty());
    let why = why.unwrap_or("no reason given");
    let state = if has_earlier { "its earlier version stays" } else { "it cannot be found" };
    let message =
        format!("the service could not index it: {why}; {state} (--retry-failed tries again without a change)");
    Problem::new(path, code, message)
}
