//! Rules on what stands in a document, or keeps it from being read.

use crate::docs::format::FormatError;
use crate::lint::facts::{Content, Facts};
use crate::lint::finding::Finding;
use crate::lint::rule::{Rule, Subject};
use crate::lint::sensitive::{Class, Level, redact};
use crate::model::report::Evidence;
use crate::model::report::Severity::{Advisory, Blocking};

/// More chunks than some 600 pages give.
const MAX_CHUNKS: usize = 2_000;
/// Fewer words answer nothing.
const MIN_WORDS: usize = 12;

pub(super) static RULES: &[Rule] = &[
    Rule {
        name: "secret",
        severity: Blocking,
        good: "no key, token or password stands in a document",
        bad: "a key, token or password stands in a document",
        fix: "take it out and replace it where it is valid; allow what is none in docs-allow.yaml (`chatbotctl docs scan` prints the entry)",
        find: |subject| findings(subject, |finding| finding.class == Class::Secret),
    },
    Rule {
        name: "personal-data",
        severity: Blocking,
        good: "nothing in a document identifies a person or an account",
        bad: "a number or date identifies a person or an account",
        fix: "take it out, or allow it with a reason in docs-allow.yaml (`chatbotctl docs scan` prints the entry)",
        find: |subject| {
            findings(subject, |finding| finding.class == Class::Personal && finding.severity == Level::High)
        },
    },
    Rule {
        name: "contact-data",
        severity: Advisory,
        good: "no way to reach a person stands in a document",
        bad: "an address or number may reach a person",
        fix: "replace it by a role's, or allow it with a reason in docs-allow.yaml (`chatbotctl docs scan` prints the entry)",
        find: |subject| {
            findings(subject, |finding| finding.class == Class::Personal && finding.severity == Level::Medium)
        },
    },
    Rule {
        name: "empty",
        severity: Blocking,
        good: "no document is empty",
        bad: "a document is empty",
        fix: "fill it or remove it",
        find: |subject| unread(subject, |error| matches!(error, FormatError::Empty)),
    },
    Rule {
        name: "encrypted",
        severity: Blocking,
        good: "no document needs a password",
        bad: "a document needs a password",
        fix: "save it without a password",
        find: |subject| unread(subject, |error| matches!(error, FormatError::Encrypted)),
    },
    Rule {
        name: "no-text",
        severity: Blocking,
        good: "every document holds text",
        bad: "a document holds no text",
        fix: "run text recognition on it if it is a scan (ocrmypdf, for example), or remove it",
        find: |subject| unread(subject, |error| matches!(error, FormatError::NoText | FormatError::Scan)),
    },
    Rule {
        name: "malformed",
        severity: Blocking,
        good: "no document is damaged",
        bad: "a document is damaged",
        fix: "save it anew in the program that made it, or remove it",
        find: malformed,
    },
    Rule {
        name: "reader",
        severity: Blocking,
        good: "no document broke its reader",
        bad: "a document broke its reader or took too long",
        fix: "save it anew or split it; if it should be readable, report it as a bug",
        find: |subject| unread(subject, breaks_its_reader),
    },
    Rule {
        name: "too-large",
        severity: Blocking,
        good: "no document is too large to be read",
        bad: "a document is too large to be read",
        fix: "split it",
        find: |subject| {
            let found = unread(subject, |error| matches!(error, FormatError::TooLarge(_) | FormatError::TooMuch(_)));
            found.into_iter().chain(problems(subject, "document/too-large")).collect()
        },
    },
    Rule {
        name: "unreadable",
        severity: Blocking,
        good: "every file may be read",
        bad: "a file or folder may not be read",
        fix: "let this user read it (chmod, chown)",
        find: |subject| {
            let found = unread(subject, |error| matches!(error, FormatError::Unreadable(_)));
            found.into_iter().chain(problems(subject, "document/unreadable")).collect()
        },
    },
    Rule {
        name: "encoding",
        severity: Advisory,
        good: "no characters are broken",
        bad: "a document has broken characters",
        fix: "save it as UTF-8 from the program that shows it right",
        find: |subject| {
            contents(subject, |content| {
                let (locator, what) = content.broken.as_ref()?;
                Some(Evidence::new("", *what).at(locator.clone()))
            })
        },
    },
    Rule {
        name: "no-title",
        severity: Advisory,
        good: "every document has a title",
        bad: "a document has no title, and its file name is shown",
        fix: "give it a heading, or a title in documents.yaml",
        find: untitled,
    },
    Rule {
        name: "very-short",
        severity: Advisory,
        good: "no document is too short to answer anything",
        bad: "a document is too short to answer anything",
        fix: "finish it, join it with another, or remove it",
        find: |subject| {
            contents(subject, |content| {
                (content.words < MIN_WORDS && !content.is_table)
                    .then(|| Evidence::new("", format!("it has {} words", content.words)))
            })
        },
    },
    Rule {
        name: "long-document",
        severity: Advisory,
        good: "no document is so long that citations say little",
        bad: "a document is very long",
        fix: "split it by chapter: a citation of a shorter document says more",
        find: |subject| {
            contents(subject, |content| {
                let what = || format!("it gives {} chunks, more than {MAX_CHUNKS}", content.chunks);
                (content.chunks > MAX_CHUNKS).then(|| Evidence::new("", what()))
            })
        },
    },
];

fn breaks_its_reader(error: &FormatError) -> bool {
    use FormatError::{Crashed, Killed, Late, TimedOut};
    matches!(error, Crashed(_) | TimedOut(_) | Killed(_) | Late(_))
}

fn findings(subject: &Subject, wanted: fn(&Finding) -> bool) -> Vec<Evidence> {
    // What is most likely meant to be there is no evidence; `docs scan` lists it.
    let told = subject.open.iter().filter(|finding| finding.severity > Level::Low && wanted(finding));
    told.map(|finding| {
        // Reports travel further than the documents: a fingerprint is only for those who write the allow file.
        let what = format!("{} `{}` (kind {})", finding.title, finding.excerpt, finding.kind);
        Evidence::new(&finding.path, what).at(finding.locator.clone())
    })
    .collect()
}

/// What a file is instead says more, and other rules say it.
fn malformed(subject: &Subject) -> Vec<Evidence> {
    let is_told = |evidence: &Evidence| {
        let facts = subject.folder.files.iter().find(|facts| facts.file.path == evidence.subject);
        facts.is_some_and(|facts| facts.program.is_some() || facts.disguise.is_some())
    };
    let mut found = unread(subject, |error| matches!(error, FormatError::Malformed(_) | FormatError::Unsupported(_)));
    found.retain(|evidence| !is_told(evidence));
    found
}

fn unread(subject: &Subject, wanted: fn(&FormatError) -> bool) -> Vec<Evidence> {
    let evidence = |facts: &Facts| {
        let error = facts.content.as_ref().err().filter(|error| wanted(error))?;
        Some(Evidence::new(&facts.file.path, redact(&error.to_string())))
    };
    subject.folder.files.iter().filter_map(evidence).collect()
}

fn problems(subject: &Subject, code: &str) -> Vec<Evidence> {
    let found = subject.folder.problems.iter().filter(|problem| problem.code == code);
    found.map(|problem| Evidence::new(&problem.path, &problem.message)).collect()
}

fn contents(subject: &Subject, find: fn(&Content) -> Option<Evidence>) -> Vec<Evidence> {
    let evidence = |(facts, content): (&Facts, &Content)| {
        find(content).map(|evidence| Evidence { subject: facts.file.path.clone(), ..evidence })
    };
    subject.folder.read().filter_map(evidence).collect()
}

fn untitled(subject: &Subject) -> Vec<Evidence> {
    let is_given =
        |path: &str| subject.folder.catalogue.as_ref().is_ok_and(|catalogue| catalogue.details(path).title.is_some());
    let found = subject.folder.read().filter(|(_, content)| !content.has_title && !content.is_table);
    let found = found.filter(|(facts, _)| !is_given(&facts.file.path));
    found.map(|(facts, _)| Evidence::new(&facts.file.path, "it has neither a title nor a first heading")).collect()
}
