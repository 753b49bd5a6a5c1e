//! `docs sync`: brings the index up to date with the documents folder.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::app;
use crate::clock::SystemClock;
use crate::cmd::docs::gate::GateArgs;
use crate::cmd::docs::hosted::{self, TargetArgs};
use crate::cmd::docs::skipped::skipped_lines;
use crate::cmd::docs::{FolderArgs, folder_problem, plan, problem_lines, watch};
use crate::cmd::{Ctx, help_end};
use crate::config::Settings;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::ingest::{self, SyncContext, SyncError, SyncOptions, SyncReport};
use crate::ui::{Format, clean};

/// How long bringing a vector store up to date may take.
const DEADLINE: Duration = Duration::from_hours(2);

/// Bring the index up to date with the documents folder
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Bring the index up to date with the documents folder.\n\n\
        New and changed documents are read, those that are gone are removed, the rest stays. A document that only has \
        another name or folder is not read again and keeps its id. A document that cannot be read is a named problem; \
        its old version stays in the index and the rest goes on; while its file does not change it is not tried again \
        (--retry-failed does). An interrupted sync leaves each document old or new, and the next run finishes.\n\n\
        Before it removes more than a fifth of the documents, or all of a folder (in both cases more than one), or \
        all that there are, it asks; --yes is no answer to that, --allow-delete is. Without an answer nothing is \
        changed.\n\n\
        Left out, with a reason: symbolic links, hidden files, files whose names look like secrets (.env, keys, \
        id_rsa, secrets.*), files of other programs, formats that are not read, and what `.chatbotctlignore` names: \
        in any folder, in the syntax of .gitignore.\n\n\
        A file is hashed when its size, times or inode are others than noted, or too young to tell.\n\n\
        With --to openai a vector store is brought up to date instead. It is the truth about itself: path, hash and \
        id of each document are attached to its file, so any machine can go on where another one stopped. Files \
        that are not ours stay untouched. A changed document goes up first; its old version leaves when the new one \
        can be found. A document that the service could not index is told at every sync and not sent again before it \
        changes (--retry-failed does). Two syncs at once on one store are refused, also from two machines.\n\n\
        Before the first upload the documents that would go up are read and looked through, as `docs scan` does. Keys \
        and personal data that docs-allow.yaml does not allow end the sync with nothing uploaded; --yes is no answer \
        to that, --allow-findings is. A document that cannot be read, such as a scan without text, is not uploaded \
        and is a problem. Of formats that the service does not read our own extraction goes up (`docs show PATH \
        --rendition` prints it).\n\n\
        With --watch it goes on until Ctrl-C, one line (with --format jsonl one document) for each sync that \
        changed something; what keeps one from happening is told, and it goes on.\n\n\
        With --format json: schema, added, updated, removed, unchanged, renamed (how many of the updated only have \
        another path), interrupted, problems (path, code, message), skipped (path, reason). With --to openai also \
        relabelled (how many of the updated were not uploaded), foreign (files of others), store_id, uploaded_bytes, \
        requests, usd_per_month and prices_as_of (an estimate), out_of_time, allowed_findings (what --allow-findings let \
        through, as `docs scan` tells it); renamed is left out.\n\n\
        Exit codes: 0 done; 1 done, with problems, or keys or personal data are found, or there is no documents folder, or the disk is full or read-only \
        (the index is as it was); 2 used wrongly; 3 documents.yaml is wrong, or no vector store is chosen; 4 no or \
        a wrong key; 5 another sync is running, or the service is not reachable, or the deadline has passed; 7 many \
        documents would be removed; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl docs sync" => "index the documents of this project",
        "chatbotctl docs sync --docs-dir manuals --dry-run" => "look first, at another folder",
        "chatbotctl docs sync --wait 60 --format json" => "after another sync, and a report for a program",
        "chatbotctl docs sync --allow-delete" => "also when many documents are gone",
        "chatbotctl docs sync --to openai" => "bring the vector store of this profile up to date",
        "chatbotctl docs sync --watch" => "follow the folder until Ctrl-C",
        "chatbotctl docs sync --watch --poll 30" => "the same on a network folder"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    gate: GateArgs,
    /// Show the plan and do nothing
    #[arg(long, conflicts_with_all = ["watch", "allow_delete", "wait"])]
    dry_run: bool,
    /// Remove also many documents, or all of a folder
    #[arg(long)]
    allow_delete: bool,
    /// Hash every file, however untouched it looks
    #[arg(long)]
    checksum: bool,
    /// Read unchanged files again that could not be read, or be indexed by the service
    #[arg(long)]
    retry_failed: bool,
    /// Wait so long for another sync to end
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=86_400))]
    wait: Option<u64>,
    /// With --to openai: end after so many minutes at the latest; the next sync goes on [default: 120]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    deadline: Option<u64>,
    /// Go on, and sync whenever something changes
    #[arg(long)]
    watch: bool,
    /// Look for changes every SECONDS instead of being told: for network folders
    #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    poll: Option<u64>,
}

impl Args {
    fn options(&self) -> SyncOptions {
        SyncOptions {
            checksum: self.checksum,
            retry_failed: self.retry_failed,
            allow_delete: self.allow_delete,
            wait: Duration::from_secs(self.wait.unwrap_or_default()),
        }
    }
}

/// Runs `docs sync`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    if args.target.is_hosted()? {
        return hosted(args, ctx).await;
    }
    if args.deadline.is_some() {
        return Err(hosted::only_hosted("--deadline"));
    }
    if let Some(flag) = args.gate.given() {
        return Err(hosted::only_hosted(flag));
    }
    let options = args.options();
    if args.dry_run {
        return plan::show(&args.folders, options, ctx).await.map(|shown| shown.exit);
    }
    let settings = args.folders.settings(ctx)?;
    if args.watch {
        let watching = watch::Watching { options, poll: args.poll.map(Duration::from_secs) };
        return watch::run(&settings, watching, ctx).await;
    }
    let index = app::open_index(&settings)?;
    let progress = ctx.out.progress();
    // A person may take their time: the other tasks of this thread go to another one.
    let ask = |question: &str| tokio::task::block_in_place(|| ctx.out.confirm_in_person(question));
    let reader = app::open_reader();
    let context =
        SyncContext { reader: &*reader, observer: &progress, ask: &ask, clock: &SystemClock, stop: &ctx.stop, options };
    let folders = app::folders(&settings);
    let shown_dir = folders.docs_dir.display().to_string();
    match ingest::sync(&index, &folders, context).await {
        Ok(report) => show(&embedded(&settings, &index, report, ctx).await?, ctx),
        // A pipeline that reads the document learns from it, too, that nothing was done.
        Err(error @ SyncError::Declined(_)) => {
            if ctx.out.format != Format::Human {
                let problem = Problem::new(shown_dir, "docs/declined", error.to_string());
                show(&untouched(problem, index.records().await?.len()), ctx)?;
            }
            Err(error.into())
        }
        Err(error) => {
            let problem = folder_problem(error, &folders.docs_dir, ctx.out.format)?;
            show(&untouched(problem, index.records().await?.len()), ctx)
        }
    }
}

async fn hosted(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    if args.watch {
        return Err(hosted::only_local("--watch"));
    }
    let deadline = args.deadline.map_or(DEADLINE, Duration::from_mins);
    if args.dry_run {
        return hosted::plan(&args.folders, &args.target, args.options(), ctx).await.map(|shown| shown.exit);
    }
    let options = hosted::options(args.options(), deadline);
    hosted::sync(&args.folders, &args.target, &args.gate, options, ctx).await
}

fn untouched(problem: Problem, unchanged: usize) -> SyncReport {
    SyncReport { unchanged, problems: vec![problem], ..SyncReport::default() }
}

fn show(report: &SyncReport, ctx: &Ctx) -> Result<Exit, Failure> {
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(report)))?,
        Format::Json => ctx.out.json("docs-sync", report)?,
        Format::Jsonl => ctx.out.json_line(report)?,
    }
    Ok(exit(report))
}

/// Embeds what the sync changed; what goes wrong with that is a problem like any other.
pub(super) async fn embedded(
    settings: &Settings,
    index: &Arc<dyn VectorStore>,
    mut report: SyncReport,
    ctx: &Ctx,
) -> Result<SyncReport, Failure> {
    if !report.interrupted {
        let embedded = app::embeddings::embed(settings, index, &ctx.out.progress(), &ctx.stop).await?;
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

/// "2 added, 3 updated (1 renamed), 0 removed, 40 unchanged".
pub(super) fn counts(report: &SyncReport) -> String {
    let SyncReport { added, updated, removed, unchanged, renamed, .. } = report;
    let renamed = if *renamed > 0 { format!(" ({renamed} renamed)") } else { String::new() };
    format!("{added} added, {updated} updated{renamed}, {removed} removed, {unchanged} unchanged")
}

fn human(report: &SyncReport) -> String {
    let mut text = counts(report);
    if !report.skipped.is_empty() {
        let _ = write!(text, ", {} skipped\n{}", report.skipped.len(), skipped_lines(&report.skipped));
    }
    if report.interrupted {
        text.push_str("\ninterrupted; run `chatbotctl docs sync` again to finish");
    }
    if !report.problems.is_empty() {
        let _ = write!(text, "\n{} with problems:\n{}", report.problems.len(), problem_lines(&report.problems));
    }
    text
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
