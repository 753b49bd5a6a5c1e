//! Counts what a folder holds: documents, bytes, pages and words, by type, language, year and folder.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::docs::format;
use crate::docs::walk::{FoundFile, Listing};
use crate::error::Problem;
use crate::ingest::language;
use crate::lint::facts;
use crate::lint::look::{Read, problem};

/// How many of the largest are named.
const LARGEST: usize = 10;
/// Paths named for one reason of being skipped.
const SKIPPED_NAMED: usize = 5;

/// One document, counted.
#[derive(Debug, Clone)]
pub struct Item {
    path: String,
    bytes: u64,
    modified: Option<Timestamp>,
    content: Result<Counted, Problem>,
}

#[derive(Debug, Clone, Default)]
struct Counted {
    pages: Option<u32>,
    words: usize,
    language: Option<String>,
    /// The format that it was read as.
    format: String,
}

/// Sums over some documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Documents, those that could not be read included.
    pub documents: usize,
    /// Those that could not be read.
    pub unread: usize,
    /// Their size.
    pub bytes: u64,
    /// Pages, slides and sheets, of formats that have such.
    pub pages: u64,
    /// Words of their text.
    pub words: u64,
}

/// The sums of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What the documents have in common.
    pub name: String,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// A document with the time of its last change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dated {
    /// Path relative to the documents folder.
    pub path: String,
    /// The last change.
    pub modified_at: Timestamp,
}

/// A document with its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sized {
    /// Path relative to the documents folder.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// What is skipped for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedGroup {
    /// Why.
    pub reason: String,
    /// How many.
    pub files: usize,
    /// Some of them.
    pub paths: Vec<String>,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// All documents.
    pub total: Sums,
    /// The one changed longest ago.
    pub oldest: Option<Dated>,
    /// The one changed last.
    pub newest: Option<Dated>,
    /// By the format they were read as; those that were not, by their names.
    pub by_type: Vec<Group>,
    /// By language, ISO 639-3; `unknown` where it is not sure.
    pub by_language: Vec<Group>,
    /// By year of the last change.
    pub by_age: Vec<Group>,
    /// By folder at the top; `.` for the documents beside them.
    pub by_folder: Vec<Group>,
    /// The largest, largest first.
    pub largest: Vec<Sized>,
    /// What is left out on purpose, by reason.
    pub skipped: Vec<SkippedGroup>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Counts one document. Runs on a background thread.
pub fn item(file: FoundFile, read: Read) -> Item {
    let content = match read {
        Ok(read) => Ok(Counted {
            pages: read.parsed.pages,
            words: facts::words(&read.parsed),
            language: language::detect(&read.parsed.blocks)
                .or_else(|| read.parsed.language.as_deref().and_then(language::declared)),
            format: read.parsed.format,
        }),
        Err(error) => Err(problem(&file, &error)),
    };
    let modified = file.modified_ns.and_then(|ns| Timestamp::from_nanosecond(ns.into()).ok());
    Item { path: file.path, bytes: file.bytes, modified, content }
}

/// Puts the counts together.
pub fn inventory(items: &[Item], listing: Listing) -> Inventory {
    let dated = |item: &Item| Some(Dated { path: item.path.clone(), modified_at: item.modified? });
    let mut largest: Vec<Sized> =
        items.iter().map(|item| Sized { path: item.path.clone(), bytes: item.bytes }).collect();
    largest.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    largest.truncate(LARGEST);
    let unread = items.iter().filter_map(|item| item.content.as_ref().err().cloned());
    Inventory {
        total: sums(items.iter()),
        oldest: items.iter().filter_map(dated).min_by_key(|dated| dated.modified_at),
        newest: items.iter().filter_map(dated).max_by_key(|dated| dated.modified_at),
        by_type: groups(items, type_name),
        by_language: groups(items, language_name),
        by_age: groups(items, year),
        by_folder: groups(items, top_folder),
        largest,
        skipped: skipped(&listing),
        problems: listing.problems.into_iter().chain(unread).collect(),
    }
}

fn sums<'a>(items: impl Iterator<Item = &'a Item>) -> Sums {
    items.fold(Sums::default(), |mut sums, item| {
        sums.documents += 1;
        sums.bytes += item.bytes;
        match &item.content {
            Ok(counted) => {
                sums.pages += u64::from(counted.pages.unwrap_or(0));
                sums.words += counted.words as u64;
            }
            Err(_) => sums.unread += 1,
        }
        sums
    })
}

/// The groups, those with most documents first.
fn groups(items: &[Item], name: fn(&Item) -> String) -> Vec<Group> {
    let mut by_name: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for item in items {
        by_name.entry(name(item)).or_default().push(item);
    }
    let mut groups: Vec<Group> =
        by_name.into_iter().map(|(name, items)| Group { name, sums: sums(items.into_iter()) }).collect();
    groups.sort_by(|a, b| b.sums.documents.cmp(&a.sums.documents).then_with(|| a.name.cmp(&b.name)));
    groups
}

fn type_name(item: &Item) -> String {
    match &item.content {
        Ok(counted) => counted.format.clone(),
        Err(_) => format::by_extension(&item.path).map_or("unknown", |format| format.name).to_owned(),
    }
}

fn language_name(item: &Item) -> String {
    let language = item.content.as_ref().ok().and_then(|counted| counted.language.clone());
    language.unwrap_or_else(|| "unknown".to_owned())
}

fn year(item: &Item) -> String {
    let year = item.modified.map(|modified| modified.to_zoned(TimeZone::UTC).year().to_string());
    year.unwrap_or_else(|| "unknown".to_owned())
}

fn top_folder(item: &Item) -> String {
    item.path.split_once('/').map_or(".", |(folder, _)| folder).to_owned()
}

fn skipped(listing: &Listing) -> Vec<SkippedGroup> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &listing.skipped {
        by_reason.entry(&file.reason).or_default().push(&file.path);
    }
    let group = |(reason, paths): (&str, Vec<&str>)| SkippedGroup {
        reason: reason.to_owned(),
        files: paths.len(),
        paths: paths.into_iter().take(SKIPPED_NAMED).map(str::to_owned).collect(),
    };
    by_reason.into_iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(path: &str, bytes: u64, words: usize) -> Item {
        let format = "Markdown".to_owned();
        let content = Ok(Counted { pages: Some(2), words, language: Some("eng".to_owned()), format });
        Item { path: path.to_owned(), bytes, modified: Some(Timestamp::UNIX_EPOCH), content }
    }

    #[test]
    fn every_grouping_adds_up() {
        let mut broken = item("b.pdf", 5, 0);
        broken.content = Err(Problem::new("b.pdf", "document/encrypted", "it is encrypted"));
        let items = [item("a/x.md", 10, 3), item("a/y.md", 30, 4), broken];
        let found = inventory(&items, Listing::default());
        assert_eq!(found.total, Sums { documents: 3, unread: 1, bytes: 45, pages: 4, words: 7 });
        for groups in [&found.by_type, &found.by_language, &found.by_age, &found.by_folder] {
            assert_eq!(groups.iter().map(|group| group.sums.documents).sum::<usize>(), 3);
        }
        assert_eq!((found.by_folder[0].name.as_str(), found.by_folder[1].name.as_str()), ("a", "."));
        assert_eq!(found.largest[0].path, "a/y.md");
        assert_eq!(found.problems.len(), 1);
    }

    #[test]
    fn a_type_is_what_was_read_and_not_what_a_name_says() {
        let found = inventory(&[item("a.pdf", 10, 3)], Listing::default());
        assert_eq!(found.by_type[0].name, "Markdown");
    }
}
