//! JUnit XML, as CI systems read it: a test case for each rule. A warning is no failure there, so it stands in the
//! output of its case; what could not be looked at is an error.

use std::fmt::Write as _;

use crate::model::report::{Evidence, Probe, Report, Verdict};

/// The report as one `testsuite`.
pub(super) fn render(name: &str, report: &Report) -> String {
    let counts = report.summary;
    let seconds = |probe: &Probe| probe.duration_ms as f64 / 1000.0;
    let total: f64 = report.probes.iter().map(seconds).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{total:.3}\">\n",
        escape(name),
        counts.probes,
        counts.fail,
        counts.unknown,
        counts.not_applicable
    );
    for probe in &report.probes {
        let head = format!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escape(name),
            escape(&probe.id),
            seconds(probe)
        );
        match body(probe) {
            Some(body) => {
                let _ = writeln!(xml, "{head}>\n      {body}\n    </testcase>");
            }
            None => {
                let _ = writeln!(xml, "{head}/>");
            }
        }
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn body(probe: &Probe) -> Option<String> {
    let summary = escape(&probe.summary);
    let lines = escape(&lines(probe));
    match probe.verdict {
        Verdict::Pass => None,
        Verdict::Warn => Some(format!("<system-out>{summary}\n{lines}</system-out>")),
        Verdict::Fail => {
            Some(format!("<failure message=\"{summary}\" type=\"{}\">{lines}</failure>", probe.severity.name()))
        }
        Verdict::Unknown => {
            Some(format!("<error message=\"{summary}\" type=\"{}\">{lines}</error>", probe.severity.name()))
        }
        Verdict::NotApplicable => Some(format!("<skipped message=\"{summary}\"/>")),
    }
}

fn lines(probe: &Probe) -> String {
    let line = |evidence: &Evidence| {
        let place = evidence.place.as_ref().map_or_else(String::new, |place| format!(", {place}"));
        format!("{}{place}: {}", evidence.subject, evidence.message)
    };
    let fix = probe.fix.iter().map(|fix| format!("fix: {fix}"));
    probe.evidence.iter().map(line).chain(fix).collect::<Vec<String>>().join("\n")
}

/// XML 1.0 section 2.2: most control characters cannot be written at all.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}
