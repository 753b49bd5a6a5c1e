//! `docs sync`: brings the index up to date with the documents folder.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::app;
use crate::clock::SystemClock;
use crate::cmd::docs::{FolderArgs, plan, problem_lines};
use crate::cmd::{Ctx, help_end};
use crate::config::Settings;
use crate::docs::walk::Skipped;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::ingest::{self, SyncContext, SyncError, SyncReport};
use crate::ui::{Format, clean};

/// Names of files left out that are shown for one reason.
const SKIPPED_SHOWN: usize = 5;

/// Bring the index up to date with the documents folder
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Bring the index up to date with the documents folder.\n\n\
        New and changed documents are read, those that are gone are removed, the rest stays. A document that cannot \
        be read is a named problem; its old version stays in the index and the rest goes on. An interrupted sync \
        leaves each document old or new, and the next run finishes. Before an unusually large removal it asks; \
        --yes answers yes.\n\n\
        With --format json: schema, added, updated, removed, unchanged, interrupted, problems (path, code, message), \
        skipped (path, reason).\n\n\
        Exit codes: 0 done; 1 done, with problems, or there is no documents folder; 3 documents.yaml is wrong; \
        5 another sync is running; 7 a confirmation is needed; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl docs sync" => "index the documents of this project",
        "chatbotctl docs sync --docs-dir manuals --dry-run" => "look first, at another folder",
        "chatbotctl docs sync --yes --format json" => "no questions, and a report for a program"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    /// Show the plan and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `docs sync`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    if args.dry_run {
        let shown = plan::show(&args.folders, ctx).await?;
        return Ok(if shown.is_some() { Exit::Good } else { Exit::Interrupted });
    }
    let settings = args.folders.settings(ctx)?;
    let index = app::open_index(&settings)?;
    let progress = ctx.out.progress();
    let ask = |question: &str| ctx.out.confirm(question);
    let reader = app::open_reader();
    let context =
        SyncContext { reader: &*reader, observer: &progress, ask: &ask, clock: &SystemClock, stop: &ctx.stop };
    let folders = app::folders(&settings);
    let report = match (ingest::sync(&index, &folders, context).await, ctx.out.format) {
        // A pipeline that reads the document learns of a missing folder from it, too.
        (Err(error @ SyncError::Folder(_)), Format::Json | Format::Jsonl) => {
            let unchanged = index.records().await?.len();
            let problem = Problem::new(folders.docs_dir.display().to_string(), "docs/no-folder", error.to_string());
            SyncReport { unchanged, problems: vec![problem], ..SyncReport::default() }
        }
        (synced, _) => embedded(&settings, &index, synced?, ctx).await?,
    };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&report)))?,
        Format::Json => ctx.out.json("docs-sync", &report)?,
        Format::Jsonl => ctx.out.json_line(&report)?,
    }
    Ok(exit(&report))
}

/// Embeds what the sync changed; what goes wrong with that is a problem like any other.
async fn embedded(
    settings: &Settings,
    index: &Arc<dyn VectorStore>,
    mut report: SyncReport,
    ctx: &Ctx,
) -> Result<SyncReport, Failure> {
    if !report.interrupted {
        let embedded = app::embed(settings, index, &ctx.out.progress(), &ctx.stop).await?;
        report.interrupted = embedded.interrupted;
        report.problems.extend(embedded.problems);
    }
    Ok(report)
}

fn exit(report: &SyncReport) -> Exit {
    match (report.interrupted, report.problems.is_empty()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Good,
        (false, false) => Exit::NotGood,
    }
}

fn human(report: &SyncReport) -> String {
    let SyncReport { added, updated, removed, unchanged, .. } = report;
    let mut text = format!("{added} added, {updated} updated, {removed} removed, {unchanged} unchanged");
    if !report.skipped.is_empty() {
        let _ = write!(text, ", {} skipped", report.skipped.len());
        for (reason, files) in by_reason(&report.skipped) {
            let _ = write!(text, "\n  skipped, {reason}: {files}");
        }
    }
    if report.interrupted {
        text.push_str("\ninterrupted; run `chatbotctl docs sync` again to finish");
    }
    if !report.problems.is_empty() {
        let _ = write!(text, "\n{} with problems:\n{}", report.problems.len(), problem_lines(&report.problems));
    }
    text
}

/// The files left out, by the reason, a few names each.
fn by_reason(skipped: &[Skipped]) -> Vec<(String, String)> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for file in skipped {
        match reasons.iter_mut().find(|(reason, _)| *reason == file.reason) {
            Some((_, files)) => files.push(&file.path),
            None => reasons.push((file.reason.clone(), vec![&file.path])),
        }
    }
    let shown = |files: Vec<&str>| match files.split_at_checked(SKIPPED_SHOWN) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => files.join(", "),
    };
    reasons.into_iter().map(|(reason, files)| (reason, shown(files))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_and_interruptions_have_their_exit_codes() {
        let mut report = SyncReport { added: 2, ..SyncReport::default() };
        assert_eq!(exit(&report), Exit::Good);
        assert_eq!(human(&report), "2 added, 0 updated, 0 removed, 0 unchanged");
        report.problems.push(Problem::new("a.pdf", "document/encrypted", "it is encrypted"));
        assert_eq!(exit(&report), Exit::NotGood);
        assert!(human(&report).ends_with("1 with problems:\n  a.pdf: it is encrypted (document/encrypted)"));
        report.interrupted = true;
        assert_eq!(exit(&report), Exit::Interrupted);
    }
}
