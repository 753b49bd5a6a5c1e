//! 500 documents, changes, kills, and two machines.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use openai_stand_in::StoreFileState;

use crate::hosted::{Project, counts, expected, signal};

const LEASE: (&str, usize) = ("POST /vector_stores/{id}", 2);

#[test]
fn five_hundred_documents_take_the_writes_they_need_and_no_others() {
    let project = Project::new(500);
    let report = project.sync(&[]).code(0).json();
    assert_eq!(counts(&report), [500, 0, 0, 0, 0]);
    assert_eq!((&report["problems"], &report["store_id"]), (&serde_json::json!([]), &project.store_id.as_str().into()));
    project.assert_equal();
    let first = [LEASE, ("POST /files", 500), ("POST /vector_stores/{id}/file_batches", 1)];
    assert_eq!(project.writes(), expected(&first));

    for _ in 0..2 {
        project.account.clear_log();
        assert_eq!(counts(&project.sync(&[]).code(0).json()), [0, 0, 0, 500, 0]);
        assert_eq!(project.writes(), expected(&[]), "nothing changed");
        // Also without anything that was kept here.
        let _ = fs::remove_dir_all(project.sandbox.path(".chatbotctl"));
    }

    (0..5).for_each(|n| fs::write(project.document(n), format!("Changed {n}.")).unwrap());
    fs::create_dir(project.sandbox.path("data/moved")).unwrap();
    for n in 5..15 {
        fs::rename(project.document(n), project.sandbox.path(format!("data/moved/doc{n}.md"))).unwrap();
    }
    (15..20).for_each(|n| fs::remove_file(project.document(n)).unwrap());
    let plan = project.sandbox.run(["docs", "plan", "--to", "openai", "--format", "json"]).code(0).json();
    let lengths = ["replace", "relabel", "remove", "keep"].map(|list| plan[list].as_array().unwrap().len());
    assert_eq!(lengths, [5, 10, 5, 480]);
    project.sandbox.run(["docs", "plan", "--to", "openai", "--exit-code"]).code(7).says("renamed from part");
    project.account.clear_log();
    assert_eq!(counts(&project.sync(&[]).code(0).json()), [0, 15, 5, 480, 10]);
    project.assert_equal();
    let changes = [
        LEASE,
        ("POST /files", 5),
        ("POST /vector_stores/{id}/file_batches", 1),
        ("POST /vector_stores/{id}/files/{file_id}", 10),
        ("DELETE /vector_stores/{id}/files/{file_id}", 10),
        ("DELETE /files/{file_id}", 10),
    ];
    assert_eq!(project.writes(), expected(&changes));
}

/// D12: a sync of a store is resumable.
#[cfg(unix)]
#[test]
fn after_a_kill_or_an_interruption_at_any_moment_the_next_run_finishes() {
    let moments = [("-KILL", [1, 3, 5, 8, 20, 36, 46]), ("-INT", [2, 4, 7, 9, 25, 40, 47])];
    for (name, requests) in moments {
        for requests in requests {
            let project = Project::new(40);
            let mut child = project.start(&[]);
            project.wait_for(requests, &mut child);
            signal(&child, name);
            let status = child.wait().unwrap();
            let code = status.code();
            let is_expected = if name == "-INT" { [Some(130), Some(0)].contains(&code) } else { code != Some(1) };
            assert!(is_expected, "{name} at {requests}: {status}");
            project.sync(&[]).code(0);
            project.assert_equal();
            project.account.clear_log();
            assert_eq!(counts(&project.sync(&[]).code(0).json()), [0, 0, 0, 40, 0]);
            assert_eq!(project.writes(), expected(&[]), "{name} at {requests}");
        }
    }
}

/// Killed while it changes what is there: nothing that stays was missing at any moment, and the next run finishes.
#[cfg(unix)]
#[test]
fn a_kill_in_the_middle_of_changes_leaves_no_gap() {
    for requests in [6, 8, 11, 14, 17, 20, 24] {
        let project = Project::new(12);
        project.sync(&[]).code(0);
        (0..4).for_each(|n| fs::write(project.document(n), format!("Changed {n}.")).unwrap());
        (4..8).for_each(|n| {
            fs::rename(project.document(n), project.document(n).with_file_name(format!("other{n}.txt"))).unwrap();
        });
        (8..10).for_each(|n| fs::remove_file(project.document(n)).unwrap());
        let (store_id, fewest) = (project.store_id.clone(), Arc::new(AtomicUsize::new(usize::MAX)));
        let seen = Arc::clone(&fewest);
        project.account.watch(move |state| {
            let files = state.store(&store_id).map(|store| store.files.as_slice()).unwrap_or_default();
            let stays = |file: &&StoreFileState| {
                let path = file.attributes["path"].as_str().unwrap_or_default();
                file.status == "completed" && !["part2/doc8.md", "part0/doc9.md"].contains(&path)
            };
            // A document's number stays in its name, whatever else becomes of that.
            let number = |file: &StoreFileState| -> String {
                let path = file.attributes["path"].as_str().unwrap_or_default();
                path.rsplit('/').next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect()
            };
            let documents: BTreeSet<String> = files.iter().filter(stays).map(number).collect();
            seen.fetch_min(documents.len(), Ordering::Relaxed);
        });
        project.account.clear_log();
        let mut child = project.start(&[]);
        project.wait_for(requests, &mut child);
        signal(&child, "-KILL");
        child.wait().unwrap();
        // Old names that the kill left beside the new ones count as removals, which may be too many without a word.
        project.sync(&["--allow-delete"]).code(0);
        project.assert_equal();
        assert_eq!(fewest.load(Ordering::Relaxed), 10, "a document was missing, killed at {requests}");
    }
}

#[test]
fn of_two_machines_at_once_one_is_told_to_wait() {
    let project = Project::new(60);
    let mut children = [project.start(&["--state-dir", "one"]), project.start(&["--state-dir", "other"])];
    let codes = children.each_mut().map(|child| child.wait().unwrap().code().unwrap());
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 5].contains(code)), "{codes:?}");
    project.sync(&["--wait", "10"]).code(0);
    project.assert_equal();
}
