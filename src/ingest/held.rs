//! Paths that could not be looked at. What the index has at or below one of them must stay.

use std::collections::HashSet;

use crate::error::Problem;

/// The paths of problems met while looking at a folder.
#[derive(Debug)]
pub struct Held<'a> {
    paths: HashSet<&'a str>,
}

impl<'a> Held<'a> {
    /// The paths of these problems.
    pub fn new(problems: &'a [Problem]) -> Self {
        Self { paths: problems.iter().map(|problem| problem.path.as_str()).collect() }
    }

    /// Whether a path could not be looked at: itself, or a folder above it.
    pub fn holds(&self, path: &str) -> bool {
        !self.paths.is_empty() && (self.paths.contains(path) || folders(path).any(|above| self.paths.contains(above)))
    }
}

/// The folders above a path, innermost first, the documents folder (an empty path) last.
pub fn folders(path: &str) -> impl Iterator<Item = &str> {
    let parent = |path: &str| path.rfind('/').unwrap_or_default();
    let first = (!path.is_empty()).then(|| &path[..parent(path)]);
    std::iter::successors(first, move |path| (!path.is_empty()).then(|| &path[..parent(path)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_is_below_it() {
        let problem = |path: &str| Problem::new(path, "document/unreadable", "no");
        assert_eq!(folders("a/b/c.md").collect::<Vec<_>>(), ["a/b", "a", ""]);
        let problems = [problem("a/b"), problem("x.md")];
        let held = Held::new(&problems);
        assert!(held.holds("a/b/c.md") && held.holds("a/b") && held.holds("x.md"));
        assert!(!held.holds("a/bc.md") && !held.holds("a") && !held.holds("y.md"));
        assert!(Held::new(&[problem("")]).holds("y.md"));
    }
}
