//! The gate before an upload: what `docs scan` finds in the documents that would leave holds all of them back, unless
//! a person allowed it. Nothing is sent before every one of them was looked at.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use crate::cmd::Ctx;
use crate::cmd::docs::documents;
use crate::cmd::docs::reading::{AllowArgs, failure, today};
use crate::docs::ReadFile;
use crate::docs::reader::Reader;
use crate::docs::walk::FoundFile;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::hosted::render;
use crate::lint::LookContext;
use crate::lint::finding::Finding;
use crate::lint::gate::{Seen, look_before_leaving};

/// Findings that the message lists; `docs scan` lists all.
const LISTED: usize = 20;

/// The flags of the gate.
#[derive(Debug, Clone, clap::Args)]
pub struct GateArgs {
    /// Upload although keys or personal data are found; --yes does not say so
    #[arg(long)]
    allow_findings: bool,
    #[command(flatten)]
    allow: AllowArgs,
}

/// What may go up.
#[derive(Debug, Default, Serialize)]
pub struct Passed {
    /// What was found and goes up all the same, since --allow-findings says so. Masked.
    pub allowed_findings: Vec<Finding>,
    /// Documents that must not go up: they cannot be read, so that nobody knows what they hold, or the service could
    /// not read them.
    pub held_back: Vec<Problem>,
}

/// Looks at the documents that would be uploaded, and at no others. `None` when it was stopped.
///
/// # Errors
///
/// `docs/findings` (exit 1) when something of severity high or medium is found that neither the allow file nor
/// --allow-findings allows: the documents are not good to leave, as `docs scan` says with the same code.
pub async fn pass(
    files: &[FoundFile],
    args: &GateArgs,
    reader: &dyn Reader,
    ctx: &Ctx,
) -> Result<Option<Passed>, Failure> {
    let allow = args.allow.load(ctx)?;
    let progress = ctx.out.progress();
    let context = LookContext { reader, observer: &progress, stop: &ctx.stop };
    let obstacle = Arc::new(|file: &FoundFile, read: &ReadFile| render::obstacle(&file.path, read));
    let seen = look_before_leaving(files, &allow, today(), obstacle, context).await.map_err(failure)?;
    seen.map(|seen| decide(seen, args.allow_findings)).transpose()
}

fn decide(seen: Seen, allow_findings: bool) -> Result<Passed, Failure> {
    let Seen { open, held_back, .. } = seen;
    if open.is_empty() || allow_findings {
        return Ok(Passed { allowed_findings: open, held_back });
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
        let passed = decide(seen(2), true).unwrap();
        assert_eq!((passed.allowed_findings.len(), passed.held_back.len()), (2, 1));
        assert!(decide(seen(0), false).unwrap().allowed_findings.is_empty());
    }
}
