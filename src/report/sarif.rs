//! SARIF 2.1.0 (OASIS), as code hosts show it: a rule for each rule, a result for each piece of evidence. Rules that
//! passed have no result.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::model::report::{Evidence, Probe, Report, Severity, Verdict};

/// The report as one run.
pub(super) fn render(name: &str, report: &Report) -> String {
    let rules: Vec<Value> = report.probes.iter().map(rule).collect();
    let results: Vec<Value> =
        report.probes.iter().enumerate().flat_map(|(at, probe)| results(at, probe, &report.target)).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": format!("chatbotctl {name}"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rule(probe: &Probe) -> Value {
    let mut rule = json!({
        "id": probe.id,
        "shortDescription": {"text": probe.summary},
        "defaultConfiguration": {"level": level(probe.severity)},
    });
    if let Some(fix) = &probe.fix {
        rule["help"] = json!({"text": fix});
    }
    rule
}

fn results(rule_index: usize, probe: &Probe, target: &str) -> Vec<Value> {
    let result = |evidence: Option<&Evidence>| {
        let message = evidence.map_or(&probe.summary, |evidence| &evidence.message);
        let mut result = json!({
            "ruleId": probe.id,
            "ruleIndex": rule_index,
            "level": level(probe.severity),
            "message": {"text": message},
        });
        if probe.verdict == Verdict::Unknown {
            result["kind"] = json!("open");
            result["level"] = json!("none");
        }
        if let Some(evidence) = evidence {
            result["locations"] = json!([location(evidence, target)]);
        }
        result
    };
    match (probe.verdict, probe.evidence.is_empty()) {
        (Verdict::Pass | Verdict::NotApplicable, _) => Vec::new(),
        (_, true) => vec![result(None)],
        (_, false) => probe.evidence.iter().map(|evidence| result(Some(evidence))).collect(),
    }
}

fn location(evidence: &Evidence, target: &str) -> Value {
    let subject = &evidence.subject;
    // What lies outside of what was looked at has its whole path.
    let is_whole = Path::new(subject).is_absolute();
    let path = if is_whole { subject.clone() } else { format!("{}/{subject}", target.trim_end_matches('/')) };
    // An address has no places within: it is the place.
    let uri = if target.contains("://") { target.to_owned() } else { uri(&path) };
    let mut location = json!({"physicalLocation": {"artifactLocation": {"uri": uri}}});
    if let Some(lines) = evidence.locator.as_ref().and_then(|locator| locator.lines) {
        location["physicalLocation"]["region"] = json!({"startLine": lines.0.max(1), "endLine": lines.1.max(1)});
    }
    if let Some(place) = &evidence.place {
        location["message"] = json!({"text": place});
    }
    location
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocking => "error",
        Severity::Advisory => "warning",
        Severity::Info => "note",
    }
}

/// A path as a relative reference (RFC 3986), or as a `file` URI (RFC 8089) where it is absolute.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}
