//! `docs plan`: what `docs sync` would do.

use std::fmt::Write as _;

use serde::Serialize;

use crate::app;
use crate::cmd::docs::{FolderArgs, documents, looking, problem_lines};
use crate::cmd::{Ctx, help_end};
use crate::docs::walk::Skipped;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::ingest::{self, Plan};
use crate::ui::{Format, clean, table};

/// Show what `docs sync` would do, and do nothing
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show what `docs sync` would do, and do nothing.\n\n\
        With --format json: schema, add, update, refresh, remove, keep (each a list of document_id, path, reason, \
        moved_from, replaces), problems (path, code, message), skipped (path, reason). Problems inside documents show only when \
        they are read, that is at the sync.\n\n\
        Exit codes: 0 done; with --exit-code 7 when the sync would change something; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl docs plan" => "see what would change",
        "chatbotctl docs plan --exit-code --format json" => "end with code 7 when something would"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    /// Exit with 7 when there are changes
    #[arg(long)]
    exit_code: bool,
}

/// A plan and what was seen while making it.
#[derive(Debug, Serialize)]
pub struct PlanReport {
    /// The changes.
    #[serde(flatten)]
    pub plan: Plan,
    /// What could not be looked at.
    pub problems: Vec<Problem>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
}

/// Runs `docs plan`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    match show(&args.folders, ctx).await? {
        None => Ok(Exit::Interrupted),
        Some(report) if args.exit_code && report.plan.has_changes() => Ok(Exit::Undecided),
        Some(_) => Ok(Exit::Good),
    }
}

/// Makes and prints the plan; `None` when interrupted.
pub async fn show(folders: &FolderArgs, ctx: &Ctx) -> Result<Option<PlanReport>, Failure> {
    let settings = folders.settings(ctx)?;
    let index = app::open_index(&settings)?;
    let records = index.records().await?;
    let progress = ctx.out.progress();
    let scan = ingest::scan(&app::folders(&settings), &records, &progress, &ctx.stop).await.map_err(looking)?;
    if scan.interrupted {
        return Ok(None);
    }
    let plan = ingest::plan(&records, &scan);
    let report = PlanReport { plan, problems: scan.problems, skipped: scan.skipped };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&report)))?,
        Format::Json => ctx.out.json("docs-plan", &report)?,
        Format::Jsonl => ctx.out.json_line(&report)?,
    }
    Ok(Some(report))
}

fn human(report: &PlanReport) -> String {
    let plan = &report.plan;
    let mut rows = Vec::new();
    for (name, changes) in [("add", &plan.add), ("update", &plan.update), ("remove", &plan.remove)] {
        rows.extend(changes.iter().map(|change| {
            vec![name.to_owned(), change.path.clone(), change.document_id.clone(), change.reason.clone()]
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
    if !report.problems.is_empty() {
        let _ = write!(text, "\nproblems:\n{}", problem_lines(&report.problems));
    }
    if !report.skipped.is_empty() {
        let lines: Vec<String> =
            report.skipped.iter().map(|skipped| format!("  {}: {}", skipped.path, skipped.reason)).collect();
        let _ = write!(text, "\nskipped:\n{}", lines.join("\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::plan::Change;

    #[test]
    fn a_plan_reads_as_a_table() {
        let change = Change {
            document_id: "a".to_owned(),
            path: "a.md".to_owned(),
            reason: "new".to_owned(),
            moved_from: None,
            replaces: None,
        };
        let plan = Plan { add: vec![change], ..Plan::default() };
        let mut report = PlanReport { plan, problems: Vec::new(), skipped: Vec::new() };
        let text = human(&report);
        assert!(text.contains("a.md") && text.ends_with("1 to add, 0 to update, 0 to remove, 0 unchanged"), "{text}");
        report.plan.add.clear();
        assert_eq!(human(&report), "nothing to do; 0 documents unchanged");
    }
}
