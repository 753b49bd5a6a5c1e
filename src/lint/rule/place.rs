//! Rules on files as the file system has them, and on what is said about them.

use jiff::Timestamp;

use crate::docs::catalogue::CATALOGUE_FILE;
use crate::docs::walk::SkipCode;
use crate::lint::allow::EntryNote;
use crate::lint::facts::{Facts, Other};
use crate::lint::rule::{Rule, Subject};
use crate::model::report::Evidence;
use crate::model::report::Severity::{Advisory, Blocking, Info};

pub(super) static RULES: &[Rule] = &[
    Rule {
        name: "content-type",
        severity: Blocking,
        good: "every file is what its name says",
        bad: "a file is something else than its name says",
        fix: "rename it to what it is, or remove it",
        // A program under another name is told as a program.
        find: |subject| each(subject, |facts| facts.disguise.clone().filter(|_| facts.program.is_none())),
    },
    Rule {
        name: "executable",
        severity: Blocking,
        good: "no file is a program",
        bad: "a file is a program",
        fix: "remove it: a folder of documents is no place for programs",
        find: programs,
    },
    Rule {
        name: "executable-bit",
        severity: Info,
        good: "no document is marked as a program",
        bad: "a document is marked as a program",
        fix: "take the mark away: chmod a-x FILE (a mounted disk may mark every file)",
        find: |subject| each(subject, |facts| facts.has_run_bit.then(|| "its mode says that it can be run".to_owned())),
    },
    Rule {
        name: "secret-file",
        severity: Advisory,
        good: "no file looks like a store of secrets",
        bad: "a file looks like a store of secrets; it is skipped",
        fix: "move it out of the folder",
        find: |subject| others(subject, |other| other.code == SkipCode::Secret),
    },
    Rule {
        name: "skipped",
        severity: Info,
        good: "every file is read",
        bad: "a file is skipped",
        fix: "save it in a format that is read (Markdown, PDF, DOCX …), or move it out of the folder",
        find: |subject| others(subject, |other| other.code != SkipCode::Secret && other.program.is_none()),
    },
    Rule {
        name: "catalogue",
        severity: Blocking,
        good: "documents.yaml fits the folder",
        bad: "an entry of documents.yaml does not fit the folder",
        fix: "correct documents.yaml",
        find: catalogue,
    },
    Rule {
        name: "restricted",
        severity: Info,
        good: "every document is for everybody",
        bad: "a document has roles, and is shown to no visitor",
        fix: "take its `roles` out of documents.yaml if it is for everybody",
        find: restricted,
    },
    Rule {
        name: "allow-file",
        severity: Advisory,
        good: "every entry of docs-allow.yaml is in use",
        bad: "an entry of docs-allow.yaml is over or of no use",
        fix: "renew it with a new date, or remove it",
        find: allow_file,
    },
    Rule {
        name: "stale",
        severity: Advisory,
        good: "no document is old",
        bad: "a document is old",
        fix: "ask who wrote it whether it still holds; save it anew if so (--max-age DAYS sets the limit)",
        find: stale,
    },
];

fn each(subject: &Subject, find: fn(&Facts) -> Option<String>) -> Vec<Evidence> {
    let evidence = |facts: &Facts| find(facts).map(|what| Evidence::new(&facts.file.path, what));
    subject.folder.files.iter().filter_map(evidence).collect()
}

fn others(subject: &Subject, wanted: fn(&Other) -> bool) -> Vec<Evidence> {
    let found = subject.folder.others.iter().filter(|other| wanted(other));
    found.map(|other| Evidence::new(&other.path, &other.reason)).collect()
}

fn programs(subject: &Subject) -> Vec<Evidence> {
    let read = subject.folder.files.iter().map(|facts| (&facts.file.path, facts.program));
    let skipped = subject.folder.others.iter().map(|other| (&other.path, other.program));
    read.chain(skipped).filter_map(|(path, program)| program.map(|what| Evidence::new(path, what))).collect()
}

fn catalogue(subject: &Subject) -> Vec<Evidence> {
    match &subject.folder.catalogue {
        Ok(bound) => bound.problems.iter().map(|problem| Evidence::new(&problem.path, &problem.message)).collect(),
        Err(error) => vec![Evidence::new(CATALOGUE_FILE, error)],
    }
}

fn restricted(subject: &Subject) -> Vec<Evidence> {
    let Ok(bound) = &subject.folder.catalogue else { return Vec::new() };
    let roles = |facts: &Facts| {
        let roles = bound.details(&facts.file.path).roles;
        (!roles.is_empty()).then(|| Evidence::new(&facts.file.path, format!("for {} only", roles.join(", "))))
    };
    subject.folder.files.iter().filter_map(roles).collect()
}

/// The evidence is about the allow file: an entry's path is a glob, and no file may have that name.
fn allow_file(subject: &Subject) -> Vec<Evidence> {
    let evidence = |note: &EntryNote| {
        let EntryNote { file, entry, path, kind, message } = note;
        Evidence::new(file, format!("entry {entry} (`{path}`, {kind}): {message}"))
    };
    subject.notes.iter().map(evidence).collect()
}

fn stale(subject: &Subject) -> Vec<Evidence> {
    let evidence = |facts: &Facts| {
        let modified = Timestamp::from_nanosecond(facts.file.modified_ns?.into()).ok()?;
        let age_days = subject.now.duration_since(modified).as_hours() / 24;
        let is_old = age_days > i64::from(subject.max_age_days);
        is_old.then(|| {
            Evidence::new(&facts.file.path, format!("last changed {}, {age_days} days ago", modified.strftime("%F")))
        })
    };
    subject.folder.files.iter().filter_map(evidence).collect()
}
