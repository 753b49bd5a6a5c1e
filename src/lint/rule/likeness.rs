//! Rules on documents compared with each other.

use crate::ingest::language::Majority;
use crate::lint::facts::{Content, Facts, Folder};
use crate::lint::near::pairs;
use crate::lint::rule::{Rule, Subject};
use crate::model::report::Evidence;
use crate::model::report::Severity::{Advisory, Info};

/// In a smaller folder every document is a good part of it.
const MIN_DOCUMENTS: usize = 10;
/// A language with a tenth of the documents is meant to be there.
const MEANT_SHARE: usize = 10;

pub(super) static RULES: &[Rule] = &[
    Rule {
        name: "duplicate",
        severity: Advisory,
        good: "no document is there twice",
        bad: "a document is there more than once",
        fix: "keep one of them: answers cite now the one, now the other",
        find: duplicates,
    },
    Rule {
        name: "near-duplicate",
        severity: Advisory,
        good: "no two documents are nearly the same",
        bad: "two documents are nearly the same",
        fix: "keep the newer one, or say in the titles what tells them apart",
        find: near_duplicates,
    },
    Rule {
        name: "language",
        severity: Info,
        good: "no document stands alone with its language",
        bad: "a document is in another language than the rest",
        fix: "look whether it belongs here; questions in other words than its own will not find it",
        find: odd_languages,
    },
];

fn duplicates(subject: &Subject) -> Vec<Evidence> {
    let hashes = subject.folder.read().map(|(facts, content)| (content.sha256.clone(), facts.file.path.as_str()));
    let mut groups = Folder::groups(hashes);
    groups.sort();
    let evidence = |group: &Vec<&str>| {
        let others: Vec<String> = group.iter().skip(1).map(|path| format!("`{path}`")).collect();
        Evidence::new(group[0], format!("it is byte for byte {}", others.join(", ")))
    };
    groups.iter().map(evidence).collect()
}

fn near_duplicates(subject: &Subject) -> Vec<Evidence> {
    let documents: Vec<(&Facts, &Content)> = subject.folder.read().collect();
    let signatures: Vec<_> = documents.iter().map(|(_, content)| &content.signature).collect();
    let found = pairs(&signatures).into_iter().filter_map(|pair| {
        let ((first, one), (second, other)) = (documents[pair.first], documents[pair.second]);
        let what = || format!("its words are {:.0} % those of `{}`", pair.alike * 100.0, second.file.path);
        (one.sha256 != other.sha256).then(|| Evidence::new(&first.file.path, what()))
    });
    found.collect()
}

fn odd_languages(subject: &Subject) -> Vec<Evidence> {
    let languages: Vec<(&str, &str)> = subject
        .folder
        .read()
        .filter_map(|(facts, content)| Some((facts.file.path.as_str(), content.language.as_deref()?)))
        .collect();
    let mut majority = Majority::default();
    for (_, language) in &languages {
        majority.count(Some(language));
    }
    let Some(usual) = majority.language().filter(|_| languages.len() >= MIN_DOCUMENTS) else { return Vec::new() };
    let count = |wanted: &str| languages.iter().filter(|(_, language)| *language == wanted).count();
    let is_odd = |language: &str| language != usual && count(language) * MEANT_SHARE < languages.len();
    let odd = languages.iter().filter(|(_, language)| is_odd(language));
    odd.map(|(path, language)| Evidence::new(*path, format!("it is in `{language}`, most others are in `{usual}`")))
        .collect()
}
