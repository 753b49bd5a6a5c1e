//! `docs scan`, `docs lint` and `docs inventory` through the real program: each rule with a folder that is good and
//! one that is broken in just that way; no value ever shown whole.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::sandbox::{Run, Sandbox};

/// A document that no rule has anything against.
const GOOD: &str = "# Returns\n\nLamps go back within thirty days of the day on which they were delivered, in the box \
                    they came in, with the paper that was in the box.\n";

fn sandbox() -> Sandbox {
    Sandbox::new().file("data/returns.md", GOOD)
}

/// Put together, so that no scanner of repositories takes it for a leak.
fn token() -> String {
    format!("gh{}_{}", "p", "q7Rk2mZt9WbX4cVn6LpY8sHd3Jf5GaTe1uCi")
}

fn lint(sandbox: &Sandbox) -> Run {
    sandbox.run(["docs", "lint", "--format", "json"])
}

fn probe<'a>(report: &'a Value, rule: &str) -> &'a Value {
    let probes = report["probes"].as_array().unwrap();
    let id = format!("docs-lint/{rule}");
    probes.iter().find(|probe| probe["id"] == id.as_str()).unwrap_or_else(|| panic!("no {id} in {report:#}"))
}

/// The rules that do not pass.
fn told(report: &Value) -> Vec<&str> {
    let probes = report["probes"].as_array().unwrap().iter();
    probes.filter(|probe| probe["verdict"] != "pass").map(|probe| probe["kind"].as_str().unwrap()).collect()
}

/// Asserts that just these rules speak, the first one with this verdict and about this file.
#[track_caller]
fn broken(sandbox: &Sandbox, rules: &[&str], verdict: &str, subject: &str) -> Value {
    let code = i32::from(verdict == "fail");
    let report = lint(sandbox).code(code).json();
    let mut expected = rules.to_vec();
    let mut found = told(&report);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "{report:#}");
    let probe = probe(&report, rules[0]);
    assert_eq!(probe["verdict"], verdict, "{probe:#}");
    assert_eq!(probe["evidence"][0]["subject"], subject, "{probe:#}");
    assert!(probe["fix"].is_string(), "{probe:#}");
    report
}

#[test]
fn a_good_folder_is_a_go_with_every_rule_named() {
    let report = lint(&sandbox()).code(0).json();
    assert_eq!(report["schema"], "chatbotctl.docs-lint/1");
    assert_eq!((report["outcome"].as_str(), told(&report)), (Some("GO"), Vec::new()));
    let probes = report["probes"].as_array().unwrap();
    assert!(probes.len() > 25);
    for probe in probes {
        for key in ["id", "kind", "verdict", "severity", "summary", "evidence", "duration_ms"] {
            assert!(!probe[key].is_null(), "{key} in {probe:#}");
        }
    }
}

/// C9: a gate that could check nothing has not passed.
#[test]
fn an_empty_folder_is_not_proven() {
    let sandbox = Sandbox::new().file("data/photo.mp3", "x");
    let report = lint(&sandbox).code(6).json();
    assert_eq!(report["outcome"], "NOT PROVEN");
    assert_eq!(probe(&report, "documents")["verdict"], "unknown");
    assert_eq!(probe(&report, "secret")["verdict"], "not_applicable");
    sandbox.run(["docs", "scan"]).code(6);
    sandbox.run(["docs", "inventory"]).code(6);
    Sandbox::new().run(["docs", "lint"]).code(1).warns("docs/no-folder");
}

#[test]
fn documents_that_give_nothing_are_told() {
    broken(&sandbox().file("data/a.md", ""), &["empty"], "fail", "a.md");
    broken(&sandbox().file("data/a.md", "# \n\n \n"), &["no-text"], "fail", "a.md");
    broken(&sandbox().file("data/a.pdf", "%PDF-1.7\nnothing"), &["malformed"], "fail", "a.pdf");
    broken(&sandbox().file("data/a.docx", locked()), &["encrypted"], "fail", "a.docx");
    let large = sandbox().file("data/a.md", "");
    File::options().write(true).open(large.path("data/a.md")).unwrap().set_len(60 * 1024 * 1024).unwrap();
    broken(&large, &["too-large"], "fail", "a.md");
}

#[test]
fn files_that_are_something_else_are_told() {
    let report = lint(&sandbox().file("data/a.md", b"%PDF-1.7\nnothing")).code(1).json();
    assert_eq!(probe(&report, "content-type")["verdict"], "fail");
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0";
    broken(&sandbox().file("data/image.md", picture), &["content-type"], "fail", "image.md");
    let program: Vec<u8> = b"\x7fELF\x02\x01\x01".iter().copied().chain([0; 100]).collect();
    broken(&sandbox().file("data/prog.txt", &program), &["executable"], "fail", "prog.txt");
    broken(&sandbox().file("data/tool", program), &["executable"], "fail", "tool");
    let script = format!("#!/bin/sh\n{GOOD}");
    broken(&sandbox().file("data/a.md", script), &["executable", "near-duplicate"], "fail", "a.md");
}

#[cfg(unix)]
#[test]
fn modes_and_links_are_told() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let mode = |sandbox: &Sandbox, mode: u32| {
        fs::set_permissions(sandbox.path("data/returns.md"), fs::Permissions::from_mode(mode)).unwrap();
    };
    let marked = sandbox();
    mode(&marked, 0o755);
    broken(&marked, &["executable-bit"], "warn", "returns.md");
    let closed = sandbox();
    mode(&closed, 0o000);
    // Root may read everything.
    if File::open(closed.path("data/returns.md")).is_err() {
        broken(&closed, &["unreadable"], "fail", "returns.md");
    } else {
        println!("unreadable files are not tested: this user may read everything");
    }
    let linked = sandbox();
    symlink("/etc/hostname", linked.path("data/host.md")).unwrap();
    broken(&linked, &["skipped"], "warn", "host.md");
}

#[test]
fn skipped_files_are_told_and_stores_of_secrets_apart() {
    broken(&sandbox().file("data/.notes.md", GOOD), &["skipped"], "warn", ".notes.md");
    let report = lint(&sandbox().file("data/id_rsa", "x")).code(0).json();
    assert!(told(&report).contains(&"secret-file"), "{report:#}");
    // The reason quotes the rule, and the rule quotes a name.
    let quoted = sandbox().file("data/.chatbotctlignore", "my-secret-notes.md\n").file("data/my-secret-notes.md", GOOD);
    broken(&quoted, &["skipped"], "warn", "my-secret-notes.md");
}

#[test]
fn likeness_is_told_once() {
    broken(&sandbox().file("data/copy.md", GOOD), &["duplicate"], "warn", "copy.md");
    let text: String = (0..90).fold(String::from("# Lamps\n\n"), |mut text, number| {
        let _ = write!(text, "part{} ", number * 7919 % 10007);
        text
    });
    let near = sandbox().file("data/a.md", &text).file("data/b.md", format!("{text} and more"));
    let report = broken(&near, &["near-duplicate"], "warn", "a.md");
    let message = probe(&report, "near-duplicate")["evidence"][0]["message"].as_str().unwrap();
    assert!(message.contains("% those of `b.md`"), "{message}");
    let far = sandbox().file("data/a.md", &text).file("data/b.md", text.replace('9', "four and 8"));
    assert_eq!(told(&lint(&far).code(0).json()), Vec::<&str>::new());
}

#[test]
fn names_are_looked_at() {
    let other = GOOD.replace("Lamps", "Chairs, which are larger than lamps and heavier too,").replace("box", "crate");
    broken(&sandbox().file("data/shop/returns.md", &other), &["same-id"], "warn", "returns.md");
    broken(&sandbox().file("data/Returns.md", &other), &["name-twins", "same-id"], "warn", "Returns.md");
    broken(&sandbox().file("data/aux.md", &other), &["portable-name"], "warn", "aux.md");
    let long = format!("{}.md", "long-".repeat(30));
    broken(&sandbox().file(&format!("data/{long}"), &other), &["long-name"], "warn", &long);
    #[cfg(unix)]
    broken(&sandbox().file("data/a\u{7}b.md", &other), &["bad-name"], "fail", "a\u{7}b.md");
}

#[test]
fn texts_are_looked_at() {
    broken(
        &sandbox().file(
            "data/a.md",
            "The chairs of the larger kind are brought by two people and stand on a pallet, each one.\n",
        ),
        &["no-title"],
        "warn",
        "a.md",
    );
    for (name, row) in [("a.csv", "lamp,19\n"), ("a.txt", "lamp\t19\t2\n")] {
        let report = lint(&sandbox().file(&format!("data/{name}"), row.repeat(5))).code(0).json();
        assert_eq!(told(&report), Vec::<&str>::new(), "{name}");
    }
    broken(&sandbox().file("data/a.md", "# Chairs\n\nAsk us.\n"), &["very-short"], "warn", "a.md");
    let odd = "# Stühle\n\nDie StÃ¼hle dÃ¼rfen innerhalb von dreißig Tagen zurückgegeben werden, in der Kiste.\n";
    broken(&sandbox().file("data/a.md", odd), &["encoding"], "warn", "a.md");
    let chapters = (0..2_200).fold(String::from("# Book\n\n"), |mut text, number| {
        let _ = write!(text, "## Chapter {number}\n\nOf lamp {number}.\n\n");
        text
    });
    broken(&sandbox().file("data/a.md", chapters), &["long-document"], "warn", "a.md");
}

#[test]
fn a_lone_language_is_told_in_a_larger_folder() {
    let mut folder = Sandbox::new();
    for number in 0..11 {
        let text = format!(
            "# Part {number}\n\n{} {number}\n",
            "The lamp with this number goes back to the shop within some days, says the rule of part"
                .repeat(number % 3 + 1)
        );
        folder = folder.file(&format!("data/part{number}x.md"), text);
    }
    let german =
        "# Rückgabe\n\nDie Lampen dürfen innerhalb von dreißig Tagen nach der Lieferung zurückgegeben werden.\n";
    let report = lint(&folder.file("data/de.md", german)).code(0).json();
    let language = probe(&report, "language");
    assert_eq!(language["evidence"][0]["subject"], "de.md", "{language:#}");
    assert_eq!(language["evidence"].as_array().unwrap().len(), 1);
}

#[test]
fn age_is_looked_at() {
    let sandbox = sandbox();
    let file = File::options().write(true).open(sandbox.path("data/returns.md")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(40 * 24)).unwrap();
    lint(&sandbox).code(0);
    let report = sandbox.run(["docs", "lint", "--max-age", "30", "--format", "json"]).code(0).json();
    assert_eq!(told(&report), ["stale"]);
    sandbox.run(["docs", "lint", "--max-age", "0"]).code(2);
}

#[test]
fn the_catalogue_is_looked_at() {
    let absent = sandbox().file("data/documents.yaml", "documents:\n  - path: gone.md\n    title: Gone\n");
    broken(&absent, &["catalogue"], "fail", "documents.yaml");
    broken(&sandbox().file("data/documents.yaml", "documents: 7\n"), &["catalogue"], "fail", "documents.yaml");
    let present = sandbox().file("data/documents.yaml", "documents:\n  - path: returns.md\n    title: Back\n");
    assert_eq!(told(&lint(&present).code(0).json()), Vec::<&str>::new());
}

/// Each value, and the rule that tells it.
fn leaks() -> Vec<(&'static str, String, String)> {
    let password = "Wint3rgarten!9";
    vec![
        ("secret", token(), format!("Use {} here.", token())),
        ("secret", password.to_owned(), format!("password = {password}")),
        ("secret", password.to_owned(), format!("postgresql://app:{password}@db.internal/shop")),
        ("personal-data", "DE02120300000000202051".to_owned(), "Pay to DE02120300000000202051.".to_owned()),
        ("personal-data", "4539 1488 0343 6467".to_owned(), "Card 4539 1488 0343 6467.".to_owned()),
        ("personal-data", "512-68-4471".to_owned(), "SSN 512-68-4471.".to_owned()),
        ("contact-data", "marta.quill@lampworks.eu".to_owned(), "Ask marta.quill@lampworks.eu.".to_owned()),
        ("contact-data", "+49 30 5551742".to_owned(), "Ring +49 30 5551742.".to_owned()),
    ]
}

#[test]
fn leaks_are_told_and_never_shown() {
    for (rule, value, text) in leaks() {
        // In a heading, in text and in a title: every place that output may quote.
        let sandbox = Sandbox::new().file("data/a.md", format!("# {text}\n\n{GOOD}\n## About {text}\n\n{text}\n"));
        let report = lint(&sandbox);
        assert_ne!(probe(&report.json(), rule)["verdict"], "pass", "{text}");
        let scan = sandbox.run(["docs", "scan", "--format", "json"]).code(1);
        let finding = &scan.json()["findings"][0];
        assert_eq!(finding["path"], "a.md");
        assert!(finding["place"].as_str().unwrap().starts_with("line 1"), "{finding:#}");
        let excerpt = finding["excerpt"].as_str().unwrap();
        assert!(excerpt == "ghp_…" || excerpt.starts_with('…'), "{finding:#}");
        let runs = [
            report,
            scan,
            sandbox.run(["docs", "scan", "-vv", "--all"]),
            sandbox.run(["docs", "scan", "--format", "jsonl"]),
            sandbox.run(["docs", "lint", "-vv"]),
            sandbox.run(["docs", "lint", "--format", "junit"]),
            sandbox.run(["docs", "lint", "--format", "sarif"]),
            sandbox.run(["docs", "inventory", "-vv"]),
        ];
        for run in runs {
            assert!(!run.text().contains(&value), "{value} in\n{}", run.text());
        }
        for form in ["human", "json", "junit", "sarif"] {
            let shown = sandbox.run(["docs", "lint", "--format", form]).stdout();
            assert!(shown.contains("(kind ") && !shown.contains("fingerprint"), "{shown}");
        }
    }
}

#[test]
fn each_finding_of_a_paragraph_has_its_own_line() {
    let text = "Ask marta.quill@lampworks.eu,\nor *john.doe@lampworks.eu*,\nor ring\n+49 30 5551742 today.\n";
    let first = |locator: &Value| locator["lines"][0].as_u64();
    for name in ["a.md", "a.txt"] {
        let sandbox = Sandbox::new().file(&format!("data/{name}"), format!("# Shop\n\n{text}"));
        let scan = sandbox.run(["docs", "scan", "--format", "json"]).code(1).json();
        let lines: Vec<_> = scan["findings"].as_array().unwrap().iter().map(|one| first(&one["locator"])).collect();
        assert_eq!(lines, [Some(3), Some(4), Some(6)], "{scan:#}");
        let sarif = sandbox.run(["docs", "lint", "--format", "sarif"]).code(0).json();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let contact = results.iter().filter(|result| result["ruleId"] == "docs-lint/contact-data");
        let region = |result: &Value| {
            let region = &result["locations"][0]["physicalLocation"]["region"];
            (region["startLine"].as_u64(), region["endLine"].as_u64())
        };
        let regions: Vec<_> = contact.map(region).collect();
        assert_eq!(regions, [3, 4, 6].map(|line| (Some(line), Some(line))), "{sarif:#}");
    }
}

#[test]
fn what_is_meant_to_be_there_changes_no_exit_code() {
    let text = format!("{GOOD}\nWrite to support@lampworks.eu or ring 0800 111 2233.\n");
    let sandbox = Sandbox::new().file("data/a.md", text);
    let scan = sandbox.run(["docs", "scan", "--format", "json"]).code(0).json();
    assert_eq!(scan["schema"], "chatbotctl.docs-scan/1");
    assert_eq!(scan["summary"]["medium"], 0);
    assert_eq!(scan["findings"][0]["severity"], "low");
    assert_eq!(told(&lint(&sandbox).code(0).json()), Vec::<&str>::new());
}

#[test]
fn the_entry_that_is_printed_allows_the_finding() {
    let sandbox = Sandbox::new().file("data/a.md", format!("{GOOD}\nUse {}.\n", token()));
    let scan = sandbox.run(["docs", "scan", "--format", "json"]).code(1).json();
    let entry = scan["findings"][0]["allow"].as_str().unwrap();
    let sandbox = sandbox.file("docs-allow.yaml", format!("allow:\n  {entry}\n"));
    sandbox.run(["docs", "scan"]).code(3).warns("`reason` says nothing");
    let sandbox = sandbox.file("docs-allow.yaml", format!("allow:\n  {}\n", entry.replace('…', "revoked in May")));
    sandbox.run(["docs", "scan"]).code(0).says("1 allowed");
    lint(&sandbox).code(0);
    let elsewhere = sandbox.file("other.yaml", "allow: []\n");
    elsewhere.run(["docs", "scan", "--allow", "other.yaml"]).code(1);
    elsewhere.run(["docs", "scan", "--allow", "absent.yaml"]).code(3).warns("is not there");
}

#[test]
fn an_unknown_kind_is_quoted_with_its_place_and_the_nearest_one() {
    let entry = "allow:\n  - path: '**'\n    kind: emial\n    reason: ours\n";
    let sandbox = sandbox().file("docs-allow.yaml", entry);
    let run = sandbox.run(["docs", "scan"]).code(3).warns("docs-allow.yaml`, line 2");
    run.warns("`emial` is no kind of finding; did you mean `email`?");
    sandbox.run(["docs", "scan", "--help"]).code(0).says("email");
}

/// An encrypted document, which nothing reads.
fn locked() -> Vec<u8> {
    [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]
        .into_iter()
        .chain([0; 600])
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect()
}

/// C9: a gate that could not look is not passed.
#[test]
fn a_document_that_is_not_read_is_not_clean() {
    let none = Sandbox::new().file("data/a.docx", locked());
    none.run(["docs", "scan"]).code(6).says("0 of 1 document scanned").says("nothing is known");
    let some = none.file("data/returns.md", GOOD);
    some.run(["docs", "scan"]).code(1).says("1 of 2 documents scanned").says("document/encrypted");
    let summary = &some.run(["docs", "scan", "--format", "json"]).code(1).json()["summary"];
    assert_eq!((&summary["documents"], &summary["unread"]), (&2.into(), &1.into()));
    let lines = some.run(["docs", "scan", "--format", "jsonl"]).code(1).stdout();
    let line: Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!((&line["path"], &line["code"]), (&"a.docx".into(), &"document/encrypted".into()));
    assert!(line["kind"].is_null());
}

#[test]
fn what_is_allowed_hides_no_key() {
    let numbers = (1..=1_001).fold(GOOD.to_owned(), |text, serial| format!("{text}\nSSN 512-68-{serial:04}\n"));
    let entry = "allow:\n  - path: a.md\n    kind: us-ssn\n    reason: made up\n";
    let sandbox =
        Sandbox::new().file("data/a.md", format!("{numbers}\nUse {}.\n", token())).file("docs-allow.yaml", entry);
    let scan = sandbox.run(["docs", "scan", "--format", "json"]).code(1).json();
    assert_eq!((&scan["summary"]["high"], &scan["summary"]["allowed"]), (&1.into(), &1_001.into()));
    assert_eq!(scan["findings"][0]["kind"], "github-token");
    let report = lint(&sandbox).code(1).json();
    assert_eq!(probe(&report, "secret")["verdict"], "fail");
    assert_eq!(probe(&report, "personal-data")["verdict"], "pass");
}

#[test]
fn entries_that_are_over_or_of_no_use_are_told() {
    let entry = "allow:\n  - path: '**'\n    kind: github-token\n    reason: revoked\n";
    let leak = Sandbox::new().file("data/a.md", format!("{GOOD}\nUse {}.\n", token()));
    let over = leak.file("docs-allow.yaml", format!("{entry}    until: 2020-01-01\n"));
    over.run(["docs", "scan"]).code(1).says("no longer counts: it was valid until 2020-01-01");
    let report = broken(&over, &["secret", "allow-file"], "fail", "a.md");
    assert_eq!(probe(&report, "allow-file")["verdict"], "warn");
    let unused = sandbox().file("docs-allow.yaml", entry);
    unused.run(["docs", "scan"]).code(0).says("is of no use");
    let file = unused.path("docs-allow.yaml");
    let report = broken(&unused, &["allow-file"], "warn", file.to_str().unwrap());
    let message = probe(&report, "allow-file")["evidence"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("entry 1 (`**`, github-token)"), "{message}");
    let sarif = unused.run(["docs", "lint", "--format", "sarif"]).code(0).json();
    let location = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(location["uri"], format!("file://{}", file.display()));
}

#[test]
fn forms_of_reports_are_for_reports() {
    let sandbox = sandbox();
    sandbox.run(["docs", "lint", "--format", "junit"]).code(0).says("<testsuite name=\"docs-lint\"");
    let sarif = sandbox.run(["docs", "lint", "--format", "sarif"]).code(0).json();
    assert_eq!((sarif["version"].as_str(), &sarif["runs"][0]["results"]), (Some("2.1.0"), &serde_json::json!([])));
    sandbox.run(["docs", "lint"]).code(0).says("GO for");
    let probes = sandbox.run(["docs", "lint", "--format", "jsonl"]).code(0).stdout();
    assert!(probes.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    for command in [["docs", "scan"], ["docs", "list"], ["env", "show"]] {
        sandbox.run(command.into_iter().chain(["--format", "sarif"])).code(2).warns("usage/format");
    }
}

#[test]
fn an_inventory_counts_and_adds_up() {
    let sandbox = sandbox()
        .file("data/shop/hours.txt", "The shop opens at nine.\n")
        .file("data/shop/broken.pdf", "%PDF-1.7\nnothing")
        .file("data/shop/notes.pdf", "<!DOCTYPE html><html><body><p>The shop closes at six.</p></body></html>")
        .file("data/photo.mp3", "x");
    let found = sandbox.run(["docs", "inventory", "--format", "json"]).code(0).json();
    assert_eq!(found["schema"], "chatbotctl.docs-inventory/1");
    assert_eq!((&found["total"]["documents"], &found["total"]["unread"]), (&4.into(), &1.into()));
    for by in ["by_type", "by_language", "by_age", "by_folder"] {
        let groups = found[by].as_array().unwrap();
        assert_eq!(groups.iter().map(|group| group["documents"].as_u64().unwrap()).sum::<u64>(), 4, "{by}");
    }
    assert_eq!(found["by_folder"][0]["name"], "shop");
    assert_eq!(found["skipped"][0]["paths"][0], "photo.mp3");
    assert_eq!(found["problems"][0]["path"], "shop/broken.pdf");
    let types = found["by_type"].as_array().unwrap();
    let sums = |name: &str| types.iter().find(|group| group["name"] == name).map(|group| &group["unread"]);
    assert_eq!((sums("HTML"), sums("PDF")), (Some(&0.into()), Some(&1.into())), "{types:#?}");
    let table = sandbox.run(["docs", "inventory", "--by", "folder"]).code(0).stdout();
    assert!(
        table.contains("FOLDER") && table.contains("UNREAD") && table.contains("shop") && table.contains("photo.mp3"),
        "{table}"
    );
    sandbox.run(["docs", "inventory", "--by", "colour"]).code(2);
}
