//! Runs cases against a target, and cleans up behind them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::model::report::{Evidence, Probe, Verdict};
use crate::smoke::SmokeError;
use crate::smoke::case::{Case, CaseResult, Phase, Stop};
use crate::smoke::client::ClientSettings;
use crate::smoke::lab::Lab;
use crate::smoke::record::Record;

/// How long cleaning up may take.
const CLEAN_UP: Duration = Duration::from_secs(20);
/// How long it may take after Ctrl-C, where the whole stop has a second (C6).
const HURRIED_CLEAN_UP: Duration = Duration::from_millis(800);
/// Deletions at once.
const DELETIONS: usize = 16;

/// What to run, and how.
pub struct Plan {
    /// The cases.
    pub cases: Vec<&'static Case>,
    /// How to reach the target.
    pub client: ClientSettings,
    /// Cases at once.
    pub jobs: usize,
    /// The longest a case may take.
    pub timeout: Duration,
}

/// What could not be deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Threads.
    pub threads: usize,
    /// Attachments.
    pub attachments: usize,
}

/// Runs the cases; `told` gets each verdict as it comes, in the order of the table. After a stop the verdicts so far
/// come back. What the cases made is deleted in any case.
pub async fn run(
    plan: &Plan,
    stop: &CancellationToken,
    told: &mut (dyn FnMut(&Probe) + Send),
) -> Result<(Vec<Probe>, Left), SmokeError> {
    let record = Arc::new(Record::default());
    let lab = Lab::new(&plan.client, &record)?;
    let mut probes = Vec::with_capacity(plan.cases.len());
    let work = async {
        if let Err(Stop::Unknown(why) | Stop::Fail(why)) = lab.greet().await {
            let unreachable = |case: &&'static Case| probe(case, &Err(Stop::Unknown(why.clone())), Duration::ZERO);
            probes.extend(plan.cases.iter().map(unreachable).inspect(|probe| told(probe)));
            return;
        }
        for phase in [Phase::Together, Phase::Alone, Phase::Last] {
            let jobs = if phase == Phase::Together { plan.jobs.max(1) } else { 1 };
            let cases = plan.cases.iter().filter(|case| case.phase == phase);
            let mut judged = stream::iter(cases.map(|case| judge(case, &lab, plan.timeout))).buffered(jobs);
            while let Some(probe) = judged.next().await {
                told(&probe);
                probes.push(probe);
            }
        }
    };
    let is_stopped = tokio::select! {
        () = work => false,
        () = stop.cancelled() => true,
    };
    let deadline = if is_stopped { HURRIED_CLEAN_UP } else { CLEAN_UP };
    // What takes longer than that stays, and is told.
    let _ = tokio::time::timeout(deadline, clean_up(&lab, &record)).await;
    Ok((probes, Left { threads: record.threads().len(), attachments: record.attachments().len() }))
}

async fn judge(case: &'static Case, lab: &Lab, timeout: Duration) -> Probe {
    let since = Instant::now();
    let result = tokio::time::timeout(timeout, (case.look)(lab)).await;
    let result = result
        .unwrap_or_else(|_| Err(Stop::Fail(format!("it did not come to an end within {} seconds", timeout.as_secs()))));
    probe(case, &result, since.elapsed())
}

fn probe(case: &'static Case, result: &CaseResult, took: Duration) -> Probe {
    let (verdict, reason) = match result {
        Ok(()) => (Verdict::Pass, None),
        Err(Stop::Fail(why)) => (Verdict::Fail, Some(why)),
        Err(Stop::Warn(why)) => (Verdict::Warn, Some(why)),
        Err(Stop::Skip(why)) => (Verdict::NotApplicable, Some(why)),
        Err(Stop::Unknown(why)) => (Verdict::Unknown, Some(why)),
    };
    let is_bad = matches!(verdict, Verdict::Fail | Verdict::Warn);
    Probe {
        id: format!("conformance/{}", case.name),
        kind: case.group().to_owned(),
        verdict,
        severity: case.severity,
        summary: case.summary.to_owned(),
        evidence: reason.map(|why| Evidence::new(case.name, why.as_str())).into_iter().collect(),
        fix: is_bad.then(|| format!("see the rule: {}", case.rule)),
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Deletes what the cases made. A thing that is already gone counts as deleted.
async fn clean_up(lab: &Lab, record: &Record) {
    let threads = record.threads();
    let deletions = threads.iter().map(|thread| async move {
        let params = json!({ "thread_id": thread.1 });
        let reply = lab.visitor(thread.0).call("threads.delete", params).await;
        if reply.is_ok_and(|reply| matches!(reply.status, 200 | 404)) {
            record.forget_thread(thread);
        }
    });
    stream::iter(deletions).buffer_unordered(DELETIONS).for_each(|()| async {}).await;
    let attachments = record.attachments();
    let deletions = attachments.iter().map(|attachment| async move {
        let params = json!({ "attachment_id": attachment.1 });
        let reply = lab.visitor(attachment.0).call("attachments.delete", params).await;
        // One that a deleted thread had is gone with it, and some servers call that a mistake.
        if reply.is_ok_and(|reply| reply.status == 200 || (400..500).contains(&reply.status)) {
            record.forget_attachment(attachment);
        }
    });
    stream::iter(deletions).buffer_unordered(DELETIONS).for_each(|()| async {}).await;
}
