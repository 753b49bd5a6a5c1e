//! Ids and titles of documents: given ones first, derived ones else.
//!
//! Two files never share an id, and a file that is indexed keeps its id as long as nobody gives it another.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::clock::hex;
use crate::docs::format::Parsed;
use crate::docs::text::clean_line;
use crate::model::{BlockKind, file_name};

/// Longer titles are sentences.
const MAX_TITLE_CHARS: usize = 200;
const MAX_ID_CHARS: usize = 80;

/// What decides about the id of one file.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Path relative to the documents folder.
    pub path: &'a str,
    /// The id that `documents.yaml` gives.
    pub given: Option<&'a str>,
    /// The id under which the index knows this path.
    pub known: Option<&'a str>,
}

/// Assigns an id to every path. Given ids win, then known ones, then derived ones in the order of paths; `reserved`
/// ids belong to documents that cannot be looked at now. Given ids must be distinct (the catalogue sees to it).
pub fn assign_ids(claims: &[Claim<'_>], reserved: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut taken = reserved.clone();
    let mut ids = BTreeMap::new();
    for claim in claims {
        if let Some(id) = claim.given {
            taken.insert(id.to_owned());
            ids.insert(claim.path.to_owned(), id.to_owned());
        }
    }
    for claim in claims.iter().filter(|claim| claim.given.is_none()) {
        if let Some(id) = claim.known.filter(|id| !taken.contains(*id)) {
            taken.insert(id.to_owned());
            ids.insert(claim.path.to_owned(), id.to_owned());
        }
    }
    let mut open: Vec<&str> = claims.iter().map(|claim| claim.path).filter(|path| !ids.contains_key(*path)).collect();
    open.sort_unstable();
    for path in open {
        let id = free_id(path, &taken);
        taken.insert(id.clone());
        ids.insert(path.to_owned(), id);
    }
    ids
}

/// The id that a file's name suggests: its stem without a number in front, in lower-case ASCII.
pub fn derive_id(path: &str) -> String {
    let stem = without_number(stem(path));
    let mut id = String::new();
    for c in stem.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => id.push_str("ss"),
            'æ' => id.push_str("ae"),
            'ø' => id.push('o'),
            c if c.is_ascii_alphanumeric() => id.push(c),
            _ if id.ends_with('_') => {}
            _ => id.push('_'),
        }
    }
    let id: String = id.trim_matches('_').chars().take(MAX_ID_CHARS).collect();
    if id.is_empty() { "document".to_owned() } else { id }
}

/// The title of a document: what its reader found, its first heading of level 1, else its file name in title case.
pub fn derive_title(parsed: &Parsed, path: &str) -> String {
    own_title(parsed, path).unwrap_or_else(|| title_from_name(path))
}

/// The title that a document gives itself: what its reader found, else its first heading of level 1.
pub fn own_title(parsed: &Parsed, path: &str) -> Option<String> {
    let heading = parsed
        .blocks
        .iter()
        .find(|block| matches!(block.kind, BlockKind::Heading { level: 1 }))
        .map(|block| block.text.clone());
    parsed
        .title
        .as_deref()
        .map(clean_line)
        .filter(|title| is_sensible_title(title, path))
        .or(heading)
        .filter(|title| title.chars().count() <= MAX_TITLE_CHARS)
}

/// Whether a title says something: programs fill the field with "untitled" and file names.
pub fn is_sensible_title(title: &str, path: &str) -> bool {
    let lower = title.trim().to_lowercase();
    let name = file_name(path).to_lowercase();
    let letters = lower.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 3
        && lower.chars().count() <= MAX_TITLE_CHARS
        && !lower.starts_with("untitled")
        && !lower.starts_with("unbenannt")
        && !lower.starts_with("microsoft word -")
        && !lower.starts_with("powerpoint-")
        && !["title", "document", "document1", "home", "index", "word document", "titel"].contains(&lower.as_str())
        && lower != name
        && lower != stem(&name)
        && !has_file_extension(&lower)
}

fn has_file_extension(title: &str) -> bool {
    let extension = title.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("doc" | "docx" | "pdf" | "odt" | "rtf" | "tex" | "dvi" | "indd" | "html" | "md" | "txt"))
}

/// The title that a file's name suggests: without number and extension, in title case.
pub fn title_from_name(path: &str) -> String {
    let name = without_number(stem(path)).replace(['_', '-', '.', '+'], " ");
    let words: Vec<String> = name.split_whitespace().map(capitalised).collect();
    if words.is_empty() { "Document".to_owned() } else { words.join(" ") }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// `01_orders` is `orders`; `2024` and `3d_printing` stay.
fn without_number(stem: &str) -> &str {
    let rest = stem.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = stem.len() - rest.len();
    match rest.strip_prefix(['_', '-', ' ', '.']) {
        Some(name) if (1..=3).contains(&digits) => {
            let name = name.trim_start_matches(['_', '-', ' ', '.']);
            if name.is_empty() { stem } else { name }
        }
        _ => stem,
    }
}

fn free_id(path: &str, taken: &BTreeSet<String>) -> String {
    let derived = derive_id(path);
    if !taken.contains(&derived) {
        return derived;
    }
    let digest = hex(&Sha256::digest(path.as_bytes()));
    (6..digest.len())
        .map(|length| format!("{derived}_{}", &digest[..length]))
        .find(|id| !taken.contains(id))
        .unwrap_or_else(|| format!("{derived}_{digest}_{}", taken.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_follow_names() {
        assert_eq!(derive_id("a/01_Größe & Maße.md"), "grosse_masse");
        assert_eq!(derive_id("2024.pdf"), "2024");
        assert_eq!(derive_id("3d_printing.md"), "3d_printing");
        assert_eq!(derive_id("日本.md"), "document");
    }

    #[test]
    fn collisions_get_a_suffix_of_the_path() {
        let claim = |path| Claim { path, given: None, known: None };
        let ids = assign_ids(&[claim("b/x.md"), claim("a/x.md")], &BTreeSet::new());
        assert_eq!(ids["a/x.md"], "x");
        assert!(ids["b/x.md"].starts_with("x_"));
    }

    #[test]
    fn known_ids_stay_and_given_ids_win() {
        let claims = [
            Claim { path: "a/x.md", given: None, known: None },
            Claim { path: "b/x.md", given: None, known: Some("x") },
            Claim { path: "c/y.md", given: Some("z"), known: Some("y") },
        ];
        let ids = assign_ids(&claims, &BTreeSet::new());
        assert_eq!((ids["b/x.md"].as_str(), ids["c/y.md"].as_str()), ("x", "z"));
        assert_ne!(ids["a/x.md"], "x");
    }

    #[test]
    fn titles_of_programs_are_no_titles() {
        for bad in ["untitled", "Microsoft Word - a.doc", "report.pdf", "report", "Untitled-1", "12"] {
            assert!(!is_sensible_title(bad, "x/report.pdf"), "{bad}");
        }
        assert!(is_sensible_title("Annual report", "x/report.pdf"));
        let parsed = Parsed { title: Some("untitled".to_owned()), ..Parsed::default() };
        assert_eq!(derive_title(&parsed, "b/02-opening_hours.pdf"), "Opening Hours");
    }

    proptest! {
        #[test]
        fn two_files_never_share_an_id(
            paths in proptest::collection::btree_set("[ab]/[xy0-9_]{1,3}\\.(md|txt)", 0..24),
            known in proptest::collection::vec(proptest::option::of("[xy]{1,2}"), 24),
        ) {
            let paths: Vec<&String> = paths.iter().collect();
            let claims: Vec<Claim<'_>> = paths
                .iter()
                .zip(&known)
                .map(|(path, known)| Claim { path, given: None, known: known.as_deref() })
                .collect();
            let ids = assign_ids(&claims, &BTreeSet::from(["x".to_owned()]));
            let distinct: BTreeSet<&String> = ids.values().collect();
            prop_assert_eq!(ids.len(), paths.len());
            prop_assert_eq!(distinct.len(), paths.len());
            prop_assert!(!distinct.contains(&"x".to_owned()));
        }
    }
}
