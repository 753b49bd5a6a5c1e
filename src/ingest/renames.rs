//! Which files are documents that the index knows under a path that has not their bytes any more.
//!
//! A file is the same document when its bytes are the same and its extension, which decides how it is read, too. Among
//! several equal ones the choice is always the same: the same inode first, then as much of the path's end as possible
//! (a folder that was renamed), then the order of paths. Pure.

use std::collections::{HashMap, HashSet};

use crate::ingest::scan::HashedFile;
use crate::model::DocumentRecord;

/// For each path of a new file the record of the document that it is; files that are nobody's are left out.
pub fn find<'a>(gone: &[&'a DocumentRecord], new: &[&'a HashedFile]) -> HashMap<&'a str, &'a DocumentRecord> {
    let mut groups: HashMap<(&str, String), Group<'a>> = HashMap::new();
    for record in gone {
        groups.entry((&record.sha256, extension(&record.path))).or_default().gone.push(record);
    }
    for file in new {
        if let Some(group) = groups.get_mut(&(file.sha256.as_str(), extension(&file.file.path))) {
            group.new.push(file);
        }
    }
    let mut found = HashMap::new();
    for group in groups.into_values().filter(|group| !group.new.is_empty()) {
        group.pair(&mut found);
    }
    found
}

/// The extension in lower case; what has none has an empty one.
pub fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
}

/// Documents and files with the same bytes.
#[derive(Default)]
struct Group<'a> {
    gone: Vec<&'a DocumentRecord>,
    new: Vec<&'a HashedFile>,
}

impl<'a> Group<'a> {
    fn pair(mut self, found: &mut HashMap<&'a str, &'a DocumentRecord>) {
        self.gone.sort_by(|a, b| (&a.path, &a.document_id).cmp(&(&b.path, &b.document_id)));
        self.new.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        self.pair_by(found, |record| record.inode, |file| file.file.inode);
        let depth = self.new.iter().map(|file| file.file.path.split('/').count()).max().unwrap_or_default();
        for parts in (1..=depth).rev() {
            self.pair_by(found, |record| path_end(&record.path, parts), |file| path_end(&file.file.path, parts));
        }
        self.pair_by(found, |_| Some(()), |_| Some(()));
    }

    /// Pairs what has the same key, in the order of paths; what has none stays.
    fn pair_by<K: Eq + std::hash::Hash>(
        &mut self,
        found: &mut HashMap<&'a str, &'a DocumentRecord>,
        key_of_record: impl Fn(&'a DocumentRecord) -> Option<K>,
        key_of_file: impl Fn(&'a HashedFile) -> Option<K>,
    ) {
        if self.gone.is_empty() || self.new.is_empty() {
            return;
        }
        let mut by_key: HashMap<K, Vec<&'a DocumentRecord>> = HashMap::new();
        // Taken from the end of each list, so that the first path goes first.
        for &record in self.gone.iter().rev() {
            if let Some(key) = key_of_record(record) {
                by_key.entry(key).or_default().push(record);
            }
        }
        let mut taken: HashSet<&str> = HashSet::new();
        self.new.retain(|&file| {
            let record = key_of_file(file).and_then(|key| by_key.get_mut(&key)?.pop());
            if let Some(record) = record {
                taken.insert(&record.document_id);
                found.insert(&file.file.path, record);
            }
            record.is_none()
        });
        self.gone.retain(|record| !taken.contains(record.document_id.as_str()));
    }
}

/// The last `parts` parts of a path; none when it has fewer.
fn path_end(path: &str, parts: usize) -> Option<&str> {
    let mut separators = path.rmatch_indices('/');
    match separators.nth(parts - 1) {
        Some((at, _)) => Some(&path[at + 1..]),
        None => (path.split('/').count() == parts).then_some(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::walk::FoundFile;
    use crate::index::tests::record;

    fn gone(path: &str, inode: Option<u64>) -> DocumentRecord {
        DocumentRecord { path: path.to_owned(), sha256: "same".to_owned(), inode, ..record(path, "T", 1) }
    }

    fn new(path: &str, inode: Option<u64>) -> HashedFile {
        let file = FoundFile { path: path.to_owned(), inode, ..FoundFile::default() };
        HashedFile { file, sha256: "same".to_owned() }
    }

    fn pairs(gone: &[DocumentRecord], new: &[HashedFile]) -> Vec<(String, String)> {
        let (gone, new): (Vec<_>, Vec<_>) = (gone.iter().collect(), new.iter().collect());
        let mut pairs: Vec<(String, String)> =
            find(&gone, &new).into_iter().map(|(path, record)| (record.path.clone(), path.to_owned())).collect();
        pairs.sort();
        pairs
    }

    fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
    }

    #[test]
    fn equal_files_are_told_apart_by_inode_then_path_then_order() {
        let old = [gone("a/1/x.md", None), gone("a/2/x.md", None), gone("q.md", Some(7))];
        let files = [new("b/2/x.md", None), new("b/1/x.md", None), new("z.md", None), new("p.md", Some(7))];
        let expected = own(&[("a/1/x.md", "b/1/x.md"), ("a/2/x.md", "b/2/x.md"), ("q.md", "p.md")]);
        assert_eq!(pairs(&old, &files), expected);
        let old = [gone("c.md", None), gone("a.md", None)];
        assert_eq!(pairs(&old, &[new("y.md", None)]), own(&[("a.md", "y.md")]));
    }

    #[test]
    fn another_extension_is_another_document() {
        assert!(pairs(&[gone("a.md", Some(1))], &[new("a.txt", Some(1))]).is_empty());
        assert_eq!(pairs(&[gone("a.md", None)], &[new("b.MD", None)]), own(&[("a.md", "b.MD")]));
    }
}
