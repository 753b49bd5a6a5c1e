//! Whether a vector store equals the folder: the plan of a sync, told as a report. Pure.
//!
//! Invariant: what a sync would do is what differs, so the store is equal exactly when a sync has nothing to do and nothing
//! to tell.

use jiff::Timestamp;

use crate::error::Problem;
use crate::hosted::cost;
use crate::hosted::plan::{Change, Leftover};
use crate::hosted::prune::{Orphan, Why};
use crate::hosted::sync::Look;
use crate::llm::models::ModelCatalogue;
use crate::model::report::{Evidence, Probe, Severity, Verdict};
use crate::openai::vector_store::VectorStore;

/// What is looked at.
pub struct Subject<'a> {
    /// Store and folder, and what a sync would do.
    pub look: &'a Look,
    /// Uploaded files of ours that no store has.
    pub orphans: &'a [Orphan],
    /// Stores of the account that no settings name.
    pub unknown_stores: &'a [VectorStore],
    /// What storage costs.
    pub prices: &'a ModelCatalogue,
}

/// A row of the table.
struct Rule {
    /// Kebab-case; the id of its probe is `docs-verify/` and this.
    name: &'static str,
    severity: Severity,
    good: &'static str,
    bad: &'static str,
    fix: &'static str,
    find: fn(&Subject<'_>) -> Vec<Evidence>,
}

const SYNC: &str = "chatbotctl docs sync --to openai";
const PRUNE: &str = "chatbotctl vector-store prune";

/// Every rule, in the order of the report.
const RULES: [Rule; 13] = [
    Rule {
        name: "missing",
        severity: Severity::Blocking,
        good: "every document of the folder is in the store",
        bad: "not in the store",
        fix: SYNC,
        find: |subject| changes(&subject.look.plan.add),
    },
    Rule {
        name: "outdated",
        severity: Severity::Blocking,
        good: "the store has the present version of each document",
        bad: "in another version than the folder's",
        fix: SYNC,
        find: |subject| changes(&subject.look.plan.replace),
    },
    Rule {
        name: "attributes",
        severity: Severity::Blocking,
        good: "paths, titles, tags and roles in the store are those of the folder",
        bad: "under other attributes than documents.yaml and the folder say",
        fix: SYNC,
        find: |subject| changes(subject.look.plan.relabel.iter().chain(&subject.look.plan.restrict)),
    },
    Rule {
        name: "extra",
        severity: Severity::Blocking,
        good: "the store has no document that the folder has not",
        bad: "in the store and not in the folder",
        fix: SYNC,
        find: |subject| changes(&subject.look.plan.remove),
    },
    Rule {
        name: "in-progress",
        severity: Severity::Blocking,
        good: "no document is still being indexed",
        bad: "not indexed yet",
        fix: "wait and look again; a sync waits for them: chatbotctl docs sync --to openai",
        find: |subject| changes(subject.look.plan.resume.iter().chain(&subject.look.plan.retry)),
    },
    Rule {
        name: "failed",
        severity: Severity::Blocking,
        good: "the service has indexed every document that it was given",
        bad: "refused by the service",
        fix: "correct the documents, or try them again: chatbotctl docs sync --to openai --retry-failed",
        find: |subject| problems(&subject.look.plan.failed),
    },
    Rule {
        name: "duplicate",
        severity: Severity::Blocking,
        good: "the store has each document once",
        bad: "versions that nobody needs",
        fix: SYNC,
        find: |subject| leftovers(&subject.look.plan.drop),
    },
    Rule {
        name: "orphan",
        severity: Severity::Blocking,
        good: "every file that was uploaded for the store is in it",
        bad: "uploaded for the store and not in it",
        fix: PRUNE,
        find: |subject| orphans(subject, Why::NotInItsStore),
    },
    Rule {
        name: "unfit",
        severity: Severity::Blocking,
        good: "every document of the folder can be looked at and can go up",
        bad: "cannot be looked at, or cannot go up",
        fix: "correct what is named, then run it again",
        find: |subject| problems(&subject.look.folder.problems),
    },
    Rule {
        name: "foreign",
        severity: Severity::Advisory,
        good: "the store has no file of others",
        bad: "in the store and not from here; answers draw on them, and no sync touches them",
        fix: "take them out where they were put in, or give the documents a store of their own",
        find: foreign,
    },
    Rule {
        name: "gone-store",
        severity: Severity::Advisory,
        good: "no file is left of a store that is gone",
        bad: "left of stores that are gone",
        fix: PRUNE,
        find: |subject| orphans(subject, Why::StoreGone),
    },
    Rule {
        name: "unknown-store",
        severity: Severity::Advisory,
        good: "every store of the account is named by a profile",
        bad: "stores that no profile of this project names",
        fix: "look whose they are: chatbotctl vector-store show ID; delete what nobody needs",
        find: unknown_stores,
    },
    Rule {
        name: "end",
        severity: Severity::Advisory,
        good: "the store does not end by itself",
        bad: "ends by itself",
        fix: "chatbotctl vector-store update --expires-after-days never",
        find: end,
    },
];

/// The verdict of every rule. Nothing on both sides is not known to be right.
pub fn judge(subject: &Subject<'_>) -> Vec<Probe> {
    let documents = subject.look.folder.wanted.len();
    let is_empty = documents == 0 && subject.look.remote.documents.is_empty();
    let summary = if is_empty {
        "there is nothing to compare: neither the folder nor the store has a document".to_owned()
    } else {
        format!("{documents} of the folder were compared with {} of the store", subject.look.remote.documents.len())
    };
    let first = Probe {
        verdict: if is_empty { Verdict::Unknown } else { Verdict::Pass },
        fix: is_empty.then(|| "put documents into the folder, or name another with --docs-dir".to_owned()),
        ..probe("documents", Severity::Blocking, summary)
    };
    [first].into_iter().chain(RULES.iter().map(|rule| verdict(rule, subject))).collect()
}

fn verdict(rule: &Rule, subject: &Subject<'_>) -> Probe {
    let evidence = (rule.find)(subject);
    let verdict = match (evidence.is_empty(), rule.severity) {
        (true, _) => Verdict::Pass,
        (false, Severity::Blocking) => Verdict::Fail,
        (false, _) => Verdict::Warn,
    };
    let summary =
        if evidence.is_empty() { rule.good.to_owned() } else { format!("{} × {}", evidence.len(), rule.bad) };
    let fix = (!evidence.is_empty()).then(|| rule.fix.to_owned());
    Probe { verdict, evidence, fix, ..probe(rule.name, rule.severity, summary) }
}

fn probe(name: &str, severity: Severity, summary: String) -> Probe {
    Probe {
        id: format!("docs-verify/{name}"),
        kind: name.to_owned(),
        verdict: Verdict::Pass,
        severity,
        summary,
        evidence: Vec::new(),
        fix: None,
        duration_ms: 0,
    }
}

fn changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<Evidence> {
    let told = |change: &Change| match &change.moved_from {
        Some(from) => Evidence::new(&change.path, format!("{} (in the store: {from})", change.reason)),
        None => Evidence::new(&change.path, &change.reason),
    };
    changes.into_iter().map(told).collect()
}

fn leftovers(leftovers: &[Leftover]) -> Vec<Evidence> {
    leftovers.iter().map(|file| Evidence::new(&file.name, format!("{}: {}", file.file_id, file.reason))).collect()
}

fn problems(problems: &[Problem]) -> Vec<Evidence> {
    problems.iter().map(|problem| Evidence::new(&problem.path, &problem.message)).collect()
}

fn orphans(subject: &Subject<'_>, why: Why) -> Vec<Evidence> {
    let told = |orphan: &Orphan| {
        let cost = cost::of_bytes(subject.prices, orphan.bytes);
        let message = format!("{}, {} bytes, at most {cost} a month", orphan.file_id, orphan.bytes);
        Evidence::new(&orphan.filename, message)
    };
    subject.orphans.iter().filter(|orphan| orphan.why == why).map(told).collect()
}

fn foreign(subject: &Subject<'_>) -> Vec<Evidence> {
    let told = |bytes: u64| format!("not made by this program, {} a month", cost::of_bytes(subject.prices, bytes));
    subject.look.remote.foreign.iter().map(|file| Evidence::new(&file.file_id, told(file.usage_bytes))).collect()
}

fn unknown_stores(subject: &Subject<'_>) -> Vec<Evidence> {
    let told = |store: &VectorStore| {
        let cost = cost::of_bytes(subject.prices, store.usage_bytes);
        let name = store.name.as_deref().unwrap_or("without a name");
        Evidence::new(&store.id, format!("{name}, {} files, {cost} a month", store.file_counts.total))
    };
    subject.unknown_stores.iter().map(told).collect()
}

fn end(subject: &Subject<'_>) -> Vec<Evidence> {
    let store = &subject.look.remote.store;
    let at = store.expires_at.and_then(|at| Timestamp::from_second(at).ok()).map(|at| format!("at {at}"));
    let after = store.expires_after.as_ref().map(|after| format!("{} days after its last use", after.days));
    at.or(after)
        .map(|when| Evidence::new(&store.id, format!("it ends {when}, unless it is used")))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::hosted::folder::Folder;
    use crate::hosted::{Plan, Remote};
    use crate::model::report::{Outcome, Report};

    fn look(plan: Plan, folder: Folder) -> Look {
        let store = serde_json::from_value(serde_json::json!({ "id": "vs_1" })).unwrap();
        let documents = [("a".to_owned(), Vec::new())].into();
        let remote = Remote { store, documents, foreign: Vec::new(), orphans: Vec::new(), elsewhere: Vec::new() };
        Look { remote, folder, records: Vec::new(), plan }
    }

    fn outcome(look: &Look, orphans: &[Orphan]) -> (Outcome, BTreeSet<String>) {
        let prices = ModelCatalogue::load(None).unwrap();
        let report = Report::new("vs_1", judge(&Subject { look, orphans, unknown_stores: &[], prices: &prices }));
        let bad = report.probes.iter().filter(|probe| matches!(probe.verdict, Verdict::Fail | Verdict::Warn));
        (report.outcome, bad.map(|probe| probe.kind.clone()).collect())
    }

    #[test]
    fn whatever_a_sync_would_do_is_a_difference() {
        let change = || vec![Change { path: "a.md".to_owned(), reason: "new".to_owned(), ..Change::default() }];
        let leftover =
            || vec![Leftover { file_id: "file-1".to_owned(), name: "a.md".to_owned(), reason: "old".to_owned() }];
        let problem = || vec![Problem::new("a.md", "x/y", "it is bad")];
        assert_eq!(outcome(&look(Plan::default(), Folder::default()), &[]), (Outcome::Go, BTreeSet::new()));
        let cases: [(Plan, &str); 9] = [
            (Plan { add: change(), ..Plan::default() }, "missing"),
            (Plan { replace: change(), ..Plan::default() }, "outdated"),
            (Plan { relabel: change(), ..Plan::default() }, "attributes"),
            (Plan { remove: change(), ..Plan::default() }, "extra"),
            (Plan { resume: change(), ..Plan::default() }, "in-progress"),
            (Plan { retry: change(), ..Plan::default() }, "in-progress"),
            (Plan { failed: problem(), ..Plan::default() }, "failed"),
            (Plan { drop: leftover(), ..Plan::default() }, "duplicate"),
            (Plan { keep: change(), ..Plan::default() }, ""),
        ];
        for (plan, kind) in cases {
            let expected: BTreeSet<String> =
                [kind].iter().filter(|kind| !kind.is_empty()).map(|kind| (*kind).to_owned()).collect();
            let (found, kinds) = outcome(&look(plan, Folder::default()), &[]);
            assert_eq!((found == Outcome::NoGo, kinds), (!expected.is_empty(), expected), "{kind}");
        }
        let folder = Folder { problems: problem(), ..Folder::default() };
        assert_eq!(outcome(&look(Plan::default(), folder), &[]).0, Outcome::NoGo);
    }

    #[test]
    fn orphans_of_the_store_block_and_those_of_gone_stores_warn() {
        let orphan = |why: Why| Orphan {
            file_id: "file-1".to_owned(),
            filename: "a.md".to_owned(),
            bytes: 9,
            created_at: 0,
            why,
        };
        let look = look(Plan::default(), Folder::default());
        assert_eq!(outcome(&look, &[orphan(Why::NotInItsStore)]).0, Outcome::NoGo);
        let (warned, kinds) = outcome(&look, &[orphan(Why::StoreGone)]);
        assert_eq!((warned, kinds.contains("gone-store")), (Outcome::Go, true));
    }

    #[test]
    fn nothing_on_both_sides_proves_nothing() {
        let mut look = look(Plan::default(), Folder::default());
        look.remote.documents.clear();
        assert_eq!(outcome(&look, &[]).0, Outcome::NotProven);
    }
}
