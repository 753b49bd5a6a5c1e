//! The gate before an upload: what `docs scan` finds in the documents that would leave holds all of them back, unless
//! a person allowed it. Nothing is sent before every one of them was looked at.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::cmd::Ctx;
use crate::cmd::docs::documents;
use crate::cmd::docs::reading::{AllowArgs, failure, today};
use crate::docs::ReadFile;
use crate::docs::format;
use crate::docs::reader::Reader;
use crate::docs::walk::FoundFile;
use crate::error::{Failure, Problem};
use crate::event::Observer;
use crate::exit::Exit;
use crate::hosted;
use crate::hosted::folder::Wanted;
use crate::hosted::render::{self, formats};
use crate::ingest::renames::extension;
use crate::lint::LookContext;
use crate::lint::finding::Finding;
use crate::lint::gate::{Seen, look_before_leaving};

/// Findings that the message lists; `docs scan` lists all.
const LISTED: usize = 20;

/// The flags of the gate.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GateArgs {
    /// With --to openai: upload although keys or personal data are found; --yes does not say so
    #[arg(long)]
    allow_findings: bool,
    #[command(flatten)]
    allow: AllowArgs,
}

impl GateArgs {
    /// The flag that was given, if one was.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.allow_findings.then_some("--allow-findings").or_else(|| self.allow.is_given().then_some("--allow"))
    }
}

/// Looks at what would go up, and at nothing else. What it looked at once in a run it does not look at again.
///
/// It ends with `docs/findings` (exit 1) when something of severity high or medium is found that neither the allow file
/// nor --allow-findings allows: the documents are not good to leave, as `docs scan` says with the same code.
pub(super) struct ScanGate<'a> {
    pub(super) args: &'a GateArgs,
    pub(super) reader: &'a dyn Reader,
    pub(super) observer: &'a dyn Observer,
    pub(super) ctx: &'a Ctx,
    pub(super) passed: Mutex<Passed>,
}

/// What may go up.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// What was found and goes up all the same, since --allow-findings says so. Masked.
    pub(super) findings: Vec<Finding>,
    /// Path and SHA-256 of what was looked at and is not held back.
    documents: HashSet<(String, String)>,
}

#[async_trait]
impl hosted::Gate for ScanGate<'_> {
    async fn pass(&self, documents: &[&Wanted]) -> Result<Vec<Problem>, Failure> {
        let new: Vec<&Wanted> = {
            let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            documents.iter().copied().filter(|wanted| !passed.documents.contains(&key(wanted))).collect()
        };
        let files: Vec<FoundFile> = new.iter().map(|wanted| wanted.file.clone()).collect();
        let allow = self.args.allow.load(self.ctx)?;
        let context = LookContext { reader: self.reader, observer: self.observer, stop: &self.ctx.stop };
        let obstacle = Arc::new(|file: &FoundFile, read: &ReadFile| render::obstacle(&file.path, read));
        let seen =
            look_before_leaving(&files, &allow, today(), (obstacle, is_long_text), context).await.map_err(failure)?;
        let Some(seen) = seen else {
            // The stop ends the sync itself before anything is done; until then nothing has passed.
            return std::future::pending().await;
        };
        let (findings, held_back) = decide(seen, self.args.allow_findings)?;
        let held: HashSet<&str> = held_back.iter().map(|problem| problem.path.as_str()).collect();
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.findings.extend(findings);
        passed.documents.extend(new.into_iter().filter(|wanted| !held.contains(wanted.file.path.as_str())).map(key));
        Ok(held_back)
    }
}

/// A text that the service reads as it is, and that is too long for our reader.
fn is_long_text(file: &FoundFile) -> bool {
    let is_text = formats::native(&extension(&file.path)).is_some_and(|native| native.is_text);
    is_text && file.bytes > format::max_bytes(&file.path)
}

fn key(wanted: &Wanted) -> (String, String) {
    (wanted.file.path.clone(), wanted.sha256.clone())
}

/// What goes up although it was found, and what must not go up.
fn decide(seen: Seen, allow_findings: bool) -> Result<(Vec<Finding>, Vec<Problem>), Failure> {
    let Seen { open, held_back, .. } = seen;
    if open.is_empty() || allow_findings {
        return Ok((open, held_back));
    }
    let fix = "take it out, or paste the entries that `chatbotctl docs scan` prints into docs-allow.yaml; \
               --allow-findings uploads it as it is";
    Err(Failure::new("docs/findings", Exit::NotGood, "upload the documents", told(&open)).fix(fix))
}

/// What was found, by document and place.
fn told(open: &[Finding]) -> String {
    let values: usize = open.iter().map(Finding::values).sum();
    let mut paths: Vec<&str> = open.iter().map(|finding| finding.path.as_str()).collect();
    paths.dedup();
    let mut text = format!("{values} found in {}; nothing was uploaded", documents(paths.len()));
    for Finding { path, place, title, kind, excerpt, severity, .. } in open.iter().take(LISTED) {
        let place = if place.is_empty() { "the document" } else { place };
        let _ = write!(text, "\n  {path}, {place}: {title} `{excerpt}` ({kind}, {})", severity.name());
    }
    if open.len() > LISTED {
        let _ = write!(text, "\n  and {} more", open.len() - LISTED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::sensitive::{Class, Level};
    use crate::model::Locator;

    fn finding(path: &str) -> Finding {
        Finding {
            path: path.to_owned(),
            place: "line 3".to_owned(),
            locator: Locator::default(),
            kind: "github-token",
            title: "GitHub token",
            class: Class::Secret,
            severity: Level::High,
            excerpt: "ghp_…".to_owned(),
            fingerprint: "0a1b2c3d".to_owned(),
            more: 0,
        }
    }

    fn seen(findings: usize) -> Seen {
        let open = (0..findings).map(|at| finding(&format!("{}.md", at / 2))).collect();
        Seen { open, allowed: 0, held_back: vec![Problem::new("scan.pdf", "document/no-text", "it holds no text")] }
    }

    /// Only the flag that is about findings lets them through; each is named by place.
    #[test]
    fn findings_hold_everything_back_until_the_flag_says_otherwise() {
        let failure = decide(seen(44), false).unwrap_err();
        assert_eq!((failure.code, failure.exit), ("docs/findings", Exit::NotGood));
        assert!(failure.why.starts_with("44 found in 22 documents; nothing was uploaded"), "{}", failure.why);
        assert!(failure.why.contains("0.md, line 3: GitHub token `ghp_…` (github-token, high)"), "{}", failure.why);
        assert!(failure.why.ends_with("and 24 more"), "{}", failure.why);
        let (findings, held_back) = decide(seen(2), true).unwrap();
        assert_eq!((findings.len(), held_back.len()), (2, 1));
        assert!(decide(seen(0), false).unwrap().0.is_empty());
    }
}
