//! The table of rules. A rule turns what is known of a folder into evidence; no evidence is a pass.
//!
//! The severity of a rule decides its verdict: evidence against a blocking rule is a `fail`, against any other a
//! `warn`. A folder without documents is not looked at: one rule says so, and it is unknown, not passed.

mod content;
mod likeness;
mod name;
mod place;

use std::time::Instant;

use jiff::Timestamp;

use crate::lint::allow::EntryNote;
use crate::lint::facts::Folder;
use crate::lint::finding::Finding;
use crate::model::report::{Evidence, Probe, Severity, Verdict};

/// What the rules look at.
#[derive(Debug)]
pub struct Subject {
    /// The folder.
    pub folder: Folder,
    /// Findings that no entry of the allow file allows.
    pub open: Vec<Finding>,
    /// Entries of the allow file that are over or of no use.
    pub notes: Vec<EntryNote>,
    /// The present.
    pub now: Timestamp,
    /// Documents older than this many days are stale.
    pub max_age_days: u32,
}

/// A row of the table.
pub struct Rule {
    /// Kebab-case; the id of its probe is `docs-lint/` and this.
    pub name: &'static str,
    /// How much evidence weighs.
    pub severity: Severity,
    /// What holds when there is no evidence.
    pub good: &'static str,
    /// What holds of each piece of evidence.
    pub bad: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Finds the evidence.
    pub find: fn(&Subject) -> Vec<Evidence>,
}

/// The rule that there is something to look at.
const DOCUMENTS: &str = "documents";

/// Every rule, in the order of the report.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [content::RULES, place::RULES, name::RULES, likeness::RULES].into_iter().flatten()
}

/// The verdict of every rule.
pub fn judge(subject: &Subject) -> Vec<Probe> {
    let is_empty = subject.folder.is_empty();
    let first = presence(subject, is_empty);
    let others = rules().map(|rule| if is_empty { not_applicable(rule) } else { verdict(rule, subject) });
    [first].into_iter().chain(others).collect()
}

fn presence(subject: &Subject, is_empty: bool) -> Probe {
    let count = subject.folder.files.len() + subject.folder.problems.len();
    let summary = if is_empty {
        "there is nothing to look at: the folder holds no document".to_owned()
    } else {
        format!("there is something to look at: {count} of the files are documents")
    };
    let left_out = || subject.folder.others.iter().map(|other| Evidence::new(&other.path, &other.reason));
    Probe {
        id: id(DOCUMENTS),
        kind: DOCUMENTS.to_owned(),
        verdict: if is_empty { Verdict::Unknown } else { Verdict::Pass },
        severity: Severity::Blocking,
        summary,
        evidence: if is_empty { left_out().collect() } else { Vec::new() },
        fix: is_empty.then(|| "put documents into the folder, or name another with --docs-dir".to_owned()),
        duration_ms: 0,
    }
}

fn not_applicable(rule: &Rule) -> Probe {
    Probe {
        id: id(rule.name),
        kind: rule.name.to_owned(),
        verdict: Verdict::NotApplicable,
        severity: rule.severity,
        summary: "there is no document to look at".to_owned(),
        evidence: Vec::new(),
        fix: None,
        duration_ms: 0,
    }
}

fn verdict(rule: &Rule, subject: &Subject) -> Probe {
    let began = Instant::now();
    let evidence = (rule.find)(subject);
    let verdict = match (evidence.is_empty(), rule.severity) {
        (true, _) => Verdict::Pass,
        (false, Severity::Blocking) => Verdict::Fail,
        (false, _) => Verdict::Warn,
    };
    let summary =
        if evidence.is_empty() { rule.good.to_owned() } else { format!("{} × {}", evidence.len(), rule.bad) };
    Probe {
        id: id(rule.name),
        kind: rule.name.to_owned(),
        verdict,
        severity: rule.severity,
        summary,
        fix: (!evidence.is_empty()).then(|| rule.fix.to_owned()),
        evidence,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn id(name: &str) -> String {
    format!("docs-lint/{name}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::docs::catalogue::Bound;

    #[test]
    fn names_are_stable_words_and_given_once() {
        let names: Vec<&str> = rules().map(|rule| rule.name).chain([DOCUMENTS]).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }

    #[test]
    fn an_empty_folder_is_unknown_and_not_good() {
        let catalogue = Ok(Bound::default());
        let folder = Folder { files: Vec::new(), others: Vec::new(), problems: Vec::new(), catalogue };
        let subject =
            Subject { folder, open: Vec::new(), notes: Vec::new(), now: Timestamp::UNIX_EPOCH, max_age_days: 1 };
        let probes = judge(&subject);
        assert_eq!(probes.len(), rules().count() + 1);
        assert!(probes.iter().all(|probe| matches!(probe.verdict, Verdict::Unknown | Verdict::NotApplicable)));
    }
}
