//! `documents.yaml`: what people say about their documents, by path or glob.
//!
//! It is strict: an unknown key, an id on a glob and an id given twice are errors, so that a typing mistake never
//! renames or publishes documents silently. Later entries override earlier ones; tags and roles add up.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::docs::READER_VERSION;
use crate::error::Problem;
use crate::yaml;

/// Its name, in the root of the documents folder.
pub const CATALOGUE_FILE: &str = "documents.yaml";

const MAX_BYTES: u64 = 1024 * 1024;

/// The longest name of a role: with a prefix it is a key of an attribute, which has 64 characters.
const MAX_ROLE_CHARS: usize = 50;

/// What goes wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It cannot be read.
    #[error("`{CATALOGUE_FILE}` cannot be read: {0}")]
    Unreadable(String),
    /// It is too large to be meant.
    #[error("`{CATALOGUE_FILE}` has more than {} KB", MAX_BYTES / 1024)]
    TooLarge,
    /// It is not what is expected; the message names line and column.
    #[error("`{CATALOGUE_FILE}`: {0}")]
    Invalid(String),
    /// An entry is wrong.
    #[error("`{CATALOGUE_FILE}`, entry {entry} (`{path}`): {message}")]
    Entry {
        /// Which entry, counted from 1.
        entry: usize,
        /// Its path or glob.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// Two files have the same id.
    #[error("`{CATALOGUE_FILE}` gives the id `{id}` to both `{first}` and `{second}`")]
    DuplicateId {
        /// The id.
        id: String,
        /// The first file.
        first: String,
        /// The second file.
        second: String,
    },
}

/// What the catalogue says about one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Details {
    /// Its id.
    pub id: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// One sentence about it.
    pub description: Option<String>,
    /// Its labels.
    pub tags: Vec<String>,
    /// Who may read it, when it is not for everybody.
    pub roles: Vec<String>,
}

impl Details {
    /// SHA-256 over these values and the readers' version: when it changes, the document is read again.
    pub fn recipe(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(READER_VERSION.to_le_bytes());
        for field in [&self.id, &self.title, &self.description] {
            hasher.update([u8::from(field.is_some())]);
            hasher.update(field.as_deref().unwrap_or_default());
            hasher.update([0]);
        }
        for tag in &self.tags {
            hasher.update(tag);
            hasher.update([0]);
        }
        // Without roles the recipe is the one of before there were any: no index is read again for them.
        for role in &self.roles {
            hasher.update([1]);
            hasher.update(role);
            hasher.update([0]);
        }
        hex(&hasher.finalize())
    }
}

/// The parsed catalogue. An absent one is empty.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// The catalogue applied to the files that are there.
#[derive(Debug, Default, Clone)]
pub struct Bound {
    details: BTreeMap<String, Details>,
    /// Entries that match no file.
    pub problems: Vec<Problem>,
}

impl Bound {
    /// What is said about one file.
    pub fn details(&self, path: &str) -> Details {
        self.details.get(path).cloned().unwrap_or_default()
    }
}

impl Catalogue {
    /// Reads `documents.yaml` in `root`.
    pub fn load(root: &Path) -> Result<Self, CatalogueError> {
        let file = root.join(CATALOGUE_FILE);
        match fs::metadata(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(CatalogueError::Unreadable(error.to_string())),
            Ok(metadata) if metadata.len() > MAX_BYTES => return Err(CatalogueError::TooLarge),
            Ok(_) => {}
        }
        let text = fs::read_to_string(&file).map_err(|error| CatalogueError::Unreadable(error.to_string()))?;
        Self::parse(&text)
    }

    /// Parses the text of a catalogue.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let raw: RawCatalogue = yaml::from_str(text).map_err(|error| CatalogueError::Invalid(error.to_string()))?;
        let entries = raw.documents.into_iter().enumerate().map(|(at, raw)| Entry::new(at + 1, raw));
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }

    /// Applies the entries to the files that are there.
    pub fn bind<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Result<Bound, CatalogueError> {
        let mut bound = Bound::default();
        let mut used = vec![false; self.entries.len()];
        for path in paths {
            let mut details = Details::default();
            for (entry, used) in self.entries.iter().zip(&mut used) {
                if entry.matches(path) {
                    *used = true;
                    entry.add_to(&mut details);
                }
            }
            if details != Details::default() {
                bound.details.insert(path.to_owned(), details);
            }
        }
        bound.problems =
            self.entries.iter().zip(used).filter(|(_, used)| !used).map(|(entry, _)| entry.unused()).collect();
        reject_duplicates(&bound.details)?;
        Ok(bound)
    }
}

fn reject_duplicates(details: &BTreeMap<String, Details>) -> Result<(), CatalogueError> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, details) in details {
        let Some(id) = &details.id else { continue };
        if let Some(first) = seen.insert(id, path) {
            return Err(CatalogueError::DuplicateId { id: id.clone(), first: first.to_owned(), second: path.clone() });
        }
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalogue {
    documents: Vec<RawEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    path: String,
    id: Option<String>,
    title: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    roles: Option<Vec<String>>,
}

/// A list that was written down, empty or not: `roles:` alone would hide nothing from anybody.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Vec::deserialize(deserializer).map(Some)
}

#[derive(Debug)]
struct Entry {
    number: usize,
    raw: RawEntry,
    glob: Option<GlobMatcher>,
}

impl Entry {
    fn new(number: usize, raw: RawEntry) -> Result<Self, CatalogueError> {
        let fail = |message: String| CatalogueError::Entry { entry: number, path: raw.path.clone(), message };
        let is_glob = raw.path.contains(['*', '?', '[', '{']);
        if is_glob && (raw.id.is_some() || raw.title.is_some()) {
            return Err(fail("`id` and `title` are for single files, not for globs".to_owned()));
        }
        if let Some(id) = raw.id.as_deref().filter(|id| !is_valid_id(id)) {
            return Err(fail(format!("the id `{id}` may hold letters, digits, `_` and `-` only, at most 128 of them")));
        }
        if raw.roles.as_ref().is_some_and(Vec::is_empty) {
            return Err(fail("`roles` is empty: name who may read it, or leave the key out".to_owned()));
        }
        if let Some(role) = raw.roles.iter().flatten().find(|role| !is_valid_role(role)) {
            return Err(fail(format!(
                "the role `{role}` may hold lower-case letters, digits, `_` and `-` only, at most {MAX_ROLE_CHARS} of them"
            )));
        }
        if raw.path.starts_with('/') || raw.path.split('/').any(|part| part == "..") {
            return Err(fail("paths are relative to the documents folder".to_owned()));
        }
        let glob = match GlobBuilder::new(&raw.path).literal_separator(true).build() {
            Ok(glob) if is_glob => Some(glob.compile_matcher()),
            Ok(_) => None,
            Err(error) => return Err(fail(error.kind().to_string())),
        };
        Ok(Self { number, raw, glob })
    }

    fn matches(&self, path: &str) -> bool {
        let literal = self.raw.path.strip_prefix("./").unwrap_or(&self.raw.path);
        // A file may be named like a glob: `faq [2024].md`.
        literal == path || self.glob.as_ref().is_some_and(|glob| glob.is_match(path))
    }

    fn add_to(&self, details: &mut Details) {
        let set = |field: &mut Option<String>, value: &Option<String>| {
            if let Some(value) = value.as_deref().map(str::trim).filter(|value| !value.is_empty()) {
                *field = Some(value.to_owned());
            }
        };
        set(&mut details.id, &self.raw.id);
        set(&mut details.title, &self.raw.title);
        set(&mut details.description, &self.raw.description);
        for tag in &self.raw.tags {
            if !details.tags.contains(tag) {
                details.tags.push(tag.clone());
            }
        }
        for role in self.raw.roles.iter().flatten() {
            if !details.roles.contains(role) {
                details.roles.push(role.clone());
            }
        }
    }

    fn unused(&self) -> Problem {
        let message = format!("entry {} (`{}`) matches no document", self.number, self.raw.path);
        Problem::new(CATALOGUE_FILE, "catalogue/no-match", message)
    }
}

fn is_valid_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Strict, so that two ways of writing never mean one role in one place and two in another.
fn is_valid_role(role: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    (1..=MAX_ROLE_CHARS).contains(&role.len()) && role.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_entries_override_and_tags_add_up() {
        let text = "documents:\n  - path: 'orders/*.md'\n    description: d\n    tags: [orders]\n  \
                    - path: orders/cancel.md\n    id: cancel_order\n    title: Cancel\n    tags: [orders, cancel]\n";
        let bound = Catalogue::parse(text).unwrap().bind(["orders/cancel.md", "orders/new.md", "x.md"]).unwrap();
        let details = bound.details("orders/cancel.md");
        assert_eq!(details.id.as_deref(), Some("cancel_order"));
        assert_eq!(details.description.as_deref(), Some("d"));
        assert_eq!(details.tags, ["orders", "cancel"]);
        assert_eq!(bound.details("x.md"), Details::default());
        assert_ne!(bound.details("orders/new.md").recipe(), Details::default().recipe());
        assert!(bound.problems.is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| Catalogue::parse(text).unwrap_err().to_string();
        let unknown = error("documents:\n  - path: a.md\n    titel: x\n");
        assert!(unknown.contains("titel") && unknown.contains("line 3 column 5"), "{unknown}");
        assert!(error("documents:\n  - path: '*.md'\n    id: x\n").contains("single files"));
        assert!(error("documents:\n  - path: a.md\n    id: 'a b'\n").contains("`a b`"));
        assert!(error("documents:\n  - path: ../a.md\n").contains("relative"));
    }

    /// A mistake in `roles` never publishes a document.
    #[test]
    fn roles_are_strict_add_up_and_leave_other_recipes_alone() {
        let error = |text: &str| Catalogue::parse(text).unwrap_err().to_string();
        assert!(error("documents:\n  - {path: a.md, roles: []}\n").contains("`roles` is empty"));
        assert!(error("documents:\n  - {path: a.md, roles: [Staff]}\n").contains("`Staff`"));
        assert!(error("documents:\n  - {path: a.md, role: [staff]}\n").contains("role"));
        assert!(error("documents:\n  - path: a.md\n    roles:\n").contains("roles"));
        assert!(error("documents:\n  - path: a.md\n    roles: staff\n").contains("roles"));
        let text = "documents:\n  - {path: '*.md', roles: [staff]}\n  - {path: a.md, roles: [board, staff]}\n";
        let bound = Catalogue::parse(text).unwrap().bind(["a.md", "b.md"]).unwrap();
        assert_eq!(
            (bound.details("a.md").roles, bound.details("b.md").roles),
            (vec!["staff".to_owned(), "board".to_owned()], vec!["staff".to_owned()])
        );
        assert_ne!(bound.details("a.md").recipe(), bound.details("b.md").recipe());
        // As an index made before there were roles has it: written down, so that no change of the hash goes unseen.
        let before = Details { title: Some("T".to_owned()), tags: vec!["x".to_owned()], ..Details::default() };
        let mut hasher = Sha256::new();
        hasher.update(READER_VERSION.to_le_bytes());
        hasher.update([0, 0, 1, b'T', 0, 0, 0, b'x', 0]);
        assert_eq!(before.recipe(), hex(&hasher.finalize()));
    }

    #[test]
    fn duplicates_and_unused_entries_are_told() {
        let text = "documents:\n  - {path: a.md, id: x}\n  - {path: b.md, id: x}\n  - {path: c.md}\n";
        let catalogue = Catalogue::parse(text).unwrap();
        let error = catalogue.bind(["a.md", "b.md"]).unwrap_err().to_string();
        assert!(error.contains("`a.md`") && error.contains("`b.md`"), "{error}");
        let bound = catalogue.bind(["a.md"]).unwrap();
        assert_eq!(bound.problems.len(), 2);
        assert_eq!(bound.problems[0].code, "catalogue/no-match");
    }

    #[test]
    fn empty_and_absent_catalogues_say_nothing() {
        assert!(Catalogue::parse("# nothing\n").unwrap().entries.is_empty());
        let dir = tempfile::tempdir().unwrap();
        assert!(Catalogue::load(dir.path()).unwrap().entries.is_empty());
    }
}
