//! The common form of reports: one entry for each rule or probe, passes included, and an outcome that a pipeline acts
//! on. Plain data; who looks decides, and who renders decides nothing.

use serde::Serialize;

use crate::model::Locator;

/// What a rule or probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It looked, and all is good.
    Pass,
    /// Something should be better. It never changes the outcome.
    Warn,
    /// Something is wrong.
    Fail,
    /// It could not look; the summary says what would make it known.
    Unknown,
    /// There was nothing to look at.
    NotApplicable,
}

impl Verdict {
    /// The word that the JSON form has.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// How much a rule or probe weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth a look before production.
    Advisory,
    /// Nothing goes live with it.
    Blocking,
}

impl Severity {
    /// The word that the JSON form has.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Advisory => "advisory",
            Self::Blocking => "blocking",
        }
    }
}

/// What all verdicts together mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// Nothing speaks against it.
    #[serde(rename = "GO")]
    Go,
    /// A blocking rule failed.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// A blocking rule is unknown, or nothing was looked at.
    #[serde(rename = "NOT PROVEN")]
    NotProven,
}

impl Outcome {
    /// The words that people and programs read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
            Self::NotProven => "NOT PROVEN",
        }
    }
}

/// One thing that a rule or probe saw. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it concerns: a path, a key, a header, a route.
    pub subject: String,
    /// The place in it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The place in it, as data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locator: Option<Locator>,
    /// What is there.
    pub message: String,
}

impl Evidence {
    /// Something about the whole of `subject`.
    pub fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { subject: subject.into(), place: None, locator: None, message: message.into() }
    }

    /// At this place of it.
    #[must_use]
    pub fn at(mut self, locator: Locator) -> Self {
        let place = locator.describe();
        self.place = (!place.is_empty()).then_some(place);
        self.locator = (locator != Locator::default()).then_some(locator);
        self
    }
}

/// The verdict of one rule or probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Probe {
    /// The same from run to run: `docs-lint/duplicate`.
    pub id: String,
    /// What kind of rule or probe it is.
    pub kind: String,
    /// What it found.
    pub verdict: Verdict,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence.
    pub summary: String,
    /// What it saw.
    pub evidence: Vec<Evidence>,
    /// The next thing to do, where there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// How many probes have which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub probes: usize,
    /// Passed.
    pub pass: usize,
    /// Warned.
    pub warn: usize,
    /// Failed.
    pub fail: usize,
    /// Could not look.
    pub unknown: usize,
    /// Had nothing to look at.
    pub not_applicable: usize,
}

/// A report in the common form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was looked at, for people: a folder, an address.
    pub target: String,
    /// How many probes have which verdict.
    pub summary: Counts,
    /// What they mean together.
    pub outcome: Outcome,
    /// One for each rule or probe, passes included.
    pub probes: Vec<Probe>,
}

impl Report {
    /// Counts the verdicts and draws the conclusion.
    pub fn new(target: impl Into<String>, probes: Vec<Probe>) -> Self {
        Self { target: target.into(), summary: counts(&probes), outcome: outcome(&probes), probes }
    }
}

fn counts(probes: &[Probe]) -> Counts {
    let mut counts = Counts { probes: probes.len(), ..Counts::default() };
    for probe in probes {
        *match probe.verdict {
            Verdict::Pass => &mut counts.pass,
            Verdict::Warn => &mut counts.warn,
            Verdict::Fail => &mut counts.fail,
            Verdict::Unknown => &mut counts.unknown,
            Verdict::NotApplicable => &mut counts.not_applicable,
        } += 1;
    }
    counts
}

/// Nothing selected, and nothing but what could not be looked at, is not green.
fn outcome(probes: &[Probe]) -> Outcome {
    let blocking =
        |verdict: Verdict| probes.iter().any(|probe| probe.verdict == verdict && probe.severity == Severity::Blocking);
    let looked = probes.iter().any(|probe| !matches!(probe.verdict, Verdict::Unknown | Verdict::NotApplicable));
    if blocking(Verdict::Fail) {
        Outcome::NoGo
    } else if blocking(Verdict::Unknown) || !looked {
        Outcome::NotProven
    } else {
        Outcome::Go
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(verdict: Verdict, severity: Severity) -> Probe {
        let text = String::new;
        let (id, kind, summary) = (text(), text(), text());
        Probe { id, kind, verdict, severity, summary, evidence: Vec::new(), fix: None, duration_ms: 0 }
    }

    #[test]
    fn the_outcome_follows_the_blocking_verdicts() {
        use {Severity::*, Verdict::*};
        let outcome = |probes: &[(Verdict, Severity)]| {
            Report::new("x", probes.iter().map(|(verdict, severity)| probe(*verdict, *severity)).collect()).outcome
        };
        assert_eq!(outcome(&[(Pass, Blocking), (Warn, Blocking), (Fail, Advisory), (Unknown, Info)]), Outcome::Go);
        assert_eq!(outcome(&[(Fail, Blocking), (Unknown, Blocking)]), Outcome::NoGo);
        assert_eq!(outcome(&[(Pass, Blocking), (Unknown, Blocking)]), Outcome::NotProven);
        assert_eq!(outcome(&[(NotApplicable, Blocking), (Unknown, Info)]), Outcome::NotProven);
        assert_eq!(outcome(&[]), Outcome::NotProven);
    }
}
