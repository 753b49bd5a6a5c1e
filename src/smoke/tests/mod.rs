//! The kit itself is tested: against a fake server that keeps the protocol nothing fails, and every way to break the
//! fake makes just the cases fail that are about it. Nothing is green by default.

mod fake;
mod fake_answer;
mod fake_pages;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::fake::Broken;
use crate::model::report::{Probe, Verdict};
use crate::smoke::{Case, ClientSettings, Left, Plan, Target, all, find, run};

fn plan(url: &str, cases: Vec<&'static Case>) -> Plan {
    let timeout = Duration::from_mins(1);
    let target = Target::parse(url).unwrap();
    let client = ClientSettings { target, headers: Vec::new(), token: None, token_other: None, timeout };
    Plan { cases, client, jobs: 8, timeout }
}

async fn probes(broken: Broken, cases: Vec<&'static Case>) -> Vec<Probe> {
    let url = fake::start(broken).await;
    let (probes, left) = run(&plan(&url, cases), &CancellationToken::new(), &mut |_| {}).await.unwrap();
    if broken != Broken::Cut {
        assert_eq!(left, Left::default(), "everything that was made is deleted");
    }
    probes
}

fn of(probes: &[Probe], verdict: Verdict) -> BTreeSet<&str> {
    let of = probes.iter().filter(|probe| probe.verdict == verdict);
    of.map(|probe| probe.id.trim_start_matches("conformance/")).collect()
}

fn reasons(probes: &[Probe]) -> Vec<String> {
    let bad = probes.iter().filter(|probe| !matches!(probe.verdict, Verdict::Pass | Verdict::NotApplicable));
    bad.map(|probe| format!("{} {}: {:?}", probe.verdict.name(), probe.id, probe.evidence)).collect()
}

#[test]
fn names_are_unique_and_say_their_group() {
    let names: BTreeSet<&str> = all().map(|case| case.name).collect();
    assert_eq!(names.len(), all().count());
    assert!(names.len() >= 80, "{}", names.len());
    for case in all() {
        assert!(
            case.name.split('/').count() == 2 && !case.rule.is_empty() && !case.summary.is_empty(),
            "{}",
            case.name
        );
    }
}

#[test]
fn a_case_and_a_group_are_found_and_a_slip_is_corrected() {
    assert_eq!(find("stream/done-once").unwrap().len(), 1);
    assert!(find("stream").unwrap().len() > 10);
    assert!(find("stream/done-onec").err().unwrap().contains("did you mean `stream/done-once`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_the_protocol_passes() {
    let probes = probes(Broken::Nowhere, all().collect()).await;
    assert_eq!(reasons(&probes), Vec::<String>::new());
    assert!(of(&probes, Verdict::Pass).len() > 150, "{}", of(&probes, Verdict::Pass).len());
    assert_eq!(probes.len(), all().count());
}

/// Each way to break the server, and the cases that must fail; no other may.
const BREAKAGES: [(Broken, &[&str]); 24] = [
    (Broken::Zoneless, &["time/utc"]),
    (Broken::NullTitle, &["shape/no-nulls"]),
    (Broken::DoneTwice, &["stream/done-once"]),
    (Broken::LostDelta, &["stream/text-of-deltas", "long/many-deltas"]),
    (Broken::CountsFromOne, &["stream/annotation-order"]),
    (Broken::NoOptions, &["stream/options-before-answer"]),
    (Broken::Crlf, &["transport/framing"]),
    (Broken::UnknownType500, &["validation/unknown-type", "errors/no-5xx"]),
    (Broken::AnyContentType, &["transport/text-refused", "transport/form-refused"]),
    (Broken::OpenGet, &["visitors/get", "visitors/same-words"]),
    (Broken::DeletesNothing, &["delete/gone", "delete/not-listed", "delete/no-return", "delete/while-streaming"]),
    (Broken::RetryKeeps, &["retry/removes-newer"]),
    (Broken::CursorRestarts, &["list/unknown-cursor", "list/unknown-item-cursor", "list/cursor-of-another-thread"]),
    (Broken::AfterAtEnd, &["shape/pages"]),
    (Broken::HangUpLoses, &["hang-up/partial-kept"]),
    (Broken::ShowsHidden, &["hidden/not-listed", "shape/nothing-hidden"]),
    (Broken::Retitles, &["rename/stays"]),
    (Broken::Leaks, &["errors/no-details"]),
    (Broken::PlainErrors, &["errors/json"]),
    (Broken::TwoAnswers, &["busy/second-message", "busy/many-on-one-thread"]),
    (Broken::Revives, &["delete/while-streaming"]),
    (Broken::NoFilename, &["shape/annotations"]),
    (Broken::NoAllow, &["transport/allow"]),
    (Broken::ToolTwice, &["tool/output-once"]),
];

/// The large bodies take most of the time and no breakage is about them.
fn all_but_large() -> Vec<&'static Case> {
    all().filter(|case| !case.name.starts_with("validation/huge-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_breakage_fails_its_own_cases_and_no_other() {
    let mut wrong = Vec::new();
    for pair in BREAKAGES.chunks(5) {
        let runs = pair.iter().map(|(broken, expected)| async move {
            let probes = probes(*broken, all_but_large()).await;
            let expected: BTreeSet<&str> = expected.iter().copied().collect();
            let failed = of(&probes, Verdict::Fail);
            (failed != expected).then(|| format!("{broken:?}: {failed:?}, not {expected:?}: {:?}", reasons(&probes)))
        });
        wrong.extend(futures_util::future::join_all(runs).await.into_iter().flatten());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_stored_late_is_found() {
    let probes = probes(Broken::StoresLate, find("create/stored-before-told").unwrap()).await;
    assert_eq!(of(&probes, Verdict::Fail), BTreeSet::from(["create/stored-before-told"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_stream_is_no_end() {
    let probes = probes(Broken::Cut, find("transport/proper-end").unwrap()).await;
    assert_eq!(of(&probes, Verdict::Fail), BTreeSet::from(["transport/proper-end"]));
}

#[tokio::test]
async fn a_server_that_is_not_there_proves_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (probes, _) = run(&plan(&url, all().collect()), &CancellationToken::new(), &mut |_| {}).await.unwrap();
    assert_eq!(of(&probes, Verdict::Unknown).len(), all().count());
}

/// C6: a stop ends the run at once, and what was made is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_run_and_cleans_up() {
    let url = fake::start(Broken::Nowhere).await;
    let stop = CancellationToken::new();
    let mut told = 0;
    let since = std::time::Instant::now();
    let plan = plan(&url, find("create").unwrap());
    let mut tell = |_: &Probe| {
        told += 1;
        stop.cancel();
    };
    let (probes, left) = run(&plan, &stop, &mut tell).await.unwrap();
    assert!(probes.len() < find("create").unwrap().len(), "{}", probes.len());
    assert_eq!(left, Left::default());
    assert!(told > 0 && since.elapsed() < Duration::from_secs(5));
}
