//! For people: the outcome first, then what is not good with its evidence and what to do, worst first.

use std::cmp::Reverse;
use std::fmt::Write as _;

use crate::model::report::{Evidence, Probe, Report, Severity, Verdict};

/// Pieces of evidence shown for one rule; the JSON form has all.
const SHOWN: usize = 10;

/// The report as lines.
pub fn render(report: &Report) -> String {
    let counts = report.summary;
    let mut text = format!("{} for `{}`: {} pass", report.outcome.name(), report.target, counts.pass);
    for (count, word) in [
        (counts.fail, "fail"),
        (counts.warn, "warn"),
        (counts.unknown, "unknown"),
        (counts.not_applicable, "not applicable"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {word}");
        }
    }
    text.push('\n');
    let mut told: Vec<&Probe> =
        report.probes.iter().filter(|probe| !matches!(probe.verdict, Verdict::Pass | Verdict::NotApplicable)).collect();
    told.sort_by_key(|probe| (rank(probe.verdict), Reverse(probe.severity)));
    for probe in told {
        add(&mut text, probe);
    }
    text
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Unknown => 1,
        Verdict::Warn => 2,
        Verdict::Pass | Verdict::NotApplicable => 3,
    }
}

fn add(text: &mut String, probe: &Probe) {
    let mark = match (probe.verdict, probe.severity) {
        (Verdict::Warn, Severity::Info) => "info",
        (verdict, _) => verdict.name(),
    };
    let _ = write!(text, "\n{mark}  {}: {}\n", probe.id, probe.summary);
    for evidence in probe.evidence.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}", line(evidence));
    }
    if let Some(more) = probe.evidence.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more (--format json lists all)");
    }
    if let Some(fix) = &probe.fix {
        let _ = writeln!(text, "  fix: {fix}");
    }
}

fn line(evidence: &Evidence) -> String {
    match &evidence.place {
        Some(place) => format!("{}, {place}: {}", evidence.subject, evidence.message),
        None => format!("{}: {}", evidence.subject, evidence.message),
    }
}
