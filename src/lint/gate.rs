//! What is in documents that are about to leave this machine: looked at before the first of them does.
//!
//! Exactly the documents that would leave are read, each once. A document that cannot be read is not known to be
//! harmless, and does not leave; a finding that nobody allowed holds all of them back until a person decides.

use std::sync::Arc;

use jiff::civil::Date;

use crate::docs::ReadFile;
use crate::docs::walk::FoundFile;
use crate::error::Problem;
use crate::event::Event;
use crate::lint::LintError;
use crate::lint::allow::Allow;
use crate::lint::finding::{self, Finding};
use crate::lint::line::Source;
use crate::lint::long_text;
use crate::lint::look::{LookContext, Read, look_at, problem};
use crate::lint::sensitive::Level;

/// What else keeps a document that was read from leaving.
pub type Obstacle = dyn Fn(&FoundFile, &ReadFile) -> Option<Problem> + Send + Sync;

/// Whether a file is text as it stands, and too long for its reader.
pub type IsLongText = fn(&FoundFile) -> bool;

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Findings of severity high or medium that no entry of the allow file allows, in the order of the documents.
    pub open: Vec<Finding>,
    /// How many values are allowed.
    pub allowed: usize,
    /// Documents that must not leave, whatever is decided about the findings.
    pub held_back: Vec<Problem>,
}

/// Looks at documents. `None` when it was stopped.
pub async fn look_before_leaving(
    files: &[FoundFile],
    allow: &Allow,
    today: Date,
    (obstacle, is_long_text): (Arc<Obstacle>, IsLongText),
    context: LookContext<'_>,
) -> Result<Option<Seen>, LintError> {
    let (long, short): (Vec<FoundFile>, Vec<FoundFile>) = files.iter().cloned().partition(is_long_text);
    let examine = Arc::new(move |file: FoundFile, read: Read| examine(&file, read, &*obstacle));
    let mut findings = Vec::new();
    let mut seen = Seen::default();
    let mut take = |examined| match examined {
        Ok(found) => findings.extend(found),
        Err(problem) => seen.held_back.push(problem),
    };
    for file in long {
        take(look_through(file, context).await?);
    }
    if look_at(&short, context, examine, take).await?.is_none() {
        return Ok(None);
    }
    let judged = allow.judge(findings, today);
    seen.open = judged.open.into_iter().filter(|finding| finding.severity > Level::Low).collect();
    seen.allowed = judged.allowed;
    Ok(Some(seen))
}

/// Looks through a text that no reader takes.
async fn look_through(file: FoundFile, context: LookContext<'_>) -> Result<Result<Vec<Finding>, Problem>, LintError> {
    context.observer.observe(Event::Working { item: file.path.clone() });
    let stop = context.stop.clone();
    Ok(tokio::task::spawn_blocking(move || long_text::find(&file, &stop)).await?)
}

fn examine(file: &FoundFile, read: Read, obstacle: &Obstacle) -> Result<Vec<Finding>, Problem> {
    let read = read.map_err(|error| problem(file, &error))?;
    if (read.bytes, read.modified_ns) != (file.bytes, file.modified_ns) {
        let message = "it changed while it was being looked at; the next sync takes it";
        return Err(Problem::new(&file.path, "document/unreadable", message));
    }
    match obstacle(file, &read) {
        Some(problem) => Err(problem),
        None => Ok(finding::find(&file.path, &read.parsed, &Source::new(file, &read))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::docs::reader::InProcess;
    use crate::docs::walk::walk;
    use crate::event::Silent;

    /// Put together, so that no scanner of repositories takes it for a leak.
    fn token() -> String {
        format!("gh{}_{}", "p", "q7Rk2mZt9WbX4cVn6LpY8sHd3Jf5GaTe1uCi")
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("clean.md"), "# A\n\nNothing to see, but support@example.com.\n").unwrap();
        fs::write(folder.path().join("leak.md"), format!("# B\n\nUse {} please.\n", token())).unwrap();
        fs::write(folder.path().join("table.csv"), "name,mail\nMarta,marta.quill@lampworks.eu\n").unwrap();
        fs::write(folder.path().join("empty.md"), "").unwrap();
        fs::write(folder.path().join("long.txt"), format!("As long as it is: {}\n", token())).unwrap();
        folder
    }

    async fn seen(root: &Path, only: &[&str], allow: &Allow, stop: &CancellationToken) -> Option<Seen> {
        let mut files = walk(root).unwrap().files;
        files.retain(|file| only.is_empty() || only.contains(&file.path.as_str()));
        let context = LookContext { reader: &InProcess, observer: &Silent, stop };
        let obstacle = Arc::new(|_: &FoundFile, _: &ReadFile| None);
        let is_long_text: IsLongText = |file| file.path == "long.txt";
        look_before_leaving(&files, allow, jiff::civil::date(2026, 11, 24), (obstacle, is_long_text), context)
            .await
            .unwrap()
    }

    /// A key or personal data in a document is seen before any document leaves, by place, never whole.
    #[tokio::test]
    async fn exactly_the_documents_that_would_leave_are_looked_at() {
        let folder = folder();
        let stop = CancellationToken::new();
        let all = seen(folder.path(), &[], &Allow::default(), &stop).await.unwrap();
        let found: Vec<(&str, &str)> = all.open.iter().map(|found| (found.path.as_str(), found.kind)).collect();
        assert_eq!(found, [("long.txt", "github-token"), ("leak.md", "github-token"), ("table.csv", "email")]);
        assert!(!format!("{:?}", all.open).contains(&token()));
        assert_eq!(all.held_back.len(), 1, "{:?}", all.held_back);
        assert_eq!(all.held_back[0].code, "document/no-text");
        let clean = seen(folder.path(), &["clean.md"], &Allow::default(), &stop).await.unwrap();
        assert!(clean.open.is_empty() && clean.held_back.is_empty());
    }

    #[tokio::test]
    async fn what_is_allowed_for_passes() {
        let folder = folder();
        let text = "allow:\n  - {path: 'l*', kind: github-token, reason: revoked}\n  \
                    - {path: table.csv, kind: email, reason: hers, until: 2026-01-01}\n";
        let allow = Allow::parse("docs-allow.yaml", text).unwrap();
        let seen = seen(folder.path(), &[], &allow, &CancellationToken::new()).await.unwrap();
        let found: Vec<&str> = seen.open.iter().map(|found| found.path.as_str()).collect();
        assert_eq!((found, seen.allowed), (vec!["table.csv"], 2));
    }

    #[tokio::test]
    async fn a_stop_is_no_pass() {
        let stop = CancellationToken::new();
        stop.cancel();
        assert!(seen(folder().path(), &[], &Allow::default(), &stop).await.is_none());
    }
}
