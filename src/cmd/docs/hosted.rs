//! `docs sync --to openai` and `docs plan --to openai`: a vector store instead of the local index.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::app;
use crate::clock::{RandomIds, SystemClock};
use crate::cmd::docs::gate::{GateArgs, ScanGate};
use crate::cmd::docs::plan::Shown;
use crate::cmd::docs::skipped::skipped_lines;
use crate::cmd::docs::{FolderArgs, problem_lines};
use crate::cmd::{Ctx, Overrides};
use crate::config::Settings;
use crate::docs::walk::Skipped;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::hosted::plan::{Change, Leftover};
use crate::hosted::{self, HostedError, Look, Options, Plan, Service, SyncContext, SyncReport, Timing, cost};
use crate::ingest::SyncOptions;
use crate::lint::finding::Finding;
use crate::ui::{Format, clean, table};

/// How long is waited before something is done again that was looked for and not found.
pub(in crate::cmd) const FIRST_WAIT: Duration = Duration::from_millis(500);
const MEBI: f64 = 1024.0 * 1024.0;

/// What is brought up to date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// The index of this machine
    #[default]
    Local,
    /// A vector store of the OpenAI account
    Openai,
}

/// The flags about where to.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TargetArgs {
    /// Where to: the index of this machine (local), or a vector store of the OpenAI account (openai)
    #[arg(long, value_enum, value_name = "WHERE", default_value_t, hide_possible_values = true)]
    to: Target,
    /// With --to openai: the vector store (setting VECTOR_STORE_ID)
    #[arg(long, value_name = "ID")]
    store: Option<String>,
}

impl TargetArgs {
    /// A vector store: the named one, else that of the settings.
    pub(super) fn openai(store: Option<String>) -> Self {
        Self { to: Target::Openai, store }
    }

    /// Whether it is about a vector store. Flags that make no sense then, or only then, are refused.
    pub(super) fn is_hosted(&self) -> Result<bool, Failure> {
        match (self.to, &self.store) {
            (Target::Openai, _) => Ok(true),
            (Target::Local, None) => Ok(false),
            (Target::Local, Some(_)) => Err(only_hosted("--store")),
        }
    }
}

/// A flag that is for vector stores only.
pub(super) fn only_hosted(flag: &str) -> Failure {
    let why = format!("{flag} is for vector stores, and the index of this machine is none");
    Failure::new("usage/target", Exit::Usage, "choose what to sync", why)
        .fix("add --to openai: chatbotctl docs sync --to openai")
}

/// A flag that is for the local index only.
pub(super) fn only_local(flag: &str) -> Failure {
    let why = format!("{flag} is for the index of this machine; every look at a vector store asks the service");
    Failure::new("usage/target", Exit::Usage, "choose what to sync", why)
        .fix("run it when something changed, from a timer or from CI: chatbotctl docs sync --to openai")
}

/// The options of a local sync, for a vector store.
pub(super) fn options(local: SyncOptions, deadline: Duration) -> Options {
    let SyncOptions { checksum, retry_failed, allow_delete, wait } = local;
    Options { checksum, retry_failed, allow_delete, wait, deadline }
}

/// What is needed to look at a vector store, and to change it.
pub(super) struct Hosted {
    pub(super) settings: Settings,
    pub(super) service: Service,
}

impl Hosted {
    pub(super) fn open(folders: &FolderArgs, target: &TargetArgs, ctx: &Ctx) -> Result<Self, Failure> {
        let store = target.store.iter().map(|id| ("VECTOR_STORE_ID", id.clone()));
        let settings = folders.settings_with(store.collect::<Overrides>(), ctx)?;
        let Some(store_id) = settings.vector_store_id.clone() else {
            let why = "no vector store is chosen: VECTOR_STORE_ID is not set";
            return Err(Failure::new("vector-store/none", Exit::Settings, "choose the vector store", why)
                .fix("make one (chatbotctl vector-store create NAME --use), or name one with --store ID"));
        };
        let service = Service::new(app::hosted::client(&settings)?, &store_id, FIRST_WAIT);
        Ok(Self { settings, service })
    }
}

/// Brings the vector store up to date.
pub(super) async fn sync(
    folders: &FolderArgs,
    target: &TargetArgs,
    gate: &GateArgs,
    options: Options,
    ctx: &Ctx,
) -> Result<Exit, Failure> {
    let Hosted { settings, service } = Hosted::open(folders, target, ctx)?;
    let prices = app::hosted::prices(&settings)?;
    let (reader, progress) = (app::open_reader(), ctx.out.progress());
    let ask = |question: &str| tokio::task::block_in_place(|| ctx.out.confirm_in_person(question));
    let gate = ScanGate { args: gate, reader: &*reader, observer: &progress, ctx, passed: Mutex::default() };
    let context = SyncContext {
        service: &service,
        reader: &*reader,
        observer: &progress,
        ask: &ask,
        gate: Some(&gate),
        prices: Some(&prices),
        clock: &SystemClock,
        ids: &RandomIds,
        stop: &ctx.stop,
        options,
        timing: Timing::default(),
    };
    let mut report = SyncReport::default();
    let ended = Box::pin(hosted::sync_into(&app::folders(&settings), context, &mut report)).await;
    let Err(error) = ended else { return show(&report, findings(gate), ctx) };
    let is_declined = matches!(error, HostedError::Declined(_));
    let failure = failure(error);
    // What was done until then stays done, and a program learns why it is not all.
    let is_for_programs = ctx.out.format != Format::Human;
    if report.has_done_something() || (is_declined && is_for_programs) {
        if is_for_programs {
            let docs_dir = || settings.paths.docs_dir.display().to_string();
            let subject = if is_declined { docs_dir() } else { report.store_id.clone() };
            report.problems.push(Problem::new(subject, failure.code, failure.why.clone()));
        }
        show(&report, findings(gate), ctx)?;
    }
    Err(failure)
}

/// What a sync did, and what it let through.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a SyncReport,
    allowed_findings: Vec<Finding>,
}

fn findings(gate: ScanGate<'_>) -> Vec<Finding> {
    gate.passed.into_inner().unwrap_or_else(PoisonError::into_inner).findings
}

fn show(report: &SyncReport, allowed_findings: Vec<Finding>, ctx: &Ctx) -> Result<Exit, Failure> {
    if !allowed_findings.is_empty() {
        let values: usize = allowed_findings.iter().map(Finding::values).sum();
        ctx.out.warn(&format!("{values} keys or personal data were let through (--allow-findings)"));
    }
    let told = Told { report, allowed_findings };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(report)))?,
        Format::Json => ctx.out.json("docs-sync", &told)?,
        Format::Jsonl => ctx.out.json_line(&told)?,
    }
    Ok(exit(report))
}

fn exit(report: &SyncReport) -> Exit {
    if report.interrupted {
        Exit::Interrupted
    } else if !report.problems.is_empty() {
        Exit::NotGood
    } else if report.out_of_time {
        Exit::Temporary
    } else {
        Exit::Good
    }
}

fn human(report: &SyncReport) -> String {
    let SyncReport { added, updated, removed, unchanged, relabelled, .. } = report;
    let relabelled = if *relabelled > 0 { format!(" ({relabelled} without an upload)") } else { String::new() };
    let mut text = format!("{added} added, {updated} updated{relabelled}, {removed} removed, {unchanged} unchanged");
    let _ = write!(
        text,
        "\n{} uploaded to {} in {} requests{}",
        megabytes(report.uploaded_bytes),
        report.store_id,
        report.requests,
        month(report.usd_per_month, report.prices_as_of.as_deref())
    );
    if report.foreign > 0 {
        let _ = write!(text, "\n{} files in the store are not ours; they were left alone", report.foreign);
    }
    if !report.skipped.is_empty() {
        let _ = write!(text, "\n{} skipped\n{}", report.skipped.len(), skipped_lines(&report.skipped));
    }
    if report.interrupted {
        text.push_str("\ninterrupted; run `chatbotctl docs sync --to openai` again to finish");
    }
    if report.out_of_time {
        text.push_str("\nout of time (--deadline); run `chatbotctl docs sync --to openai` again to finish");
    }
    if !report.problems.is_empty() {
        let _ = write!(text, "\n{} with problems:\n{}", report.problems.len(), problem_lines(&report.problems));
    }
    text
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / MEBI)
}

fn month(usd: Option<f64>, as_of: Option<&str>) -> String {
    match (usd, as_of) {
        (Some(usd), Some(day)) => {
            format!("; storage about ${usd:.2} a month, before what is free (an estimate, prices of {day})")
        }
        _ => String::new(),
    }
}

/// A plan and what was seen while making it.
#[derive(Debug, Serialize)]
struct PlanReport<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    store_id: &'a str,
    foreign: usize,
    upload_bytes: u64,
    usd_per_month: f64,
    prices_as_of: String,
    requests: u64,
    question: Option<String>,
    problems: Vec<Problem>,
    skipped: &'a [Skipped],
}

/// Makes and prints the plan.
pub(super) async fn plan(
    folders: &FolderArgs,
    target: &TargetArgs,
    options: SyncOptions,
    ctx: &Ctx,
) -> Result<Shown, Failure> {
    let Hosted { settings, service } = Hosted::open(folders, target, ctx)?;
    let prices = app::hosted::prices(&settings)?;
    let (reader, progress) = (app::open_reader(), ctx.out.progress());
    let context = SyncContext {
        service: &service,
        reader: &*reader,
        observer: &progress,
        ask: &|_| Ok(false),
        gate: None,
        prices: Some(&prices),
        clock: &SystemClock,
        ids: &RandomIds,
        stop: &ctx.stop,
        options: self::options(options, Duration::MAX),
        timing: Timing::default(),
    };
    let planning = |error| Failure { what: "plan the sync of the vector store".to_owned(), ..failure(error) };
    let Some(look) = Box::pin(hosted::look(&app::folders(&settings), context)).await.map_err(planning)? else {
        return Ok(Shown { exit: Exit::Interrupted, has_changes: false });
    };
    let has_changes = look.plan.has_changes();
    let cost = look.cost_per_month(&prices);
    let Look { remote, folder, plan, .. } = &look;
    let mut problems = folder.problems.clone();
    problems.extend_from_slice(&plan.failed);
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    let report = PlanReport {
        plan,
        store_id: service.store_id(),
        foreign: remote.foreign.len(),
        upload_bytes: plan.upload_bytes(),
        usd_per_month: cost::usd(cost),
        prices_as_of: cost.as_of.to_string(),
        requests: service.requests(),
        question: look.question(),
        problems,
        skipped: &folder.skipped,
    };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human_plan(&report)))?,
        Format::Json => ctx.out.json("docs-plan", &report)?,
        Format::Jsonl => ctx.out.json_line(&report)?,
    }
    Ok(Shown { exit: Exit::Good, has_changes })
}

fn human_plan(report: &PlanReport<'_>) -> String {
    let plan = report.plan;
    let lists: [(&str, &[Change]); 7] = [
        ("add", &plan.add),
        ("replace", &plan.replace),
        ("relabel", &plan.relabel),
        ("restrict", &plan.restrict),
        ("wait for", &plan.resume),
        ("try again", &plan.retry),
        ("remove", &plan.remove),
    ];
    let mut rows: Vec<Vec<String>> =
        lists.iter().flat_map(|(name, list)| list.iter().map(|change| row(name, change))).collect();
    let leftovers: [(&str, &[Leftover]); 2] = [("drop", &plan.drop), ("delete", &plan.orphans)];
    for (name, list) in leftovers {
        rows.extend(
            list.iter().map(|file| vec![name.to_owned(), file.name.clone(), file.file_id.clone(), file.reason.clone()]),
        );
    }
    let mut text = if rows.is_empty() {
        "nothing to do".to_owned()
    } else {
        table(&["change", "path", "document or file", "why"], rows)
    };
    let _ = write!(
        text,
        "\n\n{} to add, {} to replace, {} to relabel, {} to remove, {} unchanged; {} to upload{}",
        plan.add.len(),
        plan.replace.len(),
        plan.relabel.len(),
        plan.remove.len(),
        plan.keep.len(),
        megabytes(report.upload_bytes),
        month(Some(report.usd_per_month), Some(&report.prices_as_of)),
    );
    if let Some(question) = &report.question {
        let _ = write!(text, "\na sync will ask: {question} (--allow-delete answers yes)");
    }
    if report.foreign > 0 {
        let _ = write!(text, "\n{} files in the store are not ours; they are left alone", report.foreign);
    }
    if !report.problems.is_empty() {
        let _ = write!(text, "\nproblems:\n{}", problem_lines(&report.problems));
    }
    if !report.skipped.is_empty() {
        let _ = write!(text, "\n{} skipped:\n{}", report.skipped.len(), skipped_lines(report.skipped));
    }
    text
}

fn row(name: &str, change: &Change) -> Vec<String> {
    let reason = match &change.moved_from {
        Some(path) => format!("{} from {path}", change.reason),
        None => change.reason.clone(),
    };
    vec![name.to_owned(), change.path.clone(), change.document_id.clone(), reason]
}

/// The end of a command that a vector store, or the way to it, ended.
pub(in crate::cmd) fn failure(error: HostedError) -> Failure {
    const WHAT: &str = "sync the vector store";
    const WAIT: &str = "wait for the other sync to end: chatbotctl docs sync --to openai --wait 300";
    let why = error.to_string();
    match error {
        HostedError::Local(error) => error.into(),
        HostedError::Gate(failure) => failure,
        HostedError::Service(error) => app::hosted::failure(WHAT, error),
        HostedError::NoStore(_) => Failure::new("vector-store/unknown", Exit::NotGood, WHAT, why).fix(
            "choose another (chatbotctl vector-store list, then use ID), or make one: chatbotctl vector-store create \
             NAME --use",
        ),
        HostedError::Expired(_) => Failure::new("vector-store/expired", Exit::NotGood, WHAT, why)
            .fix("make another, then sync again: chatbotctl vector-store create NAME --use"),
        HostedError::Leased { .. } | HostedError::Contended => {
            Failure::new("vector-store/locked", Exit::Temporary, WHAT, why).fix(WAIT)
        }
        HostedError::LeaseLost(_) => Failure::new("vector-store/lease-lost", Exit::Temporary, WHAT, why).fix(WAIT),
        HostedError::Declined(_) => Failure::new("docs/declined", Exit::Undecided, WHAT, why).fix(
            "nothing was changed; look at `chatbotctl docs plan --to openai`, and if they are to go: chatbotctl docs \
             sync --to openai --allow-delete",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_sync_ended_decides_the_exit_code() {
        let mut report = SyncReport { added: 2, store_id: "vs_1".to_owned(), ..SyncReport::default() };
        assert_eq!(exit(&report), Exit::Good);
        assert!(human(&report).starts_with("2 added, 0 updated, 0 removed, 0 unchanged\n0.0 MB uploaded to vs_1"));
        report.out_of_time = true;
        assert_eq!(exit(&report), Exit::Temporary);
        report.problems.push(Problem::new("a.pdf", "openai/stuck", "it is stuck"));
        assert_eq!(exit(&report), Exit::NotGood);
        report.interrupted = true;
        assert_eq!(exit(&report), Exit::Interrupted);
    }

    #[test]
    fn every_end_of_a_sync_has_its_exit_code() {
        let leased = HostedError::Leased { holder: "a".to_owned(), until: "b".to_owned() };
        assert_eq!(failure(leased).exit, Exit::Temporary);
        assert_eq!(failure(HostedError::LeaseLost("a".to_owned())).exit, Exit::Temporary);
        assert_eq!(failure(HostedError::Declined("a".to_owned())).exit, Exit::Undecided);
        assert_eq!(failure(HostedError::Expired("a".to_owned())).code, "vector-store/expired");
    }
}
