//! `docs lint`: every rule on the folder itself.

use std::sync::Arc;

use crate::clock::{Clock as _, SystemClock};
use crate::cmd::docs::FolderArgs;
use crate::cmd::docs::reading::{AllowArgs, docs_dir, failure, read_all, today};
use crate::cmd::{Ctx, help_end, outcome_exit};
use crate::error::Failure;
use crate::exit::Exit;
use crate::lint::LintError;
use crate::lint::facts::{self, Facts};
use crate::lint::finding::Finding;
use crate::lint::rule::{Subject, judge};
use crate::model::report::Report;
use crate::report;
use crate::ui::{Format, clean};

/// Two years: what nobody touched since should be asked about.
const MAX_AGE_DAYS: u32 = 730;

/// Check the documents folder against every rule, without an index
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Check the documents folder against every rule, without an index and without a sync.\n\n\
        Blocking rules: secrets and personal data inside documents (see `docs scan`), documents that are empty, \
        encrypted, without text, damaged, too large or unreadable, files that are something else than their names \
        say, programs, bad names, an entry of documents.yaml that fits nothing. Other rules warn: contact data, \
        duplicates and near-duplicates, names that clash, stale, untitled, very short and very long documents, \
        broken characters, skipped files, odd languages.\n\n\
        With --format json: schema, target, summary (counts of verdicts), outcome, probes: one entry for every rule, \
        passes included (id, kind, verdict: pass, warn, fail, unknown or not_applicable; severity: blocking, advisory \
        or info; summary, evidence, fix, duration_ms). --format jsonl prints one probe a line; junit and sarif are \
        for CI systems.\n\n\
        Exit codes: 0 GO, no blocking rule is broken; 1 NO-GO, one is, or there is no documents folder; 3 the allow \
        file is wrong; 6 NOT PROVEN, there is nothing to look at; 130 interrupted. A warning never changes it.",
    after_help = help_end!(
        "chatbotctl docs lint" => "look at the folder before it goes live",
        "chatbotctl docs lint --max-age 365" => "ask for documents younger than a year",
        "chatbotctl docs lint --format sarif -o docs.sarif" => "for a code host"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    #[command(flatten)]
    allow: AllowArgs,
    /// Days after which a document that nobody changed is stale
    #[arg(long, value_name = "DAYS", default_value_t = MAX_AGE_DAYS, value_parser = clap::value_parser!(u32).range(1..))]
    max_age: u32,
}

/// Runs `docs lint`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let allow = args.allow.load(ctx)?;
    let Some((mut files, listing)) = read_all(&settings, ctx, Arc::new(facts::facts)).await? else {
        return Ok(Exit::Interrupted);
    };
    let judged = allow.judge(take_findings(&mut files), today());
    let root = docs_dir(&settings).to_owned();
    let judging = move || {
        let folder = facts::folder(&root, listing, files);
        let notes = judged.expired.into_iter().chain(judged.unused).collect();
        let subject = Subject { folder, open: judged.open, notes, now: SystemClock.now(), max_age_days: args.max_age };
        judge(&subject)
    };
    let probes = tokio::task::spawn_blocking(judging).await.map_err(|error| failure(LintError::Task(error)))?;
    let report = Report::new(docs_dir(&settings).display().to_string(), probes);
    show(&report, ctx)?;
    Ok(outcome_exit(report.outcome))
}

/// The findings of all documents, which the allow file judges together.
fn take_findings(files: &mut [Facts]) -> Vec<Finding> {
    let contents = files.iter_mut().filter_map(|facts| facts.content.as_mut().ok());
    contents.flat_map(|content| std::mem::take(&mut content.findings)).collect()
}

fn show(report: &Report, ctx: &Ctx) -> Result<(), Failure> {
    if let Some(text) = ctx.out.report.and_then(|form| report::render(form.name(), "docs-lint", report)) {
        return ctx.out.result(&text);
    }
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&report::render_human(report))),
        Format::Json => ctx.out.json("docs-lint", report),
        Format::Jsonl => report.probes.iter().try_for_each(|probe| ctx.out.json_line(probe)),
    }
}

#[cfg(test)]
mod tests {
    use crate::report::RENDERERS;
    use crate::ui::ReportForm;

    #[test]
    fn every_report_form_has_a_renderer() {
        for form in [ReportForm::Junit, ReportForm::Sarif] {
            assert!(RENDERERS.iter().any(|renderer| renderer.name == form.name()));
        }
    }
}
