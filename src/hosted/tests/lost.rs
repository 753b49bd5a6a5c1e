//! Ends at any moment: a future dropped at the nth request stands for kill -9.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::hosted::tests::bench::{Bench, options};

/// More requests than any sync here makes.
const TOO_MANY: usize = 500;

/// Drops a sync as soon as the stand-in has seen so many requests; says whether it ended before.
pub(super) async fn crash(bench: &Bench, machine: &str, requests: usize) -> bool {
    let before = bench.stand_in.log().len();
    let watching = async {
        while bench.stand_in.log().len() < before + requests {
            sleep(Duration::from_micros(200)).await;
        }
    };
    let ended = tokio::select! {
        biased;
        () = watching => false,
        outcome = bench.sync_as(machine, options()) => { drop(outcome); true }
    };
    quiet(bench).await;
    ended
}

/// Waits until the service has done what it was asked, also by callers that are gone.
pub(super) async fn quiet(bench: &Bench) {
    let deadline = Instant::now() + Duration::from_millis(200);
    let is_open = || bench.stand_in.log().iter().any(|call| call.status.is_none() && call.faults.is_empty());
    while is_open() && Instant::now() < deadline {
        sleep(Duration::from_millis(1)).await;
    }
}

/// The documents of which a search finds some version.
fn documents(bench: &Bench) -> BTreeSet<String> {
    let found = bench.in_store().into_iter().filter(|file| file.status == "completed");
    found.map(|file| file.attributes["document_id"].as_str().unwrap().to_owned()).collect()
}

fn prepare(bench: &Bench) {
    (0..8).for_each(|n| bench.write(&format!("doc{n}.md"), format!("Number {n}.")));
}

fn change(bench: &Bench) {
    (0..2).for_each(|n| bench.write(&format!("doc{n}.md"), format!("Changed {n}.")));
    (2..4).for_each(|n| bench.rename(&format!("doc{n}.md"), &format!("moved/doc{n}.md")));
    (4..6).for_each(|n| bench.delete(&format!("doc{n}.md")));
    bench.write("new.md", "New.");
}

#[tokio::test]
async fn a_kill_at_any_request_is_mended_by_the_next_run() {
    for requests in 1..TOO_MANY {
        let bench = Bench::new().await;
        prepare(&bench);
        let mut ended = crash(&bench, "here", requests).await;
        bench.sync().await.unwrap();
        bench.assert_equal();
        change(&bench);
        bench.promise();
        ended &= crash(&bench, "here", requests).await;
        let staying = ["doc0", "doc1", "doc2", "doc3", "doc6", "doc7"].map(str::to_owned);
        assert!(documents(&bench).is_superset(&staying.into()), "a changed document had a gap at request {requests}");
        bench.sync().await.unwrap();
        bench.assert_equal();
        assert_eq!(bench.broken(), Vec::<String>::new(), "a document was lost for a moment, killed at {requests}");
        bench.stand_in.clear_log();
        assert_eq!(bench.sync().await.unwrap().unchanged, 7);
        assert!(bench.stand_in.writes().is_empty());
        if ended {
            return;
        }
    }
    panic!("no sync ends within {TOO_MANY} requests");
}

#[tokio::test]
async fn an_interruption_is_told_and_gives_the_lease_back() {
    let bench = Bench::new().await;
    prepare(&bench);
    let stop = CancellationToken::new();
    let watching = async {
        while !bench.stand_in.log().iter().any(|call| call.template == "/files" && call.method == "POST") {
            sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    let (outcome, ()) = tokio::join!(bench.sync_until("here", options(), &stop), watching);
    assert!(outcome.unwrap().interrupted);
    let state = bench.stand_in.state();
    assert!(!state.store(&bench.store_id).unwrap().metadata.contains_key("chatbotctl_lease"));
    quiet(&bench).await;
    bench.sync_as("elsewhere", options()).await.unwrap();
    bench.assert_equal();
}

#[tokio::test]
async fn of_two_machines_at_once_one_stops_and_nothing_is_there_twice() {
    for round in 0..5 {
        let bench = Bench::new().await;
        prepare(&bench);
        let (one, other) = tokio::join!(bench.sync_as("one", options()), bench.sync_as("other", options()));
        let outcomes = [one.is_ok(), other.is_ok()];
        assert!(outcomes.contains(&true), "round {round}: {one:?} {other:?}");
        bench.sync().await.unwrap();
        bench.assert_equal();
    }
}

/// A lease that nobody renews ends by itself, and one of the same machine is taken over at once.
#[tokio::test]
async fn a_lease_of_another_machine_is_respected() {
    let bench = Bench::new().await;
    prepare(&bench);
    crash(&bench, "other", 8).await;
    let lease = || bench.stand_in.state().store(&bench.store_id).unwrap().metadata.get("chatbotctl_lease").cloned();
    assert!(lease().is_some(), "the sync was dropped while it had the lease");
    let refused = bench.sync_as("one", options()).await.unwrap_err();
    assert!(refused.to_string().contains("another sync"), "{refused}");
    bench.sync_as("other", options()).await.unwrap();
    bench.assert_equal();
    assert_eq!(lease(), None);
}

/// A state folder that was copied (a cache of CI, an image) makes another machine: it does not take over what runs.
#[tokio::test]
async fn a_copied_state_folder_is_another_machine() {
    let bench = Bench::new().await;
    prepare(&bench);
    bench.sync_as("one", options()).await.unwrap();
    let copy = bench.folders("copy").state_dir;
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(bench.folders("one").state_dir).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    change(&bench);
    bench.stand_in.clear_log();
    crash(&bench, "one", 8).await;
    let refused = bench.sync_as("copy", options()).await.unwrap_err();
    assert!(refused.to_string().contains("another sync"), "{refused}");
    bench.sync_as("one", options()).await.unwrap();
    bench.assert_equal();
}
