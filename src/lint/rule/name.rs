//! Rules on names: what breaks on other machines, and what becomes one id.

use unicode_normalization::UnicodeNormalization as _;

use crate::docs::identity::derive_id;
use crate::lint::facts::Folder;
use crate::lint::rule::{Rule, Subject};
use crate::model::file_name;
use crate::model::report::Evidence;
use crate::model::report::Severity::{Advisory, Blocking};

/// Windows has 260 characters for a whole path, the folders above included.
const MAX_PATH_CHARS: usize = 200;
/// File systems have 255 bytes for a name; copies and archives add to it.
const MAX_NAME_CHARS: usize = 120;

/// Names that Windows keeps for devices, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

pub(super) static RULES: &[Rule] = &[
    Rule {
        name: "bad-name",
        severity: Blocking,
        good: "every name is text",
        bad: "a name is not UTF-8 or holds control characters",
        fix: "rename the file (convmv, for example, changes the encoding of names)",
        find: bad_names,
    },
    Rule {
        name: "portable-name",
        severity: Advisory,
        good: "every name is allowed on other systems",
        bad: "a name is not allowed on Windows",
        fix: "rename the file",
        find: |subject| names(subject, unportable),
    },
    Rule {
        name: "long-name",
        severity: Advisory,
        good: "no name is too long for other systems",
        bad: "a name or path is too long for other systems",
        fix: "shorten the names of the file and its folders",
        find: |subject| names(subject, long),
    },
    Rule {
        name: "name-twins",
        severity: Advisory,
        good: "no two names differ in case or composition of letters only",
        bad: "names differ in case or composition of letters only: one of the files is lost on other systems",
        fix: "rename one of them",
        find: twins,
    },
    Rule {
        name: "same-id",
        severity: Advisory,
        good: "no two names give the same id",
        bad: "names give the same id, and all but one get a suffix",
        fix: "rename one of them, or give it an id in documents.yaml",
        find: same_ids,
    },
];

fn names(subject: &Subject, find: fn(&str) -> Option<String>) -> Vec<Evidence> {
    subject.folder.paths().filter_map(|path| find(path).map(|what| Evidence::new(path, what))).collect()
}

fn bad_names(subject: &Subject) -> Vec<Evidence> {
    let told = subject.folder.problems.iter().filter(|problem| problem.code == "document/bad-name");
    let told = told.map(|problem| Evidence::new(&problem.path, &problem.message));
    let control =
        names(subject, |path| path.contains(char::is_control).then(|| "it holds a control character".to_owned()));
    told.chain(control).collect()
}

/// Microsoft, "Naming Files, Paths, and Namespaces".
fn unportable(path: &str) -> Option<String> {
    path.split('/').find_map(|name| {
        let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_lowercase();
        let is_device = DEVICES.iter().any(|device| match stem.strip_prefix(device) {
            Some("") => !matches!(*device, "com" | "lpt"),
            Some(number) => matches!(*device, "com" | "lpt") && matches!(number.as_bytes(), [b'1'..=b'9']),
            None => false,
        });
        if let Some(found) = name.chars().find(|c| r#"<>:"|?*\"#.contains(*c)) {
            Some(format!("`{found}` is not allowed there"))
        } else if name.ends_with([' ', '.']) || name.starts_with(' ') {
            Some(format!("`{name}` begins with a blank, or ends with a blank or a full stop"))
        } else {
            is_device.then(|| format!("`{stem}` is the name of a device"))
        }
    })
}

fn long(path: &str) -> Option<String> {
    let (name, whole) = (file_name(path).chars().count(), path.chars().count());
    if name > MAX_NAME_CHARS {
        Some(format!("its name has {name} characters, more than {MAX_NAME_CHARS}"))
    } else {
        (whole > MAX_PATH_CHARS).then(|| format!("its path has {whole} characters, more than {MAX_PATH_CHARS}"))
    }
}

fn twins(subject: &Subject) -> Vec<Evidence> {
    let fold = |path: &str| path.nfc().collect::<String>().to_lowercase().nfc().collect::<String>();
    let groups = Folder::groups(subject.folder.paths().map(|path| (fold(path), path)));
    groups.iter().filter_map(|group| together(group, "the same name on other systems as")).collect()
}

fn same_ids(subject: &Subject) -> Vec<Evidence> {
    let given = |path: &str| subject.folder.catalogue.as_ref().ok().and_then(|bound| bound.details(path).id);
    let claims = subject.folder.paths().filter(|path| given(path).is_none()).map(|path| (derive_id(path), path));
    let groups = Folder::groups(claims);
    groups.iter().filter_map(|group| together(group, &format!("`{}`, as have", derive_id(group[0])))).collect()
}

/// One piece of evidence for a group: the first of it, and the others.
fn together(group: &[&str], what: &str) -> Option<Evidence> {
    let (first, others) = group.split_first()?;
    let others: Vec<String> = others.iter().map(|path| format!("`{path}`")).collect();
    Some(Evidence::new(*first, format!("it has {what} {}", others.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_systems() {
        for bad in ["con.md", "a/NUL.txt", "lpt1.pdf", "a?.md", "sub /x.md", "end..", " x.md"] {
            assert!(unportable(bad).is_some(), "{bad}");
        }
        for good in ["console.md", "com.md", "lpt10.md", "a/b c.md", "v1.2.md"] {
            assert!(unportable(good).is_none(), "{good}");
        }
    }
}
