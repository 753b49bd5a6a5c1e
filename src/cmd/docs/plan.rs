//! `docs plan`: what `docs sync` would do.

use std::fmt::Write as _;

use serde::Serialize;

use crate::app;
use crate::clock::SystemClock;
use crate::cmd::docs::hosted::{self, TargetArgs};
use crate::cmd::docs::skipped::skipped_lines;
use crate::cmd::docs::{FolderArgs, documents, folder_problem, looking as looking_failed, problem_lines};
use crate::cmd::{Ctx, help_end};
use crate::docs::format;
use crate::docs::walk::Skipped;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::ingest::{self, Looking, Plan, SyncOptions};
use crate::ui::{Format, clean, table};

/// Show what `docs sync` would do, and do nothing
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show what `docs sync` would do, and do nothing.\n\n\
        With --format json: schema, add, update, refresh, remove, keep (each a list of document_id, path, reason, \
        moved_from, replaces, renamed), question (what `docs sync` asks before it removes so much, else null), \
        problems (path, code, message), skipped (path, reason). A renamed document is an update with moved_from and \
        renamed: it is not read again. Problems inside documents show only when they were read, that is after a \
        sync.\n\n\
        With --to openai it is the plan for a vector store: add, replace, relabel (other attributes, no upload), resume \
        (still being indexed), retry, remove, keep, drop (versions that nobody needs), orphans (uploads in no store), \
        store_id, foreign, upload_bytes, usd_per_month and prices_as_of (an estimate), requests, question, problems, \
        skipped.\n\n\
        Exit codes: 0 done; 1 there is no documents folder; 3 documents.yaml is wrong; with --exit-code 7 when the \
        sync would change something; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl docs plan" => "see what would change",
        "chatbotctl docs plan --to openai" => "the same for the vector store of this profile, with what it will cost",
        "chatbotctl docs plan --checksum" => "trust no file's size and times",
        "chatbotctl docs plan --exit-code --format json" => "end with code 7 when something would"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    #[command(flatten)]
    target: TargetArgs,
    /// Exit with 7 when there are changes
    #[arg(long)]
    exit_code: bool,
    /// Hash every file, however untouched it looks
    #[arg(long)]
    checksum: bool,
    /// Count unchanged files that could not be read as not yet read
    #[arg(long)]
    retry_failed: bool,
}

/// A plan and what was seen while making it.
#[derive(Debug, Default, Serialize)]
pub struct PlanReport {
    /// The changes.
    #[serde(flatten)]
    pub plan: Plan,
    /// What a sync asks before it removes so much.
    pub question: Option<String>,
    /// What could not be looked at, or not be read the last time.
    pub problems: Vec<Problem>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
}

/// How showing a plan ended.
pub struct Shown {
    /// The exit code, apart from what the plan says.
    pub exit: Exit,
    /// Whether a sync would change something.
    pub has_changes: bool,
}

/// Runs `docs plan`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let Args { checksum, retry_failed, .. } = args;
    let options = SyncOptions { checksum, retry_failed, ..SyncOptions::default() };
    let shown = if args.target.is_hosted()? {
        hosted::plan(&args.folders, &args.target, options, ctx).await?
    } else {
        show(&args.folders, options, ctx).await?
    };
    Ok(if args.exit_code && shown.has_changes { Exit::Undecided } else { shown.exit })
}

/// Makes and prints the plan.
pub async fn show(folders: &FolderArgs, options: SyncOptions, ctx: &Ctx) -> Result<Shown, Failure> {
    let settings = folders.settings(ctx)?;
    let index = app::open_index(&settings)?;
    let records = index.records().await?;
    let progress = ctx.out.progress();
    let looking = Looking {
        observer: &progress,
        clock: &SystemClock,
        stop: &ctx.stop,
        checksum: options.checksum,
        retry_failed: options.retry_failed,
        max_bytes: format::max_bytes,
    };
    let folders = app::folders(&settings);
    let scan = match ingest::scan(&folders, &records, looking).await {
        Ok(scan) => scan,
        Err(error) => {
            let problem = folder_problem(error, &folders.docs_dir, ctx.out.format).map_err(looking_failed)?;
            print(&PlanReport { problems: vec![problem], ..PlanReport::default() }, ctx)?;
            return Ok(Shown { exit: Exit::NotGood, has_changes: false });
        }
    };
    if scan.interrupted {
        return Ok(Shown { exit: Exit::Interrupted, has_changes: false });
    }
    let mut plan = ingest::plan(&records, &scan);
    let question = ingest::doubt(&plan, &records);
    let mut problems = scan.problems;
    problems.append(&mut plan.failed);
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    let report = PlanReport { plan, question, problems, skipped: scan.skipped };
    print(&report, ctx)?;
    Ok(Shown { exit: Exit::Good, has_changes: report.plan.has_changes() })
}

fn print(report: &PlanReport, ctx: &Ctx) -> Result<(), Failure> {
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(report))),
        Format::Json => ctx.out.json("docs-plan", report),
        Format::Jsonl => ctx.out.json_line(report),
    }
}

fn human(report: &PlanReport) -> String {
    let plan = &report.plan;
    let mut rows = Vec::new();
    for (name, changes) in [("add", &plan.add), ("update", &plan.update), ("remove", &plan.remove)] {
        rows.extend(changes.iter().map(|change| {
            let reason = match &change.moved_from {
                Some(path) => format!("{} from {path}", change.reason),
                None => change.reason.clone(),
            };
            vec![name.to_owned(), change.path.clone(), change.document_id.clone(), reason]
        }));
    }
    let rows = table(&["change", "path", "document", "why"], rows);
    let kept = plan.keep.len() + plan.refresh.len();
    let mut text = if plan.has_changes() {
        format!(
            "{rows}\n\n{} to add, {} to update, {} to remove, {kept} unchanged",
            plan.add.len(),
            plan.update.len(),
            plan.remove.len()
        )
    } else {
        format!("nothing to do; {} unchanged", documents(kept))
    };
    if let Some(question) = &report.question {
        let _ = write!(text, "\n`docs sync` asks first: {question} (--allow-delete answers yes)");
    }
    if !report.problems.is_empty() {
        let _ = write!(text, "\nproblems:\n{}", problem_lines(&report.problems));
    }
    if !report.skipped.is_empty() {
        let _ = write!(text, "\n{} skipped:\n{}", report.skipped.len(), skipped_lines(&report.skipped));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::walk::SkipCode;
    use crate::ingest::plan::Change;

    #[test]
    fn a_plan_reads_as_a_table() {
        let change = Change {
            document_id: "a".to_owned(),
            path: "a.md".to_owned(),
            reason: "new".to_owned(),
            ..Change::default()
        };
        let plan = Plan { add: vec![change], ..Plan::default() };
        let mut report = PlanReport { plan, ..PlanReport::default() };
        let text = human(&report);
        assert!(text.contains("a.md") && text.ends_with("1 to add, 0 to update, 0 to remove, 0 unchanged"), "{text}");
        report.plan.add.clear();
        assert_eq!(human(&report), "nothing to do; 0 documents unchanged");
        let skipped =
            |path: &str| Skipped { path: path.to_owned(), code: SkipCode::Hidden, reason: "hidden".to_owned() };
        report.skipped = vec![skipped(".a"), skipped(".b")];
        let text = human(&report);
        assert!(text.ends_with("\n2 skipped:\n  skipped, hidden: .a, .b"), "{text}");
    }
}
