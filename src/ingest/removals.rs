//! When a removal looks more like an accident than like an intention: a share that is not mounted, a rule that ignores
//! too much, the wrong folder. Pure.

use std::collections::{BTreeMap, HashSet};

use crate::ingest::held::folders;
use crate::ingest::plan::Plan;
use crate::model::DocumentRecord;

/// One document that goes is no accident, unless it is the last.
const FEW: usize = 1;
/// More than one in five are many.
const MANY: usize = 5;

/// The question that a person, or `--allow-delete`, has to answer before the plan is carried out: when more than one
/// document goes and these are more than a fifth, or all of a folder; or when nothing is left at all.
pub fn doubt(plan: &Plan, records: &[DocumentRecord]) -> Option<String> {
    let (removed, known) = (plan.remove.len(), records.len());
    let left: HashSet<&str> = plan.staying().flat_map(|change| folders(&change.path)).collect();
    if removed == known && removed > 0 && left.is_empty() {
        return Some(format!("all {removed} documents are gone or ignored now; remove them from the index?"));
    }
    if removed <= FEW {
        return None;
    }
    if removed * MANY > known {
        return Some(format!("{removed} of {known} documents are gone or ignored now; remove them from the index?"));
    }
    let (folder, count) = emptied(plan, &left)?;
    Some(format!(
        "all {count} documents of the folder `{folder}` are gone or ignored now; remove them from the index ({removed} \
         of {known} documents in all)?"
    ))
}

/// The topmost folder that loses all of its documents and gets none, and how many they are; the largest of several.
fn emptied<'a>(plan: &'a Plan, left: &HashSet<&str>) -> Option<(&'a str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for change in &plan.remove {
        let top = folders(&change.path).filter(|folder| !left.contains(folder)).last();
        if let Some(folder) = top {
            *counts.entry(folder).or_default() += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count > FEW).max_by_key(|(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::record;
    use crate::ingest::plan::Change;

    fn question(keep: &[&str], remove: &[&str]) -> Option<String> {
        let change = |path: &&str| Change { path: (*path).to_owned(), ..Change::default() };
        let plan = Plan {
            keep: keep.iter().map(change).collect(),
            remove: remove.iter().map(change).collect(),
            ..Plan::default()
        };
        let records: Vec<DocumentRecord> = keep.iter().chain(remove).map(|path| record(path, "T", 1)).collect();
        doubt(&plan, &records)
    }

    #[test]
    fn many_all_and_whole_folders_are_doubted() {
        let keep: Vec<String> = (0..20).map(|n| format!("k/{n}.md")).collect();
        let keep: Vec<&str> = keep.iter().map(String::as_str).collect();
        assert_eq!(question(&keep, &[]), None);
        assert_eq!(question(&keep, &["k/x.md", "k/y.md"]), None);
        assert_eq!(question(&keep, &["s/x.md"]), None);
        let folder = question(&keep, &["s/t/x.md", "s/u/y.md"]).unwrap();
        assert!(folder.starts_with("all 2 documents of the folder `s`"), "{folder}");
        assert!(question(&keep[..8], &["k/x.md", "k/y.md"]).is_none(), "a fifth is not more than a fifth");
        assert!(question(&keep[..7], &["k/x.md", "k/y.md"]).unwrap().starts_with("2 of 9 documents"));
        assert!(question(&keep[..2], &["k/x.md"]).is_none());
        assert!(question(&[], &["k/x.md"]).unwrap().starts_with("all 1 "));
    }
}
