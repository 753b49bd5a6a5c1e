//! What a sync does, and with which requests.

use std::collections::BTreeMap;
use std::fs;

use crate::hosted::tests::bench::{Bench, options};
use crate::hosted::{HostedError, Options};

fn expected(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter().map(|(call, count)| ((*call).to_owned(), *count)).collect()
}

const LEASE: (&str, usize) = ("POST /vector_stores/{id}", 2);

#[tokio::test]
async fn a_first_sync_uploads_each_document_once_and_a_second_writes_nothing() {
    let bench = Bench::new().await;
    for n in 0..30 {
        bench.write(&format!("part{}/doc{n}.md", n % 3), format!("# Document {n}\n\nText.\n"));
    }
    let report = bench.sync().await.unwrap();
    assert_eq!((report.added, report.unchanged, report.problems.len()), (30, 0, 0));
    bench.assert_equal();
    let writes = [LEASE, ("POST /files", 30), ("POST /vector_stores/{id}/file_batches", 1)];
    assert_eq!(bench.writes(), expected(&writes));
    for machine in ["here", "elsewhere"] {
        bench.stand_in.clear_log();
        let report = bench.sync_as(machine, options()).await.unwrap();
        assert_eq!((report.added, report.unchanged), (0, 30));
        assert_eq!(bench.writes(), expected(&[]));
    }
}

#[tokio::test]
async fn changes_take_exactly_the_writes_they_need() {
    let bench = Bench::new().await;
    for n in 0..30 {
        bench.write(&format!("doc{n}.md"), format!("# Document {n}\n\nText.\n"));
    }
    bench.sync().await.unwrap();
    bench.stand_in.clear_log();
    (0..5).for_each(|n| bench.write(&format!("doc{n}.md"), format!("Changed {n}.\n")));
    (5..15).for_each(|n| bench.rename(&format!("doc{n}.md"), &format!("moved/doc{n}.md")));
    (15..20).for_each(|n| bench.delete(&format!("doc{n}.md")));
    let report = bench.sync().await.unwrap();
    assert_eq!((report.updated, report.relabelled, report.removed, report.unchanged), (15, 10, 5, 10));
    bench.assert_equal();
    let writes = [
        LEASE,
        ("POST /files", 5),
        ("POST /vector_stores/{id}/file_batches", 1),
        ("POST /vector_stores/{id}/files/{file_id}", 10),
        ("DELETE /vector_stores/{id}/files/{file_id}", 10),
        ("DELETE /files/{file_id}", 10),
    ];
    assert_eq!(bench.writes(), expected(&writes));
}

#[tokio::test]
async fn equal_documents_are_two_files_and_words_about_them_need_no_upload() {
    let bench = Bench::new().await;
    bench.write("a/x.md", "Same.");
    bench.write("b/x.md", "Same.");
    bench.sync().await.unwrap();
    bench.assert_equal();
    let catalogue = "documents:\n  - {path: a/x.md, id: first, title: First, tags: [one]}\n";
    bench.write("documents.yaml", catalogue);
    bench.stand_in.clear_log();
    let report = bench.sync().await.unwrap();
    assert_eq!((report.updated, report.relabelled, report.unchanged), (1, 1, 1));
    assert_eq!(bench.writes(), expected(&[LEASE, ("POST /vector_stores/{id}/files/{file_id}", 1)]));
    let files = bench.in_store();
    let first = files.iter().find(|file| file.attributes["path"] == "a/x.md").unwrap();
    assert_eq!((&first.attributes["document_id"], &first.attributes["tag_one"]), (&"first".into(), &true.into()));
}

#[tokio::test]
async fn names_that_rotate_take_their_files_along() {
    let bench = Bench::new().await;
    for name in ["a", "b", "c"] {
        bench.write(&format!("{name}.md"), format!("This was {name}."));
    }
    bench.sync().await.unwrap();
    bench.rename("a.md", "t.md");
    bench.rename("b.md", "a.md");
    bench.rename("c.md", "b.md");
    bench.rename("t.md", "c.md");
    bench.stand_in.clear_log();
    assert_eq!(bench.sync().await.unwrap().relabelled, 3);
    assert!(!bench.writes().contains_key("POST /files"));
    bench.assert_equal();
}

#[tokio::test]
async fn many_documents_do_not_go_without_a_word() {
    let bench = Bench::new().await;
    (0..10).for_each(|n| bench.write(&format!("doc{n}.md"), format!("Number {n}.")));
    bench.sync().await.unwrap();
    (0..3).for_each(|n| bench.delete(&format!("doc{n}.md")));
    bench.stand_in.clear_log();
    let asking = Options { allow_delete: false, ..options() };
    match bench.sync_as("here", asking).await {
        Err(HostedError::Declined(question)) => {
            assert!(question.contains("3 of 10") && question.contains("the vector store"), "{question}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.writes(), expected(&[]));
    assert_eq!(bench.sync().await.unwrap().removed, 3);
    bench.assert_equal();
}

#[tokio::test]
async fn files_of_others_are_told_and_never_touched() {
    let bench = Bench::new().await;
    let client = crate::hosted::tests::bench::client(&bench.stand_in);
    let upload = crate::openai::file::Upload {
        filename: "theirs.md".to_owned(),
        mime_type: "text/markdown",
        body: crate::openai::file::Body::Bytes("Theirs.".into()),
    };
    let theirs = client.upload(&upload).await.unwrap();
    let attachment = crate::openai::vector_store::Attachment {
        file_id: theirs.id.clone(),
        attributes: BTreeMap::new(),
        chunking_strategy: None,
    };
    client.attach(&bench.store_id, &attachment).await.unwrap();
    let loose = client.upload(&upload).await.unwrap();
    bench.write("ours.md", "Ours.");
    assert_eq!(bench.sync().await.unwrap().foreign, 1);
    bench.delete("ours.md");
    bench.sync().await.unwrap();
    let state = bench.stand_in.state();
    assert_eq!(bench.in_store().len(), 1);
    assert!(state.file(&theirs.id).is_some() && state.file(&loose.id).is_some());
}

#[tokio::test]
async fn long_paths_are_recognised_though_they_are_cut() {
    let bench = Bench::new().await;
    let folder = ["deep"; 110].join("/");
    bench.write("short.md", "Short.");
    bench.write(&format!("{}/{}.md", &folder[..240], "n".repeat(200)), "First.");
    let long = format!("{}/{}/{}.md", &folder[..239], "m".repeat(200), "n".repeat(200));
    bench.write(&long, "Second.");
    bench.sync().await.unwrap();
    bench.stand_in.clear_log();
    assert_eq!(bench.sync().await.unwrap().unchanged, 3);
    fs::remove_dir_all(bench.folders("here").state_dir).unwrap();
    assert_eq!(bench.sync().await.unwrap().unchanged, 3);
    assert_eq!(bench.writes(), expected(&[]));
    bench.write(&long, "Second, changed.");
    let report = bench.sync().await.unwrap();
    assert_eq!((report.added, report.updated, report.removed, report.unchanged), (0, 1, 0, 2));
}

#[tokio::test]
async fn what_cannot_go_up_is_named_before_any_upload_and_its_old_version_stays() {
    let bench = Bench::new().await;
    bench.write("a.md", "A.");
    bench.write("empty.md", "Not yet empty.");
    bench.sync().await.unwrap();
    let tags: Vec<String> = (0..12).map(|n| format!("t{n}")).collect();
    bench.write("documents.yaml", format!("documents:\n  - {{path: a.md, tags: [{}]}}\n", tags.join(", ")));
    bench.write("empty.md", "");
    bench.stand_in.clear_log();
    let report = bench.sync().await.unwrap();
    let codes: Vec<&str> = report.problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["document/too-many-labels", "document/no-text"]);
    assert_eq!((bench.writes(), bench.in_store().len()), (expected(&[]), 2));
}

/// A new name and extension, and a new id together with other contents, are new documents to the service; to
/// whoever asks they are those that were there.
#[tokio::test]
async fn a_document_in_the_place_of_one_that_is_gone_leaves_no_gap() {
    let bench = Bench::new().await;
    bench.write("a.md", "The same bytes.");
    bench.write("b.md", "Before.");
    bench.write("c.md", "C.");
    bench.sync().await.unwrap();
    bench.rename("a.md", "other-name.txt");
    bench.write("b.md", "After.");
    bench.write("documents.yaml", "documents:\n  - {path: b.md, id: other}\n");
    bench.promise();
    let refuse = openai_stand_in::Act::FileFails {
        matching: "b.md".to_owned(),
        code: "invalid_file".to_owned(),
        message: "no".to_owned(),
    };
    bench.stand_in.fail(openai_stand_in::Fault::always(refuse));
    // The first ends with one that cannot be indexed, the second looks at it again: the one before stays.
    for (updated, unchanged) in [(1, 1), (1, 2), (0, 3)] {
        let report = bench.sync().await.unwrap();
        assert_eq!((report.added, report.updated, report.removed, report.unchanged), (0, updated, 0, unchanged));
        assert!(report.problems[0].message.contains("its earlier version stays"), "{:?}", report.problems);
        assert_eq!(bench.broken(), Vec::<String>::new());
    }
    bench.stand_in.heal();
    let report = bench.sync_as("here", Options { retry_failed: true, ..options() }).await.unwrap();
    assert_eq!((report.updated, report.problems.len()), (1, 0));
    assert_eq!(bench.broken(), Vec::<String>::new());
    bench.assert_equal();
}

/// A document that is moved over another one, under another extension: neither its words nor the other's are missing
/// before the new version is there.
#[tokio::test]
async fn a_document_that_is_moved_over_another_leaves_no_gap() {
    let bench = Bench::new().await;
    bench.write("a.md", "Moved.");
    bench.write("b.txt", "Covered.");
    bench.sync().await.unwrap();
    bench.rename("a.md", "b.txt");
    bench.promise();
    let report = bench.sync().await.unwrap();
    assert_eq!((report.updated, report.removed, report.problems.len()), (1, 0, 0));
    assert_eq!(bench.broken(), Vec::<String>::new());
    bench.assert_equal();
}

/// Who may not read a document any more does not find its earlier version while, or because, the next one cannot be
/// found.
#[tokio::test]
async fn a_document_that_fewer_may_read_is_restricted_before_its_next_version_goes_up() {
    let bench = Bench::new().await;
    bench.write("a.md", "For all.");
    bench.sync().await.unwrap();
    bench.write("a.md", "For few.");
    bench.write("documents.yaml", "documents:\n  - {path: a.md, roles: [staff]}\n");
    bench.stand_in.fail(openai_stand_in::Fault::on("POST", "/files", openai_stand_in::Act::NoQuota));
    bench.stand_in.clear_log();
    assert!(bench.sync().await.is_err());
    let [file] = &bench.in_store()[..] else { panic!("one file") };
    assert_eq!((&file.attributes["restricted"], &file.attributes["role_staff"]), (&true.into(), &true.into()));
    bench.stand_in.heal();
    let report = bench.sync().await.unwrap();
    assert_eq!((report.updated, report.relabelled), (1, 0));
    bench.assert_equal();
}
