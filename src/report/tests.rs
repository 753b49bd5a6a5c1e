//! One report with every verdict, in each form.

use super::*;
use crate::model::report::{Evidence, Probe, Severity, Verdict};
use crate::model::{LineRange, Locator};

fn report() -> Report {
    let probe = |id: &str, verdict, severity, evidence: Vec<Evidence>| Probe {
        id: format!("docs-lint/{id}"),
        kind: id.to_owned(),
        verdict,
        severity,
        summary: format!("about {id} & <more>"),
        fix: (!evidence.is_empty()).then(|| "do it".to_owned()),
        evidence,
        duration_ms: 1500,
    };
    let locator = Locator { lines: Some(LineRange(3, 4)), ..Locator::default() };
    let many = (0..12).map(|at| Evidence::new(format!("d{at}.md"), "old")).collect();
    Report::new(
        "data",
        vec![
            probe("good", Verdict::Pass, Severity::Blocking, Vec::new()),
            probe("old", Verdict::Warn, Severity::Advisory, many),
            probe("key", Verdict::Fail, Severity::Blocking, vec![Evidence::new("a b/ü.md", "a \u{1}key").at(locator)]),
            probe("lost", Verdict::Unknown, Severity::Info, Vec::new()),
        ],
    )
}

#[test]
fn people_see_the_worst_first_and_no_flood() {
    let text = render_human(&report());
    assert!(text.starts_with("NO-GO for `data`: 1 pass, 1 fail, 1 warn, 1 unknown\n"), "{text}");
    let at = |word: &str| text.find(word).unwrap();
    assert!(at("fail  docs-lint/key") < at("unknown  docs-lint/lost"));
    assert!(at("a b/ü.md, lines 3-4: a") < at("warn  docs-lint/old"));
    assert!(text.contains("and 2 more") && !text.contains("d11.md"));
    assert!(text.contains("  fix: do it"));
}

#[test]
fn junit_counts_and_escapes() {
    let xml = render("junit", "docs-lint", &report()).unwrap();
    assert!(xml.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"0\" time=\"6.000\""), "{xml}");
    assert!(xml.contains(
        "<failure message=\"about key &amp; &lt;more&gt;\" type=\"blocking\">a b/ü.md, lines 3-4: a \u{fffd}key"
    ));
    assert_eq!(xml.matches("<testcase").count(), 4);
    let mut reader = quick_xml::Reader::from_str(&xml);
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
}

#[test]
fn sarif_names_rules_levels_and_places() {
    let text = render("sarif", "docs-lint", &report()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let run = &document["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 4);
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 14);
    let key = results.iter().find(|result| result["ruleId"] == "docs-lint/key").unwrap();
    assert_eq!(key["level"], "error");
    let place = &key["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "data/a%20b/%C3%BC.md");
    assert_eq!(place["region"]["startLine"], 3);
}

#[test]
fn an_unknown_form_is_none() {
    assert!(render("pdf", "docs-lint", &report()).is_none());
}
