//! The one function that brings a remote store up to date, for every caller.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, IdSource};
use crate::docs::reader::Reader;
use crate::docs::walk::{self, Skipped};
use crate::error::{Failure, Problem};
use crate::event::{Event, Observer};
use crate::hosted::apply::Apply;
use crate::hosted::cost;
use crate::hosted::estimate::bytes_after;
use crate::hosted::folder::{Folder, Wanted};
use crate::hosted::hashes::Hashes;
use crate::hosted::lease::{self, Holder, Lease};
use crate::hosted::prepare::shortened;
use crate::hosted::{HostedError, Plan, Remote, Service, plan, render, state};
use crate::ingest::{Ask, Folders, Looking, SyncError, lock, scan};
use crate::llm::models::{Cost, ModelCatalogue};
use crate::model::DocumentRecord;

/// How often a lease that is waited for is tried.
const LEASE_RETRY: Duration = Duration::from_secs(2);
/// How long giving back a lease may take.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// Looks at the documents that would go up, before anything does.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Whether they may. The failure says what was found, masked; a problem is about a document that must not go up,
    /// while the others may.
    async fn pass(&self, documents: &[&Wanted]) -> Result<Vec<Problem>, Failure>;
}

/// What a person may want otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether every file is hashed, however untouched it looks.
    pub checksum: bool,
    /// Whether what the service could not index is tried again without a change.
    pub retry_failed: bool,
    /// Whether many documents may be removed without a question.
    pub allow_delete: bool,
    /// How long another sync is waited for.
    pub wait: Duration,
    /// How long it may take in all.
    pub deadline: Duration,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Before the first look at what is being indexed.
    pub first_poll: Duration,
    /// Between two looks at the most.
    pub longest_poll: Duration,
    /// Without any progress, before a file is attached a second time; and again, before it is given up.
    pub stuck_after: Duration,
    /// Before it is looked who wrote a lease last.
    pub settle: Duration,
    /// Between two batches while uploads go on.
    pub flush_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first_poll: Duration::from_millis(200),
            longest_poll: Duration::from_secs(5),
            stuck_after: Duration::from_mins(10),
            settle: Duration::from_millis(500),
            flush_after: Duration::from_secs(30),
        }
    }
}

/// What a sync works with.
#[derive(Clone, Copy)]
pub struct SyncContext<'a> {
    /// The store.
    pub service: &'a Service,
    /// Reads documents that go up as an extraction.
    pub reader: &'a dyn Reader,
    /// Told about every step.
    pub observer: &'a dyn Observer,
    /// Asked before many documents are removed.
    pub ask: &'a Ask<'a>,
    /// Looks at what would go up.
    pub gate: Option<&'a dyn Gate>,
    /// What storage costs, when known.
    pub prices: Option<&'a ModelCatalogue>,
    /// Where the present comes from.
    pub clock: &'a dyn Clock,
    /// Where the id of this machine's syncs comes from, the first time.
    pub ids: &'a dyn IdSource,
    /// Ends the work at once; what is under way is found by the next run.
    pub stop: &'a CancellationToken,
    /// What is wanted otherwise.
    pub options: Options,
    /// How long is waited for what.
    pub timing: Timing,
}

/// What a sync did.
#[derive(Debug, Default, Clone, Serialize)]
pub struct SyncReport {
    /// Documents that are new and can be found.
    pub added: usize,
    /// Documents that changed, those included whose attributes changed only.
    pub updated: usize,
    /// Documents that are gone.
    pub removed: usize,
    /// Documents that stayed as they were.
    pub unchanged: usize,
    /// How many of the updated ones have other attributes only: nothing was uploaded.
    pub relabelled: usize,
    /// Files in the store that are not ours, never touched.
    pub foreign: usize,
    /// The store.
    pub store_id: String,
    /// How much went up, in bytes.
    pub uploaded_bytes: u64,
    /// Calls of the service.
    pub requests: u64,
    /// What keeping the documents costs, in US dollars a month: an estimate.
    pub usd_per_month: Option<f64>,
    /// The day of the price that this was reckoned with.
    pub prices_as_of: Option<String>,
    /// Whether it was interrupted; the next run finishes.
    pub interrupted: bool,
    /// Whether it took longer than it may; the next run finishes.
    pub out_of_time: bool,
    /// What went wrong, by path.
    pub problems: Vec<Problem>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
}

impl SyncReport {
    /// Whether anything was sent or changed.
    pub fn has_done_something(&self) -> bool {
        self.added + self.updated + self.removed > 0 || self.uploaded_bytes > 0
    }
}

/// What was seen, and what follows from it.
#[derive(Debug)]
pub struct Look {
    /// The store.
    pub remote: Remote,
    /// The folder.
    pub folder: Folder,
    /// The store's documents as records.
    pub records: Vec<DocumentRecord>,
    /// What is to be done.
    pub plan: Plan,
}

impl Look {
    /// What a sync asks before it removes so much.
    pub fn question(&self) -> Option<String> {
        plan::doubt(&self.plan, &self.records)
    }

    /// What keeping the documents will cost a month, as an estimate.
    pub fn cost_per_month(&self, prices: &ModelCatalogue) -> Cost {
        cost::of_bytes(prices, bytes_after(&self.remote, &self.folder, &self.plan))
    }
}

/// Looks at store and folder; none when it was interrupted.
pub async fn look(folders: &Folders, context: SyncContext<'_>) -> Result<Option<Look>, HostedError> {
    let SyncContext { service, observer, clock, stop, options, .. } = context;
    observer.observe(Event::Started { task: "reading the vector store", total: None });
    let Some(remote) = stop.run_until_cancelled(state::read(service)).await else { return Ok(None) };
    let remote = remote?;
    for file in remote.documents.values().flatten() {
        observer.observe(Event::Advanced { item: file.path.clone(), bytes: 0 });
    }
    observer.observe(Event::Finished);
    let (remote, records) = records(remote, folders).await?;
    // What the local index could not read says nothing about what the service can.
    let looking =
        Looking { observer, clock, stop, checksum: options.checksum, retry_failed: true, max_bytes: render::max_bytes };
    let scan = scan(folders, &records, looking).await?;
    if scan.interrupted {
        return Ok(None);
    }
    let hashes = Hashes::of(&scan);
    let state_dir = folders.state_dir.clone();
    let saved = tokio::task::spawn_blocking(move || hashes.save(&state_dir)).await?;
    if let Err(error) = saved {
        tracing::debug!(%error, "hashes are not kept");
    }
    let folder = Folder::of(scan);
    let plan = plan(&remote, &folder, options.retry_failed);
    Ok(Some(Look { remote, folder, records, plan }))
}

async fn records(remote: Remote, folders: &Folders) -> Result<(Remote, Vec<DocumentRecord>), HostedError> {
    let Folders { docs_dir, state_dir } = folders.clone();
    let make = move || {
        let full = full_paths(&remote, &docs_dir);
        let records = Hashes::load(&state_dir)
            .records(&remote, |path| full.get(path).cloned().flatten().unwrap_or_else(|| path.to_owned()));
        (remote, records)
    };
    Ok(tokio::task::spawn_blocking(make).await?)
}

/// The paths of the folder that the store knows cut, by their cut form; none for a form that two of them have.
fn full_paths(remote: &Remote, docs_dir: &Path) -> HashMap<String, Option<String>> {
    let mut full = HashMap::new();
    let is_cut = remote.documents.values().flatten().any(|file| file.path.ends_with('…'));
    let Some(listing) = is_cut.then(|| walk::walk_within(docs_dir, render::max_bytes).ok()).flatten() else {
        return full;
    };
    for file in listing.files {
        let cut = shortened(&file.path);
        if cut != file.path {
            full.entry(cut).and_modify(|path| *path = None).or_insert(Some(file.path));
        }
    }
    full
}

/// Brings the store up to date with the folder. Without changes it writes nothing to the service.
///
/// A question is asked without lock and lease: a person may take their time. What is done afterwards is decided on the
/// store and the folder as they are then, and an answer counts for no more than what it was asked of.
pub async fn sync(folders: &Folders, context: SyncContext<'_>) -> Result<SyncReport, HostedError> {
    let mut report = SyncReport::default();
    sync_into(folders, context, &mut report).await?;
    Ok(report)
}

/// The same. `report` tells what was done, also when it ends before its time.
pub async fn sync_into(
    folders: &Folders,
    context: SyncContext<'_>,
    report: &mut SyncReport,
) -> Result<(), HostedError> {
    let mut held = None;
    let deadline = Instant::now() + context.options.deadline;
    // What is dropped half-way is found by the next run: nothing has to be brought to an end.
    let ended = tokio::select! {
        biased;
        () = context.stop.cancelled() => Ended::Interrupted,
        () = sleep_until(deadline) => Ended::OutOfTime,
        outcome = run(folders, context, report, &mut held) => Ended::ByItself(outcome),
    };
    give_back(&mut held).await;
    context.reader.rest();
    report.store_id = context.service.store_id().to_owned();
    report.requests = context.service.requests();
    report.problems.sort_by(|a, b| a.path.cmp(&b.path));
    match ended {
        Ended::Interrupted => report.interrupted = true,
        Ended::OutOfTime => report.out_of_time = true,
        Ended::ByItself(outcome) => return outcome,
    }
    Ok(())
}

enum Ended {
    ByItself(Result<(), HostedError>),
    Interrupted,
    OutOfTime,
}

/// A lease that cannot be given back ends by itself.
async fn give_back(held: &mut Option<Lease<'_>>) {
    if let Some(lease) = held.take() {
        match timeout(GIVING_BACK, lease.release()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the lease is not given back"),
            Err(_) => tracing::debug!("the lease is not given back in time"),
        }
    }
}

/// The documents that a plan removes: id and path.
type Removals = BTreeSet<(String, String)>;

fn removals(plan: &Plan) -> Removals {
    plan.remove.iter().map(|change| (change.document_id.clone(), change.path.clone())).collect()
}

async fn run<'a>(
    folders: &Folders,
    context: SyncContext<'a>,
    report: &mut SyncReport,
    held: &mut Option<Lease<'a>>,
) -> Result<(), HostedError> {
    let SyncContext { stop, options, .. } = context;
    let mut agreed = Removals::new();
    let mut lock = None;
    loop {
        if lock.is_none() {
            lock = Some(lock::acquire_within(&folders.state_dir, options.wait, stop).await?);
        }
        let Some(mut look) = look(folders, context).await? else {
            report.interrupted = true;
            return Ok(());
        };
        let removals = removals(&look.plan);
        let is_agreed = options.allow_delete || removals.is_subset(&agreed);
        if let Some(question) = look.question().filter(|_| !is_agreed) {
            lock = None;
            give_back(held).await;
            if !(context.ask)(&question).map_err(SyncError::from)? {
                return Err(HostedError::Declined(question));
            }
            agreed = removals;
            continue;
        }
        *report = seen(&look, context);
        if !look.plan.has_changes() {
            return Ok(());
        }
        let held_back = pass(&look, context).await?;
        look.plan.hold_back(&held_back);
        report.problems.extend(held_back);
        if !look.plan.has_changes() {
            return Ok(());
        }
        if held.is_none() {
            let lease = take_lease(folders, &look, context).await?;
            if held.insert(lease).is_stale {
                // Somebody wrote since the look: what is to be done is decided once more.
                continue;
            }
        }
        if let Some(lease) = held {
            return apply(folders, &look, lease, context, report).await;
        }
    }
}

/// What is known before anything is done.
fn seen(look: &Look, context: SyncContext<'_>) -> SyncReport {
    let mut problems = look.folder.problems.clone();
    problems.extend_from_slice(&look.plan.failed);
    for problem in &problems {
        context.observer.observe(Event::Problem(problem.clone()));
    }
    let cost = context.prices.map(|prices| look.cost_per_month(prices));
    SyncReport {
        unchanged: look.plan.keep.len(),
        foreign: look.remote.foreign.len(),
        usd_per_month: cost.map(cost::usd),
        prices_as_of: cost.map(|cost| cost.as_of.to_string()),
        problems,
        skipped: look.folder.skipped.clone(),
        ..SyncReport::default()
    }
}

async fn pass(look: &Look, context: SyncContext<'_>) -> Result<Vec<Problem>, HostedError> {
    let Some(gate) = context.gate else { return Ok(Vec::new()) };
    let going: BTreeSet<&str> = look.plan.uploads().map(|change| change.document_id.as_str()).collect();
    let documents: Vec<&Wanted> =
        look.folder.wanted.iter().filter(|wanted| going.contains(wanted.document_id.as_str())).collect();
    gate.pass(&documents).await.map_err(HostedError::Gate)
}

async fn take_lease<'a>(folders: &Folders, look: &Look, context: SyncContext<'a>) -> Result<Lease<'a>, HostedError> {
    let SyncContext { service, clock, ids, options, timing, .. } = context;
    let state_dir = folders.state_dir.clone();
    let new = ids.new_id("sync");
    let holder = tokio::task::spawn_blocking(move || Holder::of(&state_dir, new)).await?;
    let deadline = Instant::now() + options.wait;
    loop {
        match lease::take(service, &holder, &look.remote.store, clock, timing.settle).await {
            Err(HostedError::Leased { .. } | HostedError::Contended) if Instant::now() < deadline => {
                sleep(LEASE_RETRY).await;
            }
            outcome => return outcome,
        }
    }
}

/// Carries the plan out as long as the lease is held.
async fn apply(
    folders: &Folders,
    look: &Look,
    lease: &Lease<'_>,
    context: SyncContext<'_>,
    report: &mut SyncReport,
) -> Result<(), HostedError> {
    let SyncContext { service, reader, observer, timing, .. } = context;
    let apply = Apply::new(service, reader, &folders.docs_dir, observer, timing);
    tokio::select! {
        error = lease.keep() => Err(error),
        outcome = apply.run(&look.plan, &look.folder, report) => outcome,
    }
}
