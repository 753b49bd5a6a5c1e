//! The one shape in which an error reaches the user: what failed, why, and what to try next.

use std::fmt;

use serde::Serialize;

use crate::exit::Exit;

/// An expected failure of a command.
///
/// `code` is stable (`area/what`, kebab-case). `what` reads after "failed to"; `fix` is a command to run where
/// possible. None of them ever holds a secret.
#[derive(Debug)]
pub struct Failure {
    /// Stable, kebab-case, `area/what`.
    pub code: &'static str,
    /// What was being done, on what: a lower-case fragment that reads after "failed to".
    pub what: String,
    /// Why it failed.
    pub why: String,
    /// The next thing to try.
    pub fix: Option<String>,
    /// The exit code.
    pub exit: Exit,
    /// The underlying error, shown with `-v`.
    pub cause: Option<anyhow::Error>,
}

impl Failure {
    /// A failure without a fix and a cause.
    pub fn new(code: &'static str, exit: Exit, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { code, what: what.into(), why: why.into(), fix: None, exit, cause: None }
    }

    /// Adds the next thing to try.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {}: {}", self.what, self.why)
    }
}

impl std::error::Error for Failure {}

/// One thing wrong with one of many things read; it never hides the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What it concerns: a path relative to the documents folder, or a settings file.
    pub path: String,
    /// Stable, kebab-case, `area/what`, for example `document/encrypted`.
    pub code: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    /// A problem with `path`.
    pub fn new(path: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), code: code.into(), message: message.into() }
    }
}
