//! `docs` through the real program: what it prints, how it ends, and what it leaves alone.

use std::fs::{self, File};

use serde_json::{Value, json};

use crate::sandbox::{Run, Sandbox};

/// A folder of two good documents.
fn sandbox() -> Sandbox {
    Sandbox::new()
        .file(
            "data/returns.md",
            "# Returns\n\nLamps go back within thirty days.\n\n| Part | Price |\n|---|---|\n| Foot | 3 |\n",
        )
        .file("data/shop/hours.txt", "The shop opens at nine.\n")
}

#[track_caller]
fn synced(sandbox: Sandbox) -> Sandbox {
    sandbox.run(["docs", "sync"]).code(0);
    sandbox
}

#[track_caller]
fn report(run: &Run) -> (Value, [u64; 4]) {
    let report = run.json();
    let counts = ["added", "updated", "removed", "unchanged"].map(|name| report[name].as_u64().unwrap());
    (report, counts)
}

/// The indexed documents' paths.
#[track_caller]
fn indexed(sandbox: &Sandbox) -> Vec<String> {
    let list = sandbox.run(["docs", "list", "--format", "json"]).code(0).json();
    list["documents"].as_array().unwrap().iter().map(|document| text(&document["path"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_sync_reports_and_a_second_one_changes_nothing() {
    let sandbox = sandbox();
    sandbox.run(["docs", "sync"]).code(0).says("2 added, 0 updated, 0 removed, 0 unchanged");
    let (report, counts) = report(&sandbox.run(["docs", "sync", "--format", "json"]).code(0));
    assert_eq!(counts, [0, 0, 0, 2]);
    assert_eq!(report["schema"], "chatbotctl.docs-sync/1");
    assert_eq!(
        (&report["interrupted"], &report["problems"], &report["skipped"]),
        (&json!(false), &json!([]), &json!([]))
    );
}

#[test]
fn a_bad_document_is_named_and_the_rest_is_indexed() {
    let sandbox = sandbox().file("data/broken.pdf", "%PDF-1.4 broken").file("data/empty.md", "");
    let (report, counts) = report(&sandbox.run(["docs", "sync", "--format", "json"]).code(1));
    assert_eq!(counts, [2, 0, 0, 0]);
    let problems: Vec<(String, String)> =
        report["problems"].as_array().unwrap().iter().map(|one| (text(&one["path"]), text(&one["code"]))).collect();
    let expected = [("broken.pdf", "document/malformed"), ("empty.md", "document/no-text")];
    assert_eq!(problems, expected.map(|(path, code)| (path.to_owned(), code.to_owned())));
    sandbox.run(["docs", "sync"]).code(1).says("broken.pdf: ").says("(document/malformed)");
    assert_eq!(indexed(&sandbox), ["returns.md", "shop/hours.txt"]);
}

#[test]
fn a_plan_tells_by_its_exit_code_whether_there_is_work() {
    let sandbox = sandbox();
    sandbox.run(["docs", "plan"]).code(0);
    let plan = sandbox.run(["docs", "plan", "--exit-code", "--format", "json"]).code(7).json();
    let added: Vec<String> = plan["add"].as_array().unwrap().iter().map(|change| text(&change["path"])).collect();
    assert_eq!(added, ["returns.md", "shop/hours.txt"]);
    assert!(indexed(&sandbox).is_empty());
    let sandbox = synced(sandbox);
    sandbox.run(["docs", "plan", "--exit-code"]).code(0).says("nothing to do; 2 documents unchanged");
}

#[test]
fn a_document_is_shown_by_its_path_and_by_its_unique_name() {
    let sandbox = sandbox().file("data/a/same.md", "One.").file("data/b/same.md", "Two.");
    sandbox.run(["docs", "show", "shop/hours.txt"]).code(0).says("The shop opens at nine.").says("[line 1");
    sandbox.run(["docs", "show", "hours.txt"]).code(0).says("shop/hours.txt (hours)");
    let ambiguous = sandbox.run(["docs", "show", "same.md"]).code(2);
    ambiguous.warns("`a/same.md` or `b/same.md`").warns("fix: chatbotctl docs show a/same.md");
    sandbox.run(["docs", "show", "huors.txt"]).code(1).warns("did you mean `shop/hours.txt`?");
    sandbox.run(["docs", "show", "nothing-like-it.pdf"]).code(1).warns("fix: chatbotctl docs list");
}

#[test]
fn the_kind_of_a_block_is_one_word() {
    let sandbox = sandbox().file("data/more.md", "- item\n\n```\ncode\n```\n");
    let blocks = |path: &str| {
        let shown = sandbox.run(["docs", "show", path, "--format", "json"]).code(0).json();
        shown["blocks"].as_array().unwrap().clone()
    };
    let returns = blocks("returns.md");
    assert_eq!((&returns[0]["kind"], &returns[0]["level"]), (&json!("heading"), &json!(1)));
    assert_eq!(returns[1]["kind"], "paragraph");
    assert_eq!(returns[1].get("level"), None);
    assert_eq!((&returns[2]["kind"], &returns[2]["header"]), (&json!("table_row"), &json!(true)));
    assert_eq!((&returns[3]["kind"], &returns[3]["header"]), (&json!("table_row"), &json!(false)));
    assert_eq!((&returns[3]["text"], &returns[3]["locator"]["heading"]), (&json!("| Foot | 3 |"), &json!("Returns")));
    let kinds: Vec<String> = blocks("more.md").iter().map(|block| text(&block["kind"])).collect();
    assert_eq!(kinds, ["list_item", "code"]);
}

#[test]
fn queries_are_answered_line_by_line_in_their_order() {
    let queries = "{\"id\": \"b\", \"text\": \"lamps back\", \"more\": 1}\n\n{\"id\": 7, \"text\": \"xylophone\"}\n\
                   {\"id\": \"a\", \"text\": \"when does the shop open\"}\n";
    let sandbox = synced(sandbox()).file("q.jsonl", queries);
    let run = sandbox.run(["docs", "search", "--queries", "q.jsonl", "--format", "jsonl"]).code(0);
    let found = lines(&run.stdout());
    let ids: Vec<&Value> = found.iter().map(|line| &line["query_id"]).collect();
    assert_eq!(ids, [&json!("b"), &json!(7), &json!("a")]);
    assert_eq!(found[1]["hits"], json!([]));
    let hit = &found[0]["hits"][0];
    assert_eq!((&hit["document_id"], &hit["path"]), (&json!("returns"), &json!("returns.md")));
    assert!(hit["score"].is_number() && hit["locator"].is_object() && hit["text"].is_string(), "{hit}");
    assert_eq!(found[2]["hits"][0]["path"], "shop/hours.txt");
}

#[test]
fn a_wrong_file_of_queries_is_told_with_its_line() {
    let sandbox = synced(sandbox()).file("q.jsonl", "{\"id\": 1, \"text\": \"lamps\"}\n{\"id\": 2}\n");
    let run = sandbox.run(["docs", "search", "--queries", "q.jsonl", "--format", "jsonl"]).code(2);
    assert_eq!(run.stdout(), "", "nothing is answered before the whole file is read");
    run.warns("`q.jsonl`, line 2: ").warns("fix: write one object a line");
    sandbox
        .run(["docs", "search", "--queries", "none.jsonl"])
        .code(2)
        .warns("`none.jsonl` cannot be read")
        .warns("fix: ");
    sandbox.run(["docs", "search", "--queries", "q.jsonl", "--format", "json"]).code(2).warns("use --format jsonl");
}

/// D12: an emptied folder empties no index by itself.
#[test]
fn nothing_is_removed_without_a_word() {
    let sandbox = synced(sandbox());
    fs::remove_dir_all(sandbox.path("data")).unwrap();
    fs::create_dir(sandbox.path("data")).unwrap();
    for flags in [&["docs", "sync"][..], &["docs", "sync", "--yes"]] {
        sandbox.run(flags).code(7).warns("all 2 documents").warns("--allow-delete");
    }
    let (document, counts) = report(&sandbox.run(["docs", "sync", "--yes", "--format", "json"]).code(7));
    assert_eq!((counts, &document["problems"][0]["code"]), ([0, 0, 0, 2], &json!("docs/declined")));
    assert_eq!(indexed(&sandbox), ["returns.md", "shop/hours.txt"]);
    sandbox.run(["docs", "plan"]).code(0).says("`docs sync` asks first: all 2 documents");
    let (_, counts) = report(&sandbox.run(["docs", "sync", "--allow-delete", "--format", "json"]).code(0));
    assert_eq!(counts, [0, 0, 2, 0]);
    assert!(indexed(&sandbox).is_empty());
}

#[test]
fn a_missing_folder_leaves_the_index_alone() {
    let sandbox = synced(sandbox());
    fs::remove_dir_all(sandbox.path("data")).unwrap();
    sandbox.run(["docs", "sync", "--yes"]).code(1).warns("there is no folder `").warns("fix: mkdir -p ");
    let document = sandbox.run(["docs", "sync", "--format", "json"]).code(1).json();
    assert_eq!(document["problems"][0]["code"], "docs/no-folder");
    assert_eq!((&document["removed"], &document["unchanged"]), (&json!(0), &json!(2)));
    for verb in ["plan", "status"] {
        let document = sandbox.run(["docs", verb, "--format", "json"]).code(1).json();
        assert_eq!(document["problems"][0]["code"], "docs/no-folder", "{verb}");
        sandbox.run(["docs", verb]).code(1).warns("there is no folder `").warns("fix: mkdir -p ");
    }
    assert_eq!(indexed(&sandbox), ["returns.md", "shop/hours.txt"]);
}

#[test]
fn documents_are_removed_by_name_after_a_question() {
    let sandbox = synced(sandbox().file("data/a/same.md", "One.").file("data/b/same.md", "Two."));
    sandbox.run(["docs", "remove", "same.md", "--yes"]).code(2).warns("`a/same.md` or `b/same.md`").warns("fix: ");
    sandbox.run(["docs", "remove", "none.md", "--yes"]).code(1).warns("fix: chatbotctl docs list");
    sandbox.run(["docs", "remove", "hours.txt"]).code(7).warns("--yes");
    assert_eq!(indexed(&sandbox).len(), 4);
    let run = sandbox.run(["docs", "remove", "hours.txt", "a/same.md", "--delete-file", "--yes", "--format", "json"]);
    assert_eq!(run.code(0).json()["files_deleted"], 2);
    assert_eq!(indexed(&sandbox), ["b/same.md", "returns.md"]);
    assert!(!sandbox.path("data/shop/hours.txt").exists() && sandbox.path("data/b/same.md").exists());
}

#[cfg(unix)]
#[test]
fn no_file_is_deleted_through_a_link() {
    let sandbox = synced(sandbox()).file("outside/hours.txt", "Not of the folder.");
    fs::remove_dir_all(sandbox.path("data/shop")).unwrap();
    std::os::unix::fs::symlink(sandbox.path("outside"), sandbox.path("data/shop")).unwrap();
    let run = sandbox.run(["docs", "remove", "shop/hours.txt", "--delete-file", "--yes"]).code(1);
    run.says("document/not-deleted").says("links are not followed");
    assert_eq!(sandbox.read("outside/hours.txt"), "Not of the folder.");
    assert_eq!(indexed(&sandbox), ["returns.md", "shop/hours.txt"]);
}

#[test]
fn one_writer_at_a_time_and_a_question_comes_before_the_lock() {
    let sandbox = synced(sandbox()).file("data/new.md", "New.");
    let lock = File::options().write(true).open(sandbox.path(".chatbotctl/sync.lock")).unwrap();
    lock.lock().unwrap();
    sandbox.run(["docs", "sync"]).code(5).warns("another sync is running").warns("fix: ");
    sandbox.run(["docs", "remove", "returns.md"]).code(7);
    sandbox.run(["docs", "remove", "returns.md", "--yes"]).code(5);
    sandbox.run(["docs", "search", "lamps"]).code(0).says("returns.md");
    drop(lock);
    sandbox.run(["docs", "sync"]).code(0).says("1 added");
}

#[test]
fn a_broken_catalogue_is_told_with_its_line() {
    let sandbox = synced(sandbox()).file("data/documents.yaml", "documents:\n  - path: returns.md\n    titel: Back\n");
    let run = sandbox.run(["docs", "sync"]).code(3);
    run.warns("documents.yaml").warns("line 3").warns("fix: ");
    assert_eq!(indexed(&sandbox).len(), 2);
}

#[test]
fn the_catalogue_gives_ids_titles_and_tags() {
    let catalogue = "documents:\n  - path: returns.md\n    id: back\n    title: Sending back\n    description: How.\n    \
                     tags: [orders]\n  - path: '**/*.txt'\n    tags: [plain]\n";
    let sandbox = synced(sandbox().file("data/documents.yaml", catalogue));
    let list = sandbox.run(["docs", "list", "--format", "json"]).code(0).json();
    let first = &list["documents"][0];
    assert_eq!((&first["document_id"], &first["title"]), (&json!("back"), &json!("Sending back")));
    assert_eq!((&first["description"], &first["tags"]), (&json!("How."), &json!(["orders"])));
    let run = sandbox.run(["docs", "list", "--tag", "plain", "--format", "jsonl"]).code(0);
    let tagged = lines(&run.stdout());
    assert_eq!(tagged.len(), 1);
    assert_eq!(tagged[0]["path"], "shop/hours.txt");
}

#[test]
fn the_index_says_as_what_a_document_was_read() {
    let sandbox = synced(sandbox().file("data/page.txt", "<!doctype html><html><body><p>A page.</p></body></html>"));
    let list = sandbox.run(["docs", "list", "--format", "json"]).code(0).json();
    let documents = list["documents"].as_array().unwrap();
    let format = |path: &str| documents.iter().find(|one| one["path"] == path).unwrap()["format"].clone();
    assert_eq!((format("page.txt"), format("returns.md")), (json!("HTML"), json!("Markdown")));
}

#[test]
fn names_are_of_any_script() {
    let names = ["Über uns/Öffnungs zeiten.md", "🛒 shop list.md", "日本語.txt"];
    let sandbox = names
        .iter()
        .fold(Sandbox::new(), |sandbox, name| sandbox.file(&format!("data/{name}"), format!("The text of {name}.\n")));
    let sandbox = synced(sandbox);
    let mut sorted = names.map(str::to_owned);
    sorted.sort();
    assert_eq!(indexed(&sandbox), sorted);
    for name in names {
        let shown = sandbox.run(["docs", "show", name, "--format", "json"]).code(0).json();
        assert_eq!(shown["path"], *name);
    }
    sandbox.run(["docs", "remove", "Öffnungs zeiten.md", "--yes"]).code(0);
    assert_eq!(indexed(&sandbox).len(), 2);
}

#[test]
fn hidden_and_secret_files_are_left_out_and_named() {
    let left_out = [".env", ".git/notes.md", "prod.env", "id_rsa", "server.pem", "credentials.json", "picture.png"];
    let sandbox =
        left_out.iter().fold(sandbox(), |sandbox, name| sandbox.file(&format!("data/{name}"), "sentinel-word"));
    let (report, _) = report(&sandbox.run(["docs", "sync", "--format", "json"]).code(0));
    let skipped: Vec<String> = report["skipped"].as_array().unwrap().iter().map(|one| text(&one["path"])).collect();
    assert_eq!(skipped, [".env", ".git", "credentials.json", "id_rsa", "picture.png", "prod.env", "server.pem"]);
    sandbox
        .run(["docs", "plan"])
        .code(0)
        .says("skipped, it looks like a secret: .env, credentials.json, id_rsa")
        .says("skipped, hidden: .git");
    assert_eq!(indexed(&sandbox), ["returns.md", "shop/hours.txt"]);
    sandbox.run(["docs", "search", "sentinel-word"]).code(0).says("nothing found");
    sandbox.run(["docs", "show", "id_rsa"]).code(1).warns("it looks like a secret").warns("fix: ");
}

#[test]
fn a_document_made_to_cost_memory_is_refused() {
    let sandbox = synced(sandbox()).file("data/bomb.txt", vec![b'x'; 33 << 20]);
    sandbox.run(["docs", "sync"]).code(1).says("bomb.txt: it has more than 16 MB of text").says("document/too-large");
}
