//! Every misbehaviour of the service, one by one: how the sync ends, and that the next one mends it.

use std::time::Duration;

use openai_stand_in::{Act, ErrorBody, Fault, Hint};

use crate::hosted::tests::bench::{Bench, options};
use crate::hosted::{HostedError, Options, SyncReport};
use crate::openai::ErrorKind;

const UPLOAD: (&str, &str) = ("POST", "/files");
const BATCH: (&str, &str) = ("POST", "/vector_stores/{id}/file_batches");
const ATTRIBUTES: (&str, &str) = ("POST", "/vector_stores/{id}/files/{file_id}");
const DETACH: (&str, &str) = ("DELETE", "/vector_stores/{id}/files/{file_id}");
const DELETE: (&str, &str) = ("DELETE", "/files/{file_id}");

async fn bench() -> Bench {
    let bench = Bench::new().await;
    (0..6).for_each(|n| bench.write(&format!("doc{n}.md"), format!("Number {n}.")));
    bench
}

fn codes(report: &SyncReport) -> Vec<(&str, &str)> {
    report.problems.iter().map(|problem| (problem.path.as_str(), problem.code.as_str())).collect()
}

fn kind(outcome: Result<SyncReport, HostedError>) -> ErrorKind {
    match outcome {
        Err(HostedError::Service(error)) => error.kind,
        other => panic!("{other:?}"),
    }
}

/// What passes is not even told: the client or the engine does it once more, and nothing is there twice.
#[tokio::test]
async fn what_passes_leaves_no_trace() {
    let acts = [
        Act::RateLimited { retry_after: None },
        Act::RateLimited { retry_after: Some(1) },
        Act::Status { code: 500, body: ErrorBody::Json, hints: Vec::new() },
        Act::Status { code: 502, body: ErrorBody::Html, hints: Vec::new() },
        Act::Status { code: 503, body: ErrorBody::Empty, hints: vec![Hint::RetryAfterMs(1)] },
        Act::ResetBefore,
        Act::ResetMidBody,
        Act::LostAnswer,
        Act::TruncatedBody,
        Act::GarbledJson,
        Act::Stall(Duration::from_secs(1)),
    ];
    for act in acts {
        for (method, path) in [UPLOAD, BATCH, ATTRIBUTES, DETACH, DELETE, ("GET", "*")] {
            let bench = bench().await;
            bench.write("gone.md", "Gone soon.");
            bench.sync().await.unwrap();
            bench.write("doc0.md", "Changed.");
            bench.write("new.md", "New.");
            bench.rename("doc1.md", "moved.md");
            bench.delete("gone.md");
            bench.stand_in.fail(Fault::on(method, path, act.clone()).nth(1));
            let report = bench.sync().await.unwrap_or_else(|error| panic!("{act:?} on {method} {path}: {error}"));
            assert_eq!(codes(&report), [], "{act:?} on {method} {path}");
            let equal = bench.is_equal();
            assert!(equal.is_ok(), "{act:?} on {method} {path}: {equal:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_spent_account_end_the_sync_and_are_not_tried_again() {
    for (act, expected) in [(Act::WrongKey, ErrorKind::WrongKey), (Act::NoQuota, ErrorKind::NoQuota)] {
        let bench = bench().await;
        bench.stand_in.fail(Fault::on("POST", "/files", act));
        assert_eq!(kind(bench.sync().await), expected);
        let uploads =
            bench.stand_in.log().into_iter().filter(|call| call.method == "POST" && call.template == "/files");
        assert!(uploads.count() <= 6, "each document is sent once at the most");
        bench.stand_in.heal();
        bench.sync().await.unwrap();
        bench.assert_equal();
    }
}

#[tokio::test]
async fn an_outage_ends_the_sync_and_one_bad_upload_does_not() {
    let bench = bench().await;
    let refuse = Act::Status { code: 400, body: ErrorBody::Json, hints: Vec::new() };
    bench.stand_in.fail(Fault::on("POST", "/files", refuse).nth(1));
    let report = bench.sync().await.unwrap();
    assert_eq!((report.added, codes(&report)[0].1), (5, "openai/refused"));
    (0..6).for_each(|n| bench.write(&format!("more{n}.md"), format!("More {n}.")));
    bench.stand_in.fail(Fault::on("POST", "/files", Act::ResetBefore));
    assert_eq!(kind(bench.sync().await), ErrorKind::Connection);
    bench.stand_in.heal();
    bench.sync().await.unwrap();
    bench.assert_equal();
}

fn fails(matching: &str) -> Fault {
    let (code, message) = ("unsupported_file".to_owned(), "The file type is not supported.".to_owned());
    Fault::always(Act::FileFails { matching: matching.to_owned(), code, message })
}

#[tokio::test]
async fn what_the_service_cannot_index_is_told_kept_as_a_record_and_not_sent_again() {
    let bench = bench().await;
    bench.sync().await.unwrap();
    bench.write("doc0.md", "Changed, and bad.");
    bench.stand_in.fail(fails("doc0"));
    let report = bench.sync().await.unwrap();
    assert_eq!(codes(&report), [("doc0.md", "openai/unsupported-file")]);
    assert!(report.problems[0].message.contains("The file type is not supported"));
    let status = |wanted: &str| bench.in_store().iter().filter(|file| file.status == wanted).count();
    assert_eq!((status("completed"), status("failed")), (6, 1), "the old version stays");
    bench.stand_in.clear_log();
    let report = bench.sync().await.unwrap();
    assert_eq!((codes(&report), report.unchanged), (vec![("doc0.md", "openai/unsupported-file")], 6));
    assert!(bench.stand_in.writes().is_empty(), "{:?}", bench.writes());
    // A word about it changes nothing for the record, and reaches the version that is found.
    bench.write("documents.yaml", "documents:\n  - {path: doc0.md, tags: [secret]}\n");
    bench.sync().await.unwrap();
    let found = bench
        .in_store()
        .into_iter()
        .find(|file| file.attributes["document_id"] == "doc0" && file.status == "completed");
    assert_eq!(found.unwrap().attributes["tag_secret"], true);
    bench.stand_in.heal();
    bench.stand_in.clear_log();
    let retry = Options { retry_failed: true, ..options() };
    let report = bench.sync_as("here", retry).await.unwrap();
    assert_eq!((report.updated, codes(&report)), (1, vec![]));
    assert!(!bench.writes().contains_key("POST /files"), "it is attached again, not uploaded");
    bench.assert_equal();
}

#[tokio::test]
async fn a_changed_document_is_tried_again_and_an_undone_change_is_forgotten() {
    let bench = bench().await;
    bench.sync().await.unwrap();
    bench.write("doc0.md", "Bad.");
    bench.write("doc1.md", "Bad, too.");
    bench.stand_in.fail(fails(""));
    assert_eq!(codes(&bench.sync().await.unwrap()).len(), 2);
    bench.stand_in.heal();
    bench.write("doc0.md", "Good.");
    bench.write("doc1.md", "Number 1.");
    let report = bench.sync().await.unwrap();
    assert_eq!((report.updated, report.unchanged, codes(&report)), (1, 5, vec![]));
    bench.assert_equal();
}

#[tokio::test]
async fn a_stuck_file_gets_another_try_and_then_a_name() {
    let stuck =
        |until_attached_again| Fault::always(Act::FileStuck { matching: "doc3".to_owned(), until_attached_again });
    let bench = bench().await;
    bench.stand_in.fail(stuck(true));
    assert_eq!(bench.sync().await.unwrap().added, 6);
    bench.assert_equal();
    let bench = self::bench().await;
    bench.stand_in.fail(stuck(false));
    let report = bench.sync().await.unwrap();
    assert_eq!((report.added, codes(&report)), (5, vec![("doc3.md", "openai/stuck")]));
    bench.stand_in.heal();
    bench.stand_in.clear_log();
    assert_eq!(bench.sync().await.unwrap().unchanged, 6);
    assert!(bench.stand_in.writes().is_empty(), "what was indexed late is not uploaded again");
    bench.assert_equal();
}

#[tokio::test]
async fn a_deadline_ends_a_sync_that_the_next_one_finishes() {
    let bench = bench().await;
    bench.stand_in.fail(Fault::always(Act::FileStuck { matching: String::new(), until_attached_again: false }));
    let short = Options { deadline: Duration::from_millis(200), ..options() };
    let report = bench.sync_as("here", short).await.unwrap();
    assert!(report.out_of_time && report.added == 0);
    bench.stand_in.heal();
    bench.sync().await.unwrap();
    bench.assert_equal();
}

#[tokio::test]
async fn lists_that_shift_and_ids_that_are_wrong_change_nothing() {
    for act in [Act::BatchIdOfStore, Act::ShiftingPages] {
        let bench = bench().await;
        bench.stand_in.fail(Fault::always(act.clone()));
        bench.sync().await.unwrap();
        bench.write("doc0.md", "Changed.");
        bench.delete("doc1.md");
        bench.sync().await.unwrap();
        bench.write("doc1.md", "Number 1.");
        let report = bench.sync().await.unwrap();
        assert_eq!((report.added, codes(&report)), (1, vec![]), "{act:?}");
        let equal = bench.is_equal();
        assert!(equal.is_ok(), "{act:?}: {equal:?}");
    }
}

/// What is deleted and still listed cannot be told from what is there: a document that comes back within that time
/// is missed until it is over, and everything else is right at once.
#[tokio::test]
async fn lists_that_lag_are_caught_up_with() {
    let bench = bench().await;
    bench.stand_in.fail(Fault::always(Act::LaggingDelete(Duration::from_mins(10))));
    bench.sync().await.unwrap();
    bench.write("doc0.md", "Changed.");
    bench.delete("doc1.md");
    for _ in 0..2 {
        assert_eq!(codes(&bench.sync().await.unwrap()), []);
        bench.assert_equal();
    }
    bench.write("doc1.md", "Number 1.");
    bench.sync().await.unwrap();
    bench.stand_in.pass(Duration::from_secs(601));
    let report = bench.sync().await.unwrap();
    assert_eq!((report.added, codes(&report)), (1, vec![]));
    bench.assert_equal();
}

#[tokio::test]
async fn an_expired_and_an_unknown_store_are_refused_before_anything_is_written() {
    let mut bench = bench().await;
    bench.stand_in.fail(Fault::always(Act::StoreExpired { store_id: None }));
    assert!(matches!(bench.sync().await, Err(HostedError::Expired(_))));
    bench.stand_in.heal();
    bench.store_id = "vs_unknown".to_owned();
    assert!(matches!(bench.sync().await, Err(HostedError::NoStore(_))));
    assert!(bench.stand_in.writes().is_empty());
}

/// Many that the service refuses, side by side, do not keep the others from going up, run after run.
#[tokio::test]
async fn refused_documents_in_a_row_do_not_hold_up_the_others() {
    let bench = bench().await;
    let refuse = Act::Status { code: 400, body: ErrorBody::Json, hints: Vec::new() };
    (0..12).for_each(|n| bench.write(&format!("bad{n:02}.md"), format!("Bad {n}.")));
    bench.stand_in.fail(Fault::on("POST", "/files", refuse).times(12));
    let report = bench.sync().await.unwrap();
    assert_eq!((report.added, report.problems.len()), (6, 12));
}
