//! A case: one thing that a server of the protocol does or does not do.

use futures_util::future::BoxFuture;

use crate::config::suggest;
use crate::model::report::Severity;
use crate::smoke::cases;
use crate::smoke::lab::Lab;

/// Why a case did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The server does what it must not do.
    Fail(String),
    /// It should do better, and nothing breaks.
    Warn(String),
    /// This server has nothing to look at.
    Skip(String),
    /// What the case builds on did not work, so it could not look.
    Unknown(String),
}

/// What a case found.
pub(super) type CaseResult = Result<(), Stop>;

/// How a case looks.
pub(super) type Look = for<'a> fn(&'a Lab) -> BoxFuture<'a, CaseResult>;

/// When a case runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Beside others.
    Together,
    /// By itself: it looks at what others would change.
    Alone,
    /// By itself, after all others: it looks at everything that was seen.
    Last,
}

/// One thing to look at.
pub struct Case {
    /// `group/what`; stable.
    pub name: &'static str,
    /// One sentence: what holds when it passes.
    pub summary: &'static str,
    /// Where the rule comes from.
    pub rule: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    pub(super) phase: Phase,
    pub(super) look: Look,
}

impl Case {
    /// A blocking case that runs beside others.
    pub(super) const fn new(name: &'static str, summary: &'static str, rule: &'static str, look: Look) -> Self {
        Self { name, summary, rule, severity: Severity::Blocking, phase: Phase::Together, look }
    }

    /// It weighs less: clients get along without.
    pub(super) const fn advisory(mut self) -> Self {
        self.severity = Severity::Advisory;
        self
    }

    /// It runs by itself.
    pub(super) const fn alone(mut self) -> Self {
        self.phase = Phase::Alone;
        self
    }

    /// It runs when all others have.
    pub(super) const fn last(mut self) -> Self {
        self.phase = Phase::Last;
        self
    }

    /// The part of the name before the slash.
    pub fn group(&self) -> &'static str {
        self.name.split('/').next().unwrap_or(self.name)
    }
}

/// The cases of this name, or of this group. The error names what was perhaps meant.
pub fn find(name: &str) -> Result<Vec<&'static Case>, String> {
    let found: Vec<&'static Case> = cases::all().filter(|case| case.name == name || case.group() == name).collect();
    if found.is_empty() {
        let known = cases::all().flat_map(|case| [case.name, case.group()]);
        return Err(format!("there is no case or group `{name}`{}", suggest::hint(name, known)));
    }
    Ok(found)
}

/// A row of a table of cases.
macro_rules! case {
    ($name:literal, $summary:literal, $rule:expr, $look:path) => {
        $crate::smoke::case::Case::new($name, $summary, $rule, |lab| Box::pin($look(lab)))
    };
}

pub(super) use case;
